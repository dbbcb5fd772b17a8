use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::{CONCURRENT_SUBJECTS, ClaimsError, Finding, Inspector, Subject};
use crate::ports::Clock;

/// How often a subject is examined while its faults differ each time.
const ATTEMPTS: usize = 4;

/// Reports reservations that differ from the log. It does not change them.
#[derive(Clone)]
pub struct ClaimsChecker {
    inspector: Inspector,
    clock: Arc<dyn Clock>,
    grace: Duration,
}

impl ClaimsChecker {
    /// A checker that examines a fault again after `grace`. A command that runs between two reads can look like a
    /// fault.
    pub fn new(inspector: Inspector, clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { inspector, clock, grace }
    }

    /// The inspector, which lists the subjects.
    pub const fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    /// The faults of these subjects.
    ///
    /// # Errors
    /// [`ClaimsError`] if the log or the reservations cannot be read.
    pub async fn examine(&self, subjects: &[Subject]) -> Result<Vec<Finding>, ClaimsError> {
        stream::iter(subjects)
            .map(|subject| self.confirmed(subject))
            .buffered(CONCURRENT_SUBJECTS)
            .try_concat()
            .await
    }

    /// The faults that were seen twice unchanged.
    async fn confirmed(&self, subject: &Subject) -> Result<Vec<Finding>, ClaimsError> {
        let mut findings = self.inspector.examine(subject).await?;
        for _ in 1..ATTEMPTS {
            if findings.is_empty() {
                break;
            }
            self.clock.sleep(self.grace).await;
            let again = self.inspector.examine(subject).await?;
            if again == findings {
                break;
            }
            findings = again;
        }
        Ok(findings)
    }
}
