//! Parking what cannot be moved on, and healing it.
//!
//! A stream with an event that a read model cannot apply stays where it is before that event. Whatever
//! arrives of it later meets the same event when the gap is read from the log, and parks it again: so
//! later events wait, without a lock, and every other stream goes on. Once the cause is mended, a round
//! of healing brings the stream forward from the log; nothing has to be sent again.

use std::{future::ready, time::Duration};

use futures::{StreamExt, stream};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{
    ProjectError,
    inbox::Arrived,
    projector::{CONCURRENT_STREAMS, Progress, Projector},
};
use crate::{
    StreamId, Timestamp, Version,
    ports::{Parked, Quarantine, QuarantineError},
};

/// The most streams that one round tries, so that it holds no more in memory, however many stand parked.
const ATTEMPTS_PER_ROUND: usize = 1_000;
/// How long a stream is left alone after its first failed attempt; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// But never longer, so that no mended stream has to wait for more.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
/// As much of a reason as is worth keeping: it may quote what it could not read.
const REASON_CHARACTERS: usize = 500;

/// What a projector may be told to do, beside taking events; written as JSON into its queue.
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
    /// Try the parked streams again.
    Retry {
        /// Which of them.
        #[serde(default)]
        streams: RetryScope,
    },
}

/// Which parked streams a round of healing tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryScope {
    /// Those that were left alone for long enough: what has failed often is tried ever more rarely, so
    /// that thousands of parked streams cost little.
    #[default]
    Due,
    /// All of them: for whom has just mended something.
    All,
}

/// What a round of healing has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetrySummary {
    /// How many streams were moved on and stand parked no more.
    pub recovered: usize,
    /// How many still stand parked.
    pub parked: usize,
}

impl Projector {
    /// Tries parked streams again, from the log, those first that have waited longest; begins with none
    /// after `until`. What cannot be moved on stays parked, with what is wrong now.
    ///
    /// # Errors
    /// [`QuarantineError`] where the parked streams cannot be listed.
    pub async fn retry_parked(
        &self,
        which: RetryScope,
        until: Timestamp,
    ) -> Result<RetrySummary, QuarantineError> {
        let Some(quarantine) = &self.quarantine else {
            return Ok(RetrySummary::default());
        };
        let survey = DueStreams::of(&**quarantine, which, self.clock.now()).await?;
        Ok(self.retry_all(&**quarantine, survey, until).await)
    }

    /// Tries what a survey has found.
    pub(super) async fn retry_all(
        &self,
        quarantine: &dyn Quarantine,
        DueStreams { parked, due }: DueStreams,
        until: Timestamp,
    ) -> RetrySummary {
        let recovered = stream::iter(due)
            .take_while(|_| ready(self.clock.now() < until))
            .map(|parked| self.try_again(quarantine, parked))
            .buffer_unordered(CONCURRENT_STREAMS)
            .filter(|is_recovered| ready(*is_recovered))
            .count()
            .await;
        RetrySummary { recovered, parked: parked.saturating_sub(recovered) }
    }

    /// Owes the stream what it was told of. Once this is done the messages may go: the log has the
    /// events, and the entry says that they are wanted.
    pub(super) async fn park(
        &self,
        quarantine: &dyn Quarantine,
        stream: &StreamId,
        owed_version: Version,
        position: Option<Version>,
        error: &ProjectError,
    ) -> Result<(), QuarantineError> {
        let now = self.clock.now();
        let before = quarantine.get(stream).await?;
        let parked = Parked {
            stream: stream.clone(),
            position,
            version: error.version(),
            owed_version: before
                .as_ref()
                .map_or(owed_version, |before| before.owed_version.max(owed_version)),
            reason: reason(error),
            since: before.as_ref().map_or(now, |before| before.since),
            attempts: before.as_ref().map_or(0, |before| before.attempts),
            tried: before.as_ref().map_or(now, |before| before.tried),
        };
        quarantine.park(&parked).await?;
        tracing::warn!(%stream, reason = parked.reason, "stream parked");
        Ok(())
    }

    /// Removes the entry of a stream that has come this far. Where it cannot be removed the next round
    /// of healing does it.
    pub(super) async fn release(&self, stream: &StreamId, reached: Version) -> bool {
        let Some(quarantine) = &self.quarantine else {
            return true;
        };
        let released = quarantine.release(stream, reached).await;
        if let Err(error) = &released {
            tracing::warn!(%stream, %error, "stream not released yet");
        }
        released.is_ok()
    }

    /// Whether the stream could be brought to all that it owes, and is parked no more.
    async fn try_again(&self, quarantine: &dyn Quarantine, parked: Parked) -> bool {
        let mut progress = Progress::default();
        let owed = Arrived::word_of(parked.owed_version);
        let Err(error) = self.bring_forward(&parked.stream, &owed, &mut progress).await else {
            let reached = progress.position.unwrap_or(Version::NONE);
            return self.release(&parked.stream, reached).await;
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
            // It stays parked as it was, and is tried again too early, which costs little.
            tracing::warn!(stream = %again.stream, %error, "attempt to heal not noted");
        }
        false
    }
}

/// How many streams stand parked, and which to try now.
#[derive(Default)]
pub(super) struct DueStreams {
    parked: usize,
    due: Vec<Parked>,
}

impl DueStreams {
    pub(super) async fn of(
        quarantine: &dyn Quarantine,
        which: RetryScope,
        now: Timestamp,
    ) -> Result<Self, QuarantineError> {
        let mut survey = Self::default();
        let mut after = None;
        loop {
            let page = quarantine.list(after.as_ref()).await?;
            survey.parked += page.items.len();
            let wanted =
                page.items.into_iter().filter(|it| which == RetryScope::All || is_due(it, now));
            survey.due.extend(wanted);
            survey.due.sort_by_key(|parked| parked.tried);
            survey.due.truncate(ATTEMPTS_PER_ROUND);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(survey),
            }
        }
    }
}

/// A clock that was set back must not put a stream off for ever.
fn is_due(parked: &Parked, now: Timestamp) -> bool {
    let rested = now.duration_since(parked.tried);
    let wait = parked.attempts.checked_sub(1).map_or(Duration::ZERO, |doublings| {
        FIRST_WAIT.saturating_mul(1 << doublings.min(16)).min(LONGEST_WAIT)
    });
    rested.is_negative() || rested >= SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
}

fn reason(error: &ProjectError) -> String {
    error.to_string().chars().take(REASON_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::{Parked, Timestamp, Version, is_due};

    fn parked(attempts: u32) -> Parked {
        Parked {
            stream: "book#1".parse().expect("a stream"),
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
