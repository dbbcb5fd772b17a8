//! Faulty row stores and tally stores, each with the rule that finds its defect.

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{
        Counter, CounterKey, Increment, Listing, Memo, ReadStoreError, RowReader, RowStore,
        Settled, StoredRow, TallyReader, TallyStore, Written,
    },
};
use ledgerfold_proofs::conformance::{row_store, tally_store};
use ledgerfold_testkit::{MemoryRowStore, MemoryTallyStore};

/// A defect of a row store.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "each is a sentence about the table")]
enum RowDefect {
    TakesAnySize,
    TakesShortKeysOnly,
    TakesSmallRowsOnly,
}

struct WrongRows {
    kept: MemoryRowStore,
    defect: RowDefect,
}

impl WrongRows {
    fn refuses(&self, row: &StoredRow) -> bool {
        let key = row.index.as_ref().map_or(0, |index| index.partition.as_str().len());
        let body = row.body.as_ref().map_or(0, |body| body.as_str().len());
        match self.defect {
            RowDefect::TakesAnySize => false,
            RowDefect::TakesShortKeysOnly => key > 1_024,
            RowDefect::TakesSmallRowsOnly => body > 300 * 1_024,
        }
    }
}

#[async_trait]
impl RowReader for WrongRows {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        self.kept.get(stream).await
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        self.kept.list(listing).await
    }
}

#[async_trait]
impl RowStore for WrongRows {
    async fn put(&self, row: &StoredRow) -> Result<Written, ReadStoreError> {
        if self.refuses(row) {
            return Err(ReadStoreError::Invalid("too large, because of the defect".into()));
        }
        match self.kept.put(row).await {
            Err(ReadStoreError::Invalid(_)) if self.defect == RowDefect::TakesAnySize => {
                self.kept.damage(row.clone());
                Ok(Written::Done)
            }
            outcome => outcome,
        }
    }

    async fn replace(&self, seen: &StoredRow, row: &StoredRow) -> Result<Written, ReadStoreError> {
        self.kept.replace(seen, row).await
    }
}

/// A defect of a tally store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum TallyDefect {
    AddsAGroupTwice,
    ShowsEmptyGroups,
    StopsAtTheLimit,
    TakesFewGroups,
}

struct WrongTallies {
    kept: MemoryTallyStore,
    defect: TallyDefect,
}

#[async_trait]
impl TallyReader for WrongTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        self.kept.memo(stream).await
    }

    async fn range(
        &self,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let mut counters = self.kept.range(first, last).await?;
        if self.defect == TallyDefect::StopsAtTheLimit {
            let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
            let amounts = counters.iter_mut().flat_map(|counter| counter.amounts.values_mut());
            amounts.for_each(|amount| *amount = (*amount).clamp(least, most));
        }
        Ok(counters)
    }

    async fn settled(
        &self,
        stream: &StreamId,
        groups: &[CounterKey],
    ) -> Result<Settled, ReadStoreError> {
        self.kept.settled(stream, groups).await
    }
}

#[async_trait]
impl TallyStore for WrongTallies {
    async fn add(
        &self,
        after: Version,
        memo: &Memo,
        increments: &[Increment],
    ) -> Result<Written, ReadStoreError> {
        let mut increments = increments.to_vec();
        match self.defect {
            TallyDefect::AddsAGroupTwice => increments.dedup(),
            TallyDefect::ShowsEmptyGroups => {
                for increment in increments.iter_mut().filter(|it| it.amounts.is_empty()) {
                    increment.amounts.insert("nothing".to_owned(), 0);
                }
            }
            TallyDefect::TakesFewGroups if increments.len() > 25 => {
                return Err(ReadStoreError::Invalid("over 25 groups".into()));
            }
            TallyDefect::TakesFewGroups | TallyDefect::StopsAtTheLimit => {}
        }
        self.kept.add(after, memo, &increments).await
    }
}

/// Whether a rule fails.
fn fails(rule: impl Future<Output = ()>) -> bool {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime of one thread can be created").block_on(rule);
    };
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

fn rows(defect: RowDefect) -> WrongRows {
    WrongRows { kept: MemoryRowStore::default(), defect }
}

fn tallies(defect: TallyDefect) -> WrongTallies {
    WrongTallies { kept: MemoryTallyStore::default(), defect }
}

#[test]
fn every_wrong_read_table_is_found() {
    use RowDefect::{TakesAnySize, TakesShortKeysOnly, TakesSmallRowsOnly};
    use TallyDefect::{AddsAGroupTwice, ShowsEmptyGroups, StopsAtTheLimit, TakesFewGroups};
    let _turn = crate::turn();
    let found = crate::silently(|| {
        [
            fails(row_store::a_row_that_is_too_large_is_refused_for_good(&rows(TakesAnySize))),
            fails(row_store::the_longest_keys_are_taken(&rows(TakesShortKeysOnly))),
            fails(row_store::the_largest_row_is_taken(&rows(TakesSmallRowsOnly))),
            fails(tally_store::what_no_transaction_can_hold_is_refused_for_good(&tallies(
                AddsAGroupTwice,
            ))),
            fails(tally_store::an_increment_without_amounts_counts_nothing(&tallies(
                ShowsEmptyGroups,
            ))),
            fails(tally_store::a_sum_beyond_64_bits_is_exact(&tallies(StopsAtTheLimit))),
            fails(tally_store::as_much_as_a_transaction_holds_is_counted(&tallies(TakesFewGroups))),
        ]
    });
    assert_eq!(found, [true; 7], "in the order of this test");
}
