use serde_json::Value;

use super::Checked;
use crate::{
    Claim, Decider, Decoded, Envelope, Event, Recorded, StreamId, Version,
    command::LoadError,
    ports::EventReader,
    sealed::{KeyVersion, SubjectPseudonym},
};

/// What there is of an erased person in its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The events.
    pub events: u64,
    /// The sealed values of the person.
    pub sealed: u64,
    /// Those of them whose key is not destroyed: their version is newer than the erasure.
    pub openable: u64,
    /// The unique keys that the events reserve.
    pub reserved: u64,
    /// The unique keys that they release.
    pub released: u64,
}

impl Inspection {
    /// The list of the certificate.
    pub fn checked(self) -> Vec<Checked> {
        let counted = |what: &str, count| Checked { what: what.to_owned(), count, allowed: None };
        let left = |what: &str, count| Checked { allowed: Some(0), ..counted(what, count) };
        vec![
            counted("events of the person's stream", self.events),
            counted("sealed values of the person in these events", self.sealed),
            left("sealed values whose key exists", self.openable),
            counted("unique keys that were released", self.released),
            left("unique keys that are reserved", self.reserved.saturating_sub(self.released)),
        ]
    }

    /// Whether nothing is left that anybody could open or that others cannot use.
    pub const fn is_clean(self) -> bool {
        self.openable == 0 && self.reserved <= self.released
    }
}

/// Reads the stream of a person whose key was destroyed through this version, and counts.
///
/// # Errors
/// [`LoadError`].
pub async fn inspect<D: Decider>(
    log: &dyn EventReader,
    stream: &StreamId,
    subject: &SubjectPseudonym,
    through: KeyVersion,
) -> Result<Inspection, LoadError> {
    let mut found = Inspection::default();
    let mut after = Version::NONE;
    loop {
        let page = log.read(stream, after).await?;
        for envelope in page.commits.iter().flat_map(crate::vocabulary::Commit::envelopes) {
            after = envelope.version;
            found.events += 1;
            let content = serde_json::from_str(envelope.event.data.as_str()).unwrap_or_default();
            count(&content, subject, through, &mut found);
            for recorded in opened::<D::Event>(&envelope)?.as_slice() {
                for claim in D::claims(&recorded.event) {
                    match claim {
                        Claim::Reserve(_) => found.reserved += 1,
                        Claim::Release(_) => found.released += 1,
                    }
                }
            }
        }
        if !page.more || page.commits.is_empty() {
            return Ok(found);
        }
    }
}

fn opened<E: Event>(envelope: &Envelope) -> Result<Decoded<Recorded<E>>, LoadError> {
    envelope.open().map_err(|source| LoadError::Event {
        stream: envelope.stream.clone(),
        version: envelope.version,
        source,
    })
}

/// Counts the sealed values of the subject in this JSON.
fn count(content: &Value, subject: &SubjectPseudonym, through: KeyVersion, found: &mut Inspection) {
    match content {
        Value::Object(members) => {
            let is_sealed = members.get("c").is_some_and(Value::is_string)
                && members.get("s").and_then(Value::as_str) == Some(subject.as_str());
            if is_sealed {
                found.sealed += 1;
                let version = members.get("k").and_then(Value::as_u64);
                let is_destroyed = version.is_some_and(|it| it <= u64::from(through.get()));
                found.openable += u64::from(!is_destroyed);
            }
            members.values().for_each(|it| count(it, subject, through, found));
        }
        Value::Array(items) => items.iter().for_each(|it| count(it, subject, through, found)),
        _ => {}
    }
}
