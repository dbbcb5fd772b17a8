//! One quarantine, and several generations that could owe its entries.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::future::BoxFuture;
use ledgerfold::{
    Payload, StreamId, Timestamp, Version,
    ports::{Page, Parked, Quarantine, QuarantineError, StoredRow, Written},
    project::{RetryScope, RetrySummary},
    rebuild::{Plan, Verified},
    vocabulary::{FailedReceipt, Generation},
};
use ledgerfold_proofs::conformance::notebook::fresh;
use ledgerfold_testkit::MemoryQuarantine;

use crate::{
    shelf::deliveries,
    stage::{PAGES, Stage},
};

const FIRST: Generation = Generation::FIRST;

/// A stream of one note in generation 1, and generation 2 verified to have it too.
async fn verified() -> (Stage, StreamId, Verified) {
    let (stage, stream) = (Stage::new(), fresh());
    let quarantine = Arc::<MemoryQuarantine>::default();
    assert_eq!(write(&stage, &stream, quarantine).await, []);
    let rebuilder = stage.rebuilder(PAGES);
    let building = rebuilder.begin().await.expect("it can be recorded");
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await;
    (stage, stream, verified.expect("it can be read"))
}

async fn switch(stage: &Stage, verified: &Verified) {
    let switched = stage.rebuilder(PAGES).switch(verified).await;
    assert_eq!(switched.expect("it can be recorded"), Written::Done);
}

/// Writes a note, and lets a projector hear of it.
async fn write(
    stage: &Stage,
    stream: &StreamId,
    quarantine: Arc<dyn Quarantine>,
) -> Vec<FailedReceipt> {
    let commits = stage.log.commits().len();
    stage.write(stream, &commits.to_string(), &["a"]).await;
    let commits = stage.log.commits();
    let newest: Vec<_> = commits.last().expect("it was written").envelopes().collect();
    stage.projector(PAGES).with_quarantine(quarantine).project(deliveries(newest)).await
}

/// Makes the row of generation 2 one that nobody can read.
fn spoil(stage: &Stage, stream: &StreamId) {
    let body = Some(Payload::encode(&7).expect("a number is JSON"));
    let row = StoredRow { stream: stream.clone(), version: Version::new(1), body, index: None };
    stage.pages.rows_of(FIRST.next()).damage(row);
}

fn versions(stage: &Stage) -> [Option<Version>; 2] {
    [FIRST, FIRST.next()].map(|generation| {
        let rows = stage.pages.rows_of(generation).rows();
        rows.first().map(|row| row.version)
    })
}

/// A quarantine in which something happens before the parked streams are listed.
struct Meanwhile {
    kept: Arc<MemoryQuarantine>,
    happens: Mutex<Option<BoxFuture<'static, ()>>>,
}

#[async_trait]
impl Quarantine for Meanwhile {
    async fn park(&self, parked: &Parked) -> Result<(), QuarantineError> {
        self.kept.park(parked).await
    }

    async fn release(&self, stream: &StreamId, reached: Version) -> Result<(), QuarantineError> {
        self.kept.release(stream, reached).await
    }

    async fn get(&self, stream: &StreamId) -> Result<Option<Parked>, QuarantineError> {
        self.kept.get(stream).await
    }

    async fn list(
        &self,
        after: Option<&StreamId>,
    ) -> Result<Page<Parked, StreamId>, QuarantineError> {
        let happens = self.happens.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(happens) = happens {
            happens.await;
        }
        self.kept.list(after).await
    }
}

#[tokio::test]
async fn what_the_live_generation_parks_the_previous_one_does_not_take() {
    let (stage, stream, verified) = verified().await;
    switch(&stage, &verified).await;
    spoil(&stage, &stream);
    let quarantine = Arc::<MemoryQuarantine>::default();
    assert_eq!(write(&stage, &stream, quarantine.clone()).await, []);
    assert_eq!(quarantine.parked().len(), 1);
    let one = Some(Version::new(1));
    assert_eq!(versions(&stage), [one, one], "nobody is ahead of what is read");
}

#[tokio::test]
async fn what_the_new_generation_owes_is_not_paid_by_the_one_before() {
    let (stage, stream, verified) = verified().await;
    let kept = Arc::<MemoryQuarantine>::default();
    let others = (stage.clone(), kept.clone());
    let happens = async move {
        let (stage, kept) = others;
        switch(&stage, &verified).await;
        spoil(&stage, &stream);
        assert_eq!(write(&stage, &stream, kept).await, []);
    };
    let quarantine = Meanwhile { kept: kept.clone(), happens: Mutex::new(Some(Box::pin(happens))) };
    let projector = stage.projector(PAGES).with_quarantine(Arc::new(quarantine));
    let retries =
        projector.retry_parked(RetryScope::All, Timestamp::MAX).await.expect("it can begin");
    assert_eq!(retries, RetrySummary { recovered: 0, parked: 1 });
    assert_eq!(kept.parked().len(), 1, "the generation that is read still lacks it");
}
