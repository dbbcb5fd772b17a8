//! Updates the generations of a projection with a batch of messages, stream by stream.

use std::sync::Arc;

use futures::{StreamExt, stream};

use super::{
    Models, ProjectorPorts, ReadModel, RetryError, RetryScope, RetrySummary, UnknownModel, Updater,
    batch::{Arrived, Batch},
    building::BuildingModel,
    live::{LiveModel, Taken},
    quarantine::DueStreams,
};
use crate::{
    StreamId, Timestamp,
    generations::read_and_repair,
    ports::{GenerationStore, Quarantine, ReadStoreError},
    vocabulary::{Delivery, FailedReceipt, GenerationRef, Generations, Selection},
};

/// Updates the read models of a projection with the messages of its queue.
///
/// The projector groups a batch by stream once. For each stream it then updates, in this order:
///
/// 1. the **building** generation, because the live one must not have events that it lacks. If it cannot apply an
///    event, the record of the generations says so before the live generation applies the event. A rebuild must then
///    verify the building generation again before any reader uses it. The message is delivered again until both have
///    the event;
/// 2. the **live** generation, which quarantines a stream if an event fails permanently;
/// 3. the **previous** generation, with events that the live one has applied. A failure is only logged, because a
///    roll-back fills and verifies the generation anyway.
///
/// The projector reads the generations once for each batch, after the batch has arrived. Therefore every event of
/// the batch was committed before. [`rebuild`](crate::rebuild) explains the consequences.
///
/// One quarantine serves all generations. A generation that becomes live was verified to contain the events that an
/// entry waits for, so the next round of retries releases the stream.
#[derive(Clone)]
pub struct Projector {
    ports: ProjectorPorts,
    subject: Subject,
    quarantine: Option<Arc<dyn Quarantine>>,
}

#[derive(Clone)]
enum Subject {
    One(Arc<dyn ReadModel>),
    Generations { models: Models, store: Arc<dyn GenerationStore> },
}

/// The models of one batch.
struct OpenModels {
    building: Option<BuildingModel>,
    live: Result<LiveModel, UnknownModel>,
    previous: Option<Updater>,
}

impl Projector {
    /// A projector of one model, which has no generations and is never rebuilt.
    pub fn new(model: Arc<dyn ReadModel>, ports: ProjectorPorts) -> Self {
        Self { ports, subject: Subject::One(model), quarantine: None }
    }

    /// A projector of all generations that this store records. If the models read another context's events, the log of
    /// the ports must be the log of that context.
    pub fn of_generations(
        models: Models,
        store: Arc<dyn GenerationStore>,
        ports: ProjectorPorts,
    ) -> Self {
        let ports = ProjectorPorts { log: models.reader(ports.log), ..ports };
        Self { ports, subject: Subject::Generations { models, store }, quarantine: None }
    }

