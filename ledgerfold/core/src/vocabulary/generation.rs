use std::{fmt, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{StreamId, Timestamp};

/// The number of a complete set of a projection's rows. A rebuild fills a new generation beside the live one, and
/// then switches all readers to it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(NonZeroU32);

impl Generation {
    /// The first generation of every projection.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The generation with this number, from 1.
    pub const fn new(number: NonZeroU32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The next generation.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The name for data of this generation alone, for example its parked streams: the projection's own name for the
    /// first generation, and a name such as `dashboard@2` for later ones.
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

/// A generation with the revision of its model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationRef {
    /// The generation's number.
    pub number: Generation,
    /// The revision of the model that fills it, see [`Projection::REVISION`](crate::project::Projection::REVISION).
    pub revision: u32,
}

/// The generation that is being built. Projectors update it beside the live one, and nobody reads it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Building {
    /// The generation.
    pub generation: GenerationRef,
    /// The purpose.
    pub purpose: Purpose,
    /// The attempt to fill it: the number of the record that began this attempt. No other attempt has this number.
    pub run: u64,
    /// The last event that the live generation has and this generation could not apply, since the last verification.
    /// While there is one, the generation must be verified again before a switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<MissedEvent>,
}

/// The purpose of the building generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A new generation is to replace the live one.
    Rebuild,
    /// The previous generation is to become live again.
    RollBack,
}

/// An event that the live generation has and the building generation could not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedEvent {
    /// The stream.
    pub stream: StreamId,
    /// Why the building generation could not apply it.
    pub reason: String,
}

/// The record of a projection's generations. Every change makes a new record with the next number. A store accepts it
/// only if the stored record is still the one that was changed.
///
/// The live, the building and the previous generation are the record's layout. Readers and projectors need nothing else,
/// and read it from [copies](super::RecordCopy). A missed event changes the record and not its layout.
///
/// Projectors write no row before there is a record, so it names the model revision of every row.
/// [`Models::recorded`](crate::project::Models::recorded) makes the first record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generations {
    number: u64,
    /// The number of the record that made the layout.
    layout: u64,
    live: GenerationRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    building: Option<Building>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<GenerationRef>,
    /// The time of the last switch; `None` while the first generation is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    live_since: Option<Timestamp>,
    /// The next unused generation. Numbers are never reused, because a delayed function may still write to an old
    /// generation.
    next: Generation,
}

/// The number of a projection's first record.
pub(crate) const FIRST_NUMBER: u64 = 1;

/// The current generations do not allow the change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChange {
    /// Another generation is being built.
    #[error("generation {} is being built already", .0.generation.number)]
    Building(Building),
    /// No generation is being built.
    #[error("no generation is being built")]
    NotBuilding,
    /// There is no previous generation.
    #[error("there is no previous generation")]
    NoPrevious,
}

impl Generations {
    /// The first record of a projection: the first generation is live, with this model revision.
    pub const fn first(revision: u32) -> Self {
        let live = GenerationRef { number: Generation::FIRST, revision };
        let next = live.number.next();
        Self {
            number: FIRST_NUMBER,
            layout: FIRST_NUMBER,
            live,
            building: None,
            previous: None,
            live_since: None,
            next,
        }
    }

    /// The record's number, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The number of the record that made the layout of this one. Records with the same number here have the same live,
    /// building and previous generation.
    pub const fn layout(&self) -> u64 {
        self.layout
    }

    /// Whether the layout differs from that of the record that this one was made from.
    pub const fn changes_layout(&self) -> bool {
        self.layout == self.number
    }

    /// The generation that readers use.
    pub const fn live(&self) -> GenerationRef {
        self.live
    }

    /// The time of the switch to the live generation; `None` while the first one is live.
    pub const fn live_since(&self) -> Option<Timestamp> {
        self.live_since
    }

    /// The generation that is being built.
    pub const fn building(&self) -> Option<&Building> {
        self.building.as_ref()
    }

