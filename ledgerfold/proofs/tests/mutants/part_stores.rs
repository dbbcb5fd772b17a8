//! Faulty stores of parts, each with the rule that finds its defect.

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    ports::{PartKey, PartRange, PartReader, PartStore, ReadStoreError, StoredPart, Written},
};
use ledgerfold_proofs::conformance::part_store;
use ledgerfold_testkit::MemoryPartStore;

use crate::{fails, wrong::are_twins};

/// A defect of a store of parts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    /// An older part replaces a newer one.
    PutsWithoutCondition,
    /// A position goes back.
    GoesBack,
    /// Parts of two streams share a key.
    SharesKeys,
    /// A range ends before its last order.
    LeavesOutTheEnd,
    /// A range ignores its limit.
    IgnoresTheLimit,
    /// A range has the parts of every tenant.
    MixesTenants,
    /// A replacement overwrites a newer part.
    ReplacesAnything,
    /// Parts that were found come before those that were not.
    ReadsFoundPartsFirst,
}

struct WrongParts {
    kept: MemoryPartStore,
    defect: Defect,
}

#[async_trait]
impl PartReader for WrongParts {
    async fn position(&self, stream: &StreamId) -> Result<Version, ReadStoreError> {
        self.kept.position(stream).await
    }

    async fn parts(
        &self,
        stream: &StreamId,
        keys: &[PartKey],
    ) -> Vec<Result<Option<StoredPart>, ReadStoreError>> {
        let mut found = self.kept.parts(stream, keys).await;
        match self.defect {
            Defect::ReadsFoundPartsFirst => {
                found.sort_by_key(|found| !matches!(found, Ok(Some(_))));
            }
            Defect::SharesKeys => {
                let all = self.kept.all();
                for (key, found) in keys.iter().zip(&mut found) {
                    *found = Ok(all.iter().find(|part| part.key == *key).cloned());
                }
            }
            _ => {}
        }
        found
    }

    async fn range(&self, range: &PartRange) -> Result<Vec<StoredPart>, ReadStoreError> {
        let everything = PartRange { limit: usize::MAX, ..range.clone() };
        match self.defect {
            Defect::IgnoresTheLimit => self.kept.range(&everything).await,
            Defect::LeavesOutTheEnd => {
                let mut found = self.kept.range(range).await?;
                found.retain(|part| part.key.order != range.last);
                Ok(found)
            }
            Defect::MixesTenants => {
                let mut found = self.kept.range(range).await?;
                let all = self.kept.all().into_iter();
                let twins =
                    all.filter(|it| found.iter().any(|part| are_twins(&it.stream, &part.stream)));
                let twins: Vec<_> = twins.collect();
                found.extend(twins);
                Ok(found)
            }
            _ => self.kept.range(range).await,
        }
    }
}

#[async_trait]
impl PartStore for WrongParts {
    async fn put(&self, part: &StoredPart) -> Result<Written, ReadStoreError> {
        if self.defect == Defect::PutsWithoutCondition {
            part.check()?;
            self.kept.damage(part.clone());
            return Ok(Written::Done);
        }
        self.kept.put(part).await
    }

    async fn advance(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Written, ReadStoreError> {
        let written = self.kept.advance(stream, version).await?;
        Ok(if self.defect == Defect::GoesBack { Written::Done } else { written })
    }

    async fn replace(&self, seen: Version, part: &StoredPart) -> Result<Written, ReadStoreError> {
        if self.defect == Defect::ReplacesAnything {
            part.check()?;
            self.kept.damage(part.clone());
            return Ok(Written::Done);
        }
        self.kept.replace(seen, part).await
    }
}

fn parts(defect: Defect) -> WrongParts {
    WrongParts { kept: MemoryPartStore::default(), defect }
}

#[test]
fn every_wrong_store_of_parts_is_found() {
    let _turn = crate::turn();
    let found = crate::silently(|| {
        [
            fails(part_store::a_newer_part_wins_in_either_order(&parts(
                Defect::PutsWithoutCondition,
            ))),
            fails(part_store::a_position_never_goes_back(&parts(Defect::GoesBack))),
            fails(part_store::parts_of_streams_stay_apart(&parts(Defect::SharesKeys))),
            fails(part_store::a_range_has_both_ends_in_order(&parts(Defect::LeavesOutTheEnd))),
            fails(part_store::a_range_has_both_ends_in_order(&parts(Defect::IgnoresTheLimit))),
            fails(part_store::parts_of_tenants_do_not_mix(&parts(Defect::MixesTenants))),
            fails(part_store::a_wrong_part_is_replaced_only_while_it_is_there(&parts(
                Defect::ReplacesAnything,
            ))),
            fails(part_store::many_parts_are_read_in_order(&parts(Defect::ReadsFoundPartsFirst))),
        ]
    });
    assert_eq!(found, [true; 8], "in the order of this test");
}
