use std::{sync::Arc, time::Duration};

use super::{Observer, RebuildError, Step, Verified};
use crate::{
    Category, StreamId, generations,
    ports::{GenerationStore, PageWalk, ReadStoreError, Streams, Written},
    project::{Models, ProjectorPorts},
    vocabulary::{Building, Generations, InvalidChange, Purpose},
};

/// The number of attempts to change a record while others keep changing it.
const ATTEMPTS: usize = 5;
/// The longest duration of a read. API Gateway waits no longer for a function.
const LONGEST_READ: Duration = Duration::from_secs(30);
/// After this many longest reads since the last switch, no reader from before it is left.
const SETTLED: u32 = 10;

/// Builds, switches and removes generations of a projection.
///
/// ```
/// # use ledgerfold::{ports::Written, rebuild::{Plan, RebuildError, Rebuilder, Step}};
/// async fn rebuild(rebuilder: &Rebuilder) -> Result<(), RebuildError> {
///     let watch = |step: Step| println!("{step:?}");
///     let building = rebuilder.begin().await?;
///     rebuilder.fill(&building, Plan::default(), &watch).await?;
///     let verified = rebuilder.verify(&building, Plan::default(), &watch).await?;
///     if rebuilder.switch(&verified).await? == Written::Superseded {
///         println!("the record has changed meanwhile: verify again");
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Rebuilder {
    pub(super) models: Models,
    pub(super) ports: ProjectorPorts,
    pub(super) generations: Arc<dyn GenerationStore>,
    pub(super) streams: Arc<dyn Streams>,
    category: Option<Category>,
    longest_read: Duration,
}

impl Rebuilder {
    /// A rebuilder of the projection with these models. The list of streams must be strongly consistent, so that it
    /// contains every stream that began before the rebuild. If the models read another context's events, the list and
    /// the log of the ports must be those of that context.
    pub fn new(
        models: Models,
        generations: Arc<dyn GenerationStore>,
        streams: Arc<dyn Streams>,
        ports: ProjectorPorts,
    ) -> Self {
        let longest_read = LONGEST_READ;
        let ports = ProjectorPorts { log: models.reader(ports.log), ..ports };
        Self { models, ports, generations, streams, category: None, longest_read }
    }

    /// Limits the rebuild to the streams of this category, or removes the limit with `None`. If the projection reads one
    /// category only, its rebuild is always limited to it.
    #[must_use]
    pub fn only(self, category: impl Into<Option<Category>>) -> Self {
        Self { category: category.into(), ..self }
    }

    /// Sets the longest duration of a read, 30 seconds by default. After a recent switch, a roll-back and a removal
    /// wait this long: a reader that began before the switch may still read the former generation, and must find it
    /// unchanged.
    #[must_use]
    pub fn with_longest_read(self, longest_read: Duration) -> Self {
        Self { longest_read, ..self }
    }

