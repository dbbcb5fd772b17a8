//! The roles of a context's program.

use std::{fmt, str::FromStr};

/// A role of a context's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Handles commands.
    Command,
    /// Answers queries.
    Query,
    /// Publishes commits.
    Relay,
    /// Fills one projection.
    Projector,
    /// Runs one process.
    Process,
    /// Sends due deadlines to the workers of their processes.
    DeadlineSweep,
    /// Fires the due deadlines of one process.
    DeadlineWorker,
    /// Audits a sample of streams.
    SpotCheck,
    /// Exports events as files.
    Export,
    /// Adds commits to the transparency log.
    Sealer,
}

/// A text is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ROLE is {0:?}, and must be one of {names}", names = Role::names())]
pub struct UnknownRole(pub String);

impl Role {
    /// All roles.
    pub const ALL: [Self; 10] = [
        Self::Command,
        Self::Query,
        Self::Relay,
        Self::Projector,
        Self::Process,
        Self::DeadlineSweep,
        Self::DeadlineWorker,
        Self::SpotCheck,
        Self::Export,
        Self::Sealer,
    ];

    /// The value of the variable `ROLE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Query => "query",
            Self::Relay => "relay",
            Self::Projector => "projector",
            Self::Process => "process",
            Self::DeadlineSweep => "deadline-sweep",
            Self::DeadlineWorker => "deadline-worker",
            Self::SpotCheck => "spot-check",
            Self::Export => "export",
            Self::Sealer => "sealer",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn every_role_is_read_back_and_an_unknown_one_is_told_the_allowed_values() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        let unknown = "projektor".parse::<Role>().expect_err("it is misspelt").to_string();
        assert_eq!(
            unknown,
            "ROLE is \"projektor\", and must be one of command, query, relay, projector, process, \
             deadline-sweep, deadline-worker, spot-check, export, sealer"
        );
    }
}
