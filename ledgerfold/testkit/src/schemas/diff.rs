use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    change::{Added, Change, Place},
    normal::{NULLABLE, normal},
};

type Schema = Map<String, Value>;

/// All differences between two schemas of one version. The result is never empty for different schemas: a difference
/// without a rule is [`Change::Unclear`], which is incompatible.
///
/// ```
/// use ledgerfold_testkit::schemas::diff;
/// use serde_json::json;
///
/// let kept = json!({"type": "object", "properties": {"amount": {"type": "integer"}}});
/// let now = json!({"type": "object", "properties": {"amount": {"type": "string"}}});
/// let [change] = &diff(&kept, &now)[..] else { panic!("one change") };
/// assert!(!change.is_compatible());
/// assert_eq!(
///     change.to_string(),
///     "`amount` was changed from integer to string: older events and older readers know it as integer"
/// );
/// ```
pub fn diff(kept: &Value, now: &Value) -> Vec<Change> {
    if kept == now {
        return Vec::new();
    }
    let kept = normal(kept);
    let now = normal(now);
    if kept == now {
        return vec![Change::Documentation];
    }
    let mut changes = Vec::new();
    node(&Place::default(), &kept, &now, &mut changes);
    if changes.is_empty() {
        changes.push(unclear(&Place::default(), "schema"));
    }
    changes
}

fn unclear(at: &Place, keyword: &str) -> Change {
    Change::Unclear { at: at.clone(), keyword: keyword.to_owned() }
}

fn node(at: &Place, kept: &Value, now: &Value, changes: &mut Vec<Change>) {
    if kept == now {
        return;
    }
    let (Value::Object(kept), Value::Object(now)) = (kept, now) else {
        return changes.push(unclear(at, "schema"));
    };
    match (kept.get(NULLABLE), now.get(NULLABLE)) {
        (None, Some(_)) => changes.push(Change::BecameNullable(at.clone())),
        (Some(_), None) => changes.push(Change::NotNullable(at.clone())),
        _ => {}
    }
    let from = kind(kept);
    let to = kind(now);
    if from != to {
        return changes.push(Change::Type { at: at.clone(), from, to });
    }
    for keyword in kept.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        if kept.get(keyword) != now.get(keyword) {
            compare(at, keyword, (kept, now), changes);
        }
    }
}

/// A short name for the kind of a schema.
fn kind(schema: &Schema) -> String {
    let name = |value: &Value| match value {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or ")
        }
        other => other.to_string(),
    };
    let format = schema.get("format").and_then(Value::as_str);
    let plain = schema.get("type").map(name);
    match (schema.get("$ref").and_then(Value::as_str), plain, format) {
        (Some(reference), _, _) => reference.rsplit('/').next().unwrap_or(reference).to_owned(),
        _ if schema.contains_key("oneOf") || schema.contains_key("anyOf") => "a choice".to_owned(),
        (_, _, _) if schema.contains_key("enum") => "a choice of values".to_owned(),
        (_, Some(plain), Some(format)) => format!("{plain} ({format})"),
        (_, Some(plain), None) => plain,
        (_, None, Some(format)) => format.to_owned(),
        (_, None, None) => "anything".to_owned(),
    }
}

/// Compares one keyword that differs.
fn compare(at: &Place, keyword: &str, (kept, now): (&Schema, &Schema), changes: &mut Vec<Change>) {
    let old = kept.get(keyword);
    let new = now.get(keyword);
    match (keyword, old, new) {
        // `node` has compared it.
        (NULLABLE, _, _) => {}
        ("required", _, _) => required(at, kept, now, changes),
        ("properties", _, _) => fields(at, kept, now, changes),
        ("items", Some(old), Some(new)) => node(&at.within("[]"), old, new, changes),
        ("additionalProperties", _, _) => additional(at, old, new, changes),
        ("enum", Some(Value::Array(old)), Some(Value::Array(new))) => values(at, old, new, changes),
        ("oneOf" | "anyOf", Some(Value::Array(old)), Some(Value::Array(new))) => {
            variants(at, keyword, old, new, changes);
        }
        ("prefixItems", Some(Value::Array(old)), Some(Value::Array(new)))
            if old.len() == new.len() =>
        {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                node(&at.within(&format!("[{place}]")), old, new, changes);
            }
        }
        ("$defs", Some(Value::Object(old)), Some(Value::Object(new))) => {
            definitions(old, new, changes);
        }
        ("default", _, _) => {
            changes.push(Change::Default { at: at.clone(), from: old.cloned(), to: new.cloned() });
        }
        _ if is_bound(keyword) => changes.push(Change::Bound {
            at: at.clone(),
            keyword: keyword.to_owned(),
            from: old.cloned(),
            to: new.cloned(),
        }),
        _ => changes.push(unclear(at, keyword)),
    }
}

fn is_bound(keyword: &str) -> bool {
    ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"].contains(&keyword)
        || ["minLength", "maxLength", "pattern", "minItems", "maxItems"].contains(&keyword)
        || ["uniqueItems", "minProperties", "maxProperties"].contains(&keyword)
}

