//! The tables of single event types: a column for each field of the type's JSON Schema.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use ledgerfold::{context::ExportedDomain, vocabulary::ContentId};
use parquet::errors::Result;
use serde_json::{Value, value::RawValue};

use crate::{
    parquet_file::{Column, Values, write},
    row::Row,
};

/// The prefix of the columns that do not come from the event's content. A field with this prefix has no column.
const OWN: char = '_';
/// 2^53: every integer up to it is a double.
const EXACT: i64 = 9_007_199_254_740_992;

/// The tables of a context's event types.
#[derive(Clone, Debug, Default)]
pub struct Tables(BTreeMap<String, Table>);

/// The columns of one type that come from its schema.
#[derive(Clone, Debug)]
struct Table {
    fields: Vec<Field>,
    /// A digest of the fields.
    columns: String,
}

/// A field of a type with the type of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Date,
    Time,
    /// An object, an array or a choice of several types, as JSON text.
    Json,
}

impl Tables {
    /// The tables of these domains: one for each version of each type with a schema.
    pub fn of(domains: &[ExportedDomain]) -> Self {
        let mut tables = BTreeMap::new();
        for domain in domains {
            for entry in domain.catalog().entries() {
                let Some(schema) = entry.standing.schema() else { continue };
                let version = i64::from(entry.version.get());
                let (category, kind) = (domain.category().as_str(), entry.event_type.as_str());
                tables.insert(name(category, kind, version), Table::of(schema));
            }
        }
        Self(tables)
    }

    /// The name of the table of a row, for example `typed/account/Debited/v1`; `None` if its type has no schema any more,
    /// so that the event is in the table `events` only.
    pub(crate) fn name_of(&self, row: &Row) -> Option<String> {
        let name = name(&row.category, &row.event_type, row.schema_version);
        self.0.contains_key(&name).then_some(name)
    }

    /// The digest of the columns of a table.
    pub(crate) fn columns_of(&self, table: &str) -> Option<&String> {
        self.0.get(table).map(|table| &table.columns)
    }

    /// The file with these rows of one table.
    pub(crate) fn encode(&self, table: &str, rows: &[&Row]) -> Result<Vec<u8>> {
        let fields = self.0.get(table).map(|table| table.fields.as_slice()).unwrap_or_default();
        let mut columns = envelope_columns(rows);
        let mut contents: Vec<_> = rows.iter().map(|row| Content::of(&row.data)).collect();
        columns.extend(fields.iter().map(|field| field.column(&mut contents)));
        let rest = contents.into_iter().map(Content::rest).collect();
        columns.push(Column { name: "_rest".to_owned(), values: Values::Json(rest) });
        write(&columns)
    }
}

fn name(category: &str, kind: &str, version: i64) -> String {
    format!("typed/{category}/{kind}/v{version}")
}

impl Table {
    fn of(schema: &Value) -> Self {
        let fields = fields(schema);
        let columns = ContentId::of(format!("{fields:?}").as_bytes()).to_string();
        Self { fields, columns }
    }
}

fn envelope_columns(rows: &[&Row]) -> Vec<Column> {
    let text = |name: &str, of: fn(&Row) -> &String| Column {
        name: format!("{OWN}{name}"),
        values: Values::Text(rows.iter().map(|row| of(row).clone()).collect()),
    };
    let version = rows.iter().map(|row| row.version).collect();
    let recorded = rows.iter().map(|row| row.recorded_at).collect();
    vec![
        text("stream", |row| &row.stream),
        text("tenant", |row| &row.tenant),
        text("entity_id", |row| &row.entity_id),
        Column { name: "_version".to_owned(), values: Values::Integers(version) },
        text("event_id", |row| &row.event_id),
        Column { name: "_recorded_at".to_owned(), values: Values::Times(recorded) },
        text("correlation_id", |row| &row.correlation_id),
        text("actor", |row| &row.actor),
    ]
}

/// The fields of a type, by name. Many readers ignore the case of names, so of two such fields only one has a column.
fn fields(schema: &Value) -> Vec<Field> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let mut fields: Vec<_> = properties
        .iter()
        .filter(|(name, _)| !name.starts_with(OWN))
        .map(|(name, property)| Field { name: name.clone(), kind: Kind::of(property, schema, 8) })
        .collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    fields.retain(|field| seen.insert(field.name.to_lowercase()));
    fields
}

