//! Conformance suites: the rules of every port, with one test per rule.
//!
//! If you write your own log, run its suite with one line in a file under `tests/` of your crate. The crate needs the
//! dev-dependencies `ledgerfold-proofs` and `tokio` (with `macros` and `rt`):
//!
//! ```ignore
//! mod event_store {
//!     ledgerfold_proofs::event_store_conformance!(crate::my_store());
//! }
//!
//! async fn my_store() -> MyStore {
//!     MyStore::connect(&std::env::var("MY_STORE").expect("MY_STORE is a database for tests")).await
//! }
//! ```
//!
//! The argument is a future of a store. You can return a new store for each test, or one store for all tests and all
//! runs: every rule uses new streams, keys and command ids.
//!
//! Each rule becomes a test with its own name, for example `event_store::of_racing_appends_one_wins`, so you can run
//! single rules. Their documentation is in [`event_store::reads`], [`event_store::appends`],
//! [`event_store::content`], [`event_store::transactions`], [`event_store::keys`] and [`event_store::tenants`]. The rules
//! of [`event_store::commands`] and [`event_store::joint`] run the library's handlers over the store.
//!
//! The rules only cover the cases that we thought of. For other cases [`history`] compares a store with a model over
//! random histories.
//!
//! Faulty stores in `tests/mutants` of this crate prove that the rules can fail. Each of them must fail the rules that
//! are listed with it, and no others.

pub mod deadline_store;
pub mod event_store;
pub mod export_files;
pub mod export_progress;
pub mod generation_store;
pub mod history;
pub mod keyring;

pub mod part_store;
pub mod quarantine;
pub mod read_table;
pub mod requests;
pub mod reservations;
pub mod row_store;

pub mod skips;
pub mod streams;
pub mod tally_store;
pub mod transparency;
pub mod verbatim;

/// Generates a test for each rule of a suite.
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

/// The suite of a log. The argument is a future of an adapter; see the [module](crate::conformance) for an example.
#[macro_export]
macro_rules! event_store_conformance {
    ($adapter:expr) => {
        $crate::event_store_rules!([$crate::event_store_tests] $adapter);
    };
}

