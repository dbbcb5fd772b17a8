//! Faulty stores of generations. They prove that the rules of their suite can fail.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Timestamp,
    ports::{
        CopyIndex, GenerationReader, GenerationStore, ReadStoreError, SegmentProgress, Written,
    },
    vocabulary::{Generations, Mark, RecordCopy},
};
use ledgerfold_testkit::MemoryGenerationStore;

use crate::suite::{examine, named_rules};

/// A defect of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    MakesUpRecords,
    LastRecordWins,
    LooksThenWrites,
    ForgetsMissedEvents,
    MixesProjections,
    KeepsNoMarks,
    RoundsTheTimeOfMarks,
    LastCopyWins,
    RecordsReplaceMarks,
    MarksReplaceTheirRecord,
    FirstMarkStays,
    LooksThenWritesCopies,
    HasOneCopy,
    MixesCopiesOfProjections,
    ListsProgressInAnyOrder,
    MixesRuns,
}

/// The defects with the rules that they fail.
const MUTANTS: &[(Defect, &[&str])] = &[
    (Defect::None, &[]),
    (
        Defect::MakesUpRecords,
        &[
            "copies_do_not_mix",
            "progress_is_of_one_run",
            "projections_do_not_mix",
            "what_was_never_recorded_is_not_there",
        ],
    ),
    (
        Defect::LastRecordWins,
        &[
            "a_record_is_written_only_in_the_place_of_the_one_it_was_made_from",
            "of_racing_changes_one_takes_effect",
            "of_racing_first_records_one_takes_effect",
        ],
    ),
    (
        Defect::LooksThenWrites,
        &["of_racing_changes_one_takes_effect", "of_racing_first_records_one_takes_effect"],
    ),
    (Defect::ForgetsMissedEvents, &["a_record_comes_back_as_it_was_written"]),
    (Defect::MixesProjections, &["projections_do_not_mix"]),
    (
        Defect::KeepsNoMarks,
        &[
            "a_copy_comes_back_as_it_was_written",
            "a_copy_moves_only_forward",
            "a_repeated_mark_has_the_time_of_the_last_one",
            "copies_do_not_mix",
            "of_racing_copies_the_furthest_one_stays",
        ],
    ),
    (
        Defect::RoundsTheTimeOfMarks,
        &[
            "a_copy_comes_back_as_it_was_written",
            "a_copy_moves_only_forward",
            "a_repeated_mark_has_the_time_of_the_last_one",
            "copies_do_not_mix",
            "of_racing_copies_the_furthest_one_stays",
        ],
    ),
    (
        Defect::LastCopyWins,
        &["a_copy_moves_only_forward", "of_racing_copies_the_furthest_one_stays"],
    ),
    (
        Defect::RecordsReplaceMarks,
        &["a_copy_moves_only_forward", "of_racing_copies_the_furthest_one_stays"],
    ),
    (
        Defect::MarksReplaceTheirRecord,
        &["a_copy_moves_only_forward", "of_racing_copies_the_furthest_one_stays"],
    ),
    (
        Defect::FirstMarkStays,
        &["a_copy_moves_only_forward", "a_repeated_mark_has_the_time_of_the_last_one"],
    ),
    (Defect::LooksThenWritesCopies, &["of_racing_copies_the_furthest_one_stays"]),
    (Defect::HasOneCopy, &["copies_do_not_mix"]),
    (
        Defect::MixesCopiesOfProjections,
        &[
            "a_copy_comes_back_as_it_was_written",
            "a_copy_moves_only_forward",
            "copies_do_not_mix",
            "of_racing_copies_the_furthest_one_stays",
        ],
    ),
    (Defect::ListsProgressInAnyOrder, &["progress_comes_back_by_segment"]),
    (Defect::MixesRuns, &["progress_is_of_one_run"]),
];

/// A store with one defect, over a store in memory.
struct Wrong {
    kept: MemoryGenerationStore,
    defect: Defect,
}

impl Wrong {
    fn new(defect: Defect) -> Self {
        Self { kept: MemoryGenerationStore::default(), defect }
    }