impl Kind {
    /// The kind of a property. `depth` bounds the references that are followed.
    fn of(property: &Value, root: &Value, depth: u8) -> Self {
        if depth == 0 {
            return Self::Json;
        }
        if let Some(name) = property["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) {
            return Self::of(&root["$defs"][name], root, depth - 1);
        }
        let choices = property["anyOf"].as_array().or(property["oneOf"].as_array());
        if let Some(choices) = choices {
            let mut kinds = choices
                .iter()
                .filter(|choice| choice["type"] != "null")
                .map(|choice| Self::of(choice, root, depth - 1));
            let first = kinds.next().unwrap_or(Self::Json);
            return if kinds.all(|kind| kind == first) { first } else { Self::Json };
        }
        if property["const"].is_string() {
            return Self::Text;
        }
        let types: Vec<_> = match &property["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let mut types = types.into_iter().filter(|name| *name != "null");
        match (types.next(), types.next()) {
            (Some("string"), None) => match property["format"].as_str() {
                Some("date") => Self::Date,
                Some("date-time") => Self::Time,
                _ => Self::Text,
            },
            (Some("integer"), None) => Self::Integer,
            (Some("number"), None) => Self::Number,
            (Some("boolean"), None) => Self::Boolean,
            _ => Self::Json,
        }
    }
}

impl Field {
    /// Its column. A value that the column cannot show exactly stays in the content, and so in `_rest`.
    fn column(&self, contents: &mut [Content<'_>]) -> Column {
        let name = &self.name;
        let values = match self.kind {
            Kind::Text => Values::OptionalText(take(contents, name, text)),
            Kind::Integer => Values::OptionalIntegers(take(contents, name, integer)),
            Kind::Number => Values::Numbers(take(contents, name, number)),
            Kind::Boolean => Values::Booleans(take(contents, name, boolean)),
            Kind::Date => Values::Dates(take(contents, name, date)),
            Kind::Time => Values::OptionalTimes(take(contents, name, time)),
            Kind::Json => Values::Json(take(contents, name, |json| Some(json.to_owned()))),
        };
        Column { name: name.clone(), values }
    }
}

/// The content of one event, without the fields that have moved to columns.
enum Content<'a> {
    Fields(BTreeMap<String, &'a RawValue>),
    /// The content is not an object.
    Other(&'a str),
}

impl<'a> Content<'a> {
    fn of(data: &'a str) -> Self {
        serde_json::from_str(data).map_or(Self::Other(data), Self::Fields)
    }

    /// The JSON of all fields that no column shows; `None` if there are none.
    fn rest(self) -> Option<String> {
        match self {
            Self::Other(data) => Some(data.to_owned()),
            Self::Fields(fields) if fields.is_empty() => None,
            Self::Fields(fields) => {
                let pair = |(name, value): (&String, &&RawValue)| {
                    format!("{}:{}", Value::String(name.clone()), value.get())
                };
                Some(format!("{{{}}}", fields.iter().map(pair).collect::<Vec<_>>().join(",")))
            }
        }
    }
}

/// Takes the values of a field out of the contents. A missing field and `null` are both no value.
fn take<T>(
    contents: &mut [Content<'_>],
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Vec<Option<T>> {
    let mut value = |content: &mut Content<'_>| {
        let Content::Fields(fields) = content else { return None };
        let json = fields.get(name)?.get();
        let value = read(json);
        if value.is_some() || json == "null" {
            fields.remove(name);
        }
        value.filter(|_| json != "null")
    };
    contents.iter_mut().map(&mut value).collect()
}

fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

fn integer(json: &str) -> Option<i64> {
    serde_json::from_str(json).ok()
}

fn number(json: &str) -> Option<f64> {
    let value = serde_json::from_str(json).ok()?;
    let is_exact = |integer: i64| (-EXACT..=EXACT).contains(&integer);
    match json.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
        true => integer(json).is_some_and(is_exact).then_some(value),
        false => Some(value),
    }
}

fn boolean(json: &str) -> Option<bool> {
    serde_json::from_str(json).ok()
}

fn date(json: &str) -> Option<i32> {
    let text = text(json)?;
    let date: Date = text.parse().ok()?;
    let days = date.since(Date::constant(1970, 1, 1)).ok()?.get_days();
    (date.to_string() == text).then_some(days)
}

fn time(json: &str) -> Option<i64> {
    let text = text(json)?;
    let at: Timestamp = text.parse().ok()?;
    let micros = at.as_microsecond();
    let read_back = Timestamp::from_microsecond(micros).ok()?;
    (read_back.to_string() == text).then_some(micros)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(property: &Value) -> Kind {
        let root = json!({"$defs": {
            "Day": {"type": "string", "format": "date"},
            "Color": {"oneOf": [{"const": "red", "type": "string"}, {"const": "blue"}]},
            "Loop": {"$ref": "#/$defs/Loop"},
        }});
        Kind::of(property, &root, 8)
    }

    #[test]
    fn the_kind_of_a_column_follows_from_the_schema() {
        for (property, expected) in [
            (json!({"type": "string"}), Kind::Text),
            (json!({"type": ["integer", "null"]}), Kind::Integer),
            (json!({"type": "number"}), Kind::Number),
            (json!({"type": "boolean"}), Kind::Boolean),
            (json!({"$ref": "#/$defs/Day"}), Kind::Date),
            (json!({"anyOf": [{"$ref": "#/$defs/Day"}, {"type": "null"}]}), Kind::Date),
            (json!({"$ref": "#/$defs/Color"}), Kind::Text),
            (json!({"type": "object"}), Kind::Json),
            (json!({"type": ["integer", "string"]}), Kind::Json),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), Kind::Json),
            (json!({"$ref": "#/$defs/Loop"}), Kind::Json),
            (json!({}), Kind::Json),
        ] {
            assert_eq!(kind(&property), expected, "{property}");
        }
    }

