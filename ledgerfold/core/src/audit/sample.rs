use std::sync::Arc;

use crate::{
    Category, StreamId,
    ports::{Random, Resume, Segment, Streams, StreamsError},
};

/// In how many parts a log is listed to find some streams of it: first in the most, for a large log,
/// and then in fewer, until parts are large enough that a few of them hold a sample.
const PARTS: [u32; 6] = [1 << 19, 1 << 15, 1 << 11, 1 << 7, 1 << 3, 1];
/// Of how many parts, one behind the other, a sample is taken.
const PARTS_READ: usize = 4;
/// How many streams are held at most for one that is drawn: more than four parts hold, of which each
/// sixteenth was too small.
const FOUND_PER_DRAWN: usize = 32;

/// Some streams of a log, others each time, at a cost that does not grow with the log.
#[derive(Clone)]
pub struct Sample {
    index: Arc<dyn Streams>,
    random: Arc<dyn Random>,
    category: Option<Category>,
}

impl Sample {
    /// Samples of this log.
    pub fn new(index: Arc<dyn Streams>, random: Arc<dyn Random>) -> Self {
        Self { index, random, category: None }
    }

    /// The same, of streams of this category alone.
    #[must_use]
    pub fn only(self, category: Category) -> Self {
        Self { category: Some(category), ..self }
    }

    /// At most so many streams, each once, and not much fewer where the log has as many.
    ///
    /// # Errors
    /// [`StreamsError`].
    pub async fn draw(&self, most: usize) -> Result<Vec<StreamId>, StreamsError> {
        let mut found = Vec::new();
        for parts in PARTS {
            found.clear();
            let read = if parts == 1 { 1 } else { PARTS_READ };
            let first = self.below(u64::from(parts));
            for part in Segment::split(parts).cycle().skip(first).take(read) {
                self.take_from(part, most, &mut found).await?;
            }
            if found.len() > most / 2 {
                break;
            }
        }
        // Any of them, and not the first: what is last in its part is to be looked at one day too.
        for at in 0..most.min(found.len()) {
            let left = u64::try_from(found.len() - at).unwrap_or(1);
            found.swap(at, at + self.below(left));
        }
        found.truncate(most);
        Ok(found)
    }

    async fn take_from(
        &self,
        part: Segment,
        most: usize,
        found: &mut Vec<StreamId>,
    ) -> Result<(), StreamsError> {
        let mut from: Option<Resume> = None;
        while found.len() < most.saturating_mul(FOUND_PER_DRAWN) {
            let page = self.index.list(part, from.as_ref()).await?;
            found.extend(page.streams.into_iter().filter(|stream| self.is_ours(stream)));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn is_ours(&self, stream: &StreamId) -> bool {
        self.category.as_ref().is_none_or(|category| stream.category() == category)
    }

    fn below(&self, end: u64) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % end.max(1)).unwrap_or_default()
    }
}