    fn of<'a>(&self, projection: &'a str) -> &'a str {
        if self.defect == Defect::MixesProjections { "all" } else { projection }
    }

    fn place<'a>(&self, projection: &'a str, copy: CopyIndex) -> (&'a str, CopyIndex) {
        match self.defect {
            Defect::HasOneCopy => (projection, CopyIndex::all().next().unwrap_or(copy)),
            Defect::MixesCopiesOfProjections => ("all", copy),
            _ => (projection, copy),
        }
    }

    fn run(&self, run: u64) -> u64 {
        if self.defect == Defect::MixesRuns { 1 } else { run }
    }

    /// Whether the defect replaces a copy that it must keep.
    fn overwrites(&self, stored: Option<&RecordCopy>, new: &RecordCopy) -> bool {
        let Some(stored) = stored else { return false };
        let is_mark = |copy: &RecordCopy| matches!(copy, RecordCopy::Marked(_));
        match self.defect {
            Defect::LastCopyWins => true,
            Defect::RecordsReplaceMarks => is_mark(stored) && !is_mark(new),
            Defect::MarksReplaceTheirRecord => is_mark(new) && new.number() == stored.number(),
            _ => false,
        }
    }
}

#[async_trait]
impl GenerationReader for Wrong {
    async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        let record = self.kept.read(self.of(projection)).await?;
        Ok(match self.defect {
            Defect::MakesUpRecords => record.or_else(|| Some(Generations::first(1))),
            Defect::ForgetsMissedEvents => record.map(|record| {
                let missed = record.building().and_then(|building| building.missed.clone());
                let before = missed.and_then(|_| record.without_missed_event().ok());
                before.unwrap_or(record)
            }),
            _ => record,
        })
    }

    async fn read_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
    ) -> Result<Option<RecordCopy>, ReadStoreError> {
        let (projection, copy) = self.place(projection, copy);
        let copy = self.kept.read_copy(projection, copy).await?;
        Ok(match (self.defect, copy) {
            (Defect::RoundsTheTimeOfMarks, Some(RecordCopy::Marked(mark))) => {
                let at = Timestamp::from_second(mark.at.as_second()).unwrap_or(mark.at);
                Some(RecordCopy::Marked(Mark { at, ..mark }))
            }
            (_, copy) => copy,
        })
    }
}

#[async_trait]
impl GenerationStore for Wrong {
    async fn write(&self, projection: &str, new: &Generations) -> Result<Written, ReadStoreError> {
        let projection = self.of(projection);
        match self.defect {
            Defect::LastRecordWins => {
                self.kept.overwrite(projection, new.clone());
                Ok(Written::Done)
            }
            Defect::LooksThenWrites => {
                let number = self.kept.record(projection).map_or(0, |record| record.number());
                tokio::task::yield_now().await;
                if number + 1 != new.number() {
                    return Ok(Written::Superseded);
                }
                self.kept.overwrite(projection, new.clone());
                Ok(Written::Done)
            }
            _ => self.kept.write(projection, new).await,
        }
    }

    async fn write_copy(
        &self,
        projection: &str,
        copy: CopyIndex,
        new: &RecordCopy,
    ) -> Result<Written, ReadStoreError> {
        let (projection, copy) = self.place(projection, copy);
        let stored = self.kept.copy(projection, copy);
        let is_mark = matches!(new, RecordCopy::Marked(_));
        let is_repeated = stored.as_ref().is_some_and(|it| it.number() == new.number());
        match self.defect {
            Defect::KeepsNoMarks if is_mark => return Ok(Written::Done),
            Defect::FirstMarkStays if is_mark && is_repeated => return Ok(Written::Superseded),
            Defect::LooksThenWritesCopies => {
                tokio::task::yield_now().await;
                if !new.replaces(stored.as_ref()) {
                    return Ok(Written::Superseded);
                }
            }
            _ if self.overwrites(stored.as_ref(), new) => {}
            _ => return self.kept.write_copy(projection, copy, new).await,
        }
        self.kept.overwrite_copy(projection, copy, new.clone());
        Ok(Written::Done)
    }

    async fn progress(
        &self,
        projection: &str,
        run: u64,
    ) -> Result<Vec<SegmentProgress>, ReadStoreError> {
        let mut segments = self.kept.progress(projection, self.run(run)).await?;
        if self.defect == Defect::ListsProgressInAnyOrder {
            segments.reverse();
        }
        Ok(segments)
    }

    async fn save(
        &self,
        projection: &str,
        run: u64,
        progress: &SegmentProgress,
    ) -> Result<(), ReadStoreError> {
        self.kept.save(projection, self.run(run), progress).await
    }

    async fn forget(&self, projection: &str, run: u64) -> Result<(), ReadStoreError> {
        self.kept.forget(projection, self.run(run)).await
    }
}

type Subject = Wrong;

#[test]
fn every_wrong_store_of_generations_fails_its_rules_and_no_others_and_every_rule_is_failed() {
    let rules = ledgerfold_proofs::generation_store_rules!([named_rules] generation_store);
    examine(&rules, MUTANTS, |defect| Arc::new(Wrong::new(defect)));
}
