//! The adapters on DynamoDB Local: the conformance suites, and the cost of commands. The module `event_store` also
//! runs on LocalStack.

#![allow(clippy::panic, reason = "a test may fail")]

mod chain;
mod claim_check;
mod cost;
mod deadlines;
mod parked;
mod snapshots;
mod streams;
mod tables;
mod temporary;

mod event_store {
    ledgerfold_proofs::event_store_conformance!(crate::tables::event_store());

    // Guards: every-store-is-the-model
    #[test]
    fn a_table_behaves_like_the_model() {
        ledgerfold_proofs::conformance::history::check(12, crate::tables::event_store());
    }
}

mod reservations {
    ledgerfold_proofs::reservations_conformance!(crate::tables::reserving());
}

mod listed_streams {
    ledgerfold_proofs::streams_conformance!(crate::streams::listed_log());
}

mod row_store {
    ledgerfold_proofs::row_store_conformance!(crate::tables::row_store());
}

mod part_store {
    ledgerfold_proofs::part_store_conformance!(crate::tables::part_store());
}

mod tally_store {
    ledgerfold_proofs::tally_store_conformance!(crate::tables::tally_store());
}

mod deadline_store {
    ledgerfold_proofs::deadline_store_conformance!(crate::tables::deadline_store());
}

mod quarantine {
    ledgerfold_proofs::quarantine_conformance!(crate::tables::quarantine());
}

mod export_progress {
    ledgerfold_proofs::export_progress_conformance!(crate::tables::export_progress());
}

mod skips {
    ledgerfold_proofs::skips_conformance!(crate::tables::desk());
}

mod generation_store {
    ledgerfold_proofs::generation_store_conformance!(crate::tables::generation_store());
}

mod read_table {
    mod rows {
        ledgerfold_proofs::read_table_conformance!(rows: crate::tables::read_table_of_rows());
    }

    mod tallies {
        ledgerfold_proofs::read_table_conformance!(tallies: crate::tables::read_table_of_tallies());
    }
}
