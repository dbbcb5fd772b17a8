//! Each kind of change: a type before and after, and the expected sentence.

use std::collections::BTreeMap;

use ledgerfold::{EventType, SchemaVersion};
use ledgerfold_testkit::schemas::{Change, Finding, SchemaName, diff};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

/// Declares a test of a change. The types before and after have their own modules.
macro_rules! change {
    ($($name:ident: { $($before:item)+ } to { $($after:item)+ } is $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            change!(before $($before)+);
            change!(after $($after)+);
            let expected: Vec<String> = $expected.iter().map(|text| sentence(text)).collect();
            assert_eq!(sentences(&before::schema(), &after::schema()), expected);
        }
    )+};
    ($module:ident $($item:item)+) => {
        mod $module {
            #![allow(dead_code, unused_imports, reason = "only the schema is of interest")]
            use serde::Deserialize;
            use super::*;

            $(#[derive(Deserialize, JsonSchema)] $item)+

            pub(super) fn schema() -> Value {
                schema_of::<Paid>()
            }
        }
    };
}

/// The schema of a type, generated in the same way as the schema of an event.
fn schema_of<T: JsonSchema>() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

const RAISE: &str = "; make it version 2 and write an upcaster from version 1.";
const KEEP: &str = "; UPDATE_SCHEMAS=1 stores the new schema.";

/// The full sentence about a change. A compatible change is marked with `+`.
fn sentence(change: &str) -> String {
    match change.strip_prefix('+') {
        Some(compatible) => format!("Paid.v1: {compatible}{KEEP}"),
        None => format!("Paid.v1: {change}{RAISE}"),
    }
}

fn sentences(before: &Value, after: &Value) -> Vec<String> {
    let kind = EventType::new("Paid").expect("letters");
    let name = SchemaName::new(&kind, SchemaVersion::new(1));
    let finding = |change: Change| Finding::Changed { name: name.clone(), change }.to_string();
    diff(before, after).into_iter().map(finding).collect()
}