    /// The generation that was live before. A roll-back returns to it.
    pub const fn previous(&self) -> Option<GenerationRef> {
        self.previous
    }

    /// The generations that are not needed any more.
    pub fn retired(&self) -> Retired {
        let building = self.building.as_ref().map(|building| building.generation);
        let kept = [Some(self.live), building, self.previous].into_iter().flatten();
        Retired { below: self.next, except: kept.map(|it| it.number).collect() }
    }

    /// The record after a rebuild has begun: a new generation with this model revision is building.
    ///
    /// # Errors
    /// [`InvalidChange::Building`].
    pub fn begun(&self, revision: u32) -> Result<Self, InvalidChange> {
        let generation = GenerationRef { number: self.next, revision };
        let begun = self.with_building(generation, Purpose::Rebuild)?;
        Ok(Self { next: self.next.next(), ..begun })
    }

    /// The record after a roll-back has begun: the previous generation is building, so that it can catch up.
    ///
    /// # Errors
    /// [`InvalidChange::Building`], [`InvalidChange::NoPrevious`].
    pub fn rolling_back(&self) -> Result<Self, InvalidChange> {
        let generation = self.previous.ok_or(InvalidChange::NoPrevious)?;
        Ok(Self { previous: None, ..self.with_building(generation, Purpose::RollBack)? })
    }

    fn with_building(
        &self,
        generation: GenerationRef,
        purpose: Purpose,
    ) -> Result<Self, InvalidChange> {
        if let Some(building) = self.building.clone() {
            return Err(InvalidChange::Building(building));
        }
        let changed = self.changed();
        let building = Building { generation, purpose, run: changed.number, missed: None };
        Ok(Self { building: Some(building), ..changed })
    }

    /// The record after a switch at this time: the building generation is live, and the live one is previous.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn switched(&self, now: Timestamp) -> Result<Self, InvalidChange> {
        let live = self.building.as_ref().ok_or(InvalidChange::NotBuilding)?.generation;
        Ok(Self {
            live,
            building: None,
            previous: Some(self.live),
            live_since: Some(now),
            ..self.changed()
        })
    }

    /// The record after the building generation was given up. If it was a roll-back, it is previous again.
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

    /// The record without the previous generation.
    ///
    /// # Errors
    /// [`InvalidChange::NoPrevious`].
    pub fn without_previous(&self) -> Result<Self, InvalidChange> {
        self.previous.ok_or(InvalidChange::NoPrevious)?;
        Ok(Self { previous: None, ..self.changed() })
    }

    /// The record with an event that the live generation has and the building generation could not apply.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn with_missed_event(&self, missed: MissedEvent) -> Result<Self, InvalidChange> {
        self.set_missed_event(Some(missed))
    }

    /// The record without a missed event, for a verification that begins now.
    ///
    /// # Errors
    /// [`InvalidChange::NotBuilding`].
    pub fn without_missed_event(&self) -> Result<Self, InvalidChange> {
        self.set_missed_event(None)
    }

    fn set_missed_event(&self, missed: Option<MissedEvent>) -> Result<Self, InvalidChange> {
        let building = self.building.clone().ok_or(InvalidChange::NotBuilding)?;
        Ok(Self { building: Some(Building { missed, ..building }), ..self.renewed() })
    }

    /// The next record, with the same content. It takes the number that another change has announced, so that change can
    /// no longer take effect.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self { number: self.number.saturating_add(1), ..self.clone() }
    }

    /// The next record, before its layout is changed.
    fn changed(&self) -> Self {
        let renewed = self.renewed();
        Self { layout: renewed.number, ..renewed }
    }
}

/// The generations that may be removed. Only [`Generations::retired`] makes this value, so it never contains a live,
/// building or previous generation. It does not contain later generations either: their numbers are higher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retired {
    below: Generation,
    except: Vec<Generation>,
}

impl Retired {
    /// Whether this generation may be removed.
    pub fn contains(&self, generation: Generation) -> bool {
        generation < self.below && !self.except.contains(&generation)
    }
}
