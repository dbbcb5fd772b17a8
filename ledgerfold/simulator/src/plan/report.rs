//! The report of a schedule, and the violation that ends it. Rules do not belong here.

use std::{fmt, ops::AddAssign};

use crate::plan::plant::Plant;

/// The finding about an audit that misses a fault which the checker has found.
pub(crate) const MISSED_BY_AUDIT: &str = "the audit found nothing";

/// How many broken rules are printed: one defect breaks many.
const SHOWN: usize = 5;

/// A struct of counts, which add up.
macro_rules! counts {
    ($($(#[$doc:meta])* $count:ident,)+) => {
        /// The counts of a schedule, or of several.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Report {
            $($(#[$doc])* pub $count: usize,)+
        }

        impl AddAssign for Report {
            fn add_assign(&mut self, other: Self) {
                $(self.$count += other.$count;)+
            }
        }

        impl Report {
            /// Cases that never happened: schedules without them prove nothing about them.
            pub fn never(&self) -> Vec<&'static str> {
                let counts = [$((stringify!($count), self.$count)),+];
                counts.into_iter().filter(|(_, count)| *count == 0).map(|(name, _)| name).collect()
            }
        }
    };
}

counts! {
    /// Commits.
    commits,
    /// Transactions that committed to several streams.
    joint_commits,
    /// Answers that clients got, repeated ones too.
    answers,
    /// Refusals that clients got.
    refusals,
    /// Answers that clients did not wait for.
    abandoned,
    /// Functions that died.
    deaths,
    /// Writes that met a transaction which was under way.
    conflicts,
    /// Transactions that counted several streams.
    counted_together,
    /// Reads in a transaction that met one which was under way.
    unsettled,
    /// Commits that were too large.
    too_large,
    /// Batches of the change stream that were halved.
    bisects,
    /// Batches of the change stream that came through in part.
    partial_batches,
    /// Records that failed for good after too many tries.
    failed_records,
    /// Records that the change stream trimmed before they were read.
    trimmed,
    /// Messages that came to a projector.
    deliveries,
    /// Messages with a pointer in place of an event.
    pointers,
    /// Messages that a rule could not deliver or a function not apply.
    dead_letters,
    /// Replays of the archive.
    replays,
    /// Those that went to some of the rules only.
    filtered_replays,
    /// Messages that came to a projector from a replay.
    replayed,
    /// Rows that were removed or damaged.
    damaged_rows,
    /// Streams that a repair caught up with the log.
    caught_up,
    /// Those that it caught up while clients were writing.
    caught_up_live,
    /// Rows that a repair wrote over.
    overwritten,
    /// Lists that a client read.
    lists,
    /// Counters that a client read with its token.
    added_up,
    /// Commands of the process that followed from events.
    welcomes,
    /// Commands of the process that followed from deadlines.
    closings,
    /// Streams that were parked, each as often as a message came.
    parked,
    /// Parked streams that a retry recovered.
    recovered,
    /// Parked streams that a retry did not recover.
    not_recovered,
    /// Generations that readers were sent to.
    switches,
    /// Switches back to the previous generation.
    roll_backs,
    /// Switches that were refused, because a projector could not follow since the verification.
    missed,
    /// Attempts to rebuild that were cut short, and made again.
    cut_short,
    /// Generations that were abandoned before a switch.
    given_up,
    /// Items of generations that were needed no more.
    removed,
    /// Reads of a copy of the record of generations while it was marked.
    marked_copies,
    /// Records that took the number of a change that died after it had marked the copies.
    renewals,
    /// Deadlines that were scheduled.
    deadlines,
    /// Deadlines that sweeps have sent to workers.
    sent,
    /// Deadlines that a sweep found again and had already sent.
    already_sent,
    /// Messages about due deadlines that were lost.
    lost_messages,
    /// Messages about due deadlines without an effect, because their deadline was done or not due.
    outdated,
    /// Deadlines that are done.
    fired,
    /// Deadlines that failed and were tried again later.
    postponed,
    /// Replayed messages that came to the process.
    refused_replays,
}

/// A schedule that broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The schedule's seed.
    pub seed: u64,
    /// The planted fault.
    pub plant: Plant,
    /// The rules broken, a sentence each.
    pub rules: Vec<String>,
}

impl Violation {
    /// Whether the product's audit missed a fault of the read models that the checker found.
    pub fn was_missed_by_the_audit(&self) -> bool {
        self.rules.iter().any(|rule| rule == MISSED_BY_AUDIT)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, plant, rules } = self;
        let first = &rules[..rules.len().min(SHOWN)];
        write!(f, "simulate({seed}, Plant::{plant:?}): {}", first.join("; "))
    }
}

impl std::error::Error for Violation {}
