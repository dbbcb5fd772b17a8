use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Category, StreamId,
    ports::{PageWalk, Random, Segment, Streams, StreamsError},
};

/// The numbers of parts that the log is divided into. The search lists a few parts, first of the finest division, which
/// is right for a large log. If they have too few streams, it continues with a coarser division. Each division finds 32
/// times as many streams as the one before, so the last one makes up nearly the whole cost.
const PARTS: [u32; 4] = [1 << 19, 1 << 14, 1 << 9, WHOLE];
/// The number of parts of a small log. All of them are listed, until there are enough streams.
const WHOLE: u32 = 1 << 4;
/// How many consecutive parts of a larger log are listed.
const PARTS_READ: u32 = 4;
/// How many pages of a part are read at most. It limits the cost if streams are so long that a part has few of them. A
/// finer division finds the streams behind a long one.
const PAGES_READ: usize = 4;
/// How many streams are listed at most per drawn stream. It limits the cost if few streams have the categories.
const LISTED_PER_DRAWN: usize = 64;

/// Random samples of the log's streams. Their cost does not grow with the log.
#[derive(Clone)]
pub struct Sample {
    index: Arc<dyn Streams>,
    random: Arc<dyn Random>,
    /// Empty without a limit.
    categories: BTreeSet<Category>,
}

impl Sample {
    /// Samples of this log.
    pub fn new(index: Arc<dyn Streams>, random: Arc<dyn Random>) -> Self {
        Self { index, random, categories: BTreeSet::new() }
    }

    /// Limits the samples to streams of these categories, or removes the limit if there are none.
    #[must_use]
    pub fn only(self, categories: impl IntoIterator<Item = Category>) -> Self {
        Self { categories: categories.into_iter().collect(), ..self }
    }

    /// Draws at most `most` different streams, and not many fewer if the log has enough.
    ///
    /// Lists a few times as many streams as it draws. In a small log it lists every stream once, and one percent of
    /// them twice. Reads a bounded number of pages, however few and long the streams are.
    ///
    /// # Errors
    /// [`StreamsError`].
    pub async fn draw(&self, most: usize) -> Result<Vec<StreamId>, StreamsError> {
        let mut budget = most.saturating_mul(LISTED_PER_DRAWN);
        let mut found = BTreeSet::new();
        for parts in PARTS {
            self.find(parts, most, &mut found, &mut budget).await?;
            if found.len() > most / 2 || budget == 0 {
                break;
            }
        }
        let mut found = Vec::from_iter(found);
        // Draw at random, because the first streams of a part would always hide the last ones.
        for at in 0..most.min(found.len()) {
            let left = u64::try_from(found.len() - at).unwrap_or(1);
            found.swap(at, at + self.below(left));
        }
        found.truncate(most);
        Ok(found)
    }

    /// Lists consecutive parts until there are enough streams or the budget is used up.
    async fn find(
        &self,
        parts: u32,
        most: usize,
        found: &mut BTreeSet<StreamId>,
        budget: &mut usize,
    ) -> Result<(), StreamsError> {
        let first = self.below(u64::from(parts));
        let read = if parts == WHOLE { WHOLE } else { PARTS_READ };
        let chosen = Segment::split(parts).cycle().skip(first).zip(0..read);
        for (part, _) in chosen {
            if found.len() >= most || *budget == 0 {
                break;
            }
            self.take_from(part, found, budget).await?;
        }
        Ok(())
    }

    async fn take_from(
        &self,
        part: Segment,
        found: &mut BTreeSet<StreamId>,
        budget: &mut usize,
    ) -> Result<(), StreamsError> {
        let mut walk = PageWalk::start();
        for _ in 0..PAGES_READ {
            let Some(from) = walk.next_place().filter(|_| *budget > 0) else { break };
            let streams = walk.turn(self.index.list(part, from.as_ref()).await?);
            *budget = budget.saturating_sub(streams.len());
            found.extend(streams.into_iter().filter(|stream| self.is_ours(stream)));
        }
        Ok(())
    }

    fn is_ours(&self, stream: &StreamId) -> bool {
        self.categories.is_empty() || self.categories.contains(stream.category())
    }

    fn below(&self, end: u64) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % end.max(1)).unwrap_or_default()
    }
}
