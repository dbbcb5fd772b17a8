//! Values of a template. A map keeps the order of its keys, and a key or an item may have a comment.

use serde_json::{Value as Json, json};

/// A value of a template, in the long form of CloudFormation's functions: `{"Ref": "Bus"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Number(i64),
    /// A text.
    Text(String),
    /// A list, each item with an optional comment.
    List(Vec<(Option<String>, Value)>),
    /// A map.
    Map(Map),
}

/// A map in the order in which a reader wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map(pub(super) Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) note: Option<String>,
    pub(super) value: Value,
}

impl Map {
    /// Adds an entry, or replaces its value and comment.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<Value>, note: Option<String>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => *entry = Entry { key, note, value },
            None => self.0.push(Entry { key, note, value }),
        }
    }

    /// This map with another entry.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set(key, value, None);
        self
    }

    /// This map with the entries of another one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The value of a key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// Removes an entry.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|entry| entry.key != key);
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.key.as_str())
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        entries.into_iter().fold(Self::default(), |map, (key, value)| map.with(key, value))
    }
}

impl Value {
    /// The value as JSON, without comments.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Bool(value) => json!(value),
            Self::Number(value) => json!(value),
            Self::Text(value) => json!(value),
            Self::List(items) => items.iter().map(|(_, item)| item.to_json()).collect(),
            Self::Map(map) => map.to_json(),
        }
    }
}

impl Map {
    /// The map as JSON, without comments.
    pub fn to_json(&self) -> Json {
        let entries = self.0.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
        Json::Object(entries.collect())
    }
}

/// A JSON value, with its keys in alphabetical order. Numbers that are no integers become text.
impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Self::Text(number.to_string()), Self::Number)
            }
            Json::String(text) => Self::Text(text),
            Json::Null => Self::Map(Map::default()),
            Json::Array(items) => items.into_iter().collect(),
            Json::Object(map) => Self::Map(map.into_iter().collect()),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl<V: Into<Self>> FromIterator<V> for Value {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        Self::List(items.into_iter().map(|item| (None, item.into())).collect())
    }
}

/// A map. A documentation comment on an entry becomes a comment of the template.
///
/// `map! { BatchSize: 100, "dynamodb:LeadingKeys": keys }`
macro_rules! map {
    ($($(#[doc = $note:literal])* $($key:ident)? $($text:literal)? : $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut map = $crate::document::Map::default();
        $(map.set(
            [$(stringify!($key))? $($text)?][0],
            $value,
            $crate::document::note(&[$($note),*]),
        );)*
        map
    }};
}

/// A list. The text after an item becomes a comment of the template: `list!["ES1001"; "It wants something else."]`.
macro_rules! list {
    ($($item:expr $(; $note:literal)?),* $(,)?) => {
        $crate::document::Value::List(vec![$(($crate::document::note(&[$($note)?]), $item.into())),*])
    };
}

pub(crate) use {list, map};

/// A comment from the lines of a documentation comment.
pub(crate) fn note(lines: &[&str]) -> Option<String> {
    let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// `!Ref`: the name of a resource, or the value of a parameter.
pub(crate) fn reference(id: impl Into<String>) -> Value {
    map! { Ref: id.into() }.into()
}

/// `!GetAtt`: an attribute of a resource.
pub(crate) fn attribute(id: impl Into<String>, name: &str) -> Value {
    Map::default().with("Fn::GetAtt", list![id.into(), name]).into()
}

/// The ARN of a resource.
pub(crate) fn arn(id: impl Into<String>) -> Value {
    attribute(id, "Arn")
}

/// `!Sub`: a text with references such as `${Bus}`.
pub(crate) fn sub(text: impl Into<String>) -> Value {
    Map::default().with("Fn::Sub", text.into()).into()
}

/// An output of the platform's stack.
pub(crate) fn import(output: &str) -> Value {
    Map::default().with("Fn::ImportValue", sub(format!("${{Platform}}-{output}"))).into()
}

/// `!If`: one of two values.
pub(crate) fn choose(condition: &str, yes: impl Into<Value>, no: impl Into<Value>) -> Value {
    Map::default().with("Fn::If", list![condition, yes.into(), no.into()]).into()
}

/// Leaves out the property.
pub(crate) fn no_value() -> Value {
    reference("AWS::NoValue")
}
