use ledgerfold::{
    EventId, InvalidId,
    ports::{DueDeadline, NewerFormat},
};
use serde::{Deserialize, Serialize};

/// The version of the format.
const FORMAT: u64 = 1;

/// A due deadline as JSON: `{"format": 1, "deadline": "<process>#<stream>#<name>", "event": "<uuid>"}`.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    format: u64,
    deadline: String,
    event: String,
}

/// The format only, which every later format keeps in its place.
#[derive(Debug, Deserialize)]
struct Format {
    format: u64,
}

/// A message is not a due deadline.
#[derive(Debug, thiserror::Error)]
pub enum NotADueDeadline {
    /// It is no JSON, or lacks a field.
    #[error("the message is not a due deadline: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A newer program wrote it.
    #[error("the message cannot be read: {0}")]
    Newer(#[from] NewerFormat),
    /// A field has an impossible value.
    #[error("the message is not a due deadline: {0}")]
    Invalid(#[from] InvalidId),
}

/// Writes a message.
pub(crate) fn write(due: &DueDeadline) -> Result<String, serde_json::Error> {
    let deadline = due.key.to_string();
    let event = due.event.to_string();
    serde_json::to_string(&Message { format: FORMAT, deadline, event })
}

/// Reads a message.
///
/// # Errors
/// [`NotADueDeadline`].
pub fn parse(body: &str) -> Result<DueDeadline, NotADueDeadline> {
    let Format { format: found } = serde_json::from_str(body)?;
    if found > FORMAT {
        return Err(NewerFormat { found, known: FORMAT }.into());
    }
    let Message { deadline, event, .. } = serde_json::from_str(body)?;
    let event: EventId = event.parse()?;
    Ok(DueDeadline { key: deadline.parse()?, event })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"format":1,"deadline":"payment-deadline#default/order#a-1#payment","event":"018bcfe5-6800-7000-8000-000000000000"}"#;

    #[test]
    fn a_message_is_read_back_as_it_is_written() {
        let due = parse(BODY).expect("a due deadline");
        assert_eq!(due.key.to_string(), "payment-deadline#default/order#a-1#payment");
        assert_eq!(due.event.to_string(), "018bcfe5-6800-7000-8000-000000000000");
        assert_eq!(write(&due).expect("JSON"), BODY);
    }

    #[test]
    fn other_messages_are_refused_with_the_reason() {
        let refused = |body: &str| parse(body).expect_err(body).to_string();
        for (body, reason) in [
            ("", "is not a due deadline: EOF"),
            ("{}", "missing field `format`"),
            (r#"{"format":1,"deadline":"a#b#c#d"}"#, "missing field `event`"),
            (&BODY.replace("#payment\"", "\""), "a stream must be in the format"),
            (
                &BODY.replace("payment-deadline#default/order#a-1#payment", "x"),
                "<process>#<stream>#<name>",
            ),
            (&BODY.replace("018bcfe5", "x"), "not a due deadline"),
            (&BODY.replace("\"format\":1", "\"format\":2"), "it is in format 2"),
            (r#"{"format":2}"#, "it is in format 2"),
            (r#"{"ledgerfold":"retry"}"#, "missing field `format`"),
        ] {
            assert!(refused(body).contains(reason), "{body}: {}", refused(body));
        }
    }
}
