//! One operation of a document.

use serde_json::{Map, Value, json};

use super::{
    has_id, operation_id, reference,
    schemas::{Schemas, paragraphs, tidy},
};
use crate::http::{
    RequiredHeader, Success,
    api::{ApiError, CommandPart, Description, Kind, Part, QueryPart, Template},
};

/// An operation to document.
pub(super) struct Documented<'a> {
    pub(super) path: &'static str,
    pub(super) description: &'a Description,
    pub(super) schemas: &'a mut Schemas,
}

/// Where a field of the operation's type stands in a request.
#[derive(Clone, Copy)]
enum In {
    Path,
    Query,
}

impl Documented<'_> {
    pub(super) fn command(mut self, links: &Map<String, Value>) -> Result<Value, ApiError> {
        let Part::Command(command) = &self.description.part else { return Ok(Value::Null) };
        let template = Template::parse(self.path);
        let in_path = template.fields();
        let mut parameters = Vec::new();
        if has_id(self.path) {
            parameters.push(stream_parameter());
        }
        parameters.extend(in_path.iter().map(|name| self.parameter(name, In::Path)));
        let key = command.needs_key.then(|| reference("parameters", "IdempotencyKey"));
        parameters.extend(key);
        parameters.extend(["IfMatch", "Traceparent"].map(|it| reference("parameters", it)));
        let mut operation = self.head("commands");
        operation["parameters"] = parameters.into();
        let outside: Vec<&str> = in_path.iter().copied().chain(command.adds).collect();
        operation["requestBody"] = self.body(&outside)?;
        operation["responses"] = self.command_responses(command, links);
        Ok(operation)
    }

    pub(super) fn query(self) -> Value {
        let Part::Query(query) = &self.description.part else { return Value::Null };
        let template = Template::parse(self.path);
        let in_path = template.parameters();
        let mut parameters: Vec<_> =
            in_path.iter().map(|name| self.parameter(name, In::Path)).collect();
        let others = self.fields().into_iter().filter(|name| !in_path.contains(&name.as_str()));
        parameters.extend(others.map(|name| self.parameter(&name, In::Query)));
        parameters.extend(query.headers.iter().map(required_header));
        let headers = ["ConsistencyToken", "IfNoneMatch", "Prefer"];
        parameters.extend(headers.map(|it| reference("parameters", it)));
        let mut operation = self.head("queries");
        operation["parameters"] = parameters.into();
        operation["responses"] = self.query_responses(query);
        operation
    }

    fn head(&self, tag: &str) -> Value {
        let text = self.description.schema.get("description").and_then(Value::as_str);
        let mut paragraphs = paragraphs(text.unwrap_or_default()).into_iter();
        let mut head = json!({
            "tags": [tag],
            "operationId": operation_id(&self.description.name),
            "summary": paragraphs.next().unwrap_or_default(),
        });
        let rest = paragraphs.collect::<Vec<_>>().join("\n\n");
        if !rest.is_empty() {
            head["description"] = rest.into();
        }
        head
    }

    /// The names of the type's fields, the required ones first, in the order of declaration.
    fn fields(&self) -> Vec<String> {
        let schema = &self.description.schema;
        let required = schema.get("required").and_then(Value::as_array).cloned();
        let mut names: Vec<String> =
            required.iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect();
        let all = schema.get("properties").and_then(Value::as_object);
        let optional: Vec<_> =
            all.into_iter().flat_map(Map::keys).filter(|it| !names.contains(it)).cloned().collect();
        names.extend(optional);
        names
    }

    fn parameter(&self, name: &str, place: In) -> Value {
        let schema = &self.description.schema;
        let mut field = schema.get("properties").map(|it| it[name].clone()).unwrap_or_default();
        tidy(&mut field);
        without_null(&mut field);
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = required.is_some_and(|it| it.contains(&name.into()));
        let (place, is_required) = match place {
            In::Path => ("path", true),
            In::Query => ("query", is_required),
        };
        let mut parameter = json!({"name": name, "in": place, "required": is_required});
        if let Some(description) = field.as_object_mut().and_then(|it| it.remove("description")) {
            parameter["description"] = description;
        }
        parameter["schema"] = field;
        let example = &self.description.example[name];
        if !example.is_null() {
            parameter["example"] = example.clone();
        }
        parameter
    }

    /// The body of a command: its fields without those of the path.
    fn body(&mut self, in_path: &[&str]) -> Result<Value, ApiError> {
        let name = self.description.name.clone();
        let mut schema = self.description.schema.clone().to_value();
        let mut example = self.description.example.clone();
        for name in in_path {
            for object in [schema.get_mut("properties"), Some(&mut example)] {
                object.and_then(Value::as_object_mut).map(|it| it.remove(*name));
            }
            let required = schema.get_mut("required").and_then(Value::as_array_mut);
            if let Some(required) = required {
                required.retain(|it| it != name);
            }
        }
        let content = json!({"schema": reference("schemas", &name), "example": example});
        self.schemas.add(name, schema)?;
        Ok(json!({"required": true, "content": {"application/json": content}}))
    }

    fn command_responses(&self, command: &CommandPart, links: &Map<String, Value>) -> Value {
        let mut responses =
            failures(&[(400, "BadRequest"), (401, "Unauthorized"), (403, "Forbidden")]);
        if has_id(self.path) || command.may_not_find {
            responses["404"] = reference("responses", "NotFound");
        }
        responses["405"] = reference("responses", "MethodNotAllowed");
        responses["409"] = conflict(command.refusals);
        let others = [
            (412, "VersionMismatch"),
            (413, "TooLarge"),
            (415, "UnsupportedMediaType"),
            (429, "Throttled"),
            (503, "Unavailable"),
        ];
        merge(&mut responses, failures(&others));
        if command.seals {
            responses["410"] = erased();
        }
        if command.needs_key {
            responses["422"] = reference("responses", "KeyReused");
        }
        for (success, body) in &command.successes {
            let mut body = body.clone().to_value();
            tidy(&mut body);
            responses[success.status.as_str()] = success_response(success, &body, links);
        }
        responses
    }

    fn query_responses(&self, query: &QueryPart) -> Value {
        let mut body = query.answer.clone().to_value();
        tidy(&mut body);
        let (tag, not_modified) = match query.has_version {
            true => ("ETag", "NotModified"),
            false => ("ContentTag", "ContentNotModified"),
        };
        let headers = json!({
            "ETag": reference("headers", tag),
            "Cache-Control": reference("headers", "CacheControl"),
            "Vary": reference("headers", "Vary"),
            "Preference-Applied": reference("headers", "PreferenceApplied"),
        });
        let mut responses = failures(&[
            (304, not_modified),
            (400, "BadRequest"),
            (401, "Unauthorized"),
            (403, "Forbidden"),
            (405, "MethodNotAllowed"),
            (429, "Throttled"),
            (503, "Unavailable"),
        ]);
        if has_id(self.path) {
            responses["404"] = reference("responses", "NotFound");
        }
        if query.opens {
            responses["410"] = erased();
        }
        responses["200"] = json!({
            "description": "The requested resource.",
            "headers": headers,
            "content": {"application/json": {"schema": body}},
        });
        for media_type in query.also {
            responses["200"]["content"][*media_type] = json!({"schema": {"type": "object"}});
        }
        responses
    }
}

