//! Stores with faulty records of strict commands.

use async_trait::async_trait;
use ledgerfold::{
    ports::{AppendError, CommandRecord, EventStore, Transaction},
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_proofs::conformance::history::ModelStore;

use crate::{
    transactions::remade,
    wrong::{Defect, Write},
};

/// Recognises a strict command by its id alone, in all tenants.
#[derive(Default)]
pub(crate) struct SharesCommands;

#[async_trait]
impl Defect for SharesCommands {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let elsewhere = |new: &NewCommit| {
            let new = new.as_commit();
            let is_same = |it: &&Commit| {
                it.command().id == new.command().id
                    && it.stream().tenant() != new.stream().tenant()
                    && it.stream().id() == new.stream().id()
            };
            log.lock().commits.iter().find(is_same).map(Commit::place)
        };
        let commits: Vec<_> = transaction.commits().iter().filter_map(elsewhere).collect();
        match transaction.strict() {
            Some(strict) if !commits.is_empty() => {
                let fingerprint = strict.fingerprint.clone();
                let record = CommandRecord { fingerprint, commits, unchanged: Vec::new() };
                Err(AppendError::Repeated { record: Box::new(record) })
            }
            _ => log.transact(transaction).await,
        }
    }
}

/// Recognises a command only within the idempotency window. DynamoDB's `ClientRequestToken` has one of ten minutes.
#[derive(Default)]
pub(crate) struct ForgetsCommands;

#[async_trait]
impl Defect for ForgetsCommands {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(&remade(transaction, true, true, false)).await
    }
}

/// Records a strict command without its effect.
#[derive(Default)]
pub(crate) struct ForgetsPlaces;

#[async_trait]
impl Defect for ForgetsPlaces {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(transaction).await.map_err(|error| match error {
            AppendError::Repeated { record } => {
                let commits = Vec::new();
                AppendError::Repeated { record: Box::new(CommandRecord { commits, ..*record }) }
            }
            other => other,
        })
    }
}

/// Does not record strict commands without events.
#[derive(Default)]
pub(crate) struct RecordsOnlyCommits;

#[async_trait]
impl Defect for RecordsOnlyCommits {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let objection = log.lock().objection(transaction);
        match objection {
            None if transaction.commits().is_empty() => Ok(()),
            _ => log.transact(transaction).await,
        }
    }
}

/// Recognises every command for ever, even if it is not strict.
#[derive(Default)]
pub(crate) struct RecognisesEverything;

#[async_trait]
impl Defect for RecognisesEverything {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        log.append(new).await
    }

    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let [commit, ..] = transaction.commits() else { return log.transact(transaction).await };
        let command = commit.as_commit().command();
        let known = log.lock().commands.get(&command.id).cloned();
        if let Some(record) = known.filter(|_| log.lock().objection(transaction).is_none()) {
            return Err(AppendError::Repeated { record: Box::new(record) });
        }
        log.transact(transaction).await?;
        let places = transaction.commits().iter().map(|new| new.as_commit().place());
        let record = CommandRecord {
            fingerprint: command.fingerprint.clone(),
            commits: places.collect(),
            unchanged: Vec::new(),
        };
        log.lock().commands.insert(command.id.clone(), record);
        Ok(())
    }
}
