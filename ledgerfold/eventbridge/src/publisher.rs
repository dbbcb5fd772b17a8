//! The publisher of events and dead letters.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_eventbridge::{Client, primitives::DateTime, types::PutEventsRequestEntry};
use futures::future::try_join_all;
use ledgerfold::{
    Envelope,
    ports::{
        DeadLetter, DeadLetters, EntryError, Limits, PayloadStore, PublishError, Publisher,
        Unpublishable,
    },
    vocabulary::{ContentId, Form},
};
use ledgerfold_aws::{Meaning, explain};

use crate::{CloudEvent, SigningKey, cloud_event::name_of};

/// The most entries of one PutEvents call
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>).
pub const MAX_CALL_ENTRIES: usize = 10;

/// The most bytes of one PutEvents call, and so of one event. AWS accepts 1 MB since January 2026. Emulators and other
/// buses accept 256 KiB, which is our default.
pub const MAX_CALL_BYTES: usize = 256 * 1024;

/// The bytes that EventBridge counts for an entry's time
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>, entry size).
const TIME_BYTES: usize = 14;

/// The most characters of the reason in a dead letter.
const MAX_REASON_CHARS: usize = 2_000;

/// Publishes to an EventBridge bus.
#[derive(Clone)]
pub struct EventBridgePublisher {
    client: Client,
    bus: String,
    context: String,
    max_call_bytes: usize,
    /// Shared by the clones of the publisher and by the log.
    payloads: Option<Arc<dyn PayloadStore>>,
    key: Option<SigningKey>,
}

impl EventBridgePublisher {
    /// A publisher of the events of one context, for example `orders`, to a bus, by name or ARN.
    pub fn new(client: Client, bus: impl Into<String>, context: impl Into<String>) -> Self {
        let bus = bus.into();
        let context = context.into();
        let max_call_bytes = MAX_CALL_BYTES;
        Self { client, bus, context, max_call_bytes, payloads: None, key: None }
    }

    /// Signs events with this key, so that consumers can trust them without reading the log.
    #[must_use]
    pub fn with_key(self, key: SigningKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Sets another limit for the bytes of a call.
    #[must_use]
    pub fn with_call_bytes(self, max_call_bytes: usize) -> Self {
        Self { max_call_bytes, ..self }
    }

    fn source(&self, form: Form) -> String {
        format!("ledgerfold.{}", name_of(&self.context, form))
    }

    /// Stores the data of events that are too large for a call here, and publishes a pointer to it.
    #[must_use]
    pub fn with_payloads(self, payloads: Arc<dyn PayloadStore>) -> Self {
        Self { payloads: Some(payloads), ..self }
    }

    /// The published form of an event, with its size: the event itself, or a pointer if it is too large.
    fn parcel(&self, envelope: &Envelope) -> Result<Parcel, Unpublishable> {
        let unpublishable =
            |reason: String| Unpublishable { event: envelope.event.id.to_string(), reason };
        let write = |event: CloudEvent| {
            let event = match &self.key {
                Some(key) => event.signed(key),
                None => Ok(event),
            };
            let detail = event.and_then(|event| serde_json::to_string(&event));
            detail.map_err(|error| unpublishable(error.to_string()))
        };
        let frame = TIME_BYTES
            + self.source(envelope.form).len()
            + envelope.event.event_type.as_str().len();
        let limit = self.limits().bytes;
        let event = CloudEvent::new(&self.context, envelope);
        let detail = write(event.clone())?;
        let bytes = frame + detail.len();
        if bytes <= limit {
            return Ok(Parcel { detail, bytes, claim: None });
        }
        let Some(payloads) = &self.payloads else {
            return Err(unpublishable(format!("it has {bytes} bytes, the bus accepts {limit}")));
        };
        let claim = ContentId::of(envelope.event.data.as_str().as_bytes());
        let detail = write(event.pointing_to(payloads.uri(&claim)))?;
        Ok(Parcel { bytes: frame + detail.len(), detail, claim: Some(claim) })
    }

    async fn put(
        &self,
        entries: Vec<PutEventsRequestEntry>,
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        let answer = self
            .client
            .put_events()
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| PublishError(explain(&error).into()))?;
        // Only accepted entries have an id.
        let answers = answer.entries.unwrap_or_default().into_iter().map(|entry| {
            let refusal = || {
                let code = entry.error_code.as_deref().unwrap_or("no event id");
                let message = entry.error_message.as_deref().unwrap_or_default();
                match Meaning::of(code, message) {
                    Meaning::Invalid => EntryError::Invalid(format!("{code}: {message}")),
                    _ => EntryError::NotTaken(format!("{code}: {message}")),
                }
            };
            entry.event_id.as_ref().map(|_| ()).ok_or_else(refusal)
        });
        Ok(answers.collect())
    }

    async fn entry(&self, envelope: &Envelope) -> Result<PutEventsRequestEntry, PublishError> {
        let parcel = self.parcel(envelope).map_err(|error| PublishError(error.into()))?;
        if let (Some(claim), Some(payloads)) = (parcel.claim, &self.payloads) {
            let content = envelope.event.data.as_str().to_owned();
            payloads.put(&claim, content).await.map_err(|error| PublishError(error.into()))?;
        }
        let time = envelope.metadata.recorded_at;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(self.source(envelope.form))
            .detail_type(envelope.event.event_type.as_str())
            .time(DateTime::from_millis(time.as_millisecond()))
            .detail(parcel.detail);
        Ok(entry.build())
    }
}

/// The published form of an event.
struct Parcel {
    detail: String,
    /// Its size in a call.
    bytes: usize,
    /// For a pointer, the data to store before it is published.
    claim: Option<ContentId>,
}

#[async_trait]
impl Publisher for EventBridgePublisher {
    fn limits(&self) -> Limits {
        // A call of exactly the limit is refused.
        Limits { entries: MAX_CALL_ENTRIES, bytes: self.max_call_bytes.saturating_sub(1) }
    }

    fn weigh(&self, envelope: &Envelope) -> Result<usize, Unpublishable> {
        Ok(self.parcel(envelope)?.bytes)
    }

    async fn publish(
        &self,
        batch: &[Envelope],
    ) -> Result<Vec<Result<(), EntryError>>, PublishError> {
        let entries = try_join_all(batch.iter().map(|envelope| self.entry(envelope))).await?;
        self.put(entries).await
    }
}

#[async_trait]
impl DeadLetters for EventBridgePublisher {
    /// Publishes an event of the relay's own on the same bus, and a rule takes it to a queue. So the relay needs no
    /// other permission.
    async fn send(&self, letter: &DeadLetter) -> Result<(), PublishError> {
        let DeadLetter { commit, reason } = letter;
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(format!("{}.relay", self.source(Form::Private)))
            .detail_type("CommitUnpublishable")
            .detail(serde_json::json!({"commit": commit, "reason": reason}).to_string())
            .build();
        match self.put(vec![entry]).await?.pop() {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(PublishError(error.into())),
            None => Err(PublishError("no answer for the entry".into())),
        }
    }
}
