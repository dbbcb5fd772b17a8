//! Items that a transaction is at work on.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The items of transactions that have begun and not ended. Whoever writes one of them meanwhile is
/// refused, as DynamoDB refuses with `TransactionConflict`.
#[derive(Debug)]
pub(super) struct InFlight<T: Ord>(Mutex<BTreeSet<T>>);

/// Holds items until it is dropped, also by a function that dies.
pub(super) struct Hold<'a, T: Ord> {
    all: &'a InFlight<T>,
    items: Vec<T>,
}

impl<T: Ord + Clone> InFlight<T> {
    /// Takes all of these items, unless one of them is taken.
    pub(super) fn hold(&self, items: Vec<T>) -> Option<Hold<'_, T>> {
        let mut held = self.lock();
        if items.iter().any(|item| held.contains(item)) {
            return None;
        }
        held.extend(items.iter().cloned());
        drop(held);
        Some(Hold { all: self, items })
    }
}

impl<T: Ord> InFlight<T> {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Ord> Default for InFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Ord> Drop for Hold<'_, T> {
    fn drop(&mut self) {
        let mut held = self.all.lock();
        for item in &self.items {
            held.remove(item);
        }
    }
}
