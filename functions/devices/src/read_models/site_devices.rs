//! The devices of a site.

use devices_events::{DeviceEvent, Month};
use ledgerfold::{InvalidId, Recorded, Timestamp, ports::IndexKey, project::Projection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The devices of each site, the newest first.
#[derive(Clone, Copy, Debug)]
pub struct SiteDevices;

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SiteDevice {
    /// Its id.
    pub id: String,
    /// The model.
    pub model: String,
    /// The place.
    pub site: String,
    /// The status.
    pub status: Status,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// The month of its readings.
    pub month: Option<Month>,
}

/// The status of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It may send readings.
    #[default]
    Active,
    /// It was decommissioned.
    Decommissioned,
}

impl Projection for SiteDevices {
    type Event = DeviceEvent;
    type Row = SiteDevice;

    fn evolve(
        row: Option<SiteDevice>,
        event: &Recorded<DeviceEvent>,
    ) -> Result<Option<SiteDevice>, String> {
        if let DeviceEvent::DeviceRegistered(registered) = &event.event {
            return Ok(Some(SiteDevice {
                id: event.stream.id().to_string(),
                model: registered.model.clone(),
                site: registered.site.clone(),
                status: Status::Active,
                registered_at: event.recorded_at,
                month: None,
            }));
        }
        let device = row.ok_or("the device was not registered")?;
        Ok(Some(match &event.event {
            DeviceEvent::DeviceRegistered(_) => device,
            DeviceEvent::MonthBegun(begun) => SiteDevice { month: Some(begun.month), ..device },
            DeviceEvent::DeviceDecommissioned(_) => {
                SiteDevice { status: Status::Decommissioned, ..device }
            }
        }))
    }

    fn index(row: &SiteDevice) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::by_time(&*row.site, row.registered_at, &row.id).map(Some)
    }
}
