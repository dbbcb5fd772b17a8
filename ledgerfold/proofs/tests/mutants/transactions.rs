//! Stores with faulty transactions. A name in a comment is a library with this defect.

use async_trait::async_trait;
use ledgerfold::{
    Version,
    ports::{AppendError, EventStore, KeyChange, PortError, StoreError, Transaction},
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_proofs::conformance::history::{ModelStore, alone, claims_of};
use tokio::task::yield_now;

use crate::wrong::{Defect, Write};

/// The same transaction without some of its parts.
pub(crate) fn remade(
    transaction: &Transaction,
    watched: bool,
    claims: bool,
    once: bool,
) -> Transaction {
    let unchanged = if watched { transaction.unchanged().to_vec() } else { Vec::new() };
    let claims = if claims { claims_of(transaction) } else { Vec::new() };
    let once = transaction.strict().filter(|_| once).cloned();
    let remade = Transaction::new(transaction.commits().to_vec(), unchanged, claims, once)
        .expect("a part of a valid transaction is valid");
    let forgone = |change: &KeyChange| matches!(change, KeyChange::Forgo(_));
    let forgone = transaction.claims().iter().filter(|(_, change)| forgone(change));
    forgone.fold(remade, |remade, (key, _)| remade.forgoing(key).unwrap_or(remade))
}

/// Stores the commits one by one, up to the first refused one. Booster does this.
#[derive(Default)]
pub(crate) struct GoesOneByOne;

#[async_trait]
impl Defect for GoesOneByOne {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let objection = {
            let model = log.lock();
            model
                .changed(transaction)
                .or_else(|| model.repeated(transaction))
                .or_else(|| model.reserved(transaction))
                .or_else(|| model.not_reserved(transaction))
        };
        for new in transaction.commits() {
            log.transact(&alone(new)).await?;
        }
        if let Some(objection) = objection {
            return Err(objection);
        }
        let mut model = log.lock();
        let stored = model.commits.clone();
        model.apply(transaction);
        model.commits = stored;
        Ok(())
    }
}

/// Reports every refusal as a conflict, with the first commit as the winner. event-store-adapter does this: even
/// throttling and invalid requests are an `OptimisticLockError`.
#[derive(Default)]
pub(crate) struct CallsEverythingConflict;

#[async_trait]
impl Defect for CallsEverythingConflict {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let Some(first) = transaction.commits().first() else {
            return log.transact(transaction).await;
        };
        log.transact(transaction).await.map_err(|error| match error {
            AppendError::Conflict { winner } => AppendError::Conflict { winner },
            AppendError::TooLarge { bytes, limit } => AppendError::TooLarge { bytes, limit },
            _ => AppendError::Conflict { winner: Box::new(first.as_commit().clone()) },
        })
    }
}

/// Ignores the positions of cancellation reasons, and blames the first commit.
#[derive(Default)]
pub(crate) struct BlamesTheFirst;

#[async_trait]
impl Defect for BlamesTheFirst {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let Some(first) = transaction.commits().first() else {
            return log.transact(transaction).await;
        };
        let first = first.as_commit().clone();
        log.transact(transaction).await.map_err(|error| match error {
            AppendError::Conflict { .. } if transaction.commits().len() > 1 => {
                AppendError::Conflict { winner: Box::new(first) }
            }
            other => other,
        })
    }
}

/// Checks keys before conflicts, so a repeated command of the holder gets a refusal.
#[derive(Default)]
pub(crate) struct TellsOfKeysFirst;

#[async_trait]
impl Defect for TellsOfKeysFirst {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        if let Some(objection) = log.lock().reserved(transaction) {
            return Err(objection);
        }
        log.transact(transaction).await
    }
}

/// Ignores streams that are only conditions. Equinox and NestJS do not support such conditions.
#[derive(Default)]
pub(crate) struct WatchesNothing;

#[async_trait]
impl Defect for WatchesNothing {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(&remade(transaction, false, true, true)).await
    }
}

/// Ignores the condition that a stream does not exist, because there is no item to check.
#[derive(Default)]
pub(crate) struct WatchesWhatExists;

#[async_trait]
impl Defect for WatchesWhatExists {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let absent = transaction.unchanged().iter().any(|seen| seen.version() == Version::NONE);
        log.transact(&remade(transaction, !absent, true, true)).await
    }
}