/// Passes the names of a log's rules, by subject, to another macro. The tests of a store and the mutants use the same
/// list.
#[doc(hidden)]
#[macro_export]
macro_rules! event_store_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! { ($($given)*)
            reads {
                a_stream_that_does_not_exist_is_empty,
                an_append_is_seen_by_the_next_read,
                a_read_begins_behind_the_version_asked_for,
                streams_do_not_mix,
                categories_do_not_mix,
                a_stream_of_more_than_a_megabyte_is_read_whole,
                a_stream_of_more_than_a_megabyte_is_read_back_whole,
                the_newest_commit_comes_first_when_reading_back,
                a_read_back_keeps_to_its_limit,
                a_read_back_begins_with_what_begins_before_the_version,
                a_read_back_ends_behind_the_version_asked_for,
                pages_follow_each_other_without_gap_or_overlap,
                a_page_is_bounded_in_bytes,
                a_load_gets_the_newest_snapshot_and_what_follows_it,
                the_head_is_the_version_of_the_last_event,
            }
            appends {
                a_taken_version_is_refused_and_shows_its_winner,
                a_refused_commit_leaves_none_of_its_events,
                a_repeated_append_meets_itself,
                of_racing_appends_one_wins,
                a_commit_of_many_events_is_one,
                a_reader_never_sees_half_a_commit,
                time_may_run_backwards,
            }
            content {
                a_commit_comes_back_as_it_was_appended,
                the_content_of_an_event_comes_back_to_the_letter,
                all_metadata_comes_back,
                metadata_that_says_little_comes_back_as_little,
                a_snapshot_comes_back_as_it_was_stored,
                snapshots_change_nothing_of_what_a_read_brings,
                a_commit_over_the_limit_is_refused_and_not_stored,
                a_commit_below_the_limit_is_taken,
                a_snapshot_makes_no_commit_too_large,
            }
            transactions {
                a_transaction_commits_to_all_its_streams,
                a_refused_transaction_leaves_nothing_behind,
                a_transaction_that_lost_a_race_shows_the_winner,
                a_repeated_transaction_meets_itself,
                a_stream_that_moved_on_refuses_the_transaction,
                a_stream_that_is_as_it_was_seen_lets_the_transaction_pass,
                a_stream_that_does_not_exist_can_be_a_condition,
                of_two_that_watch_each_other_one_moves,
                of_racing_transactions_one_wins,
                a_command_that_is_recognised_for_ever_is_refused_with_its_record,
                a_command_without_events_is_recognised_for_ever,
                a_command_is_recognised_for_ever_only_if_that_is_asked,
                of_several_reasons_to_refuse_the_first_is_told,
                a_transaction_with_a_commit_over_the_limit_does_nothing,
                a_transaction_over_four_megabytes_does_nothing,
                a_transaction_touches_up_to_a_hundred_items,
            }
            keys {
                a_key_that_is_taken_is_refused_and_shows_its_holder,
                a_key_that_is_given_back_is_free,
                a_key_can_pass_from_one_stream_to_another,
                a_key_of_another_stream_cannot_be_given_back,
                a_key_of_another_stream_cannot_be_passed_on,
                keys_of_different_kinds_do_not_meet,
                a_key_that_is_not_its_own_is_forgone,
                a_key_of_its_own_is_not_forgone,
                keys_are_taken_together_or_not_at_all,
                of_racing_reservations_one_wins,
            }
            commands {
                a_command_becomes_one_commit,
                a_repeated_command_gets_its_first_answer,
                a_command_id_that_is_used_for_another_request_is_refused,
                a_command_whose_answer_was_lost_has_taken_effect_once,
                handlers_with_stale_memory_take_turns,
                commands_at_once_are_all_counted,
                a_snapshot_and_its_tail_say_what_all_events_say,
                commands_are_recognised_across_snapshots,
                a_strict_command_is_recognised_behind_the_window,
                a_strict_command_takes_effect_on_each_stream,
                a_strict_command_gets_its_first_answer_whatever_has_become_of_its_stream,
                a_stream_with_a_hole_is_never_decided_on,
                a_hole_behind_a_snapshot_is_never_decided_on,
                commands_follow_each_other_while_time_runs_backwards,
                an_expected_version_is_measured_by_the_present,
                an_address_belongs_to_one_account_at_a_time,
                an_account_from_before_the_claims_can_be_closed,
            }
            joint {
                a_transfer_happens_in_both_accounts_and_once,
                a_repeated_transfer_is_answered_whole_behind_the_window,
                a_transfer_within_one_account_is_refused,
                a_transfer_whose_answer_was_lost_has_taken_effect_once,
                transfers_that_cross_neither_lose_nor_make_money,
            }
            tenants {
                streams_of_tenants_do_not_mix,
                snapshots_of_tenants_do_not_mix,
                keys_of_tenants_do_not_meet,
                a_strict_command_takes_effect_in_each_tenant,
                a_transfer_takes_effect_in_each_tenant,
            }
        }
    };
}

/// Generates a test for each rule of a log.
#[doc(hidden)]
#[macro_export]
macro_rules! event_store_tests {
    (($adapter:expr) $($subject:ident { $($rule:ident,)+ })+) => {$($(
        #[tokio::test]
        async fn $rule() {
            let store: $crate::conformance::event_store::Store = ::std::sync::Arc::new($adapter.await);
            $crate::conformance::event_store::$subject::$rule(&store).await;
        }
    )+)+};
}

/// The suite of a log's reservations. The argument is a future of a
/// [`Reserving`](crate::conformance::reservations::Reserving).
#[macro_export]
macro_rules! reservations_conformance {
    ($adapter:expr) => {
        $crate::reservations_rules!([$crate::conformance_tests] reservations, $adapter);
    };
}

/// Passes the names of the rules of reservations to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! reservations_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            the_holder_of_a_key_is_shown,
            every_reservation_is_listed_once_and_nothing_else,
            reservations_of_tenants_do_not_mix,
            a_missing_reservation_is_made,
            a_superfluous_reservation_is_removed,
            a_misplaced_reservation_passes_to_its_owner,
            a_reservation_is_corrected_only_from_what_it_was_seen_to_be,
            a_reservation_is_corrected_only_while_its_streams_are_as_they_were_seen,
            a_correction_leaves_the_log_as_it_was,
            of_a_correction_and_a_command_at_once_one_is_refused,
            a_record_comes_back_as_it_was_written,
            a_record_is_written_only_in_the_place_of_the_one_it_was_made_from,
            of_racing_records_one_takes_effect,
            a_refusal_tells_for_which_claims_reservations_are_complete,
        }
    };
}

