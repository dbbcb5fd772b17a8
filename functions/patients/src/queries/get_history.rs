//! `GET /patients/{id}/history`

use async_trait::async_trait;
use ledgerfold::{
    EntityId, Envelope, Timestamp, Version, query::AuditPosition, sealed::OpenKeys,
    vocabulary::Cursor,
};
use ledgerfold_lambda::http::{
    Answer, HttpQuery, Instant, Limit, List, Page, PageCursor, Problem, QueryCall, RequiredHeader,
};
use patients_events::{PatientEvent, RecordKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    chart::{Chart, PURPOSE, content},
    example_patient,
};
use crate::{
    domain::Patients,
    fhir::{self, Opened},
};

/// The media type of FHIR.
const FHIR: &str = "application/fhir+json";

/// The history of a patient: every version, oldest first. With `Accept: application/fhir+json`, the answer is a bundle of
/// FHIR R4. Records of kinds that the caller may not read have no content.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetHistory {
    /// The patient.
    id: EntityId,
    /// Show the history as it was recorded by this time.
    at: Option<Instant>,
    /// The most versions of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// A version of a patient.
#[derive(Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryItem {
    /// The version.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
    /// The type of its event.
    #[serde(rename = "type")]
    event_type: String,
    /// When it was recorded.
    recorded_at: Timestamp,
    /// The caller of its command.
    actor: String,
    /// Its content, or null if the caller may not read it.
    data: Option<Map<String, Value>>,
}

/// The history, in one of two forms.
pub enum HistoryAnswer {
    /// A page of versions.
    Json(List<HistoryItem>),
    /// A bundle of FHIR R4.
    Fhir(Value),
}

/// The body of the answer. The schema is that of JSON; FHIR has its own.
#[derive(Serialize)]
#[serde(untagged)]
pub enum HistoryBody {
    /// A page of versions.
    Json(List<HistoryItem>),
    /// A bundle of FHIR R4.
    Fhir(Value),
}

impl JsonSchema for HistoryBody {
    fn inline_schema() -> bool {
        List::<HistoryItem>::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        List::<HistoryItem>::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        List::<HistoryItem>::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        List::<HistoryItem>::json_schema(generator)
    }
}

impl Answer for HistoryAnswer {
    type Body = HistoryBody;
    const HAS_VERSION: bool = false;
    const ALSO: &'static [&'static str] = &[FHIR];

    fn media_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Fhir(_) => FHIR,
        }
    }

    fn into_parts(self) -> (HistoryBody, Option<Version>) {
        match self {
            Self::Json(list) => (HistoryBody::Json(list), None),
            Self::Fhir(bundle) => (HistoryBody::Fhir(bundle), None),
        }
    }
}

/// An event of the history with its opened content.
pub(crate) struct Past {
    pub(crate) envelope: Envelope,
    pub(crate) event: PatientEvent,
    pub(crate) opened: Opened,
}

impl Past {
    fn of(
        envelope: Envelope,
        keys: &OpenKeys,
        read: &dyn Fn(RecordKind) -> bool,
    ) -> Result<Option<Self>, Problem> {
        let decoded = envelope.open::<PatientEvent>();
        let decoded = decoded.map_err(|_| Problem::internal())?;
        let Some(event) = decoded.as_slice().first().map(|it| it.event.clone()) else {
            return Ok(None);
        };
        let opened = match &event {
            PatientEvent::PatientRegistered(it) => {
                Opened::Demographics(content(keys, &it.demographics)?)
            }
            PatientEvent::RecordAdded(it) if read(it.kind) => {
                Opened::Record { content: content(keys, &it.content)?, reason: None }
            }
            PatientEvent::RecordAmended(it) if read(it.kind) => Opened::Record {
                content: content(keys, &it.content)?,
                reason: Some(content(keys, &it.reason)?),
            },
            PatientEvent::RecordRetracted(it) => Opened::Reason(content(keys, &it.reason)?),
            PatientEvent::EmergencyAccessStarted(it) => Opened::Reason(content(keys, &it.reason)?),
            PatientEvent::RecordAdded(_) | PatientEvent::RecordAmended(_) => Opened::Hidden,
            _ => Opened::Nothing,
        };
        Ok(Some(Self { envelope, event, opened }))
    }

