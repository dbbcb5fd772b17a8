//! `GET /sites/{site}/devices`

use async_trait::async_trait;
use ledgerfold::{Access, Caller, EntityId, Timestamp};
use ledgerfold_lambda::http::{
    HttpQuery, Limit, List, PageCursor, Problem, QueryCall, Rows, Unversioned,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::example;
use crate::{
    domain::{Devices, access},
    read_models::{SiteDevice, SiteDevices, Status},
};

/// The devices of a site, the newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetSiteDevices {
    /// The site.
    site: EntityId,
    /// The most devices of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// A device in the list of its site.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedDevice {
    /// Its id.
    #[schemars(with = "EntityId")]
    id: String,
    /// The model.
    model: String,
    /// The place.
    site: String,
    /// The status.
    status: Status,
    /// When it was registered.
    registered_at: Timestamp,
}

impl From<SiteDevice> for ListedDevice {
    fn from(SiteDevice { id, model, site, status, registered_at, .. }: SiteDevice) -> Self {
        Self { id, model, site, status, registered_at }
    }
}

#[async_trait]
impl HttpQuery for GetSiteDevices {
    type Decider = Devices;
    type Models = Rows<SiteDevices>;
    type Answer = Unversioned<List<ListedDevice>>;

    const PATH: &'static str = "/sites/{site}/devices";

    fn example() -> Self {
        Self { site: example("s-1"), limit: Limit::default(), cursor: None }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::by_operator(caller)
    }

    async fn answer(
        self,
        devices: &Rows<SiteDevices>,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<ListedDevice>>, Problem> {
        let list = format!("devices of {}", self.site);
        let page = devices.page(&list, &self.site, self.limit, self.cursor.as_ref(), call).await?;
        Ok(Unversioned(page.map(|found| found.row.into())))
    }
}
