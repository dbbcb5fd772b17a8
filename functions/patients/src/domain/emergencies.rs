//! The end of an emergency access, when its deadline is due. No caller can send this command.

use ledgerfold::{Category, Command, CommandName, Decider, DecisionContext, EntityId};
use patients_events::{EmergencyAccessEnded, PatientEvent};
use serde::{Deserialize, Serialize};

use super::{Decision, PatientRejection, PatientState, Patients};

/// The patients once more, for a process: it has no keys, and this command needs none.
#[derive(Clone, Copy, Debug)]
pub struct Emergencies;

/// Record the end of an emergency access. It counts for nothing from its time on, with or without this command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndEmergencyAccess {
    /// The id of the access.
    pub access: EntityId,
}

impl Command for EndEmergencyAccess {
    fn name(&self) -> CommandName {
        CommandName::from_static("EndEmergencyAccess")
    }
}

impl Decider for Emergencies {
    type Command = EndEmergencyAccess;
    type Event = PatientEvent;
    type State = PatientState;
    type Rejection = PatientRejection;

    const CATEGORY: Category = Patients::CATEGORY;

    fn initial() -> PatientState {
        Patients::initial()
    }

    fn evolve(state: PatientState, event: &PatientEvent) -> PatientState {
        Patients::evolve(state, event)
    }

    fn decide(
        state: &PatientState,
        EndEmergencyAccess { access }: &EndEmergencyAccess,
        context: &DecisionContext<'_>,
    ) -> Decision {
        let emergencies = state.iter().flat_map(|patient| patient.emergencies.values());
        let over = emergencies.filter(|it| it.access == *access && it.until <= context.at);
        Ok(over.map(|it| EmergencyAccessEnded { access: it.access.clone() }.into()).collect())
    }
}