/// The suite of a list of streams. The argument is a future of a [`ListedLog`](crate::conformance::streams::ListedLog).
#[macro_export]
macro_rules! streams_conformance {
    ($adapter:expr) => {
        $crate::streams_rules!([$crate::conformance_tests] streams, $adapter);
    };
}

/// Passes the names of the rules of a list of streams to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! streams_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            every_stream_is_listed_once,
            segments_together_list_every_stream_once,
            streams_of_tenants_are_both_listed,
        }
    };
}

/// The suite of a transparency log's ports. The argument is a future of new
/// [`LogPorts`](crate::conformance::transparency::LogPorts).
#[macro_export]
macro_rules! transparency_conformance {
    ($adapter:expr) => {
        $crate::transparency_rules!([$crate::conformance_tests] transparency, $adapter);
    };
}

/// Passes the names of the rules of a transparency log's ports to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! transparency_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            an_object_comes_back_as_it_was_created,
            an_object_is_never_replaced,
            of_racing_creations_one_succeeds,
            a_checkpoint_is_never_replaced,
            a_larger_checkpoint_stays_published,
            the_size_advances_only_from_where_it_is,
        }
    };
}

/// The suite of a row store. The argument is a future of an adapter.
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
            a_row_that_is_too_large_is_refused_for_good,
            the_largest_row_is_taken,
            the_longest_keys_are_taken,
            many_rows_are_read_in_order,
            rows_larger_than_an_answer_are_all_read,
            rows_of_tenants_do_not_mix,
            lists_of_tenants_do_not_mix,
        );
    };
}

/// The suite of a store of parts. The argument is a future of an adapter.
#[macro_export]
macro_rules! part_store_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            part_store,
            $adapter,
            a_new_stream_has_no_position_and_no_parts,
            a_part_comes_back_as_it_was_put,
            a_newer_part_wins_in_either_order,
            an_emptied_part_keeps_its_version,
            a_position_never_goes_back,
            a_wrong_part_is_replaced_only_while_it_is_there,
            a_range_has_both_ends_in_order,
            parts_of_streams_stay_apart,
            parts_of_tenants_do_not_mix,
            many_parts_are_read_in_order,
            the_largest_part_is_taken_and_a_larger_one_refused,
        );
    };
}

/// The suite of a tally store. The argument is a future of an adapter.
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
            as_much_as_a_transaction_holds_is_counted,
            as_many_streams_as_a_transaction_holds_are_counted,
            streams_of_one_shard_are_counted_together,
            streams_whose_memo_moved_are_named_and_nothing_is_counted,
            many_memos_are_read_in_order,
            an_increment_without_amounts_counts_nothing,
            counting_nothing_moves_the_memo,
            a_memo_is_read_together_with_its_groups,
            a_sum_beyond_64_bits_is_exact,
            memos_of_tenants_do_not_mix,
            counters_of_tenants_do_not_mix,
        );
    };
}

/// The suite of a deadline store. The argument is a future of an adapter.
#[macro_export]
macro_rules! deadline_store_conformance {
    ($adapter:expr) => {
        $crate::deadline_store_rules!([$crate::conformance_tests] deadline_store, $adapter);
    };
}

/// Passes the names of the rules of a deadline store to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! deadline_store_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            what_was_never_scheduled_is_not_due,
            a_deadline_comes_back_as_it_was_scheduled,
            a_deadline_is_due_from_its_instant_on,
            a_deadline_scheduled_twice_is_one,
            of_racing_schedules_one_wins,
            processes_and_names_do_not_mix,
            deadlines_of_tenants_do_not_mix,
            every_due_deadline_is_listed_once,
            the_longest_overdue_comes_first,
            a_deadline_that_is_done_is_gone_and_its_key_is_free,
            only_the_deadline_that_was_seen_is_removed,
            a_postponed_deadline_waits_and_counts,
            of_two_who_postpone_one_counts,
            a_deadline_that_was_postponed_is_done_all_the_same,
            a_deadline_that_stands_aside_is_not_due,
            a_retried_deadline_is_as_if_never_tried,
            a_deadline_is_read_by_its_key_as_it_is_now,
            a_deadline_that_stands_aside_is_not_read_by_its_key,
        }
    };
}

/// The suite of a generation store. The argument is a future of an adapter.
#[macro_export]
macro_rules! generation_store_conformance {
    ($adapter:expr) => {
        $crate::generation_store_rules!([$crate::conformance_tests] generation_store, $adapter);
    };
}

