use std::sync::Arc;

use crate::{
    Category, StreamId,
    ports::{PageWalk, Random, Segment, Streams, StreamsError},
};

/// In how many parts a log is listed to find some streams of it: first in the most, for a large log,
/// and then in fewer, until a few of them hold a sample. Each step finds 32 times as much as the one
/// before, so that all steps before the last cost little beside it.
const PARTS: [u32; 4] = [1 << 19, 1 << 14, 1 << 9, WHOLE];
/// In how many parts a small log is listed: one after the other, until there are enough.
const WHOLE: u32 = 1 << 4;
/// Of how many parts, one behind the other, a sample of a larger log is taken.
const PARTS_READ: u32 = 4;
/// How many streams are listed at most for one that is drawn. It bounds the cost where few streams are
/// of the category.
const LISTED_PER_DRAWN: usize = 64;

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
    /// Lists a few times as many streams as it draws. Of a log that has no more than these, it lists each
    /// stream once, and a hundredth of them twice.
    ///
    /// # Errors
    /// [`StreamsError`].
    pub async fn draw(&self, most: usize) -> Result<Vec<StreamId>, StreamsError> {
        let mut budget = most.saturating_mul(LISTED_PER_DRAWN);
        let mut found = Vec::new();
        for parts in PARTS {
            found = self.find(parts, most, &mut budget).await?;
            if found.len() > most / 2 || budget == 0 {
                break;
            }
        }
        // Any stream and not the first, so that one day the last stream of a part is examined too.
        for at in 0..most.min(found.len()) {
            let left = u64::try_from(found.len() - at).unwrap_or(1);
            found.swap(at, at + self.below(left));
        }
        found.truncate(most);
        Ok(found)
    }

    /// The streams of some parts, one behind the other, until there are enough or the budget is used.
    async fn find(
        &self,
        parts: u32,
        most: usize,
        budget: &mut usize,
    ) -> Result<Vec<StreamId>, StreamsError> {
        let first = self.below(u64::from(parts));
        let read = if parts == WHOLE { WHOLE } else { PARTS_READ };
        let chosen = Segment::split(parts).cycle().skip(first).zip(0..read);
        let mut found = Vec::new();
        for (part, _) in chosen {
            if found.len() >= most || *budget == 0 {
                break;
            }
            self.take_from(part, &mut found, budget).await?;
        }
        Ok(found)
    }

    async fn take_from(
        &self,
        part: Segment,
        found: &mut Vec<StreamId>,
        budget: &mut usize,
    ) -> Result<(), StreamsError> {
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place().filter(|_| *budget > 0) {
            let streams = walk.turn(self.index.list(part, from.as_ref()).await?);
            *budget = budget.saturating_sub(streams.len());
            found.extend(streams.into_iter().filter(|stream| self.is_ours(stream)));
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
