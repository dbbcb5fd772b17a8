use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

use super::{
    Consumer, Models, Projector, RetryError, RetryScope, RetrySummary, UnknownModel,
    projector::NotApplied, quarantine::DueStreams,
};
use crate::{
    Timestamp,
    ports::{
        Clock, EventReader, GenerationStore, Quarantine, Random, ReadStoreError, Skips, Written,
    },
    vocabulary::{Content, Delivery, GenerationRef, Generations, MissedEvent, Receipt},
};

/// How often the note that a generation was outrun is written again on a record that has changed.
const ATTEMPTS: usize = 5;

/// Makes the projectors of a projection's generations.
#[derive(Clone)]
pub struct Projectors {
    pub(crate) models: Models,
    pub(crate) log: Arc<dyn EventReader>,
    pub(crate) skips: Arc<dyn Skips>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Projectors {
    /// Projectors of these models, which find in the log what deliveries lack, and go on without the
    /// events that were skipped for the projection.
    pub fn new(
        models: Models,
        log: Arc<dyn EventReader>,
        skips: Arc<dyn Skips>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { models, log, skips, clock, random }
    }

    /// The projector of a generation.
    ///
    /// # Errors
    /// [`UnknownModel`].
    pub fn of(&self, generation: GenerationRef) -> Result<Projector, UnknownModel> {
        let Self { models, log, skips, clock, random } = self.clone();
        Ok(Projector::new(models.open(generation)?, log, skips, clock, random))
    }
}

/// A projector that keeps every generation of its projection: the one that is read, the one that is
/// built to be read next, and the one that was read before.
///
/// Which generations there are is read once for each batch, after it has arrived, so that whatever an
/// invocation writes was committed before it looked. What follows of that is told in
/// [`rebuild`](crate::rebuild).
///
/// The order is that of trust. First the generation that is built: nothing may be live that it does
/// not have. What it cannot take stops no reader: before the live generation takes it, the record is
/// told so, and then the one that is built must be verified again before anybody reads it. The
/// message comes again until both have it. Last the previous generation, of what the live one has
/// applied; if it cannot, that is logged and no more, because a roll-back fills and verifies it anyway.
///
/// Only the live generation parks what it cannot take, in the one quarantine of the projection. What
/// stands parked there is owed to whoever reads, whichever generation that is: one that becomes live
/// has been verified to have it, so that the next round of healing finds the debt paid.
#[derive(Clone)]
pub struct Generational {
    projectors: Projectors,
    generations: Arc<dyn GenerationStore>,
    quarantine: Option<Arc<dyn Quarantine>>,
}

type Failed = Vec<(Receipt, String)>;

impl Generational {
    /// A projector of all generations that this store names.
    pub fn new(projectors: Projectors, generations: Arc<dyn GenerationStore>) -> Self {
        Self { projectors, generations, quarantine: None }
    }

    /// The same, parking in this quarantine what the live generation cannot take.
    #[must_use]
    pub fn with_quarantine(self, quarantine: Arc<dyn Quarantine>) -> Self {
        Self { quarantine: Some(quarantine), ..self }
    }

    /// Whether this program has the model of the live generation: for a function that starts. If the
    /// record cannot be read now, that is no reason not to start, because each batch reads it again.
    ///
    /// # Errors
    /// [`UnknownModel`] says what to do about it.
    pub async fn check(&self) -> Result<(), UnknownModel> {
        match self.recorded().await {
            Ok(generations) => self.live(&generations).map(drop),
            Err(error) => {
                tracing::warn!(%error, "the generations could not be read at the start");
                Ok(())
            }
        }
    }

    async fn recorded(&self) -> Result<Generations, ReadStoreError> {
        self.projectors.models.recorded(&*self.generations).await
    }

    fn live(&self, generations: &Generations) -> Result<Projector, UnknownModel> {
        let projector = self.projectors.of(generations.live())?;
        Ok(match &self.quarantine {
            Some(quarantine) => projector.with_quarantine(quarantine.clone()),
            None => projector,
        })
    }

    async fn project(&self, generation: GenerationRef, deliveries: Vec<Delivery>) -> Failed {
        match self.projectors.of(generation) {
            Ok(projector) => projector.project(deliveries).await,
            Err(unknown) => all(&deliveries, &unknown),
        }
    }

