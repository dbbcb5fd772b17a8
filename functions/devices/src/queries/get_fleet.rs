//! `GET /fleet`

use async_trait::async_trait;
use ledgerfold::{Access, Caller, Timestamp, ports::Counter};
use ledgerfold_lambda::http::{Counters, HttpQuery, Problem, QueryCall, Unversioned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moment;
use crate::{
    domain::{Telemetry, access},
    read_models::{
        Fleet,
        fleet::{counter, key_of},
    },
};

/// The longest range, in hours: 366 days.
const MAX_HOURS: i64 = 366 * 24;

/// Counts over all devices, for each hour in which batches were recorded, both ends included. At most 366 days.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetFleet {
    /// The first instant or day.
    from: Moment,
    /// The last instant or day.
    to: Moment,
}

/// The counts of the requested hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Fleet")]
pub struct FleetAnswer {
    /// The counts of each hour. An hour without batches is left out.
    hours: Vec<FleetHour>,
    /// The counts of all these hours.
    totals: FleetCounts,
}

/// The counts of an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FleetHour {
    /// The start of the hour.
    hour: Timestamp,
    #[serde(flatten)]
    counts: FleetCounts,
}

/// Counts over all devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FleetCounts {
    /// Batches that were recorded.
    #[schemars(range(min = 0))]
    batches: i128,
    /// Readings that were taken.
    #[schemars(range(min = 0))]
    readings: i128,
    /// Readings that had arrived before.
    #[schemars(range(min = 0))]
    duplicates: i128,
    /// Readings that were refused, in batches that were recorded.
    #[schemars(range(min = 0))]
    rejected: i128,
    /// Readings of an older epoch, or more than 7 days old.
    #[schemars(range(min = 0))]
    late: i128,
    /// Readings that are more than 10 minutes ahead.
    #[schemars(range(min = 0))]
    early: i128,
    /// Numbers that became missing. A single gap counts at most 1,000,000,000.
    #[schemars(range(min = 0))]
    gaps: i128,
    /// Missing numbers that arrived.
    #[schemars(range(min = 0))]
    closed: i128,
}

impl FleetCounts {
    fn of(found: &Counter) -> Self {
        let amount = |name: &str| found.amounts.get(name).copied().unwrap_or_default();
        Self {
            batches: amount(counter::BATCHES),
            readings: amount(counter::READINGS),
            duplicates: amount(counter::DUPLICATES),
            rejected: amount(counter::REJECTED),
            late: amount(counter::LATE),
            early: amount(counter::EARLY),
            gaps: amount(counter::GAPS),
            closed: amount(counter::CLOSED),
        }
    }

    fn add(&mut self, other: &Self) {
        self.batches += other.batches;
        self.readings += other.readings;
        self.duplicates += other.duplicates;
        self.rejected += other.rejected;
        self.late += other.late;
        self.early += other.early;
        self.gaps += other.gaps;
        self.closed += other.closed;
    }
}

#[async_trait]
impl HttpQuery for GetFleet {
    type Decider = Telemetry;
    type Models = Counters<Fleet>;
    type Answer = Unversioned<FleetAnswer>;

    const PATH: &'static str = "/fleet";

    fn example() -> Self {
        let day = Moment::Day(jiff::civil::Date::constant(2026, 11, 29));
        Self { from: day, to: day }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::by_operator(caller)
    }

    async fn answer(
        self,
        fleet: &Counters<Fleet>,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<FleetAnswer>, Problem> {
        let from = self.from.begin();
        let to = self.to.end();
        if to < from {
            return Err(Problem::bad_request("from must not be after to."));
        }
        if to.duration_since(from).as_hours() >= MAX_HOURS {
            return Err(Problem::bad_request("The range covers at most 366 days."));
        }
        let key = |at| key_of(at).map_err(|_| Problem::internal());
        let counters = fleet.range(&key(from)?, &key(to)?, call).await?;
        let mut totals = FleetCounts::default();
        let mut hours = Vec::with_capacity(counters.len());
        for counter in &counters {
            let counts = FleetCounts::of(counter);
            totals.add(&counts);
            let hour = format!("{}:00:00Z", counter.key).parse();
            hours.push(FleetHour { hour: hour.map_err(|_| Problem::internal())?, counts });
        }
        Ok(Unversioned(FleetAnswer { hours, totals }))
    }
}