change! {
    nothing:
        { struct Paid { cents: u32 } } to { struct Paid { cents: u32 } }
        is [""; 0];
    fields_in_another_order:
        { struct Paid { a: u32, b: u32 } } to { struct Paid { b: u32, a: u32 } }
        is ["+only its documentation was changed"];
    documentation:
        { struct Paid { cents: u32 } } to { struct Paid { /** How much. */ cents: u32 } }
        is ["+only its documentation was changed"];
    documentation_of_a_value:
        { enum By { Card, Cash } struct Paid { by: By } }
        to { enum By { /** Of plastic. */ Card, Cash } struct Paid { by: By } }
        is ["+only its documentation was changed"];
    an_optional_field_added:
        { struct Paid { cents: u32 } } to { struct Paid { cents: u32, note: Option<String> } }
        is ["+the optional field `note` was added: older events and older readers work without it"];
    a_field_with_a_default_added:
        { struct Paid { cents: u32 } } to { struct Paid { cents: u32, #[serde(default)] tip: u32 } }
        is ["+the optional field `tip` was added: older events and older readers work without it"];
    a_required_field_added:
        { struct Paid {} } to { struct Paid { by: String } }
        is ["the required field `by` was added: older events do not have it"];
    a_field_added_where_unknown_ones_are_refused:
        { #[serde(deny_unknown_fields)] struct Paid { cents: u32 } }
        to { #[serde(deny_unknown_fields)] struct Paid { cents: u32, note: Option<String> } }
        is ["the field `note` was added where unknown fields are refused: older readers refuse it"];
    a_field_removed:
        { struct Paid { cents: u32, by: String } } to { struct Paid { cents: u32 } }
        is ["the field `by` was removed: its content in older events would be lost, and older readers rely on it"];
    an_optional_field_removed:
        { struct Paid { note: Option<String> } } to { struct Paid {} }
        is ["the field `note` was removed: its content in older events would be lost, and older readers rely on it"];
    a_field_renamed:
        { struct Paid { by: String } } to { struct Paid { method: String } }
        is [
            "the field `by` was removed: its content in older events would be lost, and older readers rely on it",
            "the required field `method` was added: older events do not have it",
        ];
    a_field_renamed_with_an_alias:
        { struct Paid { by: Option<String> } }
        to { struct Paid { #[serde(alias = "by")] method: Option<String> } }
        is [
            "the field `by` was removed: its content in older events would be lost, and older readers rely on it",
            "+the optional field `method` was added: older events and older readers work without it",
        ];
    a_field_became_required:
        { struct Paid { #[serde(default)] cents: u32 } } to { struct Paid { cents: u32 } }
        is ["the field `cents` became required: older events may lack it"];
    a_field_got_a_default:
        { struct Paid { cents: u32 } } to { struct Paid { #[serde(default)] cents: u32 } }
        is ["the field `cents` became optional: older readers rely on it"];
    a_field_became_optional:
        { struct Paid { by: String } } to { struct Paid { by: Option<String> } }
        is [
            "`by` may be null now: older readers do not expect it",
            "the field `by` became optional: older readers rely on it",
        ];
    null_not_allowed_any_more:
        { struct By {} struct Paid { by: Vec<Option<By>> } }
        to { struct By {} struct Paid { by: Vec<By> } }
        is ["`by[]` may not be null any more: older events may have null"];
    another_type:
        { struct Paid { cents: u32 } } to { struct Paid { cents: String } }
        is ["`cents` was changed from integer (uint32) to string: older events and older readers know it as integer (uint32)"];
    a_wider_number:
        { struct Paid { cents: u32 } } to { struct Paid { cents: u64 } }
        is ["`cents` was changed from integer (uint32) to integer (uint64): older events and older readers know it as integer (uint32)"];
    a_text_became_a_choice:
        { struct Paid { by: String } } to { enum By { Card } struct Paid { by: By } }
        is ["`by` was changed from string to a choice of values: older events and older readers know it as string"];
    within_a_list:
        { struct Part { cents: u32 } struct Paid { parts: Vec<Part> } }
        to { struct Part { cents: i32 } struct Paid { parts: Vec<Part> } }
        is ["`parts[].cents` was changed from integer (uint32) to integer (int32): older events and older readers know it as integer (uint32)"];
    within_a_map:
        { struct Paid { parts: BTreeMap<String, u32> } } to { struct Paid { parts: BTreeMap<String, String> } }
        is ["`parts{}` was changed from integer (uint32) to string: older events and older readers know it as integer (uint32)"];
    within_a_tuple:
        { struct Paid { part: (u32, u32) } } to { struct Paid { part: (u32, String) } }
        is ["`part[1]` was changed from integer (uint32) to string: older events and older readers know it as integer (uint32)"];
    within_itself:
        { struct Paid { cents: u32, parts: Vec<Paid> } } to { struct Paid { cents: u32, tip: u32, parts: Vec<Paid> } }
        is ["the required field `tip` was added: older events do not have it"];
    a_value_added:
        { enum By { Card } struct Paid { by: By } }
        to { enum By { Card, Cash } struct Paid { by: By } }
        is ["the value `Cash` was added to `by`: older readers do not know it"];
    a_value_removed:
        { enum By { Card, Cash } struct Paid { by: Option<By> } }
        to { enum By { Card } struct Paid { by: Option<By> } }
        is ["the value `Cash` was removed from `by`: older events may have it"];
    a_variant_added:
        { enum By { Card { last: u16 }, Check(String) } struct Paid { by: By } }
        to { enum By { Card { last: u16 }, Check(String), Cash { notes: u8 } } struct Paid { by: By } }
        is ["the value `Cash` was added to `by`: older readers do not know it"];
    a_second_variant:
        { enum By { Card { last: u16 } } struct Paid { by: Option<By> } }
        to { enum By { Card { last: u16 }, Cash { notes: u8 } } struct Paid { by: Option<By> } }
        is ["the value `Cash` was added to `by`: older readers do not know it"];
    a_variant_removed_and_one_changed:
        { enum By { Card { last: u16 }, Check(String) } struct Paid { by: By } }
        to { enum By { Card { last: String }, Cash(u8) } struct Paid { by: By } }
        is [
            "`by.Card.last` was changed from integer (uint16) to string: older events and older readers know it as integer (uint16)",
            "the value `Check` was removed from `by`: older events may have it",
            "the value `Cash` was added to `by`: older readers do not know it",
        ];
    a_field_of_a_tagged_variant_added:
        { #[serde(tag = "kind")] enum By { Card { last: u16 }, Cash { notes: u8 } } struct Paid { by: By } }
        to { #[serde(tag = "kind")] enum By { Card { last: u16, bank: String }, Cash { notes: u8 } } struct Paid { by: By } }
        is ["the required field `by(Card).bank` was added: older events do not have it"];
    variants_without_a_distinction:
        { #[serde(untagged)] enum By { A { a: u8, b: u8 }, B { b: u8, c: u8 } } struct Paid { by: By } }
        to { #[serde(untagged)] enum By { A { a: u8, b: u8 }, B { b: u8, d: u8 } } struct Paid { by: By } }
        is ["`anyOf` of `by` was changed: the effect on older events and older readers is unknown"];
    a_tighter_bound:
        { struct Paid { #[schemars(range(min = 1))] cents: u32 } } to { struct Paid { #[schemars(range(min = 2))] cents: u32 } }
        is ["`minimum` of `cents` was changed from 1 to 2: older events may break it"];
    a_looser_bound:
        { struct Paid { #[schemars(length(max = 3))] by: String } } to { struct Paid { #[schemars(length(max = 4))] by: String } }
        is ["`maxLength` of `by` was changed from 3 to 4: older readers refuse the new values"];
    a_new_bound:
        { struct Paid { by: String } } to { struct Paid { #[schemars(length(min = 1))] by: String } }
        is ["`minLength` of `by` was set to 1: older events may break it"];
    another_pattern:
        { struct Paid { #[schemars(regex(pattern = "^a"))] by: String } } to { struct Paid { #[schemars(regex(pattern = "^b"))] by: String } }
        is [r#"`pattern` of `by` was changed from "^a" to "^b": older events may break it, and older readers rely on the old bound"#];
    another_default:
        { struct Paid { #[schemars(extend("default" = 1))] #[serde(default)] tip: u32 } }
        to { struct Paid { #[schemars(extend("default" = 2))] #[serde(default)] tip: u32 } }
        is ["the default of `tip` was changed from 1 to 2: older events without it would change their meaning"];
    unknown_fields_refused:
        { struct Paid { cents: u32 } } to { #[serde(deny_unknown_fields)] struct Paid { cents: u32 } }
        is ["the event refuses unknown fields now: a later field would make events unreadable"];
    unknown_fields_accepted:
        { #[serde(deny_unknown_fields)] struct Paid { cents: u32 } } to { struct Paid { cents: u32 } }
        is ["the event accepts unknown fields now: older readers refuse them"];
}

#[test]
fn a_field_with_the_name_of_a_documentation_keyword_is_a_field() {
    let before = json!({"type": "object", "properties": {"title": {"type": "string"}}});
    let after = json!({"type": "object", "properties": {"title": {"type": "integer"}}});
    let expected = sentence(
        "`title` was changed from string to integer: older events and older readers know it as string",
    );
    assert_eq!(sentences(&before, &after), [expected]);
}

// Guards: a-published-contract-is-never-overwritten
#[test]
fn a_change_without_a_rule_is_never_compatible() {
    for (before, after) in [
        (json!({"not": {"type": "string"}}), json!({"not": {"type": "integer"}})),
        (
            json!({"type": "object", "if": {}}),
            json!({"type": "object", "if": {"minProperties": 1}}),
        ),
        (json!({"required": ["a"]}), json!({"required": ["b"]})),
        (
            json!({"properties": {}, "required": ["a"]}),
            json!({"properties": {"n": {}}, "required": ["b"]}),
        ),
        (json!({"items": false}), json!({"items": {"type": "string"}})),
        (json!({"patternProperties": {"^a": {}}}), json!({})),
        (json!({"$defs": {"A": {}}}), json!({"$defs": {}})),
        (json!(true), json!(false)),
    ] {
        let changes = diff(&before, &after);
        assert!(!changes.iter().all(Change::is_compatible), "{before} to {after}: {changes:?}");
    }
}

#[test]
fn the_default_of_a_required_field_has_no_meaning() {
    let schema =
        |default: u8| json!({"properties": {"a": {"default": default}}, "required": ["a"]});
    assert_eq!(diff(&schema(1), &schema(2)), [Change::Documentation]);
}