    fn taken<T>(data: &str, read: impl Fn(&str) -> Option<T>) -> (Option<T>, Option<String>) {
        let mut contents = [Content::of(data)];
        let mut values = take(&mut contents, "a", read);
        let [content] = contents;
        (values.pop().flatten(), content.rest())
    }

    #[test]
    fn a_value_that_its_column_cannot_show_exactly_stays_in_the_rest() {
        let rest = |json: &str| Some(format!(r#"{{"a":{json}}}"#));
        let data = |json: &str| format!(r#"{{"a":{json}}}"#);
        for json in ["9223372036854775808", "1.0", "\"1\"", "-0"] {
            assert_eq!(taken(&data(json), integer), (None, rest(json)), "{json}");
        }
        assert_eq!(taken(&data("9007199254740993"), number), (None, rest("9007199254740993")));
        for json in ["\"2026-1-2\"", "\"today\"", "\"20260102\""] {
            assert_eq!(taken(&data(json), date), (None, rest(json)), "{json}");
        }
        for json in ["\"2026-01-02T03:04:05+01:00\"", "\"2026-01-02T03:04:05.000000001Z\""] {
            assert_eq!(taken(&data(json), time), (None, rest(json)), "{json}");
        }
        assert_eq!(taken("7", integer), (None, Some("7".to_owned())));
    }

    #[test]
    fn other_values_move_to_their_column() {
        assert_eq!(
            taken(r#"{"a":-7,"b":[1, 2]}"#, integer),
            (Some(-7), Some(r#"{"b":[1, 2]}"#.to_owned()))
        );
        assert_eq!(taken(r#"{"a":null}"#, integer), (None, None));
        assert_eq!(taken(r#"{"a":0.1}"#, number), (Some(0.1), None));
        assert_eq!(taken(r#"{"a":"1970-01-02"}"#, date), (Some(1), None));
        assert_eq!(taken(r#"{"a":"1970-01-01T00:00:01Z"}"#, time), (Some(1_000_000), None));
        assert_eq!(taken("{}", text), (None, None));
    }

    #[test]
    fn names_that_a_reader_confuses_get_one_column() {
        let schema = json!({"properties": {"Amount": {}, "amount": {}, "_stream": {}, "b": {}}});
        let names: Vec<_> = fields(&schema).into_iter().map(|field| field.name).collect();
        assert_eq!(names, ["Amount", "b"]);
    }
}
