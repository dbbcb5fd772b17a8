//! Reads a JSON Schema, as `schemars` derives it with all references inlined.

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{Format, Kind, Object, RULE, Range, Shape, Text};

/// A place in the schema, and the reason why it cannot be read.
type Unsupported = (String, String);
type Read<T> = Result<T, Unsupported>;

/// Keywords that describe values and allow all of them.
const ANNOTATIONS: [&str; 8] =
    ["$schema", "title", "description", "default", "examples", "deprecated", "readOnly", RULE];

/// The shape of a schema.
pub(super) fn shape(schema: &Value) -> Read<Shape> {
    at(schema, String::new())
}

fn at(schema: &Value, place: String) -> Read<Shape> {
    match schema {
        Value::Bool(true) => Ok(Shape { kind: Kind::Any, rule: None }),
        Value::Object(keywords) => {
            let mut reader = Reader { keywords, place, known: ANNOTATIONS.to_vec() };
            let kind = reader.kind()?;
            reader.refuse_unknown()?;
            // The rule is about the values beside null.
            let rule = if let Kind::Nullable(_) = kind { None } else { reader.text(RULE) };
            Ok(Shape { kind, rule })
        }
        _ => Err((place, "a schema must be true or an object".to_owned())),
    }
}

/// One schema, with the keywords that have been read so far.
struct Reader<'a> {
    keywords: &'a Map<String, Value>,
    place: String,
    known: Vec<&'static str>,
}