/// Uses a marker at the place of the next commit as the condition, and does not remove it.
#[derive(Default)]
pub(crate) struct LeavesMarkers;

#[async_trait]
impl Defect for LeavesMarkers {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let Some(first) = transaction.commits().first() else {
            return log.transact(transaction).await;
        };
        log.transact(transaction).await?;
        let mut model = log.lock();
        let like = first.as_commit();
        for seen in transaction.unchanged() {
            let events: Vec<_> = like.events().map(|(_, event)| event.clone()).take(1).collect();
            let versions = (seen.version().next(), seen.version().next());
            let (command, metadata) = (like.command().clone(), like.metadata().clone());
            let marker = Commit::restore(
                seen.stream().clone(),
                versions,
                events,
                command,
                metadata,
                like.hash(),
            );
            model.commits.push(marker.expect("the marker has one event"));
        }
        Ok(())
    }
}

/// Checks condition streams before the commit instead of in it, which allows write skew.
#[derive(Default)]
pub(crate) struct LooksThenCommits;

#[async_trait]
impl Defect for LooksThenCommits {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let objection = log.lock().objection(transaction);
        if let Some(objection) = objection {
            return Err(objection);
        }
        yield_now().await;
        log.transact(&remade(transaction, false, true, true)).await
    }
}

/// Checks keys before the commit instead of in it.
#[derive(Default)]
pub(crate) struct LooksThenReserves;

#[async_trait]
impl Defect for LooksThenReserves {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let objection = log.lock().objection(transaction);
        if let Some(objection) = objection {
            return Err(objection);
        }
        yield_now().await;
        let outcome = log.transact(&remade(transaction, true, false, true)).await;
        if outcome.is_ok() {
            log.lock().apply_claims(transaction);
        }
        outcome
    }
}

/// Checks everything before the commit, and writes without a condition.
#[derive(Default)]
pub(crate) struct LooksThenWrites;

#[async_trait]
impl Defect for LooksThenWrites {
    async fn append(&self, log: &ModelStore, new: &NewCommit) -> Write {
        log.append(new).await
    }

    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let objection = log.lock().objection(transaction);
        if let Some(objection) = objection {
            return Err(objection);
        }
        yield_now().await;
        let mut model = log.lock();
        for new in transaction.commits() {
            let new = new.as_commit();
            model.commits.retain(|it| (it.stream(), it.from()) != (new.stream(), new.from()));
        }
        model.apply(transaction);
        Ok(())
    }
}

/// Reserves a key for the last stream that requests it.
#[derive(Default)]
pub(crate) struct GivesKeysAway;

#[async_trait]
impl Defect for GivesKeysAway {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        match log.transact(transaction).await {
            Err(AppendError::Reserved { .. }) => {
                log.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Reserves keys before the commit, and keeps them if the commit is refused.
#[derive(Default)]
pub(crate) struct ReservesBeforehand;

#[async_trait]
impl Defect for ReservesBeforehand {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let outcome = log.transact(transaction).await;
        if matches!(outcome, Err(AppendError::Conflict { .. })) {
            let mut model = log.lock();
            if model.reserved(transaction).is_none() && model.not_reserved(transaction).is_none() {
                model.apply_claims(transaction);
            }
        }
        outcome
    }
}

/// Reserves keys one by one, up to the first one that is not free.
#[derive(Default)]
pub(crate) struct TakesSomeKeys;

#[async_trait]
impl Defect for TakesSomeKeys {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let outcome = log.transact(transaction).await;
        if matches!(outcome, Err(AppendError::Reserved { .. })) {
            let mut model = log.lock();
            for (key, change) in transaction.claims() {
                if let KeyChange::Reserve(to) = change {
                    model.holders.entry(key.clone()).or_insert_with(|| to.clone());
                }
            }
        }
        outcome
    }
}

/// Never releases a key.
#[derive(Default)]
pub(crate) struct NeverReleases;

#[async_trait]
impl Defect for NeverReleases {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(transaction).await?;
        let mut model = log.lock();
        for (key, change) in transaction.claims() {
            if let KeyChange::Release(from) = change {
                model.holders.insert(key.clone(), from.clone());
            }
        }
        Ok(())
    }
}

