//! Tests of the quarantine with several generations.

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
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::MemoryQuarantine;

use crate::{
    note_models::deliveries,
    stage::{NOTES, Stage},
};

const FIRST: Generation = Generation::FIRST;

/// A stream with one note in generation 1. Generation 2 is verified and has it as well.
async fn verified() -> (Stage, StreamId, Verified) {
    let (stage, stream) = (Stage::new(), fresh());
    let quarantine = Arc::<MemoryQuarantine>::default();
    assert_eq!(write(&stage, &stream, quarantine).await, []);
    let rebuilder = stage.rebuilder(NOTES);
    let building = rebuilder.begin().await.expect("the record can be written");
    let verified = rebuilder.verify(&building, Plan::default(), &|_| ()).await;
    (stage, stream, verified.expect("the read succeeds"))
}

async fn switch(stage: &Stage, verified: &Verified) {
    let switched = stage.rebuilder(NOTES).switch(verified).await;
    assert_eq!(switched.expect("the record can be written"), Written::Done);
}

/// Writes a note, and delivers it to a projector.
async fn write(
    stage: &Stage,
    stream: &StreamId,
    quarantine: Arc<dyn Quarantine>,
) -> Vec<FailedReceipt> {
    let commits = stage.log.commits().len();
    stage.write(stream, &commits.to_string(), &["a"]).await;
    let commits = stage.log.commits();
    let newest: Vec<_> = commits.last().expect("the note was written").envelopes().collect();
    stage.projector(NOTES).with_quarantine(quarantine).project(deliveries(newest)).await
}

/// Replaces the row of generation 2 by an unreadable one.
fn damage(stage: &Stage, stream: &StreamId) {
    let body = Some(Payload::encode(&7).expect("a number is JSON"));
    let row = StoredRow { stream: stream.clone(), version: Version::new(1), body, index: None };
    stage.notes.rows_of(FIRST.next()).damage(row);
}

fn versions(stage: &Stage) -> [Option<Version>; 2] {
    [FIRST, FIRST.next()].map(|generation| {
        let rows = stage.notes.rows_of(generation).rows();
        rows.first().map(|row| row.version)
    })
}

/// A quarantine that runs an action before the parked streams are listed.
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

// Guards: reads-survive-a-switch
#[tokio::test]
async fn an_event_that_the_live_generation_parks_is_not_applied_to_the_previous_one() {
    let (stage, stream, verified) = verified().await;
    switch(&stage, &verified).await;
    damage(&stage, &stream);
    let quarantine = Arc::<MemoryQuarantine>::default();
    assert_eq!(write(&stage, &stream, quarantine.clone()).await, []);
    assert_eq!(quarantine.parked().len(), 1);
    let one = Some(Version::new(1));
    assert_eq!(versions(&stage), [one, one], "the previous generation is not ahead");
}

// Guards: the-quarantine-owes-every-missing-version
#[tokio::test]
async fn the_previous_generation_does_not_release_entries_of_the_new_one() {
    let (stage, stream, verified) = verified().await;
    let kept = Arc::<MemoryQuarantine>::default();
    let others = (stage.clone(), kept.clone());
    let happens = async move {
        let (stage, kept) = others;
        switch(&stage, &verified).await;
        damage(&stage, &stream);
        assert_eq!(write(&stage, &stream, kept).await, []);
    };
    let quarantine = Meanwhile { kept: kept.clone(), happens: Mutex::new(Some(Box::pin(happens))) };
    let projector = stage.projector(NOTES).with_quarantine(Arc::new(quarantine));
    let retries =
        projector.retry_parked(RetryScope::All, Timestamp::MAX).await.expect("the retry begins");
    assert_eq!(retries, RetrySummary { recovered: 0, parked: 1 });
    assert_eq!(kept.parked().len(), 1, "the live generation still lacks the event");
}