    fn kind(&self) -> Option<RecordKind> {
        match (&self.event, &self.opened) {
            (_, Opened::Hidden) => None,
            (PatientEvent::RecordAdded(it), _) => Some(it.kind),
            (PatientEvent::RecordAmended(it), _) => Some(it.kind),
            _ => None,
        }
    }

    fn data(&self) -> Option<Map<String, Value>> {
        let value = match (&self.event, &self.opened) {
            (_, Opened::Hidden) => return None,
            (_, Opened::Demographics(it)) => json!(it),
            (PatientEvent::RecordAdded(it), Opened::Record { content, .. }) => {
                let mut data = json!(content);
                data["record"] = json!(it.record);
                data["kind"] = json!(it.kind);
                data
            }
            (PatientEvent::RecordAmended(it), Opened::Record { content, reason }) => {
                let mut data = json!(content);
                data["record"] = json!(it.record);
                data["kind"] = json!(it.kind);
                data["reason"] = json!(reason);
                data
            }
            (PatientEvent::RecordRetracted(it), Opened::Reason(reason)) => {
                json!({"record": it.record, "reason": reason})
            }
            (PatientEvent::EmergencyAccessStarted(it), Opened::Reason(reason)) => json!({
                "access": it.access, "clinician": it.clinician, "until": it.until, "reason": reason,
            }),
            (PatientEvent::ConsentGiven(it), _) => json!(it),
            (PatientEvent::ConsentWithdrawn(it), _) => json!(it),
            (PatientEvent::EmergencyAccessEnded(it), _) => json!(it),
            _ => json!({}),
        };
        match value {
            Value::Object(data) => Some(data),
            _ => None,
        }
    }

    fn into_item(self) -> HistoryItem {
        let data = self.data();
        let Envelope { event, version, metadata, .. } = self.envelope;
        HistoryItem {
            version,
            event_type: event.event_type.to_string(),
            recorded_at: metadata.recorded_at,
            actor: metadata.actor.into(),
            data,
        }
    }
}

#[async_trait]
impl HttpQuery for GetHistory {
    type Decider = Patients;
    type Models = Chart;
    type Answer = HistoryAnswer;

    const PATH: &'static str = "/patients/{id}/history";
    const HEADERS: &'static [RequiredHeader] = &[PURPOSE];

    fn example() -> Self {
        Self { id: example_patient(), at: None, limit: Limit::default(), cursor: None }
    }

    async fn answer(self, chart: &Chart, call: QueryCall<'_>) -> Result<HistoryAnswer, Problem> {
        let list = format!("history of {}", self.id);
        let Page { limit, from } =
            Page::<AuditPosition>::of(&list, self.limit, self.cursor.as_ref())?;
        let is_fhir = call.request.header_values("accept").any(|it| it.contains(FHIR));
        let read = chart.read(self.id.clone(), self.at, call).await?;
        let keys = read.keys().await?;
        let from = from.unwrap_or(AuditPosition::START);
        let page = read.log().page(&read.stream, from, limit).await?;
        let last = read.shown.version;
        let ends = page.events.iter().any(|it| it.version >= last);
        let shown = page.events.into_iter().filter(|it| it.version <= last);
        let may_read = |kind: RecordKind| read.kinds.contains(&kind);
        let past = shown.map(|envelope| Past::of(envelope, &keys, &may_read));
        let past: Vec<Past> = past.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let kinds: Vec<_> = past.iter().filter_map(Past::kind).collect();
        let next_cursor = page.next.filter(|_| !ends).map(|it| Cursor(it).to_text(&list));
        let answer = match is_fhir {
            true => HistoryAnswer::Fhir(fhir::bundle(&self.id, &past, next_cursor.as_deref())),
            false => {
                let items = past.into_iter().map(Past::into_item).collect();
                HistoryAnswer::Json(List { items, next_cursor })
            }
        };
        read.recorded(kinds, answer).await
    }
}
