//! `GET /devices/{id}/rollup`

use std::collections::BTreeMap;

use async_trait::async_trait;
use ledgerfold::{
    Access, Caller, Decider, EntityId, Timestamp,
    ports::{PartGroup, PartOrder},
};
use ledgerfold_lambda::http::{HttpQuery, Parts, Problem, QueryCall, Rows, Unversioned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measured, Moment, example, no_such_device};
use crate::{
    domain::{Devices, Telemetry, access},
    read_models::{
        Rollups, SiteDevices, Step, Sums,
        rollup::{group_of, order_of},
    },
};

/// The most windows of an answer.
const MAX_WINDOWS: usize = 1_500;
/// How many parts are read at once. A device has one for each window and month of recording.
const PARTS: usize = 500;

/// Sums of a metric over windows of time, both ends included. A window without readings is left out. At most 1,500
/// windows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetRollup {
    /// The device.
    id: EntityId,
    /// The metric.
    metric: EntityId,
    /// The instant or day whose window is the first one.
    from: Moment,
    /// The last instant or day.
    to: Moment,
    /// The length of the windows.
    step: Step,
}

/// The windows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Rollup")]
pub struct RollupAnswer {
    /// The windows, the oldest first.
    windows: Vec<RollupWindow>,
}

/// The readings of a window.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Window")]
pub struct RollupWindow {
    /// The first instant.
    start: Timestamp,
    /// The number of readings.
    #[schemars(range(min = 1))]
    count: u64,
    /// The lowest value.
    min: Measured,
    /// The highest value.
    max: Measured,
    /// The sum, rounded once. Null if it exceeds 64-bit floats.
    sum: Option<f64>,
    /// The sum by the number of readings. Null if the sum is.
    mean: Option<f64>,
    /// How many batches have changed the window. A late reading raises it.
    #[schemars(range(min = 1))]
    revision: u64,
}

impl RollupWindow {
    fn of(start: Timestamp, sums: &Sums) -> Self {
        let sum = sums.sum.rounded();
        let mean = sum.map(|sum| sum / float(sums.count));
        Self {
            start,
            count: sums.count,
            min: Measured(sums.min.clone()),
            max: Measured(sums.max.clone()),
            sum,
            mean,
            revision: sums.revision,
        }
    }
}

/// The number as a float. No window has so many readings that this loses one.
fn float(count: u64) -> f64 {
    const HALF: f64 = 4_294_967_296.0;
    let half = |bits: u64| f64::from(u32::try_from(bits & 0xFFFF_FFFF).unwrap_or_default());
    half(count >> 32) * HALF + half(count)
}

type Models = (Rows<SiteDevices>, Parts<Rollups>);

#[async_trait]
impl HttpQuery for GetRollup {
    type Decider = Telemetry;
    type Models = Models;
    type Answer = Unversioned<RollupAnswer>;

    const PATH: &'static str = "/devices/{id}/rollup";

    fn example() -> Self {
        let day = Moment::Day(jiff::civil::Date::constant(2026, 11, 29));
        let metric = example("temperature");
        Self { id: example("d-1"), metric, from: day, to: day, step: Step::Hour }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::by_operator(caller)
    }

    async fn answer(
        self,
        (devices, rollups): &Models,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<RollupAnswer>, Problem> {
        let Self { id, metric, from, to, step } = self;
        if to.end() < from.begin() {
            return Err(Problem::bad_request("from must not be after to."));
        }
        let stream = call.stream(Devices::CATEGORY, id);
        devices.get(&stream, call).await?.ok_or_else(no_such_device)?;
        let group = group_of(stream.id().as_str(), metric.as_str(), step);
        let range = (step.start(from.begin()), step.start(to.end()));
        let windows = windows(rollups, &group, range, call).await?;
        let windows = windows.iter().map(|(start, sums)| RollupWindow::of(*start, sums));
        Ok(Unversioned(RollupAnswer { windows: windows.collect() }))
    }
}

/// The windows of a range. Parts of the same window from several months are added up.
async fn windows(
    rollups: &Parts<Rollups>,
    group: &str,
    (first, last): (Timestamp, Timestamp),
    call: QueryCall<'_>,
) -> Result<BTreeMap<Timestamp, Sums>, Problem> {
    let internal = |_| Problem::internal();
    let group = PartGroup::new(group).map_err(internal)?;
    let order = |at| PartOrder::new(order_of(at)).map_err(internal);
    let (mut from, last) = (order(first)?, order(last)?);
    let mut parts = BTreeMap::new();
    loop {
        let page = rollups.range(&group, (from.clone(), last.clone()), PARTS, call).await?;
        for part in page.parts {
            parts.insert((part.order, part.stream), part.part);
        }
        let orders: std::collections::BTreeSet<_> = parts.keys().map(|(order, _)| order).collect();
        if orders.len() > MAX_WINDOWS {
            let detail = format!("The range has more than {MAX_WINDOWS} windows.");
            return Err(Problem::bad_request(detail));
        }
        match page.next {
            Some(next) if next > from => from = next,
            _ => break,
        }
    }
    let mut windows = BTreeMap::<Timestamp, Sums>::new();
    for ((order, _), sums) in parts {
        let start = order.as_str().parse().map_err(|_| Problem::internal())?;
        match windows.get_mut(&start) {
            Some(window) => window.merge(&sums),
            None => drop(windows.insert(start, sums)),
        }
    }
    Ok(windows)
}
