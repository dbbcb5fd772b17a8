//! The cost contract: the exact requests and capacity of each operation. `make costs` prints it with prices.

#[macro_use]
mod operation;
mod banking;
mod commands;
mod devices;
mod fixture;
mod history;
mod meter;
mod prices;
mod reads;

use futures::future::FutureExt;

use meter::Cost;
use operation::{Operation, check};

/// The length of a note that makes a commit of some 800 bytes.
const NOTE_BYTES: usize = 600;

/// By default a commit takes 0.8 KB, and a stream has one or two commits.
const OPERATIONS: &[Operation] = operations! {
    "command: a new stream, presumed new": 1, 1.0, 0.0 => commands::presumed_new;
    "command: a new stream": 2, 1.0, 1.0 inferred => commands::not_presumed_new;
    "command, warm": 1, 1.0, 0.0 => commands::warm;
    "command, cold": 2, 1.0, 1.0 => commands::cold;
    "command, cold, 10 commits after a snapshot": 2, 1.0, 5.0 => commands::behind_a_near_snapshot;
    "command, cold, 40 commits after one of 30 KB": 3, 1.0, 56.0 => commands::behind_a_far_snapshot;
    "command, warm, includes a snapshot": 1, 1.0, 0.0 => commands::with_a_snapshot;
    "command, warm, lost a race": 3, 2.0, 1.0 inferred => commands::overtaken;
    "command, warm, changes a unique key": 1, 6.0, 0.0 inferred => commands::with_a_key_changed;
    "command, warm, recognised for ever": 1, 4.0, 0.0 => commands::strict;
    "command over two streams": 3, 4.0, 2.0 inferred => commands::joint;
    "creation with a unique key": 1, 4.0, 0.0 => commands::with_a_unique_key;
    "creation refused: the key is taken": 1, 4.0, 0.0 inferred => commands::with_a_key_taken;
    "repeated command, cold": 1, 0.0, 1.0 => commands::repeated_cold;
    "repeated command, warm": 1, 0.0, 1.0 => commands::repeated_warm;
    "repeated creation, presumed new": 1, 1.0, 0.0 inferred => commands::repeated_creation;
    "refused command, cold": 1, 0.0, 1.0 => commands::refused_cold;
    "refused command, warm": 1, 0.0, 1.0 inferred => commands::refused_warm;
    "unexpected version, warm": 1, 0.0, 1.0 inferred => commands::unexpected_version;
    "load: 10 events": 1, 0.0, 3.0 => reads::load_10;
    "load: 5,000 events, 3 MB": 4, 0.0, 857.0 => reads::load_3_mb;
    "load: 5,000 events, 3 MB, with snapshots": 1, 0.0, 40.0 => reads::load_3_mb_with_snapshots;
    "history: a stream of 10 events at version 4": 1, 0.0, 3.0 => reads::as_it_was;
    "history: a page of 10 events": 1, 0.0, 3.0 => reads::audited;
    "row: updated by an event": 2, 2.0, 1.0 => reads::row_moved;
    "row: updated across a gap": 3, 2.0, 2.0 => reads::row_moved_over_a_gap;
    "row: updated, with a look-up of its generation": 3, 2.0, 2.0 => reads::generation_moved;
    "row: updated while a generation is built": 5, 4.0, 3.0 => reads::two_generations_moved;
    "row: updated across a gap while a generation is built": 6, 4.0, 4.0 => reads::gap_shared;
    "row: ten updated by a batch": 11, 20.0, 10.0 inferred => reads::ten_rows_moved;
    "row: read": 1, 0.0, 1.0 => reads::row_read;
    "row: read of the live generation": 2, 0.0, 2.0 => reads::live_row_read;
    "row: read after a change of generations": 3, 0.0, 3.0 => reads::live_row_read_behind_a_change;
    "row: read during a change of generations": 3, 0.0, 3.0 => reads::live_row_read_during_a_change;
    "generations: a change": 33, 33.0, 0.0 => reads::generations_changed;
    "row: a list of 20": 1, 0.0, 0.5 => reads::rows_listed;
    "dashboard: an event counted": 2, 4.0, 1.0 inferred => reads::counted;
    "dashboard: events of 20 streams in one shard counted": 2, 42.0, 20.0 inferred => reads::twenty_counted;
    "dashboard: a day read": 8, 0.0, 8.0 inferred => reads::counters_read;
    "dashboard: a day read with a token": 11, 0.0, 15.0 inferred => reads::counters_read_with_a_token;
};

// Guards: a-cached-command-costs-one-write-unit
#[tokio::test]
async fn every_operation_costs_what_the_contract_says() {
    check("The library", OPERATIONS).await;
}
