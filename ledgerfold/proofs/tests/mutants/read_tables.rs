//! Faulty row stores and tally stores, each with the rule that finds its defect.

use async_trait::async_trait;
use ledgerfold::{
    StreamId, TenantId,
    ports::{
        Added, Count, Counter, CounterKey, CountsOfShard, Listing, Memo, ReadStoreError, RowReader,
        RowStore, Settled, StoredRow, TallyReader, TallyStore, Written,
    },
    vocabulary::OfTenant,
};
use ledgerfold_proofs::conformance::{
    requests::other_tenant,
    row_store,
    tally_store::{self, together},
};
use ledgerfold_testkit::{MemoryRowStore, MemoryTallyStore};

use crate::{fails, wrong::are_twins};

/// A defect of a row store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum RowDefect {
    GetsOfAnyTenant,
    ListsAnyTenant,
    ContinuesInAnyTenant,
    TakesAnySize,
    TakesShortKeysOnly,
    TakesSmallRowsOnly,
    ReadsFoundRowsFirst,
    ReadsOneAnswer,
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
            RowDefect::TakesShortKeysOnly => key > 1_024,
            RowDefect::TakesSmallRowsOnly => body > 300 * 1_024,
            _ => false,
        }
    }
}

#[async_trait]
impl RowReader for WrongRows {
    async fn get(&self, stream: &StreamId) -> Result<Option<StoredRow>, ReadStoreError> {
        match self.kept.get(stream).await? {
            None if self.defect == RowDefect::GetsOfAnyTenant => {
                Ok(self.kept.rows().into_iter().find(|row| are_twins(&row.stream, stream)))
            }
            found => Ok(found),
        }
    }

    async fn get_all(
        &self,
        streams: &[StreamId],
    ) -> Vec<Result<Option<StoredRow>, ReadStoreError>> {
        let mut rows = self.kept.get_all(streams).await;
        match self.defect {
            RowDefect::ReadsFoundRowsFirst => {
                rows.sort_by_key(|row| row.as_ref().is_ok_and(Option::is_none));
            }
            RowDefect::ReadsOneAnswer => {
                let mut bytes = 0;
                for row in rows.iter_mut().flatten() {
                    let body = row.as_ref().and_then(|row| row.body.as_ref());
                    bytes += body.map_or(0, |body| body.as_str().len());
                    row.take_if(|_| bytes > 16 * 1_024 * 1_024);
                }
            }
            _ => {}
        }
        rows
    }

    async fn list(&self, listing: &Listing) -> Result<Vec<StoredRow>, ReadStoreError> {
        let mixes = match self.defect {
            RowDefect::ListsAnyTenant => true,
            RowDefect::ContinuesInAnyTenant => listing.before.is_some(),
            _ => false,
        };
        if !mixes {
            return self.kept.list(listing).await;
        }
        let mut rows = Vec::new();
        for tenant in [TenantId::default_tenant(), other_tenant()] {
            rows.extend(self.kept.list(&Listing { tenant, ..listing.clone() }).await?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.index.as_ref().map(|it| it.order.clone())));
        rows.truncate(listing.limit);
        Ok(rows)
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
    SharesMemos,
    SharesCounters,
    ListsOneTenant,
    AddsTheLastOfEachCounter,
    CountsTheOthersWithoutTheMoved,
    NamesOneMovedStream,
    ReadsCountedMemosFirst,
    ShowsEmptyGroups,
    StopsAtTheLimit,
    TakesFewGroups,
    TakesFewStreams,
}

struct WrongTallies {
    kept: MemoryTallyStore,
    defect: TallyDefect,
}

#[async_trait]
impl TallyReader for WrongTallies {
    async fn memo(&self, stream: &StreamId) -> Result<Option<Memo>, ReadStoreError> {
        let here = self.kept.memo(stream).await?;
        match self.defect {
            TallyDefect::SharesMemos if here.is_none() => {
                let beside =
                    StreamId::of_default_tenant(stream.category().clone(), stream.id().clone());
                self.kept.memo(&beside).await
            }
            _ => Ok(here),
        }
    }

    async fn memos(&self, streams: &[StreamId]) -> Vec<Result<Option<Memo>, ReadStoreError>> {
        let mut memos = self.kept.memos(streams).await;
        if self.defect == TallyDefect::ReadsCountedMemosFirst {
            memos.sort_by_key(|memo| memo.as_ref().is_ok_and(Option::is_none));
        }
        memos
    }

