//! The queries, each in its own file: its parameters, its path and its answer. To add a query, add a file here and a line to
//! [`add_to`].

mod get_device;
mod get_fleet;
mod get_rollup;
mod get_site_devices;
mod get_timeline;
mod measured;
mod moment;

use ledgerfold::EntityId;
use ledgerfold_lambda::http::{Api, Problem};

pub use get_device::{DeviceAnswer, GetDevice, LatestAnswer};
pub use get_fleet::{FleetAnswer, FleetCounts, FleetHour, GetFleet};
pub use get_rollup::{GetRollup, RollupAnswer, RollupWindow};
pub use get_site_devices::{GetSiteDevices, ListedDevice};
pub use get_timeline::{GetTimeline, TimelineReading};
pub use measured::Measured;
pub use moment::Moment;

/// The API with all queries.
pub fn add_to(api: Api) -> Api {
    api.query::<GetDevice>()
        .query::<GetTimeline>()
        .query::<GetRollup>()
        .query::<GetSiteDevices>()
        .query::<GetFleet>()
}

fn example(text: &str) -> EntityId {
    EntityId::new(text).expect("it is an id")
}

fn no_such_device() -> Problem {
    Problem::not_found("The device does not exist.")
}
