//! `POST /devices/{id}/readings`

use async_trait::async_trait;
use devices_events::{MAX_READINGS, Range, ReadingsRecorded, Rejected, numbers};
use ledgerfold::{Access, EntityId, Timestamp, vocabulary::ConsistencyToken};
use ledgerfold_lambda::http::{
    CommandCall, CommandHeaders, CommandSide, Handles, HttpCommand, Instant, Problem, Response,
    StatusCode, Success,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::months::{Handled, Months, device_of, no_such_device};
use crate::domain::{RecordReadings, Sent, access, batch::recorded};

/// The highest number that every JSON parser represents exactly.
const MAX_SEQ: u64 = 9_007_199_254_740_991;

/// Send readings. They need no Idempotency-Key: the same epoch and numbers are the same readings, however often and in
/// whatever batches they are sent. A reading is never refused for its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SendReadings {
    /// A counter of the device's restarts. A new epoch begins its numbers anew.
    #[schemars(range(max = u32::MAX))]
    pub epoch: u32,
    /// The readings, of any metrics.
    #[schemars(length(min = 1, max = MAX_READINGS))]
    pub readings: Vec<SentReading>,
}

/// A reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SentReading {
    /// Its number in the epoch, from 1.
    #[schemars(range(min = 1, max = MAX_SEQ))]
    pub seq: u64,
    /// The time, by the clock of the device.
    pub at: Instant,
    /// The name of the metric.
    pub metric: EntityId,
    /// The value. It is stored in the notation in which it is sent.
    pub value: f64,
}

/// The numbers of a batch that were taken, repeated, refused and are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BatchAnswer {
    /// How many readings were taken.
    accepted: usize,
    /// The numbers that had arrived before, once for each repetition.
    duplicates: Vec<u64>,
    /// The readings that were refused, each with the rule that it breaks.
    rejected: Vec<Rejected>,
    /// The numbers of the epoch that are missing now: the first 100 ranges, with both ends.
    missing: Vec<Range>,
    /// The version of the device after the batch.
    #[schemars(range(min = 1))]
    version: u64,
}

/// The notation of the values in a body.
#[derive(Deserialize)]
struct RawBatch<'a> {
    #[serde(borrow)]
    readings: Vec<RawReading<'a>>,
}

#[derive(Deserialize)]
struct RawReading<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
}

impl HttpCommand for SendReadings {
    const PATH: &'static str = "/devices/{id}/readings";
    const REFUSALS: &'static [&'static str] = &["device-decommissioned"];
    const TAKES_ANY_NUMBER: bool = true;

    fn example() -> Self {
        let at = Instant(Timestamp::UNIX_EPOCH);
        let metric = EntityId::new("temperature").expect("it is an id");
        Self { epoch: 1, readings: vec![SentReading { seq: 1, at, metric, value: 21.5 }] }
    }
}

/// Takes batches of readings.
pub struct TakesReadings(Months);

#[async_trait]
impl Handles<SendReadings> for TakesReadings {
    const NEEDS_KEY: bool = false;

    fn successes() -> Vec<Success> {
        const TAKEN: &str =
            "The batch was handled: something of it was taken or had been taken before.";
        const REFUSED: &str = "Every reading of the batch was refused.";
        vec![
            Success::new::<BatchAnswer>(StatusCode::OK, TAKEN).with_version(),
            Success::new::<BatchAnswer>(StatusCode::UNPROCESSABLE_ENTITY, REFUSED),
        ]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self(Months::open(side))
    }

    async fn handle(
        &self,
        SendReadings { epoch, readings }: SendReadings,
        call: CommandCall<'_>,
    ) -> Result<Response, Problem> {
        let raw = serde_json::from_slice::<RawBatch<'_>>(&call.request.body);
        let raw = raw.map_err(|error| {
            Problem::bad_request(format!("The body is not valid JSON: {error}."))
        })?;
        let readings = readings.into_iter().zip(raw.readings).map(|(reading, raw)| Sent {
            seq: reading.seq,
            at: reading.at.into(),
            metric: reading.metric.into(),
            value: raw.value.get().to_owned(),
        });
        let (stream, device) = device_of(call)?;
        // The months of a hidden device must not be looked for.
        if access::by_device(&call.request.caller, &device) == Access::Hidden {
            return Err(no_such_device());
        }
        let expected = CommandHeaders::expected(call.request)?;
        let command = RecordReadings { device, epoch, readings: readings.collect(), expected };
        let handled = self.0.record(&stream, command.clone(), call).await?;
        let event = event_of(&handled, &command)?;
        Ok(answer(&event, &handled))
    }
}

/// The event of the batch. A batch of which nothing was recorded is decided once more on the state that it left unchanged.
fn event_of(
    Handled { answer, state }: &Handled,
    RecordReadings { epoch, readings, .. }: &RecordReadings,
) -> Result<ReadingsRecorded, Problem> {
    match answer.events.first() {
        Some(event) => event.data.decode().map_err(|error| {
            tracing::error!(%error, "the event of a batch cannot be read");
            Problem::internal()
        }),
        None => Ok(recorded(state, *epoch, readings)),
    }
}

fn answer(event: &ReadingsRecorded, Handled { answer, state }: &Handled) -> Response {
    let metrics = event.metrics.values();
    let accepted = metrics.map(|column| column.seqs.numbers().map_or(0, |seqs| seqs.len())).sum();
    let body = BatchAnswer {
        accepted,
        duplicates: numbers(&event.duplicates).collect(),
        rejected: event.rejected.clone(),
        missing: state.missing(event.epoch),
        version: state.version,
    };
    let refused = answer.events.is_empty();
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let response = Response::json(status, &body);
    if refused {
        return response;
    }
    let token = ConsistencyToken { stream: answer.stream.clone(), version: answer.version };
    response
        .with_header("ETag", format!("\"{}\"", state.version))
        .with_header("Consistency-Token", token.to_text())
}
