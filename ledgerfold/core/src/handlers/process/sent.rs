//! The memory of the sweep. It only saves messages: without it, a backlog would be sent again each minute.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::{Timestamp, derive_uuid, ports::Pending};

/// After this time a deadline that is still due is sent again, because its message may be lost. It is long enough for a
/// second delivery of the message, and short enough to fire the deadline before the alarm on overdue ones.
pub const RESEND_AFTER: Duration = Duration::from_secs(300);

/// The most deadlines that are remembered, in about 10 MB. Further ones are sent, and sent again by the next sweep.
const MOST: usize = 200_000;

/// The deadlines that this container has sent, with the time.
///
/// A mutex, because the parts of a sweep run concurrently, and sweeps may overlap. Each key is a digest of a deadline
/// and of the time of its attempt, so another attempt of the same deadline is another entry.
#[derive(Debug, Default)]
pub(super) struct SentDeadlines(Mutex<HashMap<Uuid, Timestamp>>);

impl SentDeadlines {
    /// Forgets everything that was sent so long before this time that it must be sent again.
    pub(super) fn forget_before(&self, now: Timestamp, resend_after: Duration) {
        self.lock().retain(|_, sent| is_recent(*sent, now, resend_after));
    }

    pub(super) fn contains(&self, pending: &Pending) -> bool {
        self.lock().contains_key(&attempt(pending))
    }

    pub(super) fn remember(&self, pending: &Pending, now: Timestamp) {
        let mut sent = self.lock();
        if sent.len() < MOST {
            sent.insert(attempt(pending), now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After the clock was set back, what was sent at a later time is not recent, because it would stay so for too long.
fn is_recent(sent: Timestamp, now: Timestamp, resend_after: Duration) -> bool {
    sent <= now && sent.checked_add(resend_after).map_or(true, |end| now < end)
}

/// The identity of one attempt of a deadline.
fn attempt(Pending { deadline, attempts, next }: &Pending) -> Uuid {
    let key = deadline.key.to_string();
    let event = deadline.cause.event.to_string();
    derive_uuid(&[&key, &event, &attempts.to_string(), &next.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CorrelationId, DeadlineName, ProcessName,
        ports::{Cause, Deadline, DeadlineKey},
    };

    fn pending(stream: usize) -> Pending {
        let key = DeadlineKey {
            process: ProcessName::from_static("lending"),
            stream: format!("default/account#{stream}").parse().expect("a stream"),
            name: DeadlineName::from_static("return"),
        };
        let cause = Cause {
            event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
            correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
            traceparent: None,
        };
        let due = Timestamp::UNIX_EPOCH;
        Pending { deadline: Deadline { key, due, cause }, attempts: 0, next: due }
    }

    #[test]
    fn an_attempt_is_remembered_for_a_while_and_another_attempt_is_another_one() {
        let sent = SentDeadlines::default();
        let now = Timestamp::UNIX_EPOCH;
        let first = pending(1);
        sent.remember(&first, now);
        assert!(sent.contains(&first));
        assert!(!sent.contains(&pending(2)));
        assert!(!sent.contains(&Pending { attempts: 1, ..first.clone() }));
        let later = now + Duration::from_secs(1);
        assert!(!sent.contains(&Pending { next: later, ..first.clone() }));
        sent.forget_before(now + RESEND_AFTER - Duration::from_millis(1), RESEND_AFTER);
        assert!(sent.contains(&first));
        sent.forget_before(now + RESEND_AFTER, RESEND_AFTER);
        assert!(!sent.contains(&first));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_deadline_from_being_sent_again() {
        let sent = SentDeadlines::default();
        let now = Timestamp::UNIX_EPOCH;
        let first = pending(1);
        sent.remember(&first, now);
        sent.forget_before(now - Duration::from_secs(3_600), RESEND_AFTER);
        assert!(!sent.contains(&first));
    }

    #[test]
    fn the_memory_is_bounded() {
        let sent = SentDeadlines::default();
        for stream in 0..=MOST {
            sent.remember(&pending(stream), Timestamp::UNIX_EPOCH);
        }
        assert!(sent.contains(&pending(0)));
        assert!(!sent.contains(&pending(MOST)), "it is sent again, which does no harm");
    }
}
