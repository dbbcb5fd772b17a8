//! The adapters on DynamoDB Local: the suites of the testkit, and what commands cost. The module
//! `event_store` runs on LocalStack as well.

#![allow(clippy::panic, reason = "a test may fail")]

mod claim_check;
mod cost;
mod deadlines;
mod parked;
mod streams;
mod tables;
mod temporary;

mod event_store {
    ledgerfold_testkit::event_store_conformance!(crate::tables::event_store());

    #[test]
    fn a_table_answers_like_the_model_whatever_is_done() {
        ledgerfold_testkit::conformance::history::check(12, crate::tables::event_store());
    }
}

mod reservations {
    ledgerfold_testkit::reservations_conformance!(crate::tables::reserving());
}

mod row_store {
    ledgerfold_testkit::row_store_conformance!(crate::tables::row_store());
}

mod tally_store {
    ledgerfold_testkit::tally_store_conformance!(crate::tables::tally_store());
}

mod deadline_store {
    ledgerfold_testkit::deadline_store_conformance!(crate::tables::deadline_store());
}

mod quarantine {
    ledgerfold_testkit::quarantine_conformance!(crate::tables::quarantine());
}

mod skips {
    ledgerfold_testkit::skips_conformance!(crate::tables::desk());
}

mod generation_store {
    ledgerfold_testkit::generation_store_conformance!(crate::tables::generation_store());
}

mod read_table {
    mod rows {
        ledgerfold_testkit::read_table_conformance!(rows: crate::tables::read_table_of_rows());
    }

    mod tallies {
        ledgerfold_testkit::read_table_conformance!(tallies: crate::tables::read_table_of_tallies());
    }
}
