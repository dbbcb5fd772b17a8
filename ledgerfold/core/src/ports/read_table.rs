use std::sync::Arc;

use async_trait::async_trait;

use super::{
    PartReader, PartStore, ReadStoreError, Resume, RowReader, RowStore, TallyReader, TallyStore,
    part_store::NoParts,
};
use crate::vocabulary::{Generation, Retired};

/// The read table of one projection, for a function that only reads it.
pub trait ReadView: Send + Sync {
    /// The rows of a generation, for reading.
    fn read_rows(&self, generation: Generation) -> Arc<dyn RowReader>;

    /// The counters of a generation, for reading.
    fn read_tallies(&self, generation: Generation) -> Arc<dyn TallyReader>;

    /// The parts of a generation, for reading. By default a read table has no parts, and refuses every call.
    fn read_parts(&self, _generation: Generation) -> Arc<dyn PartReader> {
        NoParts::reader()
    }
}

/// The read table of one projection. It holds several generations.
#[async_trait]
pub trait ReadTable: ReadView {
    /// The rows of a generation.
    fn rows(&self, generation: Generation) -> Arc<dyn RowStore>;

    /// The counters of a generation.
    fn tallies(&self, generation: Generation) -> Arc<dyn TallyStore>;

    /// The parts of a generation. By default a read table has no parts, and refuses every call.
    fn parts(&self, _generation: Generation) -> Arc<dyn PartStore> {
        NoParts::store()
    }

    /// Removes some items of retired generations, from a place on or from the beginning. You may start again anywhere:
    /// it then removes the remaining items.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    async fn remove(
        &self,
        retired: &Retired,
        from: Option<&Resume>,
    ) -> Result<RemovedPage, ReadStoreError>;
}

/// The result of one step of a removal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovedPage {
    /// The number of removed items.
    pub removed: u64,
    /// The place to continue at; `None` at the end.
    pub next: Option<Resume>,
}
