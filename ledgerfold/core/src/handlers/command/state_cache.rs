use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::Loaded;
use crate::{Decider, StreamId, Version};

/// The states of recently used streams, up to a limit in bytes. The least recently used state is removed first.
///
/// A cached state may be out of date, because other functions write too. It only decides how a command begins: an
/// append has a condition on its key, and an answer without an append is confirmed by a read.
pub(super) struct StateCache<D: Decider> {
    limit: usize,
    kept: Mutex<Kept<D>>,
}

struct Kept<D: Decider> {
    /// The number of streams is not limited, because the limit is in bytes. `put` enforces it.
    streams: LruCache<StreamId, Loaded<D>>,
    bytes: usize,
}

impl<D: Decider> StateCache<D> {
    pub(super) fn within(limit: usize) -> Self {
        Self { limit, kept: Mutex::new(Kept { streams: LruCache::unbounded(), bytes: 0 }) }
    }

    /// Takes a stream out, so that no other command works on it and it need not be copied. A concurrent command for
    /// the same stream finds nothing here, and reads the stream.
    pub(super) fn take(&self, stream: &StreamId) -> Option<Loaded<D>> {
        let mut kept = self.lock();
        let loaded = kept.streams.pop(stream)?;
        kept.bytes -= loaded.weight();
        Some(loaded)
    }

    /// Puts a stream back, unless the cache has a newer version of it. A stream that does not exist is not cached,
    /// because another command may create it at any moment.
    pub(super) fn put(&self, loaded: Loaded<D>) {
        let weight = loaded.weight();
        if loaded.version() == Version::NONE || weight > self.limit {
            return;
        }
        let mut kept = self.lock();
        let newer = kept
            .streams
            .peek(loaded.stream())
            .is_some_and(|other| other.version() >= loaded.version());
        if newer {
            return;
        }
        if let Some(older) = kept.streams.put(loaded.stream().clone(), loaded) {
            kept.bytes -= older.weight();
        }
        kept.bytes += weight;
        while kept.bytes > self.limit
            && let Some((_, oldest)) = kept.streams.pop_lru()
        {
            kept.bytes -= oldest.weight();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept<D>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
