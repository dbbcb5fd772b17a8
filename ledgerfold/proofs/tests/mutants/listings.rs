//! Faulty lists of streams. They prove that the rules of their suite can fail.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    Category, EntityId, StreamId,
    ports::{Page, Resume, Segment, Streams, StreamsError},
};
use ledgerfold_proofs::conformance::streams::ListedLog;
use ledgerfold_testkit::MemoryEventStore;

use crate::suite::{examine, named_rules};

/// A defect of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    StopsAfterAPage,
    KnowsNoSegments,
    ForgetsTheTenant,
}

/// The defects with the rules that they fail.
const MUTANTS: &[(Defect, &[&str])] = &[
    (Defect::None, &[]),
    (
        Defect::StopsAfterAPage,
        &[
            "every_stream_is_listed_once",
            "segments_together_list_every_stream_once",
            "streams_of_tenants_are_both_listed",
        ],
    ),
    (
        Defect::KnowsNoSegments,
        &["segments_together_list_every_stream_once", "streams_of_tenants_are_both_listed"],
    ),
    (Defect::ForgetsTheTenant, &["streams_of_tenants_are_both_listed"]),
];

/// A list with one defect, over a log in memory.
struct Wrong {
    log: Arc<MemoryEventStore>,
    defect: Defect,
    /// The streams without their tenants that were listed. A mutex, because a list is read through a shared reference.
    seen: Mutex<BTreeSet<(Category, EntityId)>>,
}

impl Wrong {
    fn is_new(&self, stream: &StreamId) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((stream.category().clone(), stream.id().clone()))
    }
}

#[async_trait]
impl Streams for Wrong {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        let segment = if self.defect == Defect::KnowsNoSegments { Segment::WHOLE } else { segment };
        let mut page = self.log.list(segment, from).await?;
        match self.defect {
            Defect::StopsAfterAPage => page.next = None,
            Defect::ForgetsTheTenant => page.items.retain(|stream| self.is_new(stream)),
            Defect::None | Defect::KnowsNoSegments => {}
        }
        Ok(page)
    }
}

type Subject = ListedLog;

#[test]
fn every_wrong_list_of_streams_fails_its_rules_and_no_others_and_every_rule_is_failed() {
    let rules = ledgerfold_proofs::streams_rules!([named_rules] streams);
    examine(&rules, MUTANTS, |defect| {
        let log = Arc::new(MemoryEventStore::with_pages_of(3));
        let streams = Wrong { log: log.clone(), defect, seen: Mutex::default() };
        Arc::new(ListedLog { log, streams: Arc::new(streams) })
    });
}