fn required_header(header: &RequiredHeader) -> Value {
    json!({
        "name": header.name,
        "in": "header",
        "required": true,
        "description": header.description,
        "schema": {"type": "string", "enum": header.values},
        "example": header.values.first(),
    })
}

/// The `{id}` of a command, which is no field of it.
fn stream_parameter() -> Value {
    let mut schema = schemars::schema_for!(ledgerfold::EntityId).to_value();
    if let Value::Object(keywords) = &mut schema {
        keywords.retain(|keyword, _| !["$schema", "title"].contains(&keyword.as_str()));
    }
    let description = "The resource that the command changes.";
    json!({"name": "id", "in": "path", "required": true, "description": description, "schema": schema})
}

/// A parameter that is absent is not null.
fn without_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(schemas)) = schema.get_mut("anyOf") {
        schemas.retain(|it| it["type"] != "null");
        if let [only] = schemas.as_slice() {
            let only = only.clone();
            schema.as_object_mut().map(|it| it.remove("anyOf"));
            merge(schema, only);
        }
    }
}

fn success_response(success: &Success, body: &Value, links: &Map<String, Value>) -> Value {
    let mut response = json!({
        "description": success.description,
        "content": {"application/json": {"schema": body}},
    });
    if success.has_version {
        response["headers"]["ETag"] = reference("headers", "ETag");
    }
    if success.has_token {
        response["headers"]["Consistency-Token"] = reference("headers", "ConsistencyToken");
    }
    if let Some(pattern) = &success.location {
        response["headers"]["Location"] = json!({
            "description": "The new resource, as a reference relative to the request's URL (RFC 3986, section 5.2), so \
                that it is valid behind every stage, domain and base path.",
            "required": true,
            "schema": {"type": "string", "format": "uri-reference", "pattern": pattern},
        });
        if !links.is_empty() {
            response["links"] = links.clone().into();
        }
    }
    response
}

/// The operations that can follow on a resource that the command at this path created.
pub(super) fn links(
    path: &'static str,
    described: &[(Kind, &'static str, Description)],
) -> Map<String, Value> {
    let created = format!("{path}/{{id}}");
    // A link fills the id only.
    let follows = |other: &'static str| {
        let rest = other.strip_prefix(&created);
        let is_below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_below && Template::parse(other).parameters() == ["id"]
    };
    let links = described.iter().filter(|(_, other, _)| follows(other)).map(|(kind, _, of)| {
        let id = operation_id(&of.name);
        let mut parameters = json!({"id": "$response.body#/id"});
        if *kind == Kind::Query {
            parameters["Consistency-Token"] = "$response.header.Consistency-Token".into();
        }
        (id.clone(), json!({"operationId": id, "parameters": parameters}))
    });
    links.collect()
}

fn conflict(refusals: &[&str]) -> Value {
    let rules = refusals.iter().chain(&["contention"]);
    let rules = rules.map(|rule| format!("`/problems/{rule}`")).collect::<Vec<_>>().join(", ");
    let description = format!(
        "The current state does not allow this: `type` names the rule, one of {rules}. Nothing was changed. A refusal is \
         not stored, so the same request may be accepted later."
    );
    json!({
        "description": description,
        "headers": {"Retry-After": reference("headers", "RetryAfter")},
        "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
    })
}

fn erased() -> Value {
    json!({
        "description": "The data of the person was erased. Nobody can show it any more.",
        "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}},
    })
}

fn failures(failures: &[(u16, &str)]) -> Value {
    let failures =
        failures.iter().map(|(status, name)| (status.to_string(), reference("responses", name)));
    Value::Object(failures.collect())
}

fn merge(into: &mut Value, other: Value) {
    if let (Value::Object(into), Value::Object(other)) = (into, other) {
        into.extend(other);
    }
}
