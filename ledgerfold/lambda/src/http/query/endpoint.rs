//! A query as the router calls it.

use std::{marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use ledgerfold::{
    Category, Decider, Version,
    context::QueryPorts,
    vocabulary::{ConsistencyToken, DamagedToken},
};
use serde_json::Value;

use super::{
    Answer, HttpQuery, Models, QueryCall, QueryParameters,
    parameters::{broken_parameters, field},
};
use crate::http::{
    FieldError, Problem, Request, Response, StatusCode,
    api::{ApiError, Endpoint, FirstUse, Matched, Template},
    schema::Shape,
};

/// The checks before a query, its read models, and the headers of its answer.
pub(in crate::http) struct QueryEndpoint<Q: HttpQuery> {
    models: Q::Models,
    checks: FirstUse<QueryChecks>,
    /// The categories of the context.
    categories: Arc<[Category]>,
    query: PhantomData<fn() -> Q>,
}

/// The shape of a query.
pub(in crate::http) struct QueryChecks {
    parameters: Shape,
    /// The fields after the question mark.
    names: Vec<String>,
}

impl QueryChecks {
    /// The checks of `Q`.
    ///
    /// # Errors
    /// [`ApiError`] if the type contradicts its path, or cannot be checked.
    pub(in crate::http) fn of<Q: HttpQuery>(template: &Template) -> Result<Self, ApiError> {
        let parameters = Shape::of::<Q>()?;
        let in_path = template.parameters();
        if let Some(name) = in_path.iter().find(|name| parameters.field(name).is_none()) {
            return Err(ApiError::NoField { path: Q::PATH, parameter: (*name).to_owned() });
        }
        let names = parameters.fields().into_iter().filter(|name| !in_path.contains(name));
        let names = names.map(str::to_owned).collect();
        Ok(Self { parameters, names })
    }
}

impl<Q: HttpQuery> QueryEndpoint<Q> {
    pub(in crate::http) fn open(
        ports: &QueryPorts<'_>,
        categories: Arc<[Category]>,
    ) -> Result<Self, ApiError> {
        let models = Q::Models::open(ports)?;
        let checks = FirstUse::of(|| QueryChecks::of::<Q>(&Template::parse(Q::PATH)));
        Ok(Self { models, checks, categories, query: PhantomData })
    }

    fn query(&self, request: &Request, matched: &Matched<'_>) -> Result<Q, Problem> {
        let QueryChecks { parameters, names } = self.checks.get()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut fields = QueryParameters::read(request, &names)?.to_json(parameters);
        let in_path = matched.values();
        fields.extend(in_path.map(|(name, text)| field(name, text, parameters)));
        let mut fields = Value::Object(fields);
        let errors = parameters.check(&mut fields);
        if !errors.is_empty() {
            return Err(broken_parameters(errors));
        }
        serde_path_to_error::deserialize(fields).map_err(|error| {
            let pointer = format!("/{}", error.path());
            broken_parameters(vec![FieldError { pointer, detail: error.inner().to_string() }])
        })
    }

    /// The version in `Consistency-Token`: the caller must see this version of its stream or a later one.
    fn token(&self, request: &Request) -> Result<Option<ConsistencyToken>, Problem> {
        let Some(text) = request.single_header("consistency-token")? else {
            return Ok(None);
        };
        // We only issue tokens for commits, so other categories and version 0 are invalid.
        let issued = |token: &ConsistencyToken| {
            self.categories.contains(token.stream.category()) && token.version > Version::NONE
        };
        let token = ConsistencyToken::parse(text)
            .ok()
            .filter(issued)
            .ok_or_else(|| Problem::bad_request(format!("Consistency-Token {DamagedToken}.")))?;
        // Streams of another domain change nothing in this answer.
        Ok(Some(token).filter(|it| *it.stream.category() == Q::Decider::CATEGORY))
    }
}

#[async_trait]
impl<Q: HttpQuery> Endpoint for QueryEndpoint<Q> {
    async fn answer(&self, request: &Request, matched: &Matched<'_>) -> Result<Response, Problem> {
        let query = self.query(request, matched)?;
        let token = self.token(request)?;
        let call = QueryCall { request, token: token.as_ref() };
        let (body, version) = query.answer(&self.models, call).await?.into_parts();
        let etag = version.map(|version| format!("\"{version}\""));
        let response = match &etag {
            Some(etag) if is_known(request, etag) => Response::empty(StatusCode::NOT_MODIFIED),
            _ => Response::json(StatusCode::OK, &body),
        };
        let response = response
            .with_header("Cache-Control", "private, no-cache")
            .with_header("Vary", "Authorization, Consistency-Token");
        Ok(match etag {
            Some(etag) => response.with_header("ETag", etag),
            None => response,
        })
    }
}

/// Whether the caller has this version already. `If-None-Match` lists tags, and a weak one counts too (RFC 9110, section
/// 13.1.2). The tags of versions contain no comma.
fn is_known(request: &Request, etag: &str) -> bool {
    let tags = request.header_values("if-none-match").flat_map(|tags| tags.split(','));
    tags.map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
