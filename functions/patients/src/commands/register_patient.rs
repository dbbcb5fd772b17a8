//! `POST /patients`

use jiff::civil::Date;
use ledgerfold::{
    Access, Caller, DecideSealing, DecisionContext, EntityId,
    sealed::{Plain, SealingKeys},
};
use ledgerfold_lambda::http::{FieldError, HttpCommand};
use patients_events::{Contact, Demographics, Email, Identifier, PatientRegistered, Phone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, IDENTIFIER, PatientRejection, PatientState, Patients, access};

/// Register a patient. The service chooses the id. It is the same for the same caller and Idempotency-Key. After an
/// erasure, a new registration of the same person has another id, and its data another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterPatient {
    /// The name.
    pub name: Plain<Name>,
    /// The date of birth.
    pub birth_date: Plain<BirthDate>,
    /// The identifiers. Each belongs to one patient, in upper or lower case.
    #[schemars(length(min = 1, max = 10))]
    pub identifiers: Plain<Vec<Identifier>>,
    /// How to reach the patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Plain<Contact>>,
}

/// The name of a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Name(#[schemars(length(min = 1, max = 200))] pub String);

/// The date of birth of a person.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
        "pattern" = r"^(18|19|20|21)\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
        "x-rule" = "a date, for example 1815-12-10"
    )
)]
pub struct BirthDate(pub Date);

impl HttpCommand for RegisterPatient {
    const PATH: &'static str = "/patients";
    const REFUSALS: &'static [&'static str] = &["patient-registered", "identifier-taken"];

    fn example() -> Self {
        let system = "urn:oid:2.16.840.1.113883.4.1".to_owned();
        let identifier = Identifier { system, value: "123-45-6789".to_owned() };
        let email = Some(Email("ada@example.org".to_owned()));
        Self {
            name: Plain::new(Name("Ada Lovelace".to_owned())),
            birth_date: Plain::new(BirthDate(Date::constant(1815, 12, 10))),
            identifiers: Plain::new(vec![identifier]),
            contact: Some(Plain::new(Contact { email, phone: Some(Phone("+44 20".to_owned())) })),
        }
    }

    fn check(&self) -> Vec<FieldError> {
        let identifiers = self.identifiers.expose();
        let is_again = |at: usize| {
            identifiers.iter().take(at).any(|it| normalised(it) == normalised(&identifiers[at]))
        };
        let again = (0..identifiers.len()).filter(|at| is_again(*at));
        again
            .map(|at| FieldError {
                pointer: format!("/identifiers/{at}"),
                detail: "must differ from the identifiers before it".to_owned(),
            })
            .collect()
    }
}

/// The text whose keyed hash is the unique key. The length of the system separates it from the value,
/// because both may contain any character.
fn normalised(Identifier { system, value }: &Identifier) -> String {
    let system = system.trim().to_lowercase();
    format!("{}:{system}:{}", system.len(), value.trim().to_lowercase())
}

impl DecideSealing for RegisterPatient {
    type Decider = Patients;

    fn may(&self, caller: &Caller, _: &PatientState) -> Access {
        Access::allowed_if(caller.has_role(&access::REGISTRAR))
    }

    fn decide(
        &self,
        state: &PatientState,
        keys: &SealingKeys,
        _: &DecisionContext<'_>,
    ) -> Decision {
        match state {
            None => {}
            Some(patient) if patient.is_erased => return Err(PatientRejection::Erased),
            Some(_) => return Err(PatientRejection::AlreadyRegistered),
        }
        let subject = keys.subject()?;
        let identifiers = self.identifiers.expose();
        let demographics = Plain::new(Demographics {
            name: self.name.expose().0.clone(),
            birth_date: self.birth_date.expose().0,
            identifiers: identifiers.clone(),
            contact: self.contact.as_ref().map(|it| it.expose().clone()).unwrap_or_default(),
        });
        let hash = |it: &Identifier| keys.hash(&IDENTIFIER, &normalised(it));
        let registered = PatientRegistered {
            // The data subject is the stream, so it is a valid id.
            patient: EntityId::new(subject.as_str()).map_err(|_| PatientRejection::NotFound)?,
            demographics: keys.seal(subject, &demographics)?,
            identifiers: identifiers.iter().map(hash).collect(),
        };
        Ok(vec![registered.into()])
    }
}
