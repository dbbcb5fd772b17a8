//! `GET /patients/{id}/records`

use async_trait::async_trait;
use ledgerfold::{EntityId, Timestamp, Version, query::AuditPosition, vocabulary::Cursor};
use ledgerfold_lambda::http::{
    HttpQuery, Instant, Limit, List, ListPosition, Page, PageCursor, Problem, QueryCall,
    RequiredHeader, Unversioned,
};
use patients_events::{Code, PatientEvent, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    chart::{Chart, PURPOSE, content},
    example_patient,
};
use crate::domain::Patients;

/// The records of a patient that the caller may read, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetRecords {
    /// The patient.
    id: EntityId,
    /// Show the records as they were recorded by this time.
    at: Option<Instant>,
    /// The most records of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// Whether a record was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordStatus {
    /// It is as it was added.
    Current,
    /// It was amended.
    Amended,
    /// It was retracted, for example because it was entered in error.
    Retracted,
}

/// A record.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Record")]
pub struct RecordItem {
    /// Its id.
    id: EntityId,
    /// Its kind.
    kind: RecordKind,
    /// Its code.
    code: Code,
    /// Its text.
    text: String,
    /// When it was true of the patient.
    effective_at: Timestamp,
    /// Whether it was changed.
    status: RecordStatus,
    /// When this content was recorded.
    recorded_at: Timestamp,
    /// The version of the patient with this content.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
}

/// A page begins behind the record that was added at this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Behind(Version);

impl ListPosition for Behind {}

#[async_trait]
impl HttpQuery for GetRecords {
    type Decider = Patients;
    type Models = Chart;
    type Answer = Unversioned<List<RecordItem>>;

    const PATH: &'static str = "/patients/{id}/records";
    const HEADERS: &'static [RequiredHeader] = &[PURPOSE];

    fn example() -> Self {
        Self { id: example_patient(), at: None, limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        chart: &Chart,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<RecordItem>>, Problem> {
        let list = format!("records of {}", self.id);
        let Page { limit, from } = Page::<Behind>::of(&list, self.limit, self.cursor.as_ref())?;
        let Behind(from) = from.unwrap_or(Behind(Version::NONE));
        let read = chart.read(self.id, self.at, call).await?;
        let row = &read.shown.row;
        let mut places: Vec<_> = row
            .places
            .iter()
            .filter_map(|(id, place)| Some((id, place, row.patient.records.get(id)?)))
            .filter(|(_, place, entry)| place.added > from && read.kinds.contains(&entry.kind))
            .collect();
        places.sort_by_key(|(_, place, _)| place.added);
        let more = places.len() > limit;
        places.truncate(limit);
        let next = places.last().filter(|_| more).map(|(_, place, _)| Behind(place.added));
        let keys = read.keys().await?;
        let mut items = Vec::with_capacity(places.len());
        for (id, place, entry) in places {
            let at = place.latest..=place.latest;
            let page = read.log().events(&read.stream, at, AuditPosition::START, 1).await?;
            let event = page.events.into_iter().next().ok_or_else(Problem::internal)?;
            let sealed = match event.event {
                PatientEvent::RecordAdded(it) => it.content,
                PatientEvent::RecordAmended(it) => it.content,
                _ => return Err(Problem::internal()),
            };
            let content = content(&keys, &sealed)?;
            let status = match (entry.is_retracted, place.latest > place.added) {
                (true, _) => RecordStatus::Retracted,
                (false, true) => RecordStatus::Amended,
                (false, false) => RecordStatus::Current,
            };
            items.push(RecordItem {
                id: id.clone(),
                kind: entry.kind,
                code: content.code,
                text: content.text,
                effective_at: content.effective_at,
                status,
                recorded_at: event.recorded_at,
                version: place.latest,
            });
        }
        let kinds: Vec<_> = items.iter().map(|it| it.kind).collect();
        let next_cursor = next.map(|next| Cursor(next).to_text(&list));
        read.recorded(kinds, Unversioned(List { items, next_cursor })).await
    }
}
