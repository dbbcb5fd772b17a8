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

/// In how many parts deadlines are listed, and how many a page has: few, so that tests meet both.
const PARTS: u32 = 2;
const PAGE: usize = 3;

/// Deadlines in memory.
#[derive(Debug, Default)]
pub struct MemoryDeadlineStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: BTreeMap<DeadlineKey, Kept>,
    failing: usize,
}

#[derive(Clone, Debug)]
struct Kept {
    pending: Pending,
    failed: bool,
}

impl MemoryDeadlineStore {
    /// Lets the next writes fail, without effect.
    pub fn fail_writes(&self, writes: usize) {
        self.lock().failing = writes;
    }

    /// All deadlines that wait, by key.
    pub fn waiting(&self) -> Vec<Pending> {
        self.all(false)
    }

    /// All deadlines that stand aside, by key.
    pub fn standing_aside(&self) -> Vec<Pending> {
        self.all(true)
    }

    fn all(&self, failed: bool) -> Vec<Pending> {
        let state = self.lock();
        let kept = state.kept.values().filter(|kept| kept.failed == failed);
        kept.map(|kept| kept.pending.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a list that follow a place, in the order of their tries.
    fn page(
        &self,
        from: Option<&Resume>,
        listed: impl Fn(&Kept) -> bool,
    ) -> Result<DeadlinePage, DeadlineError> {
        let from = from.map(place).transpose()?;
        let state = self.lock();
        let mut following: Vec<_> = state
            .kept
            .values()
            .filter(|kept| listed(kept))
            .map(|kept| ((kept.pending.next, kept.pending.deadline.key.to_string()), kept))
            .filter(|(place, _)| from.as_ref().is_none_or(|from| place > from))
            .collect();
        following.sort_by(|(one, _), (other, _)| one.cmp(other));
        let more = following.len() > PAGE;
        following.truncate(PAGE);
        let last = following.last().filter(|_| more);
        Ok(DeadlinePage {
            next: last.map(|((next, key), _)| Resume(format!("{next} {key}"))),
            items: following.into_iter().map(|(_, kept)| Ok(kept.pending.clone())).collect(),
        })
    }

    /// Changes a deadline that is as it was seen.
    fn change(&self, seen: &Pending, to: impl FnOnce(&mut Kept)) -> Result<Written, DeadlineError> {
        let mut state = self.lock();
        state.write()?;
        match state.kept.get_mut(&seen.deadline.key) {
            Some(kept)
                if kept.pending.deadline.cause.event == seen.deadline.cause.event
                    && kept.pending.attempts == seen.attempts =>
            {
                to(kept);
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
        Err(DeadlineError(PortError::Unavailable("it fails, as ordered".into())))
    }
}

fn place(Resume(text): &Resume) -> Result<(Timestamp, String), DeadlineError> {
    let damaged = || DeadlineError(PortError::Refused("the place to go on from is damaged".into()));
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
        if state.kept.contains_key(&deadline.key) {
            return Ok(Written::Superseded);
        }
        let pending = Pending { deadline: deadline.clone(), attempts: 0, next: deadline.due };
        state.kept.insert(deadline.key.clone(), Kept { pending, failed: false });
        Ok(Written::Done)
    }

    async fn due(
        &self,
        process: &ProcessName,
        part: u32,
        until: Timestamp,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.page(from, |Kept { pending, failed }| {
            let key = &pending.deadline.key;
            !failed && pending.next <= until && key.process == *process && part_of(key) == part
        })
    }

    async fn done(&self, deadline: &Deadline) -> Result<Written, DeadlineError> {
        let mut state = self.lock();
        state.write()?;
        let there = state.kept.get(&deadline.key);
        if there.is_none_or(|kept| kept.pending.deadline.cause.event != deadline.cause.event) {
            return Ok(Written::Superseded);
        }
        state.kept.remove(&deadline.key);
        Ok(Written::Done)
    }

    async fn postpone(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.change(seen, |Kept { pending, .. }| {
            pending.attempts += 1;
            pending.next = next;
        })
    }

    async fn give_up(&self, seen: &Pending) -> Result<Written, DeadlineError> {
        self.change(seen, |Kept { pending, failed }| {
            pending.attempts += 1;
            *failed = true;
        })
    }

    async fn failed(
        &self,
        process: &ProcessName,
        from: Option<&Resume>,
    ) -> Result<DeadlinePage, DeadlineError> {
        self.page(from, |kept| kept.failed && kept.pending.deadline.key.process == *process)
    }

    async fn retry(&self, seen: &Pending, next: Timestamp) -> Result<Written, DeadlineError> {
        self.change(seen, |Kept { pending, failed }| {
            pending.attempts = 0;
            pending.next = next;
            *failed = false;
        })
    }
}