    /// The same projector with a quarantine for streams that the live model cannot apply. Without a quarantine, the
    /// messages of such a stream are delivered again until the queue's limit of deliveries.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Arc<dyn Quarantine>) -> Self {
        Self { quarantine: Some(quarantine), ..self }
    }

    /// Checks that this program has the model of the live generation. Call it when a function starts. If the record
    /// cannot be read now, the check passes, because each batch reads the record again.
    ///
    /// # Errors
    /// [`UnknownModel`] explains the options.
    pub async fn check(&self) -> Result<(), UnknownModel> {
        match self.open().await {
            Ok(models) => models.live.map(drop),
            Err(error) => {
                tracing::warn!(%error, "the generations could not be read at the start");
                Ok(())
            }
        }
    }

    /// Applies a batch. Returns the messages that must be delivered again. Streams do not block each other, and a
    /// quarantined stream needs no further delivery.
    pub async fn project(&self, deliveries: Vec<Delivery>) -> Vec<FailedReceipt> {
        let batch = Batch::of(deliveries, self.selection());
        let failed = match self.open().await {
            Ok(models) => models.take(batch).await,
            Err(error) => batch.fail(&error.to_string()),
        };
        for FailedReceipt { receipt, reason } in &failed {
            tracing::error!(message = receipt.0, reason, "message not applied");
        }
        failed
    }

    /// Retries quarantined streams from the log, the longest waiting first. Starts no stream after `until`. A stream
    /// that fails again stays quarantined, with the new reason.
    ///
    /// The quarantine is listed before the record of the generations is read. So the generation that is live now must
    /// satisfy every listed entry. In the other order, the former live generation could remove an entry of the new one.
    ///
    /// # Errors
    /// [`RetryError`] if the round cannot begin.
    pub async fn retry_parked(
        &self,
        scope: RetryScope,
        until: Timestamp,
    ) -> Result<RetrySummary, RetryError> {
        let Some(quarantine) = &self.quarantine else { return Ok(RetrySummary::default()) };
        let due = DueStreams::of(&**quarantine, scope, self.ports.clock.now()).await?;
        let live = self.open().await?.live?;
        Ok(live.retry(quarantine, due, until).await)
    }

    /// The streams whose events it applies.
    const fn selection(&self) -> &Selection {
        match &self.subject {
            Subject::One(_) => &Selection::All,
            Subject::Generations { models, .. } => models.selection(),
        }
    }

    async fn open(&self) -> Result<OpenModels, ReadStoreError> {
        match &self.subject {
            Subject::One(model) => Ok(OpenModels {
                building: None,
                live: Ok(self.live(Updater::new(model.clone(), self.ports.clone()))),
                previous: None,
            }),
            Subject::Generations { models, store } => {
                let ports = (&*self.ports.clock, &*self.ports.random);
                let found = read_and_repair(&**store, ports, models.projection()).await?;
                let record = match found {
                    Some(record) => record,
                    None => models.recorded(&**store, &*self.ports.clock).await?,
                };
                Ok(self.open_generations(models, store, &record))
            }
        }
    }

    fn open_generations(
        &self,
        models: &Models,
        store: &Arc<dyn GenerationStore>,
        record: &Generations,
    ) -> OpenModels {
        let updater = |generation: GenerationRef| models.updater(generation, &self.ports);
        let building = record.building().map(|building| {
            BuildingModel::new(updater(building.generation), models.projection(), store, record)
        });
        let previous = record.previous().map(updater).and_then(|previous| {
            previous
                .inspect_err(
                    |error| tracing::error!(%error, "the previous generation is not updated"),
                )
                .ok()
        });
        let live = updater(record.live()).map(|live| self.live(live));
        OpenModels { building, live, previous }
    }

    fn live(&self, updater: Updater) -> LiveModel {
        LiveModel::new(updater, self.quarantine.clone(), self.ports.clock.clone())
    }
}

impl OpenModels {
    async fn take(&self, batch: Batch) -> Vec<FailedReceipt> {
        let Batch { streams, unreadable } = batch;
        let most = self.live.as_ref().map_or(1, |live| live.updater.streams_at_once());
        let failed = stream::iter(streams)
            .map(|(stream, arrived)| async move {
                match self.take_stream(&stream, &arrived).await {
                    Ok(()) => Vec::new(),
                    Err(reason) => arrived.fail(&reason),
                }
            })
            .buffer_unordered(most)
            .concat();
        let mut all = unreadable;
        all.extend(failed.await);
        all
    }

    /// Updates one stream in all generations. The error is the reason to deliver its messages again.
    async fn take_stream(&self, stream: &StreamId, arrived: &Arrived) -> Result<(), String> {
        let built = match &self.building {
            Some(building) => building.take(stream, arrived).await,
            None => Ok(()),
        };
        if let Err(missed) = &built
            && !missed.is_recorded
        {
            return Err(missed.reason.clone());
        }
        let taken = match &self.live {
            Ok(live) => live.take(stream, arrived).await.map_err(|error| error.to_string()),
            Err(unknown) => Err(unknown.to_string()),
        };
        if let (Ok(Taken::Applied), Some(previous)) = (&taken, &self.previous) {
            follow(previous, stream, arrived).await;
        }
        built.map_err(|missed| missed.reason)?;
        taken.map(drop)
    }
}

/// Updates a stream in the previous generation after the live one has applied it.
async fn follow(previous: &Updater, stream: &StreamId, arrived: &Arrived) {
    let outcome = previous.update(stream, arrived, &mut super::updater::Progress::default()).await;
    if let Err(error) = outcome {
        tracing::error!(%stream, %error, "not applied to the previous generation");
    }
}
