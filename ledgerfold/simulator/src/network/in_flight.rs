//! The items of running transactions. The stores decide which items a transaction has.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The items of running transactions. A concurrent write to one of them is refused, as DynamoDB refuses it with
/// `TransactionConflict`, and so is a transactional read.
#[derive(Clone, Debug)]
pub(crate) struct InFlight<T: Ord>(Arc<Mutex<BTreeSet<T>>>);

/// Holds items until it is dropped, also by a function that dies.
pub(crate) struct Hold<T: Ord> {
    /// The shared set from which the items are removed.
    all: InFlight<T>,
    /// The items that this transaction still holds. A `Vec`, because they are released by position.
    items: Vec<T>,
}

impl<T: Ord + Clone> InFlight<T> {
    /// Holds all of these items, unless another transaction holds one of them.
    pub(crate) fn hold(&self, items: Vec<T>) -> Option<Hold<T>> {
        let mut held = self.lock();
        if items.iter().any(|item| held.contains(item)) {
            return None;
        }
        held.extend(items.iter().cloned());
        drop(held);
        Some(Hold { all: self.clone(), items })
    }
}

impl<T: Ord> InFlight<T> {
    /// Whether a transaction is at work on one of these.
    pub(crate) fn has_any(&self, items: &[T]) -> bool {
        let held = self.lock();
        items.iter().any(|item| held.contains(item))
    }

    /// Whether no transaction is at work.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Ord> Hold<T> {
    /// How many items are still held.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Releases one item.
    pub(crate) fn release(&mut self, at: usize) -> T {
        let item = self.items.swap_remove(at);
        self.all.lock().remove(&item);
        item
    }
}

impl<T: Ord> Default for InFlight<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Ord> Drop for Hold<T> {
    fn drop(&mut self) {
        let mut held = self.all.lock();
        for item in &self.items {
            held.remove(item);
        }
    }
}
