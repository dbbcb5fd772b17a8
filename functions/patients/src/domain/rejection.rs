//! The reasons for which a command is rejected.

use ledgerfold::{Rejection, RejectionKind, sealed::SealError};

/// The reason why a command is rejected. The names of the rules are part of the HTTP contract.
#[derive(Debug, thiserror::Error)]
pub enum PatientRejection {
    /// The patient does not exist.
    #[error("The patient does not exist.")]
    NotFound,
    /// The record does not exist.
    #[error("The record does not exist.")]
    NoSuchRecord,
    /// The consent does not exist.
    #[error("The consent does not exist.")]
    NoSuchConsent,
    /// A patient can only be registered once.
    #[error("The patient is already registered.")]
    AlreadyRegistered,
    /// A retracted record cannot be changed.
    #[error("The record is retracted.")]
    RecordRetracted,
    /// A consent can only be withdrawn once.
    #[error("The consent is already withdrawn.")]
    ConsentWithdrawn,
    /// The patient has the most records that it can have.
    #[error("The patient has too many records.")]
    TooManyRecords,
    /// The patient has the most consents that it can have.
    #[error("The patient has too many consents.")]
    TooManyConsents,
    /// The patient's data was erased.
    #[error("The patient's data was erased.")]
    Erased,
    /// The personal data cannot be sealed.
    #[error("The personal data cannot be sealed: {0}.")]
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
            Self::NotFound | Self::NoSuchRecord | Self::NoSuchConsent => "not-found",
            Self::AlreadyRegistered => "patient-registered",
            Self::RecordRetracted => "record-retracted",
            Self::ConsentWithdrawn => "consent-withdrawn",
            Self::TooManyRecords => "too-many-records",
            Self::TooManyConsents => "too-many-consents",
            Self::Erased => "erased",
            Self::Unsealed(_) => "not-sealed",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound | Self::NoSuchRecord | Self::NoSuchConsent => RejectionKind::NotFound,
            Self::Erased => RejectionKind::Erased,
            _ => RejectionKind::Conflict,
        }
    }
}

/// Two rejections are equal if their rule and their text are.
impl PartialEq for PatientRejection {
    fn eq(&self, other: &Self) -> bool {
        self.rule() == other.rule() && self.to_string() == other.to_string()
    }
}