    async fn range(
        &self,
        tenant: &TenantId,
        first: &CounterKey,
        last: &CounterKey,
    ) -> Result<Vec<Counter>, ReadStoreError> {
        let tenant = match self.defect {
            TallyDefect::SharesCounters => &TenantId::default_tenant(),
            _ => tenant,
        };
        let mut counters = self.kept.range(tenant, first, last).await?;
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
    async fn add(&self, counts: &CountsOfShard) -> Result<Added, ReadStoreError> {
        match self.defect {
            TallyDefect::AddsTheLastOfEachCounter => {
                let last = counts.counts().iter().map(|count| {
                    let is_last = counts.counts().last() == Some(count);
                    let increments = count.increments.iter().filter(|_| is_last).cloned().collect();
                    Count { increments, ..count.clone() }
                });
                self.kept.add(&together(last)).await
            }
            TallyDefect::CountsTheOthersWithoutTheMoved => {
                let added = self.kept.add(counts).await?;
                if let Added::Superseded(moved) = &added
                    && let Some(others) = counts.clone().without(moved)
                {
                    self.kept.add(&others).await?;
                }
                Ok(added)
            }
            TallyDefect::NamesOneMovedStream => match self.kept.add(counts).await? {
                Added::Superseded(moved) => {
                    Ok(Added::Superseded(moved.into_iter().take(1).collect()))
                }
                added => Ok(added),
            },
            TallyDefect::ShowsEmptyGroups => {
                let with_nothing = counts.counts().iter().cloned().map(|mut count| {
                    for increment in count.increments.iter_mut().filter(|it| it.amounts.is_empty())
                    {
                        increment.amounts.insert("nothing".to_owned(), 0);
                    }
                    count
                });
                self.kept.add(&together(with_nothing)).await
            }
            TallyDefect::TakesFewGroups if counts.sums().len() > 25 => {
                Err(ReadStoreError::Invalid("over 25 groups".into()))
            }
            TallyDefect::TakesFewStreams if counts.counts().len() > 25 => {
                Err(ReadStoreError::Invalid("over 25 streams".into()))
            }
            _ => self.kept.add(counts).await,
        }
    }

    async fn all(&self) -> Result<Vec<OfTenant<Counter>>, ReadStoreError> {
        let mut all = self.kept.all().await?;
        if self.defect == TallyDefect::ListsOneTenant {
            all.retain(|counter| counter.tenant == TenantId::default_tenant());
        }
        Ok(all)
    }
}

fn rows(defect: RowDefect) -> WrongRows {
    WrongRows { kept: MemoryRowStore::default(), defect }
}

fn tallies(defect: TallyDefect) -> WrongTallies {
    WrongTallies { kept: MemoryTallyStore::default(), defect }
}

#[test]
fn every_wrong_read_table_is_found() {
    let _turn = crate::turn();
    let found = crate::silently(|| {
        [
            fails(row_store::a_row_that_is_too_large_is_refused_for_good(&rows(
                RowDefect::TakesAnySize,
            ))),
            fails(row_store::the_longest_keys_are_taken(&rows(RowDefect::TakesShortKeysOnly))),
            fails(row_store::the_largest_row_is_taken(&rows(RowDefect::TakesSmallRowsOnly))),
            fails(row_store::many_rows_are_read_in_order(&rows(RowDefect::ReadsFoundRowsFirst))),
            fails(row_store::rows_larger_than_an_answer_are_all_read(&rows(
                RowDefect::ReadsOneAnswer,
            ))),
            fails(tally_store::streams_of_one_shard_are_counted_together(&tallies(
                TallyDefect::AddsTheLastOfEachCounter,
            ))),
            fails(tally_store::streams_whose_memo_moved_are_named_and_nothing_is_counted(
                &tallies(TallyDefect::CountsTheOthersWithoutTheMoved),
            )),
            fails(tally_store::streams_whose_memo_moved_are_named_and_nothing_is_counted(
                &tallies(TallyDefect::NamesOneMovedStream),
            )),
            fails(tally_store::many_memos_are_read_in_order(&tallies(
                TallyDefect::ReadsCountedMemosFirst,
            ))),
            fails(tally_store::an_increment_without_amounts_counts_nothing(&tallies(
                TallyDefect::ShowsEmptyGroups,
            ))),
            fails(tally_store::a_sum_beyond_64_bits_is_exact(&tallies(
                TallyDefect::StopsAtTheLimit,
            ))),
            fails(tally_store::as_much_as_a_transaction_holds_is_counted(&tallies(
                TallyDefect::TakesFewGroups,
            ))),
            fails(tally_store::as_many_streams_as_a_transaction_holds_are_counted(&tallies(
                TallyDefect::TakesFewStreams,
            ))),
        ]
    });
    assert_eq!(found, [true; 13], "in the order of this test");
}

// Guards: tenants-never-meet
#[test]
fn every_read_table_that_mixes_tenants_is_found() {
    let _turn = crate::turn();
    let found = crate::silently(|| {
        let gets = rows(RowDefect::GetsOfAnyTenant);
        let shares = tallies(TallyDefect::SharesMemos);
        let lists = [RowDefect::ListsAnyTenant, RowDefect::ContinuesInAnyTenant].map(rows);
        let counts = [TallyDefect::SharesCounters, TallyDefect::ListsOneTenant].map(tallies);
        let lists = lists.map(|it| fails(row_store::lists_of_tenants_do_not_mix(&it)));
        let counts = counts.map(|it| fails(tally_store::counters_of_tenants_do_not_mix(&it)));
        let single = [
            fails(row_store::rows_of_tenants_do_not_mix(&gets)),
            fails(tally_store::memos_of_tenants_do_not_mix(&shares)),
        ];
        [lists, counts, single]
    });
    assert_eq!(found, [[true; 2]; 3], "in the order of this test");
}
