//! Stores with faulty appends. A name in a comment is a library with this defect.

use async_trait::async_trait;
use ledgerfold::{
    ports::{AppendError, EventStore, PortError, StoreError, Transaction},
    vocabulary::NewCommit,
};
use ledgerfold_proofs::conformance::history::{ModelStore, alone};
use tokio::task::yield_now;

use crate::wrong::{Defect, Write, part};

/// Appends without a condition, so an event is overwritten. event-store-adapter v1 does this in its journal.
#[derive(Default)]
pub(crate) struct PutsWithoutCondition;

#[async_trait]
impl Defect for PutsWithoutCondition {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        let commit = new.as_commit();
        let outcome = log.append(new).await;
        if matches!(outcome, Err(AppendError::Conflict { .. })) {
            let mut model = log.lock();
            model.commits.retain(|it| (it.stream(), it.from()) != (commit.stream(), commit.from()));
            model.commits.push(commit.clone());
            return Ok(());
        }
        outcome
    }
}

/// Reports a conflict as success.
#[derive(Default)]
pub(crate) struct SwallowsConflicts;

#[async_trait]
impl Defect for SwallowsConflicts {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        match log.append(new).await {
            Err(AppendError::Conflict { .. }) => Ok(()),
            outcome => outcome,
        }
    }
}

/// Reports the refused commit as the winner of a conflict.
#[derive(Default)]
pub(crate) struct ShowsTheLoser;

#[async_trait]
impl Defect for ShowsTheLoser {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        match log.append(new).await {
            Err(AppendError::Conflict { .. }) => {
                Err(AppendError::Conflict { winner: Box::new(new.as_commit().clone()) })
            }
            outcome => outcome,
        }
    }
}

/// Checks the condition before the write instead of in it: SELECT, then INSERT.
#[derive(Default)]
pub(crate) struct LooksThenPuts;

#[async_trait]
impl Defect for LooksThenPuts {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        let objection = log.lock().objection(&alone(new));
        if let Some(objection) = objection {
            return Err(objection);
        }
        yield_now().await;
        PutsWithoutCondition.append(log, new).await
    }
}

/// Stores each event with its own Put. Booster does this.
#[derive(Default)]
pub(crate) struct PutsEventByEvent;

#[async_trait]
impl Defect for PutsEventByEvent {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        let commit = new.as_commit();
        if let Some(objection) = log.lock().objection(&alone(new)) {
            return Err(objection);
        }
        for (at, (version, _)) in commit.events().enumerate() {
            let event = part(commit, version, at..at + 1);
            log.lock().commits.push(event);
        }
        Ok(())
    }
}

/// Stores events in a batch in which one Put is refused and the others succeed.
#[derive(Default)]
pub(crate) struct LeavesTheRest;

#[async_trait]
impl Defect for LeavesTheRest {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        let commit = new.as_commit();
        let outcome = log.append(new).await;
        let (behind, events) = (commit.from().next(), commit.events().count());
        let free = log.lock().at(commit.stream(), behind).is_none();
        if matches!(outcome, Err(AppendError::Conflict { .. })) && events > 1 && free {
            log.lock().commits.push(part(commit, behind, 1..events));
        }
        outcome
    }
}

/// Shows a part of a commit while the commit is being stored.
#[derive(Default)]
pub(crate) struct ShowsHalf;

#[async_trait]
impl Defect for ShowsHalf {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        let commit = new.as_commit();
        let events = commit.events().count();
        if let Some(objection) = log.lock().objection(&alone(new)) {
            return Err(objection);
        }
        log.lock().commits.push(part(commit, commit.from(), 0..events.div_ceil(2)));
        if events > 1 {
            yield_now().await;
        }
        let mut model = log.lock();
        model.commits.retain(|it| (it.stream(), it.from()) != (commit.stream(), commit.from()));
        model.commits.push(commit.clone());
        Ok(())
    }
}

/// Reports success for a repeated append.
#[derive(Default)]
pub(crate) struct HidesRepetition;

#[async_trait]
impl Defect for HidesRepetition {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        match log.append(new).await {
            Err(AppendError::Conflict { winner }) if *winner == *new.as_commit() => Ok(()),
            outcome => outcome,
        }
    }
}

/// Accepts at most 25 events. dynamo-es has this limit: 25 items were the limit of a transaction in 2018.
#[derive(Default)]
pub(crate) struct TakesFewEvents;

#[async_trait]
impl Defect for TakesFewEvents {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        if new.as_commit().events().count() > 25 {
            return Err(StoreError::Port(PortError::Refused("over 25 items".into())).into());
        }
        log.append(new).await
    }
}

/// Reports a conflict as an outage, so the caller retries the same append.
#[derive(Default)]
pub(crate) struct TakesConflictForOutage;

#[async_trait]
impl Defect for TakesConflictForOutage {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        match log.append(new).await {
            Err(AppendError::Conflict { .. }) => {
                Err(StoreError::Port(PortError::Unavailable("the condition failed".into())).into())
            }
            outcome => outcome,
        }
    }
}

/// Has the time in the key, so two commits with the same version are stored. Booster does this.
#[derive(Default)]
pub(crate) struct KeepsBoth;

#[async_trait]
impl Defect for KeepsBoth {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        let commit = new.as_commit();
        match log.append(new).await {
            Err(AppendError::Conflict { .. }) => {
                log.lock().commits.push(commit.clone());
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Has no limit for a commit.
#[derive(Default)]
pub(crate) struct KnowsNoLimit;

#[async_trait]
impl Defect for KnowsNoLimit {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        match log.transact(transaction).await {
            Err(AppendError::TooLarge { .. }) => {
                log.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Checks the size of the first commit only.
#[derive(Default)]
pub(crate) struct MeasuresTheFirst;

#[async_trait]
impl Defect for MeasuresTheFirst {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let Some(first) = transaction.commits().first() else {
            return log.transact(transaction).await;
        };
        let first = alone(first);
        match log.transact(transaction).await {
            Err(AppendError::TooLarge { .. })
                if !matches!(log.lock().objection(&first), Some(AppendError::TooLarge { .. })) =>
            {
                log.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

fn refuse_over(
    limit: usize,
    transaction: &Transaction,
    size: impl Fn(&ledgerfold::vocabulary::Commit) -> usize,
) -> Write {
    let sizes = transaction.commits().iter().map(|new| size(new.as_commit()));
    match sizes.max() {
        Some(bytes) if bytes > limit => Err(AppendError::TooLarge { bytes, limit }),
        _ => Ok(()),
    }
}

/// Has the limit of another service: 256 KB, the former limit of EventBridge.
#[derive(Default)]
pub(crate) struct KnowsTooLowALimit;

#[async_trait]
impl Defect for KnowsTooLowALimit {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        refuse_over(256 * 1024, transaction, ledgerfold::vocabulary::Commit::payload_bytes)?;
        log.transact(transaction).await
    }
}

/// Adds the snapshot to the size of a commit, so a command is refused because a snapshot is due.
#[derive(Default)]
pub(crate) struct WeighsTheSnapshot;

#[async_trait]
impl Defect for WeighsTheSnapshot {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        refuse_over(300 * 1024, transaction, |commit| {
            let snapshot = commit.snapshot().map_or(0, |it| it.state.as_str().len());
            commit.payload_bytes() + snapshot
        })?;
        log.transact(transaction).await
    }
}
