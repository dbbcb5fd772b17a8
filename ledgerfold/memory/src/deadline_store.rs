use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    ProcessName, Timestamp,
    ports::{
        Deadline, DeadlineError, DeadlineKey, DeadlinePage, DeadlineStore, Pending, PortError,
        Resume, Written,
    },
};

/// The number of parts. It is small, so that tests cover several parts.
const PARTS: u32 = 2;
/// The number of deadlines per page. It is small, so that tests cover several pages.
const PAGE: usize = 3;

/// A deadline store in memory.
#[derive(Debug, Default)]
pub struct MemoryDeadlineStore {
    /// A mutex, so that every call is atomic. Only the methods of the port and `fail_writes` change it.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    deadlines: BTreeMap<DeadlineKey, Entry>,
    /// How many of the next writes fail.
    failing: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    pending: Pending,
    failed: bool,
}

impl MemoryDeadlineStore {
    /// Makes the next writes fail without effect.
    pub fn fail_writes(&self, writes: usize) {
        self.lock().failing = writes;
    }

    /// All deadlines that are still tried, by key.
    pub fn waiting(&self) -> Vec<Pending> {
        self.all(false)
    }

    /// All deadlines that were given up, by key.
    pub fn standing_aside(&self) -> Vec<Pending> {
        self.all(true)
    }

    fn all(&self, failed: bool) -> Vec<Pending> {
        let state = self.lock();
        let entries = state.deadlines.values().filter(|entry| entry.failed == failed);
        entries.map(|entry| entry.pending.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page of the listed deadlines after a place, in the order of their next attempts.
    fn page(
        &self,
        from: Option<&Resume>,
        listed: impl Fn(&Entry) -> bool,
    ) -> Result<DeadlinePage, DeadlineError> {
        let from = from.map(place).transpose()?;
        let state = self.lock();
        let mut following: Vec<_> = state
            .deadlines
            .values()
            .filter(|entry| listed(entry))
            .map(|entry| ((entry.pending.next, entry.pending.deadline.key.to_string()), entry))
            .filter(|(place, _)| from.as_ref().is_none_or(|from| place > from))
            .collect();
        following.sort_by(|(one, _), (other, _)| one.cmp(other));
        let more = following.len() > PAGE;
        following.truncate(PAGE);
        let last = following.last().filter(|_| more);
        Ok(DeadlinePage {
            next: last.map(|((next, key), _)| Resume(format!("{next} {key}"))),
            items: following.into_iter().map(|(_, entry)| Ok(entry.pending.clone())).collect(),
        })
    }

    /// Changes a deadline, if it is still as it was read.
    fn change(
        &self,
        seen: &Pending,
        change: impl FnOnce(&mut Entry),
    ) -> Result<Written, DeadlineError> {
        let mut state = self.lock();
        state.write()?;
        match state.deadlines.get_mut(&seen.deadline.key) {
            Some(entry)
                if entry.pending.deadline.cause.event == seen.deadline.cause.event
                    && entry.pending.attempts == seen.attempts =>
            {
                change(entry);
                Ok(Written::Done)
            }
            _ => Ok(Written::Superseded),
        }
    }
}

impl State {
    fn write(&mut self) -> Result<(), DeadlineError> {
        let Some(left) = self.failing.checked_sub(1) else { return Ok(()) };
        self.failing = left;
        Err(DeadlineError(PortError::Unavailable("requested by the test".into())))
    }
}

fn place(Resume(text): &Resume) -> Result<(Timestamp, String), DeadlineError> {
    let damaged = || DeadlineError(PortError::Refused("the start of the page is damaged".into()));
    let (next, key) = text.split_once(' ').ok_or_else(damaged)?;
    Ok((next.parse().map_err(|_| damaged())?, key.to_owned()))
}

fn part_of(key: &DeadlineKey) -> u32 {
    key.to_string().bytes().map(u32::from).sum::<u32>() % PARTS
}

#[async_trait]
impl DeadlineStore for MemoryDeadlineStore {
    fn parts(&self) -> u32 {
        PARTS
    }

    async fn schedule(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let mut state = self.lock();
        state.write()?;
        if state.deadlines.contains_key(&deadline.key) {
            return Ok(Written::Superseded);
        }
        let pending = Pending { deadline: deadline.clone(), attempts: 0, next: deadline.due };
        state.deadlines.insert(deadline.key.clone(), Entry { pending, failed: false });
        Ok(Written::Done)
    }

    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.page(from, |Entry { pending, failed }| {
            let key = &pending.deadline.key;
            !failed && pending.next <= until && key.process == *process && part_of(key) == part
        })
    }

    async fn get(&self, key: &DeadlineKey) -> Result<Option<Pending>, DeadlineError> {
        let state = self.lock();
        let entry = state.deadlines.get(key).filter(|entry| !entry.failed);
        Ok(entry.map(|entry| entry.pending.clone()))
    }

    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let mut state = self.lock();
        state.write()?;
        let stored = state.deadlines.get(&deadline.key);
        if stored.is_none_or(|entry| entry.pending.deadline.cause.event != deadline.cause.event) {
            return Ok(Written::Superseded);
        }
        state.deadlines.remove(&deadline.key);
        Ok(Written::Done)
    }

    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.change(seen, |Entry { pending, .. }| {
            pending.attempts += 1;
            pending.next = next;
        })
    }

    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError> {
        self.change(seen, |Entry { pending, failed }| {
            pending.attempts += 1;
            *failed = true;
        })
    }

    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.page(from, |entry| entry.failed && entry.pending.deadline.key.process == *process)
    }

    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.change(seen, |Entry { pending, failed }| {
            pending.attempts = 0;
            pending.next = next;
            *failed = false;
        })
    }
}
