use std::{collections::BTreeMap, sync::Arc};

use super::{Auditor, Summary};
use crate::{
    StreamId,
    ports::{Random, Resume, Segment, Streams, StreamsError},
    project::ProjectError,
};

/// In how many parts a log is listed to find some streams of it: first in the most, for a large log,
/// and then in fewer, until parts are large enough that a few of them hold a sample.
const PARTS: [u32; 6] = [1 << 19, 1 << 15, 1 << 11, 1 << 7, 1 << 3, 1];
/// Of how many parts, one behind the other, a sample is taken.
const PARTS_READ: usize = 4;
/// How many streams are held at most for one that is drawn: more than four parts hold, of which each
/// sixteenth was too small.
const FOUND_PER_DRAWN: usize = 32;

/// An audit of some streams, others each time: for a schedule that watches what nobody looks at, at a
/// cost that does not grow with the log.
pub struct Sample {
    index: Arc<dyn Streams>,
    random: Arc<dyn Random>,
    most: usize,
}

/// A sample could not be drawn or compared.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The streams could not be listed.
    #[error(transparent)]
    Streams(#[from] StreamsError),
    /// The log or a read table failed.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

impl Sample {
    /// A sample of at most so many streams, and of not much fewer where the log has as many.
    pub fn new(index: Arc<dyn Streams>, random: Arc<dyn Random>, most: usize) -> Self {
        Self { index, random, most }
    }

    /// Some streams, each once.
    ///
    /// # Errors
    /// [`StreamsError`].
    pub async fn draw(&self) -> Result<Vec<StreamId>, StreamsError> {
        let mut found = Vec::new();
        for parts in PARTS {
            found.clear();
            let read = if parts == 1 { 1 } else { PARTS_READ };
            let first = self.below(u64::from(parts));
            for part in Segment::split(parts).cycle().skip(first).take(read) {
                self.take_from(part, &mut found).await?;
            }
            if found.len() > self.most / 2 {
                break;
            }
        }
        // Any of them, and not the first: what is last in its part is to be looked at one day too.
        for at in 0..self.most.min(found.len()) {
            let left = u64::try_from(found.len() - at).unwrap_or(1);
            found.swap(at, at + self.below(left));
        }
        found.truncate(self.most);
        Ok(found)
    }

    async fn take_from(
        &self,
        part: Segment,
        found: &mut Vec<StreamId>,
    ) -> Result<(), StreamsError> {
        let mut from: Option<Resume> = None;
        while found.len() < self.most.saturating_mul(FOUND_PER_DRAWN) {
            let page = self.index.list(part, from.as_ref()).await?;
            found.extend(page.streams);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn below(&self, end: u64) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % end.max(1)).unwrap_or_default()
    }

    /// Compares the same streams in each of these models, and sums up what is found in each.
    ///
    /// # Errors
    /// [`SampleError`].
    pub async fn examine<'a>(
        &self,
        auditors: impl IntoIterator<Item = (&'a str, Auditor)>,
    ) -> Result<BTreeMap<&'a str, Summary>, SampleError> {
        let streams = self.draw().await?;
        let mut summaries = BTreeMap::new();
        for (projection, auditor) in auditors {
            let mut summary = Summary::default();
            for finding in auditor.examine(&streams).await? {
                summary.add(&finding);
            }
            summaries.insert(projection, summary);
        }
        Ok(summaries)
    }
}
