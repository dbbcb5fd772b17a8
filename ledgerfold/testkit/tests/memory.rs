//! The ports in memory pass the suites.

use ledgerfold_testkit::{MemoryEventStore, MemoryRowStore, MemoryTallyStore};

mod event_store {
    use super::MemoryEventStore;
    ledgerfold_testkit::event_store_conformance!(async { MemoryEventStore::with_pages_of(3) });
}

mod row_store {
    use super::MemoryRowStore;
    ledgerfold_testkit::row_store_conformance!(async { MemoryRowStore::default() });
}

mod tally_store {
    use super::MemoryTallyStore;
    ledgerfold_testkit::tally_store_conformance!(async { MemoryTallyStore::default() });
}
