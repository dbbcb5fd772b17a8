//! The events of a stream that its messages lack, as the log has them.

use std::{array, sync::Arc};

use futures::lock::{Mutex, OwnedMutexGuard};

use super::tail::{self, Tail};
use crate::{
    StreamId, Version,
    ports::{EventReader, StoreError},
};

/// The most streams of a batch that hold a page of the log. A page has up to a megabyte, and a batch up to a hundred
/// streams.
const PAGES_AT_ONCE: usize = 8;

/// The turns of a batch's streams to hold a page of the log.
pub(super) struct Turns([Arc<Mutex<()>>; PAGES_AT_ONCE]);

impl Default for Turns {
    fn default() -> Self {
        Self(array::from_fn(|_| Arc::default()))
    }
}

impl Turns {
    /// The gap of the batch's stream with this number. Its page waits for those of a few other streams.
    pub(super) fn of(&self, stream: usize) -> Gap {
        Gap { turn: self.0[stream % PAGES_AT_ONCE].clone(), page: Mutex::default() }
    }
}

/// The last page of a stream's gap. All generations of a projection usually lack the same events, so they share it.
#[derive(Debug, Default)]
pub(super) struct Gap {
    turn: Arc<Mutex<()>>,
    /// A mutex, because the generations get the gap by reference. They are updated one after the other.
    page: Mutex<Option<Page>>,
}

#[derive(Debug)]
struct Page {
    after: Version,
    tail: Tail,
    /// Until the stream is done in all generations, its page takes up memory.
    turn: OwnedMutexGuard<()>,
}

impl Gap {
    /// The events after `after` up to the end of a page.
    pub(super) async fn read(
        &self,
        after: Version,
        stream: &StreamId,
        log: &dyn EventReader,
    ) -> Result<Tail, StoreError> {
        let mut page = self.page.lock().await;
        if let Some(known) = page.as_ref().and_then(|page| page.following(after)) {
            return Ok(known);
        }
        let turn = match page.take() {
            Some(page) => page.turn,
            None => self.turn.clone().lock_owned().await,
        };
        let tail = tail::read(after, stream, log).await?;
        *page = Some(Page { after, tail: tail.clone(), turn });
        Ok(tail)
    }
}

impl Page {
    fn following(&self, after: Version) -> Option<Tail> {
        if after == self.after && !self.tail.events.is_empty() {
            return Some(self.tail.clone());
        }
        self.tail.after(after)
    }
}
