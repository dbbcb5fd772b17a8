use std::{sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};

use super::{CONCURRENT_SUBJECTS, ClaimsError, Finding, Inspector, Subject};
use crate::ports::Clock;

/// How often a subject is looked at whose faults look different each time.
const LOOKS: usize = 4;

/// Reports reservations that differ from the log, and changes nothing.
#[derive(Clone)]
pub struct ClaimsChecker {
    inspector: Inspector,
    clock: Arc<dyn Clock>,
    grace: Duration,
}

impl ClaimsChecker {
    /// An auditor that looks at a fault again after `grace`: a command that runs meanwhile looks like
    /// a fault in between two reads.
    pub fn new(inspector: Inspector, clock: Arc<dyn Clock>, grace: Duration) -> Self {
        Self { inspector, clock, grace }
    }

    /// The subject of the comparison.
    pub const fn inspector(&self) -> &Inspector {
        &self.inspector
    }

    /// The faults of these subjects.
    ///
    /// # Errors
    /// [`ClaimsError`] where the log or the reservations cannot be read.
    pub async fn examine(&self, subjects: &[Subject]) -> Result<Vec<Finding>, ClaimsError> {
        stream::iter(subjects)
            .map(|subject| self.look(subject))
            .buffered(CONCURRENT_SUBJECTS)
            .try_concat()
            .await
    }

    /// The faults that look the same twice.
    async fn look(&self, subject: &Subject) -> Result<Vec<Finding>, ClaimsError> {
        let mut findings = self.inspector.look(subject).await?;
        for _ in 1..LOOKS {
            if findings.is_empty() {
                break;
            }
            self.clock.sleep(self.grace).await;
            let again = self.inspector.look(subject).await?;
            if again == findings {
                break;
            }
            findings = again;
        }
        Ok(findings)
    }
}
