//! A queue in memory whose readers wait.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// A queue. Clones of its `Arc` write to it while readers wait.
pub(crate) struct Mailbox<T>(Mutex<Content<T>>);

struct Content<T> {
    items: VecDeque<T>,
    readers: VecDeque<Waker>,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Mutex::new(Content { items: VecDeque::new(), readers: VecDeque::new() }))
    }
}

impl<T> Mailbox<T> {
    pub(crate) fn put(&self, item: T) {
        let mut content = self.lock();
        content.items.push_back(item);
        if let Some(reader) = content.readers.pop_front() {
            reader.wake();
        }
    }

    /// Puts these in front of all others, in their order.
    pub(crate) fn put_back(&self, items: Vec<T>) {
        let mut content = self.lock();
        for item in items.into_iter().rev() {
            content.items.push_front(item);
        }
    }

    /// The next items, at most this many, and perhaps none.
    pub(crate) fn take(&self, most: usize) -> Vec<T> {
        let mut content = self.lock();
        let most = content.items.len().min(most);
        content.items.drain(..most).collect()
    }

    /// Waits for the next items. The reader that began to wait first gets them.
    pub(crate) async fn next(&self, most: usize) -> Vec<T> {
        poll_fn(|context| {
            let items = self.take(most);
            if !items.is_empty() {
                return Poll::Ready(items);
            }
            self.lock().readers.push_back(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().items.len()
    }

    fn lock(&self) -> MutexGuard<'_, Content<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
