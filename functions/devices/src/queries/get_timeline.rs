//! `GET /devices/{id}/timeline`

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use devices_events::Value;
use ledgerfold::{
    Access, Caller, Decider, EntityId, StreamId, Timestamp,
    ports::{PartGroup, PartOrder},
    query::FreshPart,
    vocabulary::Cursor,
};
use ledgerfold_lambda::http::{
    HttpQuery, Limit, List, ListPosition, Page, PageCursor, Parts, Problem, QueryCall, Rows,
    Unversioned,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measured, Moment, example, no_such_device};
use crate::{
    domain::{Devices, Telemetry, access},
    read_models::{
        Chunk, SiteDevices, Step, Timeline, is_late,
        timeline::{group_of, order_from},
    },
};

/// How many parts are read at once.
const PARTS: usize = 25;
/// The most parts of a page: those that overlap in time with its readings.
const MAX_PARTS: usize = 2_000;

/// The readings of a metric by their times, both ends included, in pages. Each reading once, however late it came.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetTimeline {
    /// The device.
    id: EntityId,
    /// The metric.
    metric: EntityId,
    /// The first instant or day. By default the timeline begins with the first reading.
    from: Option<Moment>,
    /// The last instant or day. By default the timeline ends with the last reading.
    to: Option<Moment>,
    /// The most readings of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// A reading.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Reading")]
pub struct TimelineReading {
    /// Its number in the epoch.
    seq: u64,
    /// The epoch.
    epoch: u32,
    /// The time, by the clock of the device.
    at: Timestamp,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// The value.
    value: Measured,
    /// Whether it came more than 7 days after its time, or after a newer epoch had begun.
    late: bool,
}

/// The place of a reading: readings of one instant are sorted by epoch and number.
type Place = (Timestamp, u32, u64);

/// The last reading of a page, and the instant from which the parts of the next one are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Position(Timestamp, u32, u64, Timestamp);

/// Any instant and number is a valid position.
impl ListPosition for Position {}

/// A reading of a part that was read, until it is its turn.
struct Pending {
    recorded_at: Timestamp,
    value: Value,
    late: bool,
    /// The first instant of its part.
    begin: Timestamp,
}

type Models = (Rows<SiteDevices>, Parts<Timeline>);

#[async_trait]
impl HttpQuery for GetTimeline {
    type Decider = Telemetry;
    type Models = Models;
    type Answer = Unversioned<List<TimelineReading>>;

    const PATH: &'static str = "/devices/{id}/timeline";

    fn example() -> Self {
        let metric = example("temperature");
        let (from, to, cursor) = (None, None, None);
        Self { id: example("d-1"), metric, from, to, limit: Limit::default(), cursor }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::by_operator(caller)
    }

    async fn answer(
        self,
        (devices, timeline): &Models,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<TimelineReading>>, Problem> {
        let stream = call.stream(Devices::CATEGORY, self.id);
        devices.get(&stream, call).await?.ok_or_else(no_such_device)?;
        let from = self.from.map_or(Timestamp::MIN, Moment::begin);
        let to = self.to.map_or(Timestamp::MAX, Moment::end);
        let list = format!("{} of {stream} from {from} to {to}", self.metric);
        let page = Page::<Position>::of(&list, self.limit, self.cursor.as_ref())?;
        let group = group_of(stream.id().as_str(), self.metric.as_str());
        let mut merge = Merge::begin(group, (from, to), page.from)?;
        let mut readings = merge.read(timeline, page.limit + 1, call).await?;
        let more = readings.len() > page.limit;
        readings.truncate(page.limit);
        let last = readings.last().filter(|_| more);
        let next_cursor = last.map(|(place, pending)| {
            let resume = merge.resume.unwrap_or(pending.begin).min(pending.begin);
            Cursor(Position(place.0, place.1, place.2, resume)).to_text(&list)
        });
        let items = readings.into_iter().map(|(place, pending)| pending.into_reading(place));
        Ok(Unversioned(List { items: items.collect(), next_cursor }))
    }
}

impl Pending {
    fn into_reading(self, (at, epoch, seq): Place) -> TimelineReading {
        let Self { recorded_at, value, late, .. } = self;
        TimelineReading { seq, epoch, at, recorded_at, value: Measured(value), late }
    }
}

/// Merges parts, which overlap in time, into one sequence of readings.
struct Merge {
    group: PartGroup,
    /// The range of instants.
    range: (Timestamp, Timestamp),
    /// The last reading of the page before.
    after: Option<Place>,
    /// The next part to read.
    next: Option<PartOrder>,
    /// The parts that were read. The first part of a page of parts comes twice.
    seen: HashSet<(PartOrder, StreamId)>,
    /// The readings whose turn has not come.
    pending: BTreeMap<Place, Pending>,
    /// The first instant of the earliest part with readings behind the page.
    resume: Option<Timestamp>,
}

impl Merge {
    fn begin(
        group: String,
        range: (Timestamp, Timestamp),
        position: Option<Position>,
    ) -> Result<Self, Problem> {
        let internal = |_| Problem::internal();
        let (after, begin) = match position {
            Some(Position(at, epoch, seq, begin)) => (Some((at, epoch, seq)), begin),
            // A part with the first reading begins in the same hour.
            None => (None, Step::Hour.start(range.0)),
        };
        Ok(Self {
            group: PartGroup::new(group).map_err(internal)?,
            range,
            after,
            next: Some(PartOrder::new(order_from(begin)).map_err(internal)?),
            seen: HashSet::new(),
            pending: BTreeMap::new(),
            resume: None,
        })
    }

