//! The OpenAPI 3.1 document of an API.
//!
//! The parts that are the same in every service are in `components.json`.

mod operation;
mod schemas;

use serde_json::{Map, Value, json};

use self::schemas::Schemas;
use super::api::{Api, ApiError, Generators, Kind, Template};

/// The sentences that introduce every document.
const RULES: &str = "Commands use POST and take effect once per Idempotency-Key. Queries use GET, and answer at least at \
    the version of the Consistency-Token in the request. HEAD answers like GET, without a body. All of them need a token of the caller. Times are RFC 3339 in UTC, \
    errors are RFC 9457 problems. A name may occur only once in a JSON object.";

/// The roles that a caller needs for the examples of the document. The local cloud makes a token with them.
const EXAMPLE_ROLES: &str = "x-example-roles";

impl Api {
    /// The OpenAPI document.
    ///
    /// It depends on nothing but the declaration. Store it beside the service, where other programs find it, and compare
    /// it in a test.
    ///
    /// # Errors
    /// [`ApiError`].
    pub fn openapi(&self) -> Result<Value, ApiError> {
        self.check()?;
        let mut generators = Generators::new();
        let described: Vec<_> = self
            .operations
            .iter()
            .map(|it| (it.kind, it.path, (it.describe)(&mut generators)))
            .collect();
        let mut components = fixed();
        let roles: Vec<_> = self.example_roles().iter().map(ToString::to_string).collect();
        components["securitySchemes"]["bearer"][EXAMPLE_ROLES] = json!(roles);
        let mut schemas = Schemas::of(&mut generators)?;
        let mut paths = Map::new();
        for (kind, path, description) in &described {
            let links = operation::links(path, &described);
            let operation = operation::Documented { path, description, schemas: &mut schemas };
            let (method, operation) = match kind {
                Kind::Command => ("post", operation.command(&links)?),
                Kind::Query => ("get", operation.query()),
            };
            let methods = paths.entry(*path).or_insert_with(|| json!({}));
            methods[method] = operation;
        }
        if let Some(fixed) = components["schemas"].as_object_mut() {
            fixed.extend(schemas.into_components());
        }
        let mut info = json!({
            "title": self.title,
            "version": self.version,
            "description": format!("{RULES} {}", self.description).trim_end(),
        });
        if let Some(license) = self.license {
            info["license"] = json!({"name": license, "identifier": license});
        }
        Ok(json!({
            "openapi": "3.1.0",
            "info": info,
            "servers": [{"url": "/", "description": "The API's stage, domain or base path."}],
            "tags": [
                {"name": "commands", "description": "Operations that change something."},
                {"name": "queries", "description": "Operations that read."},
            ],
            "security": [{"bearer": []}],
            "paths": paths,
            "components": components,
        }))
    }
}

/// The components of every document.
fn fixed() -> Value {
    serde_json::from_str(include_str!("components.json")).expect("components.json is JSON")
}

/// The name of an operation: `placeOrder` for the type `PlaceOrder`.
fn operation_id(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|it| it.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Whether a template has the parameter `{id}`, and so a resource that may be missing.
fn has_id(path: &'static str) -> bool {
    Template::parse(path).parameters().contains(&"id")
}

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}
