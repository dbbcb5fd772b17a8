//! `GET /patients/{id}/accesses`

use async_trait::async_trait;
use ledgerfold::{
    Decider, EntityId, Recorded, Timestamp, Version, query::AuditPosition, vocabulary::Cursor,
};
use ledgerfold_lambda::http::{
    HttpQuery, Limit, List, ListPosition, Page, PageCursor, Problem, QueryCall, RequiredHeader,
    Unversioned,
};
use patients_events::{AccessEvent, Purpose, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    chart::{Chart, PURPOSE},
    example_patient,
};
use crate::domain::{AccessLogs, Patients};

/// The reads of a patient and the refused ones, newest first. The list shows itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetAccesses {
    /// The patient.
    id: EntityId,
    /// The most accesses of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// A read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Access")]
pub struct AccessItem {
    /// The time.
    at: Timestamp,
    /// The caller.
    subject: String,
    /// Its role.
    role: String,
    /// Its purpose.
    purpose: Purpose,
    /// The kinds of records in the answer.
    kinds: Vec<RecordKind>,
    /// Whether there was an answer.
    allowed: bool,
    /// Whether only an emergency access allowed it.
    emergency: bool,
}

impl From<Recorded<AccessEvent>> for AccessItem {
    fn from(recorded: Recorded<AccessEvent>) -> Self {
        let AccessEvent::DataRead(read) = recorded.event;
        Self {
            at: recorded.recorded_at,
            subject: read.subject.to_string(),
            role: read.role,
            purpose: read.purpose,
            kinds: read.kinds,
            allowed: read.allowed,
            emergency: read.emergency,
        }
    }
}

/// A page ends before the record of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Before(Version);

impl ListPosition for Before {}

#[async_trait]
impl HttpQuery for GetAccesses {
    type Decider = Patients;
    type Models = Chart;
    type Answer = Unversioned<List<AccessItem>>;

    const PATH: &'static str = "/patients/{id}/accesses";
    const HEADERS: &'static [RequiredHeader] = &[PURPOSE];

    fn example() -> Self {
        Self { id: example_patient(), limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        chart: &Chart,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<AccessItem>>, Problem> {
        let list = format!("accesses of {}", self.id);
        let Page { limit, from } = Page::<Before>::of(&list, self.limit, self.cursor.as_ref())?;
        let (_, newest) = chart.oversee(self.id.clone(), call).await?;
        let end = from.map_or(newest.get(), |Before(before)| before.get().saturating_sub(1));
        let end = end.min(newest.get());
        let size = u64::try_from(limit).unwrap_or(u64::MAX);
        let first = end.saturating_sub(size) + 1;
        let versions = Version::new(first)..=Version::new(end);
        let stream = call.stream(AccessLogs::CATEGORY, self.id);
        let page = chart.log.events(&stream, versions, AuditPosition::START, limit).await?;
        let items = page.events.into_iter().rev().map(AccessItem::from).collect();
        let next = (first > 1 && end > 0).then(|| Before(Version::new(first)));
        let next_cursor = next.map(|next| Cursor(next).to_text(&list));
        Ok(Unversioned(List { items, next_cursor }))
    }
}