fn properties(schema: &Schema) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn property<'a>(schema: &'a Schema, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

fn is_required(schema: &Schema, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.into_iter().flatten().any(|required| required == name)
}

fn fields(at: &Place, kept: &Schema, now: &Schema, changes: &mut Vec<Change>) {
    for (name, old) in properties(kept) {
        match property(now, name) {
            Some(new) if is_required(kept, name) || is_required(now, name) => {
                node(&at.field(name), &without_default(old), &without_default(new), changes);
            }
            Some(new) => node(&at.field(name), old, new, changes),
            None => changes.push(Change::FieldRemoved { field: at.field(name) }),
        }
    }
    let refuses = kept.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, _) in properties(now).filter(|(name, _)| property(kept, name).is_none()) {
        let added = match (is_required(now, name), refuses) {
            (true, _) => Added::Required,
            (false, true) => Added::Refused,
            (false, false) => Added::Optional,
        };
        changes.push(Change::FieldAdded { field: at.field(name), added });
    }
}

/// The default of a field that is or was required has no meaning.
fn without_default(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(keywords) = schema.as_object_mut() {
        keywords.remove("default");
    }
    schema
}

/// Compares whether the fields of both schemas are required.
fn required(at: &Place, kept: &Schema, now: &Schema, changes: &mut Vec<Change>) {
    let names = [kept, now].map(|schema| schema.get("required").and_then(Value::as_array));
    let mut names = names.into_iter().flatten().flatten().filter_map(Value::as_str);
    if names.any(|name| property(kept, name).or(property(now, name)).is_none()) {
        changes.push(unclear(at, "required"));
    }
    for (name, _) in properties(kept).filter(|(name, _)| property(now, name).is_some()) {
        match (is_required(kept, name), is_required(now, name)) {
            (false, true) => changes.push(Change::BecameRequired(at.field(name))),
            (true, false) => changes.push(Change::BecameOptional(at.field(name))),
            _ => {}
        }
    }
}

fn additional(at: &Place, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    const REFUSED: Value = Value::Bool(false);
    match (old, new) {
        (_, Some(&REFUSED)) => changes.push(Change::Closed(at.clone())),
        (Some(&REFUSED), _) => changes.push(Change::Opened(at.clone())),
        (Some(old), Some(new)) => node(&at.within("{}"), old, new, changes),
        _ => changes.push(unclear(at, "additionalProperties")),
    }
}

fn values(at: &Place, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for value in old.iter().filter(|value| !new.contains(value)) {
        changes.push(Change::ValueRemoved { at: at.clone(), value: text(value) });
    }
    for value in new.iter().filter(|value| !old.contains(value)) {
        changes.push(Change::ValueAdded { at: at.clone(), value: text(value) });
    }
}

/// Compares variants. As in serde, a variant is recognised by its tag, or by its only field.
fn variants(at: &Place, keyword: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (labelled(old), labelled(new)) else {
        return changes.push(unclear(at, keyword));
    };
    for (label, kept) in &old {
        match new.get(label) {
            Some(now) => node(&within(at, label), kept, now, changes),
            None => {
                changes.push(Change::ValueRemoved { at: at.clone(), value: label.name.clone() });
            }
        }
    }
    for label in new.keys().filter(|label| !old.contains_key(label)) {
        changes.push(Change::ValueAdded { at: at.clone(), value: label.name.clone() });
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Label {
    name: String,
    /// Whether the name is the value of a tag field. Otherwise it is the name of a field.
    tagged: bool,
}

fn within(at: &Place, label: &Label) -> Place {
    if label.tagged { at.within(&format!("({})", label.name)) } else { at.clone() }
}

/// The variants by their labels; `None` if two variants have the same label.
fn labelled(variants: &[Value]) -> Option<BTreeMap<Label, &Value>> {
    let labelled: BTreeMap<_, _> =
        variants.iter().map(|variant| Some((label(variant)?, variant))).collect::<Option<_>>()?;
    (labelled.len() == variants.len()).then_some(labelled)
}

fn label(variant: &Value) -> Option<Label> {
    let variant = variant.as_object()?;
    let tag = properties(variant).find_map(|(name, schema)| {
        let values = schema.get("enum")?.as_array()?;
        let [Value::String(tag)] = &values[..] else { return None };
        is_required(variant, name).then(|| tag.clone())
    });
    if let Some(name) = tag {
        return Some(Label { name, tagged: true });
    }
    let mut required = properties(variant).filter(|(name, _)| is_required(variant, name));
    let name = match (required.next(), required.next()) {
        (Some((only, _)), None) => only.clone(),
        _ => kind(variant),
    };
    Some(Label { name, tagged: false })
}

/// Compares types that refer to themselves. Their places begin with the name of the type.
fn definitions(old: &Schema, new: &Schema, changes: &mut Vec<Change>) {
    for (name, kept) in old {
        match new.get(name) {
            Some(now) => node(&Place::default().field(name), kept, now, changes),
            None => changes.push(unclear(&Place::default().field(name), "$defs")),
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        changes.push(unclear(&Place::default().field(name), "$defs"));
    }
}