/// Lets any stream release any key.
#[derive(Default)]
pub(crate) struct ReleasesForAnybody;

#[async_trait]
impl Defect for ReleasesForAnybody {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let releases =
            transaction.claims().values().any(|change| matches!(change, KeyChange::Release(_)));
        match log.transact(transaction).await {
            Err(AppendError::NotReserved { .. }) if releases => {
                log.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Lets a stream forgo its own key.
#[derive(Default)]
pub(crate) struct ForgoesItsOwn;

#[async_trait]
impl Defect for ForgoesItsOwn {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        match log.transact(transaction).await {
            Err(AppendError::Reserved { .. }) if forgoes(transaction) => {
                log.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Releases a forgone key of any holder.
#[derive(Default)]
pub(crate) struct ReleasesWhatIsForgone;

#[async_trait]
impl Defect for ReleasesWhatIsForgone {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(transaction).await?;
        if forgoes(transaction) {
            let mut model = log.lock();
            for key in transaction.claims().keys() {
                model.holders.remove(key);
            }
        }
        Ok(())
    }
}

/// Refuses a forgone key like one that cannot be released.
#[derive(Default)]
pub(crate) struct RefusesToForgo;

#[async_trait]
impl Defect for RefusesToForgo {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let forgone = transaction.claims().iter().find_map(|(key, change)| match change {
            KeyChange::Forgo(stream) => Some((key.clone(), stream.clone())),
            _ => None,
        });
        match forgone {
            Some((key, stream)) => Err(AppendError::NotReserved { key, stream, complete: None }),
            None => log.transact(transaction).await,
        }
    }
}

fn forgoes(transaction: &Transaction) -> bool {
    transaction.claims().values().any(|change| matches!(change, KeyChange::Forgo(_)))
}

/// Passes on a key without checking its holder.
#[derive(Default)]
pub(crate) struct PassesForAnybody;

#[async_trait]
impl Defect for PassesForAnybody {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let passes =
            transaction.claims().values().all(|change| matches!(change, KeyChange::Pass { .. }));
        match log.transact(transaction).await {
            Err(AppendError::NotReserved { .. }) if passes => {
                log.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Releases a key that should pass to another stream.
#[derive(Default)]
pub(crate) struct DropsWhatIsPassed;

#[async_trait]
impl Defect for DropsWhatIsPassed {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        log.transact(transaction).await?;
        let passed = |change: &KeyChange| matches!(change, KeyChange::Pass { .. });
        for (key, _) in transaction.claims().iter().filter(|(_, change)| passed(change)) {
            log.lock().holders.remove(key);
        }
        Ok(())
    }
}

/// Ignores the kind of a key.
#[derive(Default)]
pub(crate) struct ForgetsTheKind;

#[async_trait]
impl Defect for ForgetsTheKind {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let before = log.lock().holders.clone();
        log.transact(transaction).await?;
        for (key, change) in transaction.claims() {
            let same = before.iter().find(|(it, _)| it.key.value() == key.key.value());
            if let (KeyChange::Reserve(_), Some((_, holder))) = (change, same) {
                return Err(AppendError::Reserved { key: key.clone(), holder: holder.clone() });
            }
        }
        Ok(())
    }
}

/// Ignores the tenant of keys.
#[derive(Default)]
pub(crate) struct SharesKeys;

#[async_trait]
impl Defect for SharesKeys {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        let before = log.lock().holders.clone();
        for (key, change) in transaction.claims() {
            let same = before.iter().find(|(it, _)| it.key == key.key && it.tenant != key.tenant);
            if let (KeyChange::Reserve(_), Some((_, holder))) = (change, same) {
                return Err(AppendError::Reserved { key: key.clone(), holder: holder.clone() });
            }
        }
        log.transact(transaction).await
    }
}

/// Accepts at most 25 items. dynamo-es has this limit, which DynamoDB had in 2018.
#[derive(Default)]
pub(crate) struct TouchesFewItems;

#[async_trait]
impl Defect for TouchesFewItems {
    async fn transact(&self, log: &ModelStore, transaction: &Transaction) -> Write {
        if transaction.commits().len() > 25 {
            return Err(StoreError::Port(PortError::Refused("over 25 items".into())).into());
        }
        log.transact(transaction).await
    }
}
