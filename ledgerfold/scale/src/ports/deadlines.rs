//! The table of deadlines with its index, and the queue of due ones.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    ProcessName, Timestamp,
    ports::{
        Deadline, DeadlineError, DeadlineKey, DeadlinePage, DeadlineQueue, DeadlineQueueError,
        DeadlineStore, DueDeadline, Page, Pending, PortError, Resume, Written,
    },
};

use super::log::spread;
use crate::{
    assumptions::{RECEIVE, SEND_MESSAGES},
    cloud::{Cloud, Part, Throttled, read_units},
    mailbox::Mailbox,
};

/// The names of the table and of its index, which takes writes and reads of its own.
const TABLE: &str = "deadlines";
const INDEX: &str = "index of deadlines";
/// The parts and the page of `ledgerfold-dynamodb`.
const PARTS: u32 = 8;
const PAGE: usize = 100;
/// The size of a deadline.
const BYTES: usize = 300;

/// A place in the index: the time of the next attempt, and the key.
type Place = (Timestamp, String);

/// The deadlines of one process.
pub(crate) struct MeteredDeadlines {
    cloud: Arc<Cloud>,
    /// A mutex, because workers change it concurrently.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: HashMap<DeadlineKey, Pending>,
    /// By part.
    index: BTreeMap<u32, BTreeMap<Place, DeadlineKey>>,
}

impl State {
    fn add(&mut self, pending: Pending) {
        let key = pending.deadline.key.clone();
        self.index.entry(part_of(&key)).or_default().insert(place(&pending), key.clone());
        self.items.insert(key, pending);
    }

    fn remove(&mut self, key: &DeadlineKey) -> Option<Pending> {
        let removed = self.items.remove(key)?;
        self.index.entry(part_of(key)).or_default().remove(&place(&removed));
        Some(removed)
    }

    fn page(&self, part: u32, until: Timestamp, from: Option<&Resume>) -> DeadlinePage {
        let Some(index) = self.index.get(&part) else { return Page::default() };
        let from = from.and_then(|Resume(text)| text.split_once(' '));
        let from = from.and_then(|(at, key)| Some((at.parse().ok()?, key.to_owned())));
        let is_after = |at: &Place| from.as_ref().is_none_or(|from: &Place| at > from);
        let start = from.clone().unwrap_or((Timestamp::MIN, String::new()));
        let due = index.range(start..).filter(|(at, _)| is_after(at));
        let mut due = due.take_while(|((next, _), _)| *next <= until).take(PAGE + 1);
        let listed: Vec<_> = due.by_ref().take(PAGE).collect();
        let is_last = due.next().is_none();
        let last = listed.last().filter(|_| !is_last);
        let next = last.map(|((at, key), _)| Resume(format!("{at} {key}")));
        let items = listed.iter().filter_map(|(_, key)| self.items.get(key).cloned().map(Ok));
        DeadlinePage { next, items: items.collect() }
    }
}

fn place(pending: &Pending) -> Place {
    (pending.next, pending.deadline.key.to_string())
}

fn part_of(key: &DeadlineKey) -> u32 {
    u32::try_from(spread(&key.to_string()) % 8).unwrap_or(0)
}

fn throttled(_: Throttled) -> DeadlineError {
    DeadlineError(PortError::Throttled)
}

impl MeteredDeadlines {
    /// A table with these deadlines, which were scheduled before the run.
    pub(crate) fn new(cloud: Arc<Cloud>, deadlines: impl IntoIterator<Item = Deadline>) -> Self {
        let mut state = State::default();
        for deadline in deadlines {
            state.add(Pending { next: deadline.due, deadline, attempts: 0 });
        }
        Self { cloud, state: Mutex::new(state) }
    }

    /// How many deadlines still wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().items.len()
    }

    /// A conditional write of an item that has an entry in the index.
    async fn write<T>(
        &self,
        name: &'static str,
        key: &DeadlineKey,
        write: impl FnOnce(&mut State) -> T + Send,
    ) -> Result<T, DeadlineError> {
        let item = Part { table: TABLE, key: key.to_string(), item: String::new(), units: 1 };
        let list = format!("{}#{}", key.process, part_of(key));
        let entry = Part { table: INDEX, key: list, item: key.to_string(), units: 1 };
        let parts = [item, entry];
        let written = self.cloud.write_as(name, &parts, || write(&mut self.lock()));
        written.await.map_err(throttled)
    }

    async fn change(
        &self,
        seen: &Pending,
        change: impl FnOnce(&mut Pending) + Send,
    ) -> Result<Written, DeadlineError> {
        let key = &seen.deadline.key;
        let changed = self.write("UpdateItem", key, |state| match state.remove(key) {
            Some(mut stored) => {
                change(&mut stored);
                state.add(stored);
                Written::Done
            }
            None => Written::Superseded,
        });
        changed.await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DeadlineStore for MeteredDeadlines {
    fn parts(&self) -> u32 {
        PARTS
    }

    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let new = Pending { next: deadline.due, deadline: deadline.clone(), attempts: 0 };
        let key = &deadline.key;
        let scheduled = self.write("PutItem", key, |state| {
            if state.items.contains_key(key) {
                return Written::Superseded;
            }
            state.add(new);
            Written::Done
        });
        scheduled.await
    }

    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        let list = format!("{process}#{part}");
        let read = || {
            let page = self.lock().page(part, until, from);
            // An eventually consistent read costs half.
            let units = read_units(page.items.len() * BYTES / 2);
            (page, units)
        };
        let page = self.cloud.read("Query of deadlines", (INDEX, &list), read);
        page.await.map_err(throttled)
    }

    async fn get(&self, key: &DeadlineKey) -> Result<Option<Pending>, DeadlineError> {
        let read = || (self.lock().items.get(key).cloned(), 1);
        let partition = key.to_string();
        let found = self.cloud.read("GetItem", (TABLE, &partition), read);
        found.await.map_err(throttled)
    }

    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let key = &deadline.key;
        let removed = self.write("DeleteItem", key, |state| match state.remove(key) {
            Some(_) => Written::Done,
            None => Written::Superseded,
        });
        removed.await
    }

    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.change(seen, |stored| {
            stored.attempts += 1;
            stored.next = next;
        })
        .await
    }

    /// No deadline of the model fails ten times.
    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError> {
        self.change(seen, |stored| stored.next = Timestamp::MAX).await
    }

    async fn failed(
        &self,
        process: &ProcessName,
        _: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        let list = format!("{process}#failed");
        let read = || (Page::default(), 1);
        let page = self.cloud.read("Query of deadlines", (INDEX, &list), read);
        page.await.map_err(throttled)
    }

    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.change(seen, |stored| stored.next = next).await
    }
}

/// A queue of due deadlines.
pub(crate) struct DueQueue {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) messages: Arc<Mailbox<DueDeadline>>,
}

#[async_trait]
impl DeadlineQueue for DueQueue {
    async fn send(
        &self,
        batch: &[DueDeadline],
    ) -> Result<Vec<Result<(), DeadlineQueueError>>, DeadlineQueueError> {
        let time = &self.cloud.time;
        self.cloud.count(|counts| *counts.requests.entry("SendMessageBatch").or_default() += 1);
        time.pass(time.latency(SEND_MESSAGES)).await;
        for due in batch {
            let messages = self.messages.clone();
            let due = due.clone();
            let at = time.elapsed() + time.latency(RECEIVE);
            time.call_at(at, move || messages.put(due));
        }
        Ok(batch.iter().map(|_| Ok(())).collect())
    }
}