impl Reader<'_> {
    fn get(&mut self, keyword: &'static str) -> Option<&Value> {
        self.known.push(keyword);
        self.keywords.get(keyword)
    }

    fn text(&mut self, keyword: &'static str) -> Option<String> {
        self.get(keyword).and_then(Value::as_str).map(str::to_owned)
    }

    fn refuse<T>(&self, reason: impl Into<String>) -> Read<T> {
        Err((self.place.clone(), reason.into()))
    }

    /// A keyword that is overlooked would be a rule that is not checked.
    fn refuse_unknown(&self) -> Read<()> {
        match self.keywords.keys().find(|keyword| !self.known.contains(&keyword.as_str())) {
            Some(keyword) => self.refuse(format!("the keyword {keyword} is not supported")),
            None => Ok(()),
        }
    }

    fn kind(&mut self) -> Read<Kind> {
        for keyword in ["anyOf", "oneOf"] {
            if let Some(alternatives) = self.get(keyword).and_then(Value::as_array).cloned() {
                return self.either(keyword, &alternatives);
            }
        }
        if let Some(value) = self.get("const").cloned() {
            self.get("type");
            return Ok(Kind::Listed(vec![value]));
        }
        if let Some(values) = self.get("enum").and_then(Value::as_array).cloned() {
            self.get("type");
            return Ok(Kind::Listed(values));
        }
        match self.get("type").cloned() {
            None if self.keywords.keys().all(|it| ANNOTATIONS.contains(&it.as_str())) => {
                Ok(Kind::Any)
            }
            Some(Value::String(name)) => self.typed(&name),
            Some(Value::Array(names)) => match names.as_slice() {
                [Value::String(name), Value::String(null)] if null == "null" => {
                    let kind = self.typed(name)?;
                    let rule = self.text(RULE);
                    Ok(Kind::Nullable(Box::new(Shape { kind, rule })))
                }
                _ => self.refuse("a value may have one type, and be null"),
            },
            _ => self.refuse("the type is missing"),
        }
    }

    fn either(&mut self, keyword: &str, alternatives: &[Value]) -> Read<Kind> {
        let is_null = |it: &Value| it["type"] == "null";
        let shapes = alternatives.iter().enumerate().filter(|(_, it)| !is_null(it));
        let shapes = shapes.map(|(nth, it)| at(it, format!("{}/{keyword}/{nth}", self.place)));
        let mut shapes: Vec<Shape> = shapes.collect::<Result<_, _>>()?;
        let kind = if let [_] = shapes.as_slice() { shapes.remove(0).kind } else { merged(shapes) };
        Ok(if alternatives.iter().any(is_null) {
            Kind::Nullable(Box::new(Shape { kind, rule: self.text(RULE) }))
        } else {
            kind
        })
    }

    fn typed(&mut self, name: &str) -> Read<Kind> {
        match name {
            "null" => Ok(Kind::Null),
            "boolean" => Ok(Kind::Boolean),
            "integer" => {
                self.get("format");
                let min = self.bound("minimum", |it| it.as_i64().map(i128::from))?;
                let integer =
                    |it: &Value| it.as_i64().map(i128::from).or(it.as_u64().map(i128::from));
                Ok(Kind::Integer(Range { min, max: self.bound("maximum", integer)? }))
            }
            "number" => {
                self.get("format");
                let min = self.bound("minimum", Value::as_f64)?;
                Ok(Kind::Number(Range { min, max: self.bound("maximum", Value::as_f64)? }))
            }
            "string" => self.string(),
            "array" => self.list(),
            "object" => self.object(),
            other => self.refuse(format!("the type {other} is not supported")),
        }
    }

    fn bound<T>(
        &mut self,
        keyword: &'static str,
        read: fn(&Value) -> Option<T>,
    ) -> Read<Option<T>> {
        match self.get(keyword) {
            None => Ok(None),
            Some(value) => match read(value) {
                Some(bound) => Ok(Some(bound)),
                None => self.refuse(format!("{keyword} is out of range")),
            },
        }
    }

    fn count(&mut self, min: &'static str, max: &'static str) -> Read<Range<usize>> {
        let count = |it: &Value| it.as_u64().and_then(|it| usize::try_from(it).ok());
        Ok(Range { min: self.bound(min, count)?, max: self.bound(max, count)? })
    }

    fn string(&mut self) -> Read<Kind> {
        let length = self.count("minLength", "maxLength")?;
        let pattern = match self.text("pattern").map(|pattern| Regex::new(&pattern)) {
            None => None,
            Some(Ok(pattern)) => Some(pattern),
            Some(Err(error)) => return self.refuse(format!("the pattern is invalid: {error}")),
        };
        // Other formats are checked when the value is read.
        let format = match self.text("format").as_deref() {
            Some("date") => Format::Date,
            Some("date-time") => Format::DateTime,
            _ => Format::Any,
        };
        Ok(Kind::Text(Text { length, pattern, format }))
    }

    fn list(&mut self) -> Read<Kind> {
        let place = format!("{}/items", self.place);
        let items = self.get("items").cloned().unwrap_or(Value::Bool(true));
        let items = Box::new(at(&items, place)?);
        let unique = self.get("uniqueItems") == Some(&Value::Bool(true));
        Ok(Kind::List { items, count: self.count("minItems", "maxItems")?, unique })
    }

    fn object(&mut self) -> Read<Kind> {
        let place = format!("{}/properties", self.place);
        let properties = self.get("properties").and_then(Value::as_object).cloned();
        let fields = properties.unwrap_or_default().into_iter().map(|(name, schema)| {
            let shape = at(&schema, format!("{place}/{name}"))?;
            Ok((name, shape))
        });
        let fields = fields.collect::<Read<_>>()?;
        let required = self.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let required = required.iter().filter_map(|name| name.as_str().map(str::to_owned));
        let required = required.collect();
        let place = format!("{}/additionalProperties", self.place);
        let others = match self.get("additionalProperties") {
            None | Some(Value::Bool(false)) => None,
            Some(schema) => Some(Box::new(at(&schema.clone(), place)?)),
        };
        Ok(Kind::Object(Object { fields, required, others }))
    }
}

/// Alternatives that all list values, such as the variants of an enum, list their values together.
fn merged(shapes: Vec<Shape>) -> Kind {
    let values = shapes.iter().map(|shape| match &shape.kind {
        Kind::Listed(values) => Some(values.clone()),
        _ => None,
    });
    match values.collect::<Option<Vec<_>>>() {
        Some(values) => Kind::Listed(values.concat()),
        None => Kind::Either(shapes),
    }
}
