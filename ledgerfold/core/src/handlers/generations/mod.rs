//! Reads and changes of the record of a projection's generations, over its copies.
//!
//! Every query and every batch of a projector reads the record, and one item answers at most 3,000 reads a second. So
//! the record has 16 copies with partition keys of their own, and a reader reads one of them at random.
//!
//! | step of a change to record `n` | effect |
//! | --- | --- |
//! | 1. mark every copy with `n` | readers of a marked copy read the record itself |
//! | 2. write record `n`, if record `n - 1` is stored | the change takes effect, or another one was faster |
//! | 3. put record `n` into every copy | readers use the copies again |
//!
//! Steps 1 and 3 apply only to changes of the layout: the live, the building and the previous generation. A missed event
//! changes the record and nothing that a reader uses, so it does not touch the copies.
//!
//! # Why no reader uses an old layout
//!
//! A store puts one copy in the place of another only if the new one comes later in this order: the mark of 5, record 5,
//! the mark of 6, record 6. Suppose a reader finds record `r` in a copy, and record `p` is stored at that moment.
//!
//! - Record `r` came from the record itself, so `r ≤ p`.
//! - If a record between `r` and `p` had changed the layout, its change would have marked the copy before it wrote the
//!   record. A copy never moves back from that mark to record `r`. So no record between them changed the layout, and both
//!   have the same one.
//!
//! The reader therefore has the layout of the very moment at which it read the copy, as if it had read the record. All
//! proofs in [`rebuild`](crate::rebuild) that say "reads the record with strong consistency" hold unchanged.
//!
//! The argument does not mention who marks and who writes. It holds for concurrent changes, for a change that dies between
//! any two steps, and for requests that are delayed or sent twice:
//!
//! - **Two changes to record `n`.** Both mark, and one writes. The other leaves no trace, because its mark is the same.
//! - **A change that dies after step 2** leaves marks. Readers read the record, which is correct and costs one more read.
//!   Each projector that finds such a copy replaces it.
//! - **A change that dies after step 1** leaves marks of a record that may still be written. No record may replace them
//!   before that is impossible. A projector that finds a mark older than a minute writes the
//!   [next record](Generations::renewed) with the same content. It has number `n`, because a mark is at most one number
//!   ahead, so the dead change can no longer write. Then the projector replaces the copy.
//! - **A delayed write of an old record into a copy** is refused, because the copy has a later mark.
//!
//! The first record needs no marks: a copy that does not exist shows nothing.

use std::sync::Arc;

use futures::future::{join_all, try_join_all};
use jiff::SignedDuration;

use crate::{
    ports::{Clock, CopyIndex, GenerationReader, GenerationStore, Random, ReadStoreError, Written},
    vocabulary::{FIRST_NUMBER, Generations, Mark, RecordCopy},
};

/// A change that has marked the copies and written nothing for this long is taken for dead. If it is alive after all, it
/// is superseded.
const ABANDONED: SignedDuration = SignedDuration::from_secs(60);

/// Reads the record of a projection's generations from its copies, for a function that does not write.
///
/// The layout is the present one. A missed event in the record may be old.
#[derive(Clone)]
pub struct RecordReader {
    generations: Arc<dyn GenerationReader>,
    random: Arc<dyn Random>,
}

impl RecordReader {
    /// A reader of these records. It draws the copy for each read.
    pub fn new(generations: Arc<dyn GenerationReader>, random: Arc<dyn Random>) -> Self {
        Self { generations, random }
    }

    /// The record of a projection; `None` before the first one. One read, and a second one if the copy is marked or does
    /// not exist.
    ///
    /// # Errors
    /// [`ReadStoreError`].
    pub async fn read(&self, projection: &str) -> Result<Option<Generations>, ReadStoreError> {
        let copy = CopyIndex::draw(&*self.random);
        match self.generations.read_copy(projection, copy).await? {
            Some(RecordCopy::Current(record)) => Ok(Some(record)),
            Some(RecordCopy::Marked(_)) | None => self.generations.read(projection).await,
        }
    }
}

/// Reads the record like [`RecordReader::read`], and repairs the copy if it does not show it. A failed repair is logged
/// and does not fail the read.
pub(crate) async fn read_and_repair(
    store: &dyn GenerationStore,
    (clock, random): (&dyn Clock, &dyn Random),
    projection: &str,
) -> Result<Option<Generations>, ReadStoreError> {
    let index = CopyIndex::draw(random);
    let copy = match store.read_copy(projection, index).await? {
        Some(RecordCopy::Current(record)) => return Ok(Some(record)),
        Some(RecordCopy::Marked(mark)) => Some(mark),
        None => None,
    };
    let Some(record) = store.read(projection).await? else { return Ok(None) };
    if let Err(error) = repair(store, clock, projection, (index, copy), &record).await {
        tracing::warn!(projection, copy = index.get(), %error, "a copy is not repaired");
    }
    Ok(Some(record))
}

async fn repair(
    store: &dyn GenerationStore,
    clock: &dyn Clock,
    projection: &str,
    (index, mark): (CopyIndex, Option<Mark>),
    stored: &Generations,
) -> Result<(), ReadStoreError> {
    let record = match mark {
        Some(mark) if mark.number > stored.number() => {
            let renewed = stored.renewed();
            let is_abandoned = clock.now().duration_since(mark.at) >= ABANDONED;
            if !is_abandoned || store.write(projection, &renewed).await? == Written::Superseded {
                return Ok(());
            }
            renewed
        }
        _ => stored.clone(),
    };
    store.write_copy(projection, index, &RecordCopy::Current(record)).await?;
    Ok(())
}

/// Makes this record the projection's record, if the record that it was made from is still stored. From the moment at
/// which it takes effect, all readers have the new layout.
///
/// A change of the layout costs 33 writes, any other change one. If it fails, it may have taken effect or not, and it
/// may leave marked copies, which only cost a read more.
///
/// # Errors
/// [`ReadStoreError`].
pub async fn change(
    store: &dyn GenerationStore,
    clock: &dyn Clock,
    projection: &str,
    new: &Generations,
) -> Result<Written, ReadStoreError> {
    if !new.changes_layout() {
        return store.write(projection, new).await;
    }
    if new.number() > FIRST_NUMBER {
        let mark = RecordCopy::Marked(Mark { number: new.number(), at: clock.now() });
        // A copy that refuses the mark shows or announces a later record. Then this change is superseded.
        try_join_all(CopyIndex::all().map(|copy| store.write_copy(projection, copy, &mark)))
            .await?;
    }
    let written = store.write(projection, new).await?;
    if written == Written::Done {
        publish(store, projection, new).await;
    }
    Ok(written)
}

/// Puts the record into every copy. The change has taken effect already, so a failure is only logged. Projectors repair
/// the copy.
async fn publish(store: &dyn GenerationStore, projection: &str, record: &Generations) {
    let shown = RecordCopy::Current(record.clone());
    let writes = CopyIndex::all().map(|copy| store.write_copy(projection, copy, &shown));
    for error in join_all(writes).await.into_iter().filter_map(Result::err) {
        tracing::warn!(projection, %error, "a copy is not written");
    }
}