    /// The projection's name.
    pub const fn projection(&self) -> &'static str {
        self.models.projection()
    }

    /// The record of the generations, or the first record if none is stored yet.
    ///
    /// # Errors
    /// [`RebuildError::Store`].
    pub async fn generations(&self) -> Result<Generations, RebuildError> {
        Ok(self.models.peek(&*self.generations).await?)
    }

    /// Records a new building generation with the newest revision of the model. If an interrupted rebuild with this
    /// revision exists, returns its generation.
    ///
    /// # Errors
    /// [`RebuildError::Occupied`] if another generation is being built.
    pub async fn begin(&self) -> Result<Building, RebuildError> {
        let revision = self.models.newest();
        self.begin_for(|generations| match generations.building() {
            Some(it) if it.purpose == Purpose::Rebuild && it.generation.revision == revision => {
                Ok(None)
            }
            _ => generations.begun(revision).map(Some),
        })
        .await
    }

    /// Records the previous generation as building, so that it can catch up. Waits first until all readers have ended
    /// that began while it was live. If an interrupted roll-back exists, returns its generation.
    ///
    /// # Errors
    /// [`RebuildError::Occupied`] if another generation is being built, [`RebuildError::Change`] if there is no
    /// previous generation, [`RebuildError::Model`] if this program does not have its model.
    pub async fn begin_roll_back(&self) -> Result<Building, RebuildError> {
        let generations = self.generations().await?;
        if let Some(previous) = generations.previous() {
            self.models.open(previous)?;
            self.let_readers_end(&generations).await;
        }
        self.begin_for(|generations| match generations.building() {
            Some(it) if it.purpose == Purpose::RollBack => Ok(None),
            _ => generations.rolling_back().map(Some),
        })
        .await
    }

    async fn begin_for(
        &self,
        change: impl Fn(&Generations) -> Result<Option<Generations>, InvalidChange>,
    ) -> Result<Building, RebuildError> {
        let begun = self.change(change).await.map_err(|error| match error {
            RebuildError::Change(InvalidChange::Building(other)) => RebuildError::Occupied(other),
            other => other,
        })?;
        Ok(begun.building().cloned().ok_or(InvalidChange::NotBuilding)?)
    }

    /// Makes the verified generation live, if the record has not changed since the verification began. If it has
    /// changed, returns [`Written::Superseded`]: a projector has recorded a missed event, or another operator was
    /// faster.
    ///
    /// # Errors
    /// [`RebuildError::Unsound`] if the verification found differences and no operator has accepted them.
    pub async fn switch(&self, verified: &Verified) -> Result<Written, RebuildError> {
        let wrong = verified.wrong();
        if wrong > 0 && !verified.is_accepted() {
            return Err(RebuildError::Unsound(wrong));
        }
        let run = verified.building()?.run;
        let switched = verified.record().switched(self.ports.clock.now())?;
        let written = self.write(&switched).await?;
        if written == Written::Done {
            self.generations.forget(self.projection(), run).await?;
        }
        Ok(written)
    }

    /// Gives up the building generation. The generation of a roll-back becomes previous again.
    ///
    /// # Errors
    /// [`RebuildError::Change`] if no generation is being built.
    pub async fn abandon(&self) -> Result<Generations, RebuildError> {
        let given_up = self.generations().await?.building().map(|building| building.run);
        let abandoned = self.change(|generations| generations.abandoned().map(Some)).await?;
        if let Some(run) = given_up {
            self.generations.forget(self.projection(), run).await?;
        }
        Ok(abandoned)
    }

    /// Gives up the previous generation, if there is one. A roll-back to it is then impossible.
    ///
    /// # Errors
    /// [`RebuildError::Store`], [`RebuildError::Contention`].
    pub async fn retire(&self) -> Result<Generations, RebuildError> {
        self.change(|generations| Ok(generations.without_previous().ok())).await
    }

    /// Removes the items of retired generations from the read table, and returns their number. Waits first until all
    /// readers have ended that began before the last switch. Never removes a live, building or previous generation. A
    /// delayed function may still write some items to a retired generation; the next removal deletes them.
    ///
    /// # Errors
    /// [`RebuildError::Store`].
    pub async fn remove(&self, observer: Observer<'_>) -> Result<u64, RebuildError> {
        let generations = self.generations().await?;
        self.let_readers_end(&generations).await;
        let retired = generations.retired();
        let mut removed = 0_u64;
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            let page = self.models.table().remove(&retired, from.as_ref()).await?;
            walk.go_to(page.next);
            removed = removed.saturating_add(page.removed);
            observer(Step::Removed(removed));
        }
        Ok(removed)
    }

    /// Waits for readers that began before the last switch. The record has the time of the switch request, not of its
    /// effect, so the wait begins now.
    async fn let_readers_end(&self, generations: &Generations) {
        let clock = &self.ports.clock;
        let Some(since) = generations.live_since() else { return };
        let past = Duration::try_from(clock.now().duration_since(since)).unwrap_or_default();
        if past < self.longest_read.saturating_mul(SETTLED) {
            clock.sleep(self.longest_read).await;
        }
    }

    /// Changes the record. If `change` returns `None`, the record stays as it is.
    async fn change(
        &self,
        change: impl Fn(&Generations) -> Result<Option<Generations>, InvalidChange>,
    ) -> Result<Generations, RebuildError> {
        for _ in 0..ATTEMPTS {
            let seen = self.models.recorded(&*self.generations, &*self.ports.clock).await?;
            let Some(new) = change(&seen)? else { return Ok(seen) };
            if self.write(&new).await? == Written::Done {
                return Ok(new);
            }
        }
        Err(RebuildError::Contention)
    }

    /// Replaces the record that this one was made from.
    pub(super) async fn write(&self, new: &Generations) -> Result<Written, ReadStoreError> {
        generations::change(&*self.generations, &*self.ports.clock, self.projection(), new).await
    }

    /// The record, if this generation is still being built in the same run.
    pub(super) async fn still(&self, building: &Building) -> Result<Generations, RebuildError> {
        let generations = self.generations().await?;
        match generations.building() {
            Some(now) if now.run == building.run => Ok(generations),
            _ => Err(RebuildError::Ended(building.clone())),
        }
    }

    pub(super) fn is_ours(&self, stream: &StreamId) -> bool {
        let category = self.models.selection().category().or(self.category.as_ref());
        category.is_none_or(|category| category == stream.category())
    }
}
