//! The file that describes the requests: one JSON object a line. Empty lines and lines that begin with `#` are ignored.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::template::{self, Names, Template, Values};

/// The requests of a load, in the order of the file.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) requests: Vec<Request>,
}

/// A request with placeholders.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) name: String,
    /// How often it is sent, in comparison with the others.
    pub(super) weight: u32,
    /// The place of the request whose answers it continues.
    pub(super) after: Option<usize>,
    /// Whether it leaves such an answer for its next turn.
    pub(super) reuse: bool,
    method: http::Method,
    path: Template,
    headers: Vec<(http::HeaderName, Template)>,
    body: Option<Value>,
    /// The statuses that are no error. Every 2xx if it is empty.
    expect: BTreeSet<u16>,
    /// By name, a JSON pointer into the answer's body or the name of a header.
    save: BTreeMap<String, String>,
}

/// A request to send.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) method: http::Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: Vec<(http::HeaderName, String)>,
    pub(super) body: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: String,
    #[serde(default = "one")]
    weight: u32,
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    #[serde(default)]
    expect: BTreeSet<u16>,
    #[serde(default)]
    save: BTreeMap<String, String>,
    after: Option<String>,
    #[serde(default)]
    reuse: bool,
}

const fn one() -> u32 {
    1
}

/// A scenario that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScenarioError {
    /// A line is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// The reason, and a way to correct it.
        reason: String,
    },
    /// There is nothing to send.
    #[error("it has no request with a weight above 0")]
    Empty,
}

impl Scenario {
    /// Reads a scenario.
    pub(super) fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut requests: Vec<Request> = Vec::new();
        for (at, text) in text.lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let wrong = |reason| ScenarioError::Line { line: at + 1, reason };
            let line: Line =
                serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
            let request = Request::new(line, &requests).map_err(wrong)?;
            requests.push(request);
        }
        if requests.iter().all(|request| request.weight == 0) {
            return Err(ScenarioError::Empty);
        }
        Ok(Self { requests })
    }
}

impl Request {
    fn new(line: Line, earlier: &[Self]) -> Result<Self, String> {
        if earlier.iter().any(|request| request.name == line.name) {
            return Err(format!("there is a request called {} before", line.name));
        }
        let after = line.after.as_deref().map(|after| place(after, earlier)).transpose()?;
        let mut names = Names::default();
        let mut above = after;
        while let Some(at) = above {
            names.extend(earlier[at].save.keys());
            above = earlier[at].after;
        }
        let method = line.method.parse();
        let method = method.map_err(|_| format!("{} is no method of HTTP", line.method))?;
        if !line.path.starts_with('/') {
            return Err("a path begins with a slash; the host comes from --api".to_owned());
        }
        let headers = line.headers.iter().map(|(name, value)| {
            let header = name.parse().map_err(|_| format!("{name} is no name of a header"))?;
            Ok((header, Template::parse(value, &names)?))
        });
        if let Some(body) = &line.body {
            template::check(body, &names)?;
        }
        if let Some(name) = line.save.keys().find(|name| Names::is_reserved(name)) {
            return Err(format!("{name} cannot be saved, because it is a placeholder of its own"));
        }
        Ok(Self {
            path: Template::parse(&line.path, &names)?,
            headers: headers.collect::<Result<_, String>>()?,
            name: line.name,
            weight: line.weight,
            after,
            reuse: line.reuse,
            method,
            body: line.body,
            expect: line.expect,
            save: line.save,
        })
    }

    /// The request with these values in the place of its placeholders.
    pub(super) fn message(&self, values: &Values, number: u64) -> Message {
        let fill = |template: &Template| template.fill(values, number);
        let body = self.body.as_ref().map(|body| template::fill(body, values, number).to_string());
        let mut headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name.clone(), fill(value))).collect();
        if body.is_some() && !headers.iter().any(|(name, _)| name == http::header::CONTENT_TYPE) {
            headers.push((http::header::CONTENT_TYPE, "application/json".to_owned()));
        }
        let path = self.path.fill_path(values, number);
        Message { method: self.method.clone(), path, headers, body }
    }

    pub(super) fn expects(&self, status: u16) -> bool {
        if self.expect.is_empty() {
            (200..300).contains(&status)
        } else {
            self.expect.contains(&status)
        }
    }

    /// The values for the requests that continue this answer.
    ///
    /// # Errors
    /// The place of a value that the answer lacks.
    pub(super) fn saved(&self, answer: &Answer, mut values: Values) -> Result<Values, String> {
        let body = (!self.save.is_empty()).then(|| serde_json::from_slice(&answer.body).ok());
        let body = body.flatten().unwrap_or_default();
        for (name, place) in &self.save {
            let value = answer.value(&body, place).ok_or_else(|| place.clone())?;
            values.insert(name.clone(), value);
        }
        Ok(values)
    }
}

impl Answer {
    /// The value at a JSON pointer, or of a header.
    fn value(&self, body: &Value, place: &str) -> Option<String> {
        if !place.starts_with('/') {
            return Some(self.headers.get(place)?.to_str().ok()?.to_owned());
        }
        Some(match body.pointer(place)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }
}

fn place(name: &str, earlier: &[Request]) -> Result<usize, String> {
    earlier.iter().position(|request| request.name == name).ok_or_else(|| {
        let known: Vec<_> = earlier.iter().map(|request| request.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("no request before it is called {name}; known: {known}")
    })
}
