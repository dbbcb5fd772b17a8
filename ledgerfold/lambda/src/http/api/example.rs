//! Requests to try a service with.

use ledgerfold::{Caller, Category};
use serde_json::{Map, Value};

use super::{Api, Description, Generators, Part, Template};
use crate::http::command::created_id;

/// A request to try the service with.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The method.
    pub method: &'static str,
    /// The path with its query.
    pub path: String,
    /// The `Idempotency-Key` and the body of a command.
    pub command: Option<(String, Value)>,
}

/// A stream that an earlier example creates.
struct Created {
    category: Category,
    id: String,
}

impl Api {
    /// Requests of this caller that work one after the other on an empty service: the commands that create a stream, and
    /// the queries, which show these streams.
    pub fn examples(&self, caller: &Caller) -> Vec<Example> {
        let mut generators = Generators::new();
        let described: Vec<_> = self
            .operations
            .iter()
            .map(|it| (Template::parse(it.path), (it.describe)(&mut generators)))
            .collect();
        let mut created = Vec::new();
        let mut examples = Vec::new();
        for (template, description) in &described {
            if let Part::Command(command) = &description.part
                && let Some(category) = command.creates.clone()
            {
                let key = format!("try-{}", description.name);
                let path = template.filled(|_| String::new());
                let id = created_id(&path, caller, &key);
                created.push(Created { category, id });
                let command = Some((key, description.example.clone()));
                examples.push(Example { method: "POST", path, command });
            }
        }
        let queries = described.iter().filter_map(|(template, it)| example(template, it, &created));
        examples.extend(queries);
        examples
    }
}

/// The example of a query.
fn example(template: &Template, of: &Description, created: &[Created]) -> Option<Example> {
    let Part::Query(query) = &of.part else { return None };
    let stream = created.iter().find(|it| it.category == query.category);
    let value = |name: &str| match stream {
        Some(stream) if name == "id" => stream.id.clone(),
        _ => text(&of.example[name]),
    };
    let in_path = template.parameters();
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    for (name, value) in of.example.as_object().unwrap_or(&Map::new()) {
        let default = of.schema.get("properties").map(|it| &it[name]["default"]);
        if !in_path.contains(&name.as_str()) && !value.is_null() && default != Some(value) {
            parameters.append_pair(name, &text(value));
        }
    }
    let parameters = parameters.finish();
    let mark = if parameters.is_empty() { "" } else { "?" };
    let path = format!("{}{mark}{parameters}", template.filled(value));
    Some(Example { method: "GET", path, command: None })
}

/// A value as it stands in a URL.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
