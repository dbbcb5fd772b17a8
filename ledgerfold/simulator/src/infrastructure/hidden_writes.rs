//! The writes of transactions that plain reads do not show yet. The counters themselves belong to `tallies`.
//!
//! DynamoDB is read-committed between a transaction and plain reads: each item is shown in its old or its new form,
//! and of two items of one transaction the one may be shown in its new form and the other in its old one
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-isolation>).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ledgerfold::{
    StreamId, TenantId,
    ports::{Counter, CounterKey, CounterShard, Memo, Sums},
    vocabulary::OfTenant,
};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    Memo(StreamId),
    /// A group of counters is spread over shards by stream; within a shard transactions meet.
    Counter(OfTenant<CounterKey>, CounterShard),
}

/// The items that plain reads see in an older form. A mutex, because transactions hide and show items while others
/// read.
#[derive(Default)]
pub(crate) struct HiddenWrites(Mutex<BTreeMap<Item, Past>>);

enum Past {
    /// The memo that was there before.
    Memo(Option<Memo>),
    /// The additions to a group since.
    Added(BTreeMap<String, i128>),
}

impl HiddenWrites {
    /// Hides the writes of a transaction to these items: the groups in the order of its sums, and the memos in the order
    /// of those before.
    pub(crate) fn hide(&self, items: &[Item], sums: &Sums, before: Vec<Option<Memo>>) {
        let added = sums.values().cloned().map(Past::Added);
        let pasts = added.chain(before.into_iter().map(Past::Memo));
        self.lock().extend(items.iter().cloned().zip(pasts));
    }

    pub(crate) fn show(&self, item: &Item) {
        self.lock().remove(item);
    }

    /// A memo as a plain read shows it.
    pub(crate) fn memo(&self, stream: &StreamId, now: Option<Memo>) -> Option<Memo> {
        match self.lock().get(&Item::Memo(stream.clone())) {
            Some(Past::Memo(before)) => before.clone(),
            _ => now,
        }
    }

    /// Subtracts hidden additions from these counters of a tenant.
    pub(crate) fn take_from(&self, tenant: &TenantId, counters: &mut [Counter]) {
        for counter in counters {
            self.take_from_one(tenant, counter);
        }
    }

    pub(crate) fn take_from_one(&self, tenant: &TenantId, counter: &mut Counter) {
        for (item, past) in &*self.lock() {
            let (Item::Counter(key, _), Past::Added(added)) = (item, past) else { continue };
            if key.tenant != *tenant || key.key != counter.key {
                continue;
            }
            for (name, amount) in added {
                *counter.amounts.entry(name.clone()).or_default() -= amount;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Item, Past>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
