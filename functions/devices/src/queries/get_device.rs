//! `GET /devices/{id}`

use std::collections::BTreeMap;

use async_trait::async_trait;
use devices_events::Range;
use ledgerfold::{Access, Caller, Category, Decider, EntityId, StreamId, Timestamp, Version};
use ledgerfold_lambda::http::{AtVersion, HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measured, example, no_such_device};
use crate::{
    domain::{Devices, Intake, Telemetry, access, telemetry, window},
    read_models::{DeviceView, DeviceViews, Latest, SiteDevice, SiteDevices, Status},
};

/// A device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetDevice {
    /// The device.
    id: EntityId,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Device")]
pub struct DeviceAnswer {
    /// Its id.
    #[schemars(with = "EntityId")]
    id: String,
    /// The model.
    model: String,
    /// The place.
    site: String,
    /// The status.
    status: Status,
    /// The newest epoch, or null before the first reading.
    epoch: Option<u32>,
    /// The highest number of the epoch without a missing one before it.
    up_to: u64,
    /// The missing numbers of the epoch: the first 100 ranges, with both ends.
    missing: Vec<Range>,
    /// When its last batch was recorded.
    last_seen_at: Option<Timestamp>,
    /// The latest reading of each metric of this month and the one before: the one with the highest epoch and number.
    latest: BTreeMap<String, LatestAnswer>,
    /// The version.
    #[schemars(range(min = 1))]
    version: u64,
}

/// The latest reading of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Latest")]
pub struct LatestAnswer {
    /// The value.
    value: Measured,
    /// The time, by the clock of the device.
    at: Timestamp,
    /// The number.
    seq: u64,
}

impl From<Latest> for LatestAnswer {
    fn from(Latest { value, at, seq, .. }: Latest) -> Self {
        Self { value: Measured(value), at, seq }
    }
}

type Models = (Rows<SiteDevices>, Rows<DeviceViews>);

#[async_trait]
impl HttpQuery for GetDevice {
    type Decider = Telemetry;
    type Models = Models;
    type Answer = AtVersion<DeviceAnswer>;

    const PATH: &'static str = "/devices/{id}";

    fn example() -> Self {
        Self { id: example("d-1") }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::by_operator(caller)
    }

    fn follows(category: &Category) -> bool {
        [Devices::CATEGORY, Telemetry::CATEGORY].contains(category)
    }

    async fn answer(
        self,
        models: &Models,
        call: QueryCall<'_>,
    ) -> Result<AtVersion<DeviceAnswer>, Problem> {
        let stream = call.stream(Devices::CATEGORY, self.id);
        let device = models.0.get(&stream, call).await?.ok_or_else(no_such_device)?.row;
        let view = newest(models, &stream, &device, call).await?;
        let body = match view {
            Some(view) => DeviceAnswer::of(device, view),
            None => DeviceAnswer::new(device),
        };
        Ok(AtVersion { version: Version::new(body.version), body })
    }
}

/// The view of the device's month, with the latest readings of the month before.
async fn newest(
    (_, views): &Models,
    stream: &StreamId,
    device: &SiteDevice,
    call: QueryCall<'_>,
) -> Result<Option<DeviceView>, Problem> {
    // The list of devices may lag, and then a token may know a later month.
    let of_token = call
        .token
        .map(|token| &token.stream)
        .filter(|it| telemetry::device_of(it) == Some(stream.id().as_str()));
    let Some(month) = device.month.max(of_token.and_then(telemetry::month_of)) else {
        return Ok(None);
    };
    let at = |month| telemetry::stream_of(stream, month).map_err(|_| no_such_device());
    let newest = at(month)?;
    let found = views.get(&newest, call).await?.map(|found| found.row);
    let is_behind = |view: &DeviceView| {
        device.status == Status::Decommissioned && view.telemetry.intake == Intake::Open
    };
    let found = match found {
        Some(view) if is_behind(&view) => views.current(&newest, call).await?.map(|it| it.row),
        found => found,
    };
    let Some(mut view) = found else { return Ok(None) };
    if let Some(previous) = view.previous
        && let Some(before) = views.get(&at(previous)?, call).await?
    {
        view.last_seen_at = view.last_seen_at.or(before.row.last_seen_at);
        for (metric, latest) in before.row.latest {
            view.latest.entry(metric).or_insert(latest);
        }
    }
    Ok(Some(view))
}

impl DeviceAnswer {
    /// A device without a month.
    fn new(device: SiteDevice) -> Self {
        let version = if device.status == Status::Active { 1 } else { 2 };
        Self {
            id: device.id,
            model: device.model,
            site: device.site,
            status: device.status,
            epoch: None,
            up_to: 0,
            missing: Vec::new(),
            last_seen_at: None,
            latest: BTreeMap::new(),
            version,
        }
    }

    fn of(
        device: SiteDevice,
        DeviceView { telemetry, last_seen_at, latest, .. }: DeviceView,
    ) -> Self {
        let newest = telemetry.windows.last();
        let epoch = newest.map(|window| window.epoch);
        let status = match telemetry.intake {
            Intake::Stopped => Status::Decommissioned,
            _ => device.status,
        };
        Self {
            status,
            epoch,
            up_to: newest.map_or(0, window::up_to),
            missing: epoch.map(|epoch| telemetry.missing(epoch)).unwrap_or_default(),
            last_seen_at,
            latest: latest.into_iter().map(|(metric, it)| (metric, it.into())).collect(),
            version: telemetry.version,
            ..Self::new(device)
        }
    }
}
