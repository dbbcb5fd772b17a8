//! Faulty stores of deadlines. They prove that the rules of their suite can fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    CorrelationId, ProcessName, Timestamp,
    ports::{
        Cause, Deadline, DeadlineError, DeadlineKey, DeadlinePage, DeadlineStore, Pending, Resume,
        Written,
    },
};
use ledgerfold_testkit::MemoryDeadlineStore;

use crate::{
    suite::{examine, named_rules},
    wrong::are_twins,
};

/// A defect of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    MakesUpDeadlines,
    AddsATrace,
    RoundsTime,
    LastOneWins,
    BothAreTold,
    IgnoresProcessAndName,
    IgnoresTheTenant,
    StopsAfterAPage,
    ListsTheNewestFirst,
    KeepsTheKey,
    RemovesAny,
    PostponesAny,
    CountsNothing,
    KeepsWhatWasTried,
    ListsWhatIsGivenUp,
    CountsARetry,
    ReadsAnOldCopy,
    ReadsWhatIsGivenUp,
}

/// The defects with the rules that they fail.
const MUTANTS: &[(Defect, &[&str])] = &[
    (Defect::None, &[]),
    (
        Defect::MakesUpDeadlines,
        &[
            "a_deadline_is_read_by_its_key_as_it_is_now",
            "a_deadline_that_stands_aside_is_not_read_by_its_key",
            "deadlines_of_tenants_do_not_mix",
            "processes_and_names_do_not_mix",
            "what_was_never_scheduled_is_not_due",
        ],
    ),
    (Defect::AddsATrace, &["a_deadline_comes_back_as_it_was_scheduled"]),
    (Defect::RoundsTime, &["a_deadline_is_due_from_its_instant_on"]),
    (Defect::LastOneWins, FIRST),
    (Defect::BothAreTold, FIRST),
    (Defect::IgnoresProcessAndName, &["processes_and_names_do_not_mix"]),
    (Defect::IgnoresTheTenant, &["deadlines_of_tenants_do_not_mix"]),
    (
        Defect::StopsAfterAPage,
        &["every_due_deadline_is_listed_once", "the_longest_overdue_comes_first"],
    ),
    (Defect::ListsTheNewestFirst, &["the_longest_overdue_comes_first"]),
    (
        Defect::KeepsTheKey,
        &[
            "a_deadline_comes_back_as_it_was_scheduled",
            "a_deadline_is_read_by_its_key_as_it_is_now",
            "a_deadline_that_is_done_is_gone_and_its_key_is_free",
            "deadlines_of_tenants_do_not_mix",
        ],
    ),
    (Defect::RemovesAny, &["only_the_deadline_that_was_seen_is_removed"]),
    (
        Defect::PostponesAny,
        &["of_two_who_postpone_one_counts", "only_the_deadline_that_was_seen_is_removed"],
    ),
    (
        Defect::CountsNothing,
        &[
            "a_deadline_is_read_by_its_key_as_it_is_now",
            "a_deadline_that_stands_aside_is_not_due",
            "a_deadline_that_stands_aside_is_not_read_by_its_key",
            "a_postponed_deadline_waits_and_counts",
            "a_retried_deadline_is_as_if_never_tried",
            "deadlines_of_tenants_do_not_mix",
            "of_two_who_postpone_one_counts",
        ],
    ),
    (
        Defect::KeepsWhatWasTried,
        &[
            "a_deadline_is_read_by_its_key_as_it_is_now",
            "a_deadline_that_was_postponed_is_done_all_the_same",
            "deadlines_of_tenants_do_not_mix",
        ],
    ),
    (
        Defect::ListsWhatIsGivenUp,
        &["a_deadline_that_stands_aside_is_not_due", "deadlines_of_tenants_do_not_mix"],
    ),
    (
        Defect::CountsARetry,
        &[
            "a_deadline_that_stands_aside_is_not_read_by_its_key",
            "a_retried_deadline_is_as_if_never_tried",
        ],
    ),
    (Defect::ReadsAnOldCopy, &["a_deadline_is_read_by_its_key_as_it_is_now"]),
    (Defect::ReadsWhatIsGivenUp, &["a_deadline_that_stands_aside_is_not_read_by_its_key"]),
];

/// The rules with a second deadline under a key.
const FIRST: &[&str] = &[
    "a_deadline_scheduled_twice_is_one",
    "a_deadline_that_stands_aside_is_not_due",
    "of_racing_schedules_one_wins",
];

/// A store with one defect, over a store in memory.
struct Wrong {
    inner: MemoryDeadlineStore,
    defect: Defect,
    /// The keys that once were removed.
    closed: Mutex<BTreeSet<DeadlineKey>>,
    /// The first answer for each key.
    copies: Mutex<BTreeMap<DeadlineKey, Pending>>,
}

impl Wrong {
    fn new(defect: Defect) -> Arc<Self> {
        let inner = MemoryDeadlineStore::default();
        Arc::new(Self { inner, defect, closed: Mutex::default(), copies: Mutex::default() })
    }

    fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn is_closed(&self, key: &DeadlineKey) -> bool {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    fn close(&self, deadline: &Deadline) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.insert(deadline.key.clone());
    }

    /// A deadline, changed by the defect.
    fn show(&self, pending: Pending) -> Pending {
        let attempts = if self.is(Defect::CountsNothing) { 0 } else { pending.attempts };
        Pending { attempts, ..pending }
    }