    /// The first readings, as many as asked if there are so many.
    async fn read(
        &mut self,
        timeline: &Parts<Timeline>,
        limit: usize,
        call: QueryCall<'_>,
    ) -> Result<Vec<(Place, Pending)>, Problem> {
        let mut readings = Vec::new();
        loop {
            let horizon = self.load(timeline, call).await?;
            while readings.len() < limit
                && let Some(first) = self.pending.first_entry()
                // A part that was not read yet may have an earlier reading.
                && horizon.is_none_or(|horizon| first.key().0 < horizon)
            {
                readings.push(first.remove_entry());
            }
            if readings.len() >= limit || horizon.is_none() {
                let rest = self.pending.values().map(|pending| pending.begin);
                let last = readings.last().map(|(_, pending)| pending.begin);
                self.resume = rest.chain(last).min();
                return Ok(readings);
            }
        }
    }

    /// Reads some parts. Returns the instant at which the next part begins at the earliest, if there is one.
    async fn load(
        &mut self,
        timeline: &Parts<Timeline>,
        call: QueryCall<'_>,
    ) -> Result<Option<Timestamp>, Problem> {
        let Some(first) = self.next.take() else { return Ok(None) };
        let internal = |_| Problem::internal();
        // Behind the last instant come the epoch and the number.
        let last = format!("{}~", order_from(self.range.1));
        let last = PartOrder::new(last).map_err(internal)?;
        let page = timeline.range(&self.group, (first, last), PARTS, call).await?;
        self.next = page.next;
        for part in page.parts {
            self.add(part)?;
        }
        if self.seen.len() > MAX_PARTS {
            let detail =
                format!("More than {MAX_PARTS} batches have readings of the same hour here.");
            return Err(Problem::bad_request(detail));
        }
        self.next.as_ref().map(begin_of).transpose()
    }

    fn add(&mut self, FreshPart { order, stream, part }: FreshPart<Chunk>) -> Result<(), Problem> {
        let begin = begin_of(&order)?;
        if !self.seen.insert((order, stream)) {
            return Ok(());
        }
        let Chunk { epoch, outdated, recorded_at, column } = part;
        let readings = column.readings().map_err(|error| {
            tracing::error!(%error, "a part of a timeline cannot be read");
            Problem::internal()
        })?;
        for reading in readings {
            let place = (reading.at, epoch, reading.seq);
            let is_asked = (self.range.0..=self.range.1).contains(&reading.at)
                && self.after.is_none_or(|after| place > after);
            if is_asked {
                let late = outdated || is_late(reading.at, recorded_at);
                let pending = Pending { recorded_at, value: reading.value, late, begin };
                self.pending.insert(place, pending);
            }
        }
        Ok(())
    }
}

/// The first instant of a part.
fn begin_of(order: &PartOrder) -> Result<Timestamp, Problem> {
    let instant = order.as_str().split('#').next().unwrap_or_default();
    instant.parse().map_err(|_| Problem::internal())
}
