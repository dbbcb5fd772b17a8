//! JSON Schemas of ids, for events that contain ids. Each schema states the rule of its type, also in words (`x-rule`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{Actor, CausationId, CommandId, CorrelationId, EntityId, EventId, StreamId, TenantId};

macro_rules! texts {
    ($($name:ident: $pattern:literal, $rule:literal;)+) => {
        $(impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "pattern": $pattern, "x-rule": $rule})
            }
        })+
    };
}

texts! {
    EntityId: "^([A-Za-z0-9_-]{1,2}|[A-Za-z0-9_-][.]|[.][A-Za-z0-9_-]|[A-Za-z0-9._-]{3,64})$", "1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ..";
    TenantId: "^([A-Za-z0-9_-]{1,2}|[A-Za-z0-9_-][.]|[.][A-Za-z0-9_-]|[A-Za-z0-9._-]{3,64})$", "1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ..";
    CommandId: "^[!-~]{1,64}$", "1 to 64 visible ASCII characters";
    CorrelationId: "^[!-~]{1,64}$", "1 to 64 visible ASCII characters";
    CausationId: "^[!-~]{1,64}$", "1 to 64 visible ASCII characters";
    Actor: "^[!-~]{1,255}$", "1 to 255 visible ASCII characters";
    StreamId: "^([A-Za-z0-9_-]{1,2}|[A-Za-z0-9_-][.]|[.][A-Za-z0-9_-]|[A-Za-z0-9._-]{3,64})/[a-z0-9-]{1,32}#([A-Za-z0-9_-]{1,2}|[A-Za-z0-9_-][.]|[.][A-Za-z0-9_-]|[A-Za-z0-9._-]{3,64})$", "in the format <tenant>/<category>#<id>";
}

impl JsonSchema for EventId {
    fn schema_name() -> Cow<'static, str> {
        "EventId".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "uuid"})
    }
}

#[cfg(test)]
mod tests {
    use schemars::schema_for;
    use serde_json::{Value, json};

    use super::*;

    fn agrees<T: JsonSchema + serde::de::DeserializeOwned>() {
        let schema = schema_for!(T).to_value();
        let schema = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("a valid JSON Schema");
        let long = "a".repeat(64);
        let longer = "a".repeat(65);
        let longest = "a".repeat(256);
        let stream = format!("t/order#{long}");
        let odd_stream = format!("t/{}#a", "o".repeat(33));
        let uuid = "0190c0de-0000-7000-8000-000000000000";
        let texts = [
            ["", "a", "a b", "a#b"],
            ["A.b_c-1", "!~", "ä", "a\n"],
            [&long, &longer, &longest, uuid],
            ["t/order#1", &stream, &odd_stream, "order#1"],
        ];
        let taken: Vec<bool> = texts
            .as_flattened()
            .iter()
            .map(|text| {
                let is_read = serde_json::from_value::<T>(json!(text)).is_ok();
                assert_eq!(schema.is_valid(&json!(text)), is_read, "{} {text:?}", T::schema_name());
                is_read
            })
            .collect();
        assert!(taken.contains(&true) && taken.contains(&false), "{}", T::schema_name());
        assert!(!schema.is_valid(&Value::Null));
    }

    #[test]
    fn the_schema_of_an_id_states_the_rule_of_its_type() {
        agrees::<EntityId>();
        agrees::<CommandId>();
        agrees::<CorrelationId>();
        agrees::<CausationId>();
        agrees::<Actor>();
        agrees::<StreamId>();
        agrees::<EventId>();
    }
}