/// Passes the names of the rules of a generation store to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! generation_store_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            what_was_never_recorded_is_not_there,
            of_racing_first_records_one_takes_effect,
            a_record_comes_back_as_it_was_written,
            a_record_is_written_only_in_the_place_of_the_one_it_was_made_from,
            of_racing_changes_one_takes_effect,
            projections_do_not_mix,
            a_copy_comes_back_as_it_was_written,
            a_copy_moves_only_forward,
            a_repeated_mark_has_the_time_of_the_last_one,
            of_racing_copies_the_furthest_one_stays,
            copies_do_not_mix,
            progress_comes_back_by_segment,
            progress_is_of_one_run,
        }
    };
}

/// The suite of a keyring. The argument is a future of an adapter.
#[macro_export]
macro_rules! keyring_conformance {
    ($adapter:expr) => {
        $crate::keyring_rules!([$crate::conformance_tests] keyring, $adapter);
    };
}

/// Passes the names of the rules of a keyring to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! keyring_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            reading_makes_no_key,
            reading_makes_no_key_of_a_tenant,
            a_key_is_made_once,
            a_key_of_a_tenant_is_made_once,
            of_racing_provisions_all_get_one_key,
            of_racing_provisions_of_a_tenant_all_get_one_key,
            keys_of_subjects_differ,
            keys_of_tenants_differ,
            subjects_of_tenants_do_not_mix,
            an_erased_subject_has_no_key,
            an_erased_subject_gets_no_other_key,
            a_subject_without_a_key_can_be_erased,
            an_erasure_can_be_repeated,
            an_erasure_leaves_other_subjects_and_the_tenant,
            of_provisions_and_an_erasure_at_once_the_erasure_stays,
            the_mark_keeps_the_first_request,
            a_legal_hold_refuses_an_erasure_until_it_is_lifted,
            there_is_nothing_to_hold_without_a_key,
            of_a_hold_and_an_erasure_at_once_one_takes_effect,
        }
    };
}

/// The suite of a quarantine. The argument is a future of an empty quarantine for each test.
#[macro_export]
macro_rules! quarantine_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            quarantine,
            $adapter,
            a_stream_that_was_never_parked_is_absent,
            an_entry_comes_back_as_it_was_parked,
            an_entry_never_owes_less_than_before,
            an_entry_is_released_only_when_all_is_reached_that_it_owes,
            a_stream_can_be_parked_again_after_its_release,
            streams_are_released_one_by_one,
            all_that_stand_parked_are_listed_once,
            of_many_at_once_the_one_that_owes_most_stays,
            streams_of_tenants_are_parked_apart,
        );
    };
}

/// The suite of skipped events. The argument is a future of an empty [`Desk`](crate::conformance::skips::Desk) for
/// each test.
#[macro_export]
macro_rules! skips_conformance {
    ($adapter:expr) => {
        $crate::skip_rules!([$crate::conformance_tests] skips, $adapter);
    };
}

/// Passes the names of the rules of skipped events to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! skip_rules {
    ([$($macro:tt)+] $($given:tt)*) => {
        $($macro)+! {
            $($given)*,
            an_event_that_was_never_skipped_has_no_skip,
            a_skip_comes_back_as_it_was_recorded,
            a_skip_is_of_one_version_of_one_stream,
            skips_of_tenants_do_not_mix,
            only_the_event_that_parks_its_stream_can_be_skipped,
            a_skip_stays_when_its_stream_is_released,
            skips_and_parked_streams_do_not_mix,
            the_first_skip_of_an_event_stays,
            of_several_operators_at_once_one_skips,
            a_withdrawn_skip_has_no_effect,
            a_withdrawn_skip_can_be_recorded_again,
        }
    };
}

/// The suite of a read table with several generations. The argument is a future of the table of a model with rows
/// (`rows:`) or of a tally (`tallies:`). You can run both suites on one adapter.
#[macro_export]
macro_rules! read_table_conformance {
    (rows: $adapter:expr) => {
        $crate::conformance_tests!(
            read_table,
            $adapter,
            rows_of_generations_do_not_mix,
            lists_of_generations_do_not_mix,
            retired_rows_are_removed_and_no_others,
            the_longest_keys_and_the_largest_rows_are_taken_in_every_generation,
        );
    };
    (tallies: $adapter:expr) => {
        $crate::conformance_tests!(
            read_table,
            $adapter,
            counters_of_generations_do_not_mix,
            retired_counters_are_removed_and_no_others,
        );
    };
}
