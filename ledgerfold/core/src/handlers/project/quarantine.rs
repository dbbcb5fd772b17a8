//! Quarantined streams and their retries.
//!
//! A read model stops a stream before the first event that it cannot apply. For later messages of the stream, the
//! projector reads the gap from the log, fails at the same event, and quarantines the stream again. So later events
//! wait without a lock, and all other streams continue. After a fix, a round of retries updates the stream from the
//! log. No message must be sent again.

use std::{future::ready, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{
    UnknownModel,
    batch::Arrived,
    live::{LiveModel, reason, release},
    updater::Progress,
};
use crate::{
    Timestamp, Version,
    ports::{PageWalk, Parked, Quarantine, QuarantineError, ReadStoreError},
    waiting::ExponentialWait,
};

/// The maximum number of streams that one round tries. It limits memory, however many streams are quarantined.
const ATTEMPTS_PER_ROUND: usize = 1_000;
/// The number of streams of a round that are tried concurrently. Each reads a page of the log, up to a megabyte.
const CONCURRENT_RETRIES: usize = 8;
/// The wait between retries of one stream. It is at most an hour, so that a fixed stream recovers within an hour.
const WAIT: ExponentialWait =
    ExponentialWait::new(Duration::from_secs(60), Duration::from_secs(60 * 60));
/// The maximum length of a reason in characters. A reason may quote data that could not be read.
pub(super) const REASON_CHARACTERS: usize = 500;

/// A request to a projector, sent as JSON through its queue.
///
/// ```
/// use ledgerfold::project::{Maintenance, RetryScope};
///
/// let retry = Maintenance::Retry { streams: RetryScope::Due };
/// assert_eq!(serde_json::to_string(&retry)?, r#"{"ledgerfold":"retry","streams":"due"}"#);
/// assert_eq!(serde_json::from_str::<Maintenance>(r#"{"ledgerfold":"retry"}"#)?, retry);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ledgerfold", rename_all = "kebab-case")]
pub enum Maintenance {
    /// Retry quarantined streams.
    Retry {
        /// The streams to retry.
        #[serde(default)]
        streams: RetryScope,
    },
}

/// The quarantined streams that a round of retries tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryScope {
    /// The streams whose wait is over. The wait grows with each failed retry, so that thousands of quarantined streams
    /// cost little.
    #[default]
    Due,
    /// All quarantined streams. Use it after you have deployed a fix.
    All,
}

/// The result of a round of retries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetrySummary {
    /// The number of streams that recovered and left the quarantine.
    pub recovered: usize,
    /// The number of streams that are still quarantined.
    pub parked: usize,
}

/// A round of retries could not begin. The next one may succeed.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// The quarantined streams cannot be listed.
    #[error(transparent)]
    Quarantine(#[from] QuarantineError),
    /// The record of the generations cannot be read.
    #[error(transparent)]
    Generations(#[from] ReadStoreError),
    /// The program lacks the live generation's model.
    #[error(transparent)]
    Model(#[from] UnknownModel),
}

impl LiveModel {
    /// Retries the streams that are due.
    pub(super) async fn retry(
        &self,
        quarantine: &Arc<dyn Quarantine>,
        DueStreams { parked, due }: DueStreams,
        until: Timestamp,
    ) -> RetrySummary {
        let recovered = stream::iter(due)
            .take_while(|_| ready(self.clock.now() < until))
            .map(|parked| self.try_again(&**quarantine, parked))
            .buffer_unordered(CONCURRENT_RETRIES)
            .filter(|is_recovered| ready(*is_recovered))
            .count()
            .await;
        RetrySummary { recovered, parked: parked.saturating_sub(recovered) }
    }

    /// Retries one stream. Returns whether it reached the version that its entry asks for, and left the quarantine.
    async fn try_again(&self, quarantine: &dyn Quarantine, parked: Parked) -> bool {
        let mut progress = Progress::default();
        let owed = Arrived::only_version(parked.owed_version);
        let outcome = self.updater.bring_forward(&parked.stream, &owed, &mut progress).await;
        let Err(error) = outcome else {
            let reached = progress.position.unwrap_or(Version::NONE);
            return release(quarantine, &parked.stream, reached).await;
        };
        let again = Parked {
            position: progress.position,
            version: error.version(),
            reason: reason(&error),
            attempts: parked.attempts.saturating_add(1),
            tried: self.clock.now(),
            ..parked
        };
        if let Err(error) = quarantine.park(&again).await {
            // The old entry stays. The next retry comes too early, which costs little.
            tracing::warn!(stream = %again.stream, %error, "failed retry not recorded");
        }
        false
    }
}

/// The quarantined streams that a round of retries tries.
#[derive(Default)]
pub(super) struct DueStreams {
    /// The number of quarantined streams, due or not.
    parked: usize,
    due: Vec<Parked>,
}

impl DueStreams {
    pub(super) async fn of(
        quarantine: &dyn Quarantine,
        scope: RetryScope,
        now: Timestamp,
    ) -> Result<Self, QuarantineError> {
        let mut found = Self::default();
        let mut walk = PageWalk::start();
        while let Some(after) = walk.next_place() {
            let parked = walk.turn(quarantine.list(after.as_ref()).await?);
            found.parked += parked.len();
            found.due.extend(
                parked.into_iter().filter(|it| scope == RetryScope::All || is_due(it, now)),
            );
            found.due.sort_by_key(|parked| parked.tried);
            found.due.truncate(ATTEMPTS_PER_ROUND);
        }
        Ok(found)
    }
}

/// A stream is also due if the clock was set back, because otherwise it might wait for years.
fn is_due(parked: &Parked, now: Timestamp) -> bool {
    let rested = now.duration_since(parked.tried);
    let wait = SignedDuration::try_from(WAIT.after(parked.attempts)).unwrap_or(SignedDuration::MAX);
    rested.is_negative() || rested >= wait
}

#[cfg(test)]
mod tests {
    use super::{Parked, Timestamp, Version, is_due};

    fn parked(attempts: u32) -> Parked {
        Parked {
            stream: "default/account#1".parse().expect("a stream"),
            position: None,
            version: None,
            owed_version: Version::new(1),
            reason: "it has no place".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            attempts,
            tried: Timestamp::UNIX_EPOCH,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("it is in range")
    }

    #[test]
    fn what_fails_again_is_left_alone_for_longer_up_to_an_hour() {
        for (attempts, seconds) in [(0, 0), (1, 60), (2, 120), (5, 960), (7, 3_600), (900, 3_600)] {
            assert!(is_due(&parked(attempts), at(seconds)), "{attempts} attempts, {seconds} s");
            if seconds > 0 {
                assert!(!is_due(&parked(attempts), at(seconds - 1)), "{attempts}, {seconds} s");
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_puts_nothing_off() {
        assert!(is_due(&parked(3), at(-1)));
    }
}
