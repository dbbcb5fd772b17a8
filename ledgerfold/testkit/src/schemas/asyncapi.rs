use ledgerfold::schema::Standing;
use serde_json::{Map, Value, json};

use super::{About, Promised};

/// The AsyncAPI 3.0 document of a context's events. It includes old versions, because a replay of the archive publishes
/// them.
///
/// The payload of a message is the `detail` of EventBridge's event. The headers are the two fields by which rules
/// select events.
pub(super) fn document(about: &About, promised: &[Promised]) -> Value {
    let messages: Map<_, _> = promised
        .iter()
        .map(|promised| (promised.name.to_string(), message(about, promised)))
        .collect();
    let keys = || promised.iter().map(|promised| promised.name.to_string());
    let in_channel: Map<_, _> = keys()
        .map(|key| (key.clone(), json!({"$ref": format!("#/components/messages/{key}")})))
        .collect();
    let published: Vec<_> =
        keys().map(|key| json!({"$ref": format!("#/channels/bus/messages/{key}")})).collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": format!("Events of the context {}", about.context),
            "version": about.version,
            "description": about.description,
        },
        "defaultContentType": "application/json",
        "channels": {"bus": {
            "address": "{bus}",
            "title": "The context's bus on Amazon EventBridge",
            "description": CHANNEL,
            "parameters": {"bus": {"description": "The bus's name: an output of the context's stack."}},
            "messages": in_channel,
        }},
        "operations": {"publish": {
            "action": "send",
            "summary": "Each event of the log, after its commit is stored.",
            "channel": {"$ref": "#/channels/bus"},
            "messages": published,
        }},
        "components": {"messages": messages, "schemas": {"CloudEvent": cloud_event()}},
    })
}

const CHANNEL: &str = "Events are delivered at least once and in any order. `id` is the same on every \
    delivery and every replay. `subject` and `sequence` are the event's stream and its position there. \
    `commitfrom` and `committo` are the versions of the events that were decided together. A message's \
    headers are the fields `source` and `detail-type` of EventBridge's event, its payload is the field \
    `detail`: a CloudEvent 1.0 in JSON.";

fn message(about: &About, Promised { name, schema, standing }: &Promised) -> Value {
    let summary = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let standing = match standing {
        Standing::Written(_) => "",
        Standing::Upcast(_) | Standing::Retired => {
            " No longer written, but replays of the archive contain it."
        }
    };
    json!({
        "name": name.event_type.as_str(),
        "title": format!("{}, version {}", name.event_type, name.version),
        "summary": format!("{summary}{standing}").trim(),
        "headers": {
            "type": "object",
            "required": ["source", "detail-type"],
            "properties": {
                "source": {"type": "string", "const": format!("ledgerfold.{}", about.context)},
                "detail-type": {"type": "string", "const": name.event_type.as_str()},
            },
        },
        "payload": {"allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {"type": "object", "properties": {
                "source": {"const": format!("/ledgerfold/{}", about.context)},
                "type": {"const": name.event_type.as_str()},
                "dataschema": {"const": about.urn(name)},
                "data": embedded(schema),
            }},
        ]},
    })
}

/// The schema as a part of the document. It keeps its id only if it contains references, because they are resolved
/// against the id.
fn embedded(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
        if !fields.contains_key("$defs") {
            fields.remove("$id");
        }
    }
    tuples_of_draft_7(&mut schema);
    schema
}

/// Rewrites tuples for draft 7 of JSON Schema, which AsyncAPI uses.
fn tuples_of_draft_7(schema: &mut Value) {
    if let Value::Object(fields) = schema {
        // A field of an event may have this name as well, but then its value is not a list.
        if fields.get("prefixItems").is_some_and(Value::is_array) {
            let tuple = fields.remove("prefixItems");
            let rest = fields.remove("items");
            fields.extend(tuple.map(|tuple| ("items".to_owned(), tuple)));
            fields.extend(rest.map(|rest| ("additionalItems".to_owned(), rest)));
        }
        fields.values_mut().for_each(tuples_of_draft_7);
    } else if let Value::Array(values) = schema {
        values.iter_mut().for_each(tuples_of_draft_7);
    }
}

/// The schema of the envelope that `ledgerfold-eventbridge` writes. A test of that crate compares the two.
fn cloud_event() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let version =
        |description: &str| json!({"type": "integer", "minimum": 1, "description": description});
    json!({
        "title": "CloudEvent",
        "description": "CloudEvents 1.0 with extensions of Ledgerfold. Other fields may be added.",
        "type": "object",
        "required": [
            "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema",
            "sequence", "commitfrom", "committo", "commandid", "correlationid", "causationid",
            "actor",
        ],
        "oneOf": [{"required": ["data"]}, {"required": ["dataref"]}],
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "id": {
                "type": "string", "format": "uuid",
                "description": "The event's identity, the same on every delivery and every replay.",
            },
            "source": text("The context that publishes the event."),
            "type": text("The event's type."),
            "subject": text("The event's stream, for example `order#0190c0de`."),
            "time": {
                "type": "string", "format": "date-time",
                "description": "The time of the commit. Clocks can run backwards, so order by `sequence`.",
            },
            "datacontenttype": {"type": "string", "const": "application/json"},
            "dataschema": text("`urn:ledgerfold:<context>:<type>:<version>`, the `$id` of the schema."),
            "data": {"description": "The event's content, unless it is too large for the bus."},
            "signature": text("Proof that the relay of this context published the event, for consumers with its key."),
            "dataref": text("The place of content that is too large: a URI that ends in its SHA-256, in hexadecimal."),
            "sequence": version("The event's version: its position in the stream."),
            "commitfrom": version("The version of the first event of its commit."),
            "committo": version("The version of the last event of its commit."),
            "commandid": text("The command that caused the event."),
            "correlationid": text("The id that all commands and events of one conversation share."),
            "causationid": text("The id of the direct cause: a command or an event."),
            "actor": text("The person or process on whose behalf the command was sent."),
            "traceparent": text("The position in a trace, in the format of W3C Trace Context."),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::embedded;

    #[test]
    fn a_schema_in_the_document_follows_draft_7() {
        let number = json!({"type": "integer"});
        let text = json!({"type": "string"});
        let schema = json!({
            "$id": "urn:x", "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": {"pair": {"prefixItems": [number, text], "items": false}, "prefixItems": text},
        });
        let expected = json!({"properties": {
            "pair": {"items": [number, text], "additionalItems": false}, "prefixItems": text,
        }});
        assert_eq!(embedded(&schema), expected);
        let recursive = json!({"$id": "urn:x", "$defs": {"Part": {}}});
        assert_eq!(embedded(&recursive), recursive, "references are resolved against the id");
    }
}
