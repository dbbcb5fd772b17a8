use std::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{StreamId, Timestamp};

/// Which making of a read model: a projection that is rebuilt gets another set of rows beside the
/// one that is read, and readers are sent from the one to the other at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(NonZeroU32);

impl Generation {
    /// The generation that every projection begins with.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The generation of this number, from 1.
    pub const fn new(number: NonZeroU32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The generation after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The name under which the data of this generation alone is kept, for example its parked streams: the
    /// projection's own name for the first generation, `dashboard@2` for another.
    ///
    /// ```
    /// # use ledgerfold::vocabulary::Generation;
    /// assert_eq!(Generation::FIRST.scope("dashboard"), "dashboard");
    /// assert_eq!(Generation::FIRST.next().scope("dashboard"), "dashboard@2");
    /// ```
    pub fn scope(self, projection: &str) -> String {
        if self == Self::FIRST { projection.to_owned() } else { format!("{projection}@{self}") }
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A generation with the revision of the model that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationRef {
    /// The generation's number.
    pub number: Generation,
    /// The revision of its model: [`Projection::REVISION`](crate::project::Projection::REVISION).
    pub revision: u32,
}

/// A generation that nobody reads yet, and that projectors keep beside the one that is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Building {
    /// Which one.
    pub generation: GenerationRef,
    /// The purpose.
    pub purpose: Purpose,
    /// Which attempt to fill it: the number of the record that began it, which no other attempt has.
    pub run: u64,
    /// The last thing that the live generation has taken and this one could not, since it was last
    /// verified: it must be verified again before it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedEvent>,
}

/// Why a generation is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To be read instead of the live one; it is new.
    Rebuild,
    /// To be read again; it was live before.
    RollBack,
}

/// An event that the live generation has taken, and the one that is built could not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedEvent {
    /// The stream.
    pub stream: StreamId,
    /// Why it could not.
    pub reason: String,
}

/// The generations of a projection. Each change makes the next record, which takes effect only in place of the record
/// that it was made from.
///
/// Nothing is projected before there is a record, so the record always names the model revision of every row.
/// [`Models::recorded`](crate::project::Models::recorded) makes the first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    number: u64,
    live: GenerationRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    building: Option<Building>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<GenerationRef>,
    /// When it was asked that the live one be read, unless it is the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live_since: Option<Timestamp>,
    /// The first generation that there never was. A number is never used again, because a function
    /// that was held up may still write to the generation that had it.
    next: Generation,
}

/// The number of a projection's first record.
pub(crate) const FIRST_NUMBER: u64 = 1;

/// The change does not fit the present generations.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChange {
    /// One is built already.
    #[error("generation {} is being built already", .0.generation.number)]
    Building(Building),
    /// None is built.
    #[error("no generation is being built")]
    NotBuilding,
    /// None was live before.
    #[error("there is no previous generation")]
    NoPrevious,
}

impl Generations {
    /// The first record of a projection: its first generation is live, made with this revision.
    pub const fn first(revision: u32) -> Self {
        let live = GenerationRef { number: Generation::FIRST, revision };
        let next = live.number.next();
        Self { number: FIRST_NUMBER, live, building: None, previous: None, live_since: None, next }
    }

    /// Which record of the projection this is, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The generation that is read.
    pub const fn live(&self) -> GenerationRef {
        self.live
    }

    /// When it was asked that this one be read; absent where none was before it.
    pub const fn live_since(&self) -> Option<Timestamp> {
        self.live_since
    }

    /// The generation that is to be read next.
    pub const fn building(&self) -> Option<&Building> {
        self.building.as_ref()
    }

    /// The generation that was read before.
    pub const fn previous(&self) -> Option<GenerationRef> {
        self.previous
    }

    /// Generations that are not needed any more.
    pub fn retired(&self) -> Retired {
        let building = self.building.as_ref().map(|building| building.generation);
        let kept = [Some(self.live), building, self.previous].into_iter().flatten();
        Retired { below: self.next, except: kept.map(|it| it.number).collect() }
    }

    /// With a new generation to be built by this revision of the model.
    ///
    /// # Errors
    /// [`InvalidChange::Building`].
    pub fn begun(&self, revision: u32) -> Result<Self, InvalidChange> {
        let generation = GenerationRef { number: self.next, revision };
        let begun = self.making(generation, Purpose::Rebuild)?;
        Ok(Self { next: self.next.next(), ..begun })
    }

    /// With the previous generation to be brought up to date, so that it can be read again.
    ///
    /// # Errors
    /// [`InvalidChange::Building`], [`InvalidChange::NoPrevious`].
    pub fn rolling_back(&self) -> Result<Self, InvalidChange> {
        let generation = self.previous.ok_or(InvalidChange::NoPrevious)?;
        Ok(Self { previous: None, ..self.making(generation, Purpose::RollBack)? })
    }

    fn making(&self, generation: GenerationRef, purpose: Purpose) -> Result<Self, InvalidChange> {
        if let Some(building) = self.building.clone() {
            return Err(InvalidChange::Building(building));
        }
        let changed = self.changed();
        let building = Building { generation, purpose, run: changed.number, missed: None };
        Ok(Self { building: Some(building), ..changed })
    }

    /// With the generation that was built live, from about now on, and the one that was live previous.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn switched(&self, now: Timestamp) -> Result<Self, InvalidChange> {
        let live = self.building.as_ref().ok_or(InvalidChange::NotBuilding)?.generation;
        let (previous, live_since) = (Some(self.live), Some(now));
        Ok(Self { live, building: None, previous, live_since, ..self.changed() })
    }

    /// Without the generation that is built; one that was live before is previous again.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn abandoned(&self) -> Result<Self, InvalidChange> {
        let building = self.building.as_ref().ok_or(InvalidChange::NotBuilding)?;
        let previous = match building.purpose {
            Purpose::Rebuild => self.previous,
            Purpose::RollBack => Some(building.generation),
        };
        Ok(Self { building: None, previous, ..self.changed() })
    }

    /// Without the previous generation.
    ///
    /// # Errors
    /// [`InvalidChange::NoPrevious`].
    pub fn without_previous(&self) -> Result<Self, InvalidChange> {
        self.previous.ok_or(InvalidChange::NoPrevious)?;
        Ok(Self { previous: None, ..self.changed() })
    }

    /// The same with an event that the live generation has and the building generation cannot apply.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn with_missed_event(&self, missed: MissedEvent) -> Result<Self, InvalidChange> {
        self.noting(Some(missed))
    }

    /// The same without a missed event, for a verification that begins now.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn without_missed_event(&self) -> Result<Self, InvalidChange> {
        self.noting(None)
    }

    fn noting(&self, missed: Option<MissedEvent>) -> Result<Self, InvalidChange> {
        let building = self.building.clone().ok_or(InvalidChange::NotBuilding)?;
        Ok(Self { building: Some(Building { missed, ..building }), ..self.changed() })
    }

    fn changed(&self) -> Self {
        Self { number: self.number.saturating_add(1), ..self.clone() }
    }
}

/// The generations that a record knows to be needed no more. Only [`Generations::retired`] makes it,
/// so that nobody can remove one that is read, built or could be read again; one that begins later
/// has a number above all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    below: Generation,
    except: Vec<Generation>,
}

impl Retired {
    /// Whether this one is not needed any more.
    pub fn contains(&self, generation: Generation) -> bool {
        generation < self.below && !self.except.contains(&generation)
    }
}
