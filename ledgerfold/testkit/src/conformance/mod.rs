//! What every adapter of a port must do, one test per rule. A crate that has an adapter runs a suite
//! with one line:
//!
//! ```ignore
//! ledgerfold_testkit::event_store_conformance!(async { MemoryEventStore::default() });
//! ```

pub mod account;
pub mod event_store;
pub mod notebook;
pub mod row_store;
pub mod tally_store;

/// Makes a test of each rule of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, $adapter:expr, $($rule:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $rule() {
            let adapter = $adapter.await;
            $crate::conformance::$suite::$rule(&adapter).await;
        }
    )+};
}

/// The rules of a log. The argument is a future of a fresh adapter, or of one whose table others
/// use too: each rule takes streams of its own.
#[macro_export]
macro_rules! event_store_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            event_store,
            $adapter,
            a_stream_that_does_not_exist_is_empty,
            a_commit_comes_back_as_it_was_appended,
            an_append_is_seen_by_the_next_read,
            a_read_begins_behind_the_version_asked_for,
            streams_do_not_mix,
            a_taken_version_is_refused_and_shows_its_winner,
            a_repeated_append_meets_itself,
            of_racing_appends_one_wins,
            a_stream_of_more_than_a_megabyte_is_read_whole,
            time_may_run_backwards,
            a_commit_over_the_limit_is_refused_and_not_stored,
        );
    };
}

/// The rules of a table of rows.
#[macro_export]
macro_rules! row_store_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            row_store,
            $adapter,
            a_row_that_was_never_put_is_absent,
            a_row_comes_back_as_it_was_put,
            a_newer_row_wins_in_either_order,
            a_row_at_the_same_version_is_superseded,
            a_deleted_row_keeps_its_version,
            a_wrong_row_is_replaced_only_while_it_is_there,
            a_list_is_in_descending_order_and_paged,
            a_row_without_index_is_not_listed,
        );
    };
}

/// The rules of a table of counters.
#[macro_export]
macro_rules! tally_store_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            tally_store,
            $adapter,
            a_stream_that_was_never_counted_has_no_memo,
            counting_moves_the_memo_and_the_counters,
            a_memo_that_moved_refuses_to_count_again,
            five_at_once_count_once,
            streams_add_up,
            a_range_has_both_its_ends,
            counting_nothing_moves_the_memo,
        );
    };
}
