//! Runs all suites on the ports in memory.

use ledgerfold_testkit::{
    MemoryDeadlineStore, MemoryEventStore, MemoryGenerationStore, MemoryKeyring, MemoryPartStore,
    MemoryQuarantine, MemoryReadTable, MemoryRowStore, MemoryTallyStore,
};

mod event_store {
    use super::MemoryEventStore;
    ledgerfold_proofs::event_store_conformance!(async { MemoryEventStore::with_pages_of(3) });
}

mod reservations {
    use super::MemoryEventStore;
    use ledgerfold_proofs::conformance::reservations::Reserving;
    ledgerfold_proofs::reservations_conformance!(async {
        Reserving::of(MemoryEventStore::with_pages_of(3))
    });
}

mod streams {
    use super::MemoryEventStore;
    use ledgerfold_proofs::conformance::streams::ListedLog;
    ledgerfold_proofs::streams_conformance!(async {
        ListedLog::of(MemoryEventStore::with_pages_of(3))
    });
}

mod row_store {
    use super::MemoryRowStore;
    ledgerfold_proofs::row_store_conformance!(async { MemoryRowStore::default() });
}

mod part_store {
    use super::MemoryPartStore;
    ledgerfold_proofs::part_store_conformance!(async { MemoryPartStore::default() });
}

mod tally_store {
    use super::MemoryTallyStore;
    ledgerfold_proofs::tally_store_conformance!(async { MemoryTallyStore::default() });
}

mod deadline_store {
    use super::MemoryDeadlineStore;
    ledgerfold_proofs::deadline_store_conformance!(async { MemoryDeadlineStore::default() });
}

mod quarantine {
    use super::MemoryQuarantine;
    ledgerfold_proofs::quarantine_conformance!(async { MemoryQuarantine::default() });
}

mod export_files {
    use ledgerfold_testkit::MemoryExportFiles;
    ledgerfold_proofs::export_files_conformance!(async { MemoryExportFiles::default() });
}

mod export_progress {
    use ledgerfold_testkit::MemoryExportProgress;
    ledgerfold_proofs::export_progress_conformance!(async { MemoryExportProgress::default() });
}

mod skips {
    use super::MemoryQuarantine;
    use ledgerfold_proofs::conformance::skips::Desk;
    ledgerfold_proofs::skips_conformance!(async { Desk::over(MemoryQuarantine::default()) });
}

mod generation_store {
    use super::MemoryGenerationStore;
    ledgerfold_proofs::generation_store_conformance!(async { MemoryGenerationStore::default() });
}

mod keyring {
    use super::MemoryKeyring;
    ledgerfold_proofs::keyring_conformance!(async { MemoryKeyring::default() });
}

mod read_table {
    mod rows {
        use super::super::MemoryReadTable;
        ledgerfold_proofs::read_table_conformance!(rows: async { MemoryReadTable::default() });
    }

    mod tallies {
        use super::super::MemoryReadTable;
        ledgerfold_proofs::read_table_conformance!(tallies: async { MemoryReadTable::default() });
    }
}

mod history {
    use ledgerfold_proofs::conformance::history;
    use ledgerfold_testkit::MemoryEventStore;

    // Guards: every-store-is-the-model
    #[test]
    fn the_log_in_memory_answers_like_the_model_in_any_history() {
        for page in [1, 3, 1_000] {
            history::check(200, async { MemoryEventStore::with_pages_of(page) });
        }
    }
}

mod transparency {
    use std::sync::Arc;

    use async_trait::async_trait;
    use ledgerfold_proofs::conformance::transparency::{LogPorts, Published};
    use ledgerfold_transparency::memory::MemoryLog;

    ledgerfold_proofs::transparency_conformance!(async {
        let log = Arc::new(MemoryLog::default());
        LogPorts {
            objects: log.clone(),
            checkpoints: log.clone(),
            size: log.clone(),
            published: Arc::new(OfMemory(log)),
        }
    });

    struct OfMemory(Arc<MemoryLog>);

    #[async_trait]
    impl Published for OfMemory {
        async fn published(&self) -> Option<String> {
            self.0.published()
        }
    }
}
