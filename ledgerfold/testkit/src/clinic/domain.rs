use ledgerfold::{
    Access, Caller, Category, Claim, Decider, DecisionContext, Rejection, RejectionKind,
    SnapshotPolicy, Snapshots, UniqueKey, events,
    sealed::{Keyed, KeyedHash, Label, OpenError, Personal, SealError, Sealed},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PatientCommand;

/// A patient's name. It has no `Debug`, so no message can contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PatientName(#[schemars(length(min = 1, max = 100))] String);

impl PatientName {
    /// This name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Personal for PatientName {
    const LABEL: Label = Label::from_static("patient-name");
}

/// The kind of unique key of an address.
pub const EMAIL: Category = Category::from_static("email");

/// A patient was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// The name.
    pub name: Sealed<PatientName>,
    /// The hash of the address, which no other patient may have.
    pub email: KeyedHash,
}

/// A patient has another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// The new name.
    pub name: Sealed<PatientName>,
}

events! {
    /// The events of a patient.
    pub enum PatientEvent { Registered: 1, Renamed: 1 }
}

/// A reason to refuse a command.
#[derive(Debug, thiserror::Error)]
pub enum PatientRejection {
    /// The patient exists.
    #[error("the patient is registered already")]
    Registered,
    /// The patient does not exist.
    #[error("there is no such patient")]
    Unknown,
    /// The patient's data was erased.
    #[error("the patient's data was erased")]
    Erased,
    /// The stored name cannot be opened.
    #[error("the patient's name cannot be opened: {0}")]
    Unopened(#[from] OpenError),
    /// The new name cannot be sealed.
    #[error("the patient's name cannot be sealed: {0}")]
    Unsealed(SealError),
}

impl From<SealError> for PatientRejection {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Erased(_) => Self::Erased,
            error => Self::Unsealed(error),
        }
    }
}

impl Rejection for PatientRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::Registered => "patient-registered",
            Self::Unknown => "patient-unknown",
            Self::Erased => "patient-erased",
            Self::Unopened(_) | Self::Unsealed(_) => "patient-keys",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::Unknown => RejectionKind::NotFound,
            Self::Erased => RejectionKind::Erased,
            Self::Registered | Self::Unopened(_) | Self::Unsealed(_) => RejectionKind::Conflict,
        }
    }
}

impl PartialEq for PatientRejection {
    fn eq(&self, other: &Self) -> bool {
        self.rule() == other.rule()
    }
}

/// A registered patient. The state, and each snapshot of it, has the name as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patient {
    /// The name.
    pub name: Sealed<PatientName>,
}

/// The patients.
pub struct Patients;

impl Decider for Patients {
    type Command = Keyed<PatientCommand>;
    type Event = PatientEvent;
    type State = Option<Patient>;
    type Rejection = PatientRejection;
    const CATEGORY: Category = Category::from_static("patient");

    fn initial() -> Option<Patient> {
        None
    }

    fn evolve(state: Option<Patient>, event: &PatientEvent) -> Option<Patient> {
        match event {
            PatientEvent::Registered(it) => Some(Patient { name: it.name.clone() }),
            PatientEvent::Renamed(it) => state.map(|_| Patient { name: it.name.clone() }),
        }
    }

    fn may(caller: &Caller, command: &Keyed<PatientCommand>, state: &Option<Patient>) -> Access {
        command.command().may(caller, state)
    }

    fn decide(
        state: &Option<Patient>,
        command: &Keyed<PatientCommand>,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<PatientEvent>, PatientRejection> {
        command.command().decide(state, command.keys(), context)
    }

    fn snapshots() -> Option<Snapshots<Option<Patient>>> {
        Some(Snapshots::of::<Self>(1).every(SnapshotPolicy { events: 2, bytes: 4_096 }))
    }

    fn claims(event: &PatientEvent) -> Vec<Claim> {
        match event {
            PatientEvent::Registered(it) => {
                vec![Claim::Reserve(UniqueKey::keyed(EMAIL, &it.email))]
            }
            PatientEvent::Renamed(_) => Vec::new(),
        }
    }
}