    /// The deadline that is stored under the key of this one.
    fn stored(&self, key: &DeadlineKey) -> Option<Pending> {
        let all = self.inner.waiting();
        all.into_iter().find(|pending| pending.deadline.key == *key)
    }
}

fn made_up(key: &DeadlineKey) -> Pending {
    let cause = Cause {
        event: "018bcfe5-6800-7000-8000-000000000000".parse().expect("a UUID"),
        correlation_id: CorrelationId::new("nobody").expect("visible ASCII"),
        traceparent: None,
    };
    let due = Timestamp::UNIX_EPOCH;
    Pending { deadline: Deadline { key: key.clone(), due, cause }, attempts: 0, next: due }
}

#[async_trait]
impl DeadlineStore for Wrong {
    fn parts(&self) -> u32 {
        self.inner.parts()
    }

    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let mut deadline = deadline.clone();
        let is_closed = self.is_closed(&deadline.key);
        match self.defect {
            Defect::KeepsTheKey if is_closed => {
                return Ok(Written::Superseded);
            }
            Defect::AddsATrace if deadline.cause.traceparent.is_none() => {
                let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
                deadline.cause.traceparent = Some(trace.parse().expect("a trace"));
            }
            Defect::RoundsTime => {
                deadline.due =
                    Timestamp::from_second(deadline.due.as_second()).expect("it is in range");
            }
            Defect::LastOneWins => {
                let all = self.inner.waiting().into_iter().chain(self.inner.standing_aside());
                for old in all.filter(|old| old.deadline.key == deadline.key) {
                    self.inner.done(&old.deadline).await?;
                }
            }
            _ => {}
        }
        let written = self.inner.schedule(&deadline).await?;
        Ok(if self.is(Defect::BothAreTold) { Written::Done } else { written })
    }

    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        let mut page = self.inner.due(process, part, until, from).await?;
        page.items = page.items.into_iter().map(|it| it.map(|it| self.show(it))).collect();
        match self.defect {
            Defect::StopsAfterAPage => page.next = None,
            Defect::ListsTheNewestFirst => page.items.reverse(),
            Defect::ListsWhatIsGivenUp => {
                let all = self.inner.standing_aside().into_iter();
                page.items.extend(all.filter(|it| it.deadline.key.process == *process).map(Ok));
            }
            _ => {}
        }
        Ok(page)
    }

    async fn get(&self, key: &DeadlineKey) -> Result<Option<Pending>, DeadlineError> {
        let stored = self.inner.get(key).await?.map(|pending| self.show(pending));
        Ok(match (self.defect, stored) {
            (Defect::MakesUpDeadlines, None) => Some(made_up(key)),
            (Defect::IgnoresProcessAndName, None) => {
                let mut all = self.inner.waiting().into_iter();
                all.find(|pending| pending.deadline.key.stream == key.stream)
            }
            (Defect::IgnoresTheTenant, None) => {
                let mut all = self.inner.waiting().into_iter();
                all.find(|pending| {
                    let DeadlineKey { process, stream, name } = &pending.deadline.key;
                    (process, name) == (&key.process, &key.name) && are_twins(stream, &key.stream)
                })
            }
            (Defect::ReadsAnOldCopy, Some(pending)) => {
                let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
                Some(copies.entry(key.clone()).or_insert(pending).clone())
            }
            (Defect::ReadsWhatIsGivenUp, None) => {
                let mut all = self.inner.standing_aside().into_iter();
                all.find(|pending| pending.deadline.key == *key)
            }
            (_, stored) => stored,
        })
    }

    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let stored = self.stored(&deadline.key);
        let was_tried = stored.as_ref().is_some_and(|stored| stored.attempts > 0);
        match (self.defect, stored) {
            (Defect::RemovesAny, Some(stored)) => self.inner.done(&stored.deadline).await,
            (Defect::KeepsWhatWasTried, _) if was_tried => Ok(Written::Superseded),
            _ => {
                self.close(deadline);
                self.inner.done(deadline).await
            }
        }
    }

    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        let stored = self.stored(&seen.deadline.key);
        match (self.defect, stored) {
            (Defect::PostponesAny, Some(stored)) => self.inner.postpone(&stored, next).await,
            (Defect::CountsNothing, Some(stored)) => {
                // The condition is right, and only the shown count is wrong.
                let attempts = if seen.attempts == 0 { stored.attempts } else { seen.attempts };
                self.inner.postpone(&Pending { attempts, ..seen.clone() }, next).await
            }
            _ => self.inner.postpone(seen, next).await,
        }
    }

    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError> {
        self.inner.give_up(seen).await
    }

    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        let mut page = self.inner.failed(process, from).await?;
        page.items = page.items.into_iter().map(|it| it.map(|it| self.show(it))).collect();
        Ok(page)
    }

    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        let written = self.inner.retry(seen, next).await?;
        if self.is(Defect::CountsARetry)
            && let Some(stored) = self.stored(&seen.deadline.key)
        {
            self.inner.postpone(&stored, next).await?;
        }
        Ok(written)
    }
}

type Subject = Wrong;

#[test]
fn every_wrong_store_of_deadlines_fails_its_rules_and_no_others_and_every_rule_is_failed() {
    let rules = ledgerfold_proofs::deadline_store_rules!([named_rules] deadline_store);
    examine(&rules, MUTANTS, Wrong::new);
}