    /// Lets the generation that is built take the batch, and answers with what it could not take, and
    /// whether the live generation may.
    async fn build(&self, generations: &Generations, deliveries: &[Delivery]) -> (Failed, bool) {
        let Some(building) = generations.building() else { return (Failed::new(), true) };
        let readable = deliveries.iter().filter(|delivery| delivery.content.is_ok());
        let missed = self.project(building.generation, readable.cloned().collect()).await;
        let Some(event) = first_missed(&missed, deliveries) else { return (missed, true) };
        let noted = self.note(generations.clone(), event).await.unwrap_or_else(|error| {
            tracing::error!(%error, "that the building generation missed an event could not be recorded");
            false
        });
        (missed, noted)
    }

    /// Records that the live generation takes what the one that is built could not. Always a change of
    /// the record, also where it says so already: who verifies it at this moment must notice.
    async fn note(
        &self,
        mut seen: Generations,
        event: MissedEvent,
    ) -> Result<bool, ReadStoreError> {
        let projection = self.projectors.models.projection();
        let run = |generations: &Generations| generations.building().map(|building| building.run);
        for _ in 0..ATTEMPTS {
            let Ok(new) = seen.with_missed_event(event.clone()) else { break };
            if self.generations.write(projection, &new).await? == Written::Done {
                return Ok(true);
            }
            match self.generations.read(projection).await? {
                Some(now) if run(&now) == run(&seen) => seen = now,
                _ => break,
            }
        }
        Ok(false)
    }
}

#[async_trait]
impl Consumer for Generational {
    async fn consume(&self, deliveries: Vec<Delivery>) -> Failed {
        let generations = match self.recorded().await {
            Ok(generations) => generations,
            Err(error) => return all(&deliveries, &error),
        };
        let (missed, may_outrun) = self.build(&generations, &deliveries).await;
        let held = if may_outrun { Failed::new() } else { missed.clone() };
        let deliveries = without(deliveries, &held);
        let NotApplied { failed, parked } = match self.live(&generations) {
            Ok(projector) => projector.take_batch(deliveries.clone()).await,
            Err(unknown) => NotApplied { failed: all(&deliveries, &unknown), parked: Vec::new() },
        };
        if let Some(previous) = generations.previous() {
            let mut applied = without(deliveries, &failed);
            applied.retain(|delivery| !parked.contains(&delivery.receipt));
            self.project(previous, applied).await;
        }
        union(missed, failed)
    }

    /// Here too it is asked late which generation is live: what was parked before is owed by the one
    /// that is live now, or paid. Another order would let the generation that was live before pay what
    /// the new one owes.
    async fn retry_parked(
        &self,
        which: RetryScope,
        until: Timestamp,
    ) -> Result<RetrySummary, RetryError> {
        let Some(quarantine) = &self.quarantine else { return Ok(RetrySummary::default()) };
        let survey = DueStreams::of(&**quarantine, which, self.projectors.clock.now()).await?;
        let generations = self.recorded().await?;
        Ok(self.live(&generations)?.retry_all(&**quarantine, survey, until).await)
    }
}

fn all(deliveries: &[Delivery], error: &impl ToString) -> Failed {
    let reason = error.to_string();
    tracing::error!(reason, "no message of the batch applied");
    deliveries.iter().map(|delivery| (delivery.receipt.clone(), reason.clone())).collect()
}

fn first_missed(missed: &Failed, deliveries: &[Delivery]) -> Option<MissedEvent> {
    let (receipt, reason) = missed.first()?;
    let delivery = deliveries.iter().find(|delivery| delivery.receipt == *receipt)?;
    let stream = match delivery.content.as_ref().ok()? {
        Content::Event(event) => event.stream.clone(),
        Content::Pointer { stream, .. } => stream.clone(),
    };
    Some(MissedEvent { stream, reason: reason.clone() })
}

fn without(mut deliveries: Vec<Delivery>, failed: &Failed) -> Vec<Delivery> {
    let failed: BTreeSet<_> = failed.iter().map(|(receipt, _)| receipt).collect();
    deliveries.retain(|delivery| !failed.contains(&delivery.receipt));
    deliveries
}

fn union(mut one: Failed, other: Failed) -> Failed {
    let known: BTreeSet<_> = one.iter().map(|(receipt, _)| receipt.clone()).collect();
    one.extend(other.into_iter().filter(|(receipt, _)| !known.contains(receipt)));
    one
}
