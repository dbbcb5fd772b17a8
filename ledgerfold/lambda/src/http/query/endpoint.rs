//! A query as the router calls it.

use std::{marker::PhantomData, sync::Arc};

use async_trait::async_trait;
use ledgerfold::{
    Access, Category, Timestamp, Version,
    context::QueryPorts,
    ports::Clock,
    query::QueryError,
    vocabulary::{ConsistencyToken, DamagedToken},
};
use serde_json::Value;

use super::{
    Answer, HttpQuery, Models, QueryCall, QueryParameters,
    condition::{Condition, News, Tag},
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
    clock: Arc<dyn Clock>,
    query: PhantomData<fn() -> Q>,
}

/// The ports that all queries share.
pub(in crate::http) struct QuerySide<'a> {
    pub(in crate::http) ports: &'a QueryPorts<'a>,
    /// The categories of the context.
    pub(in crate::http) categories: Arc<[Category]>,
    pub(in crate::http) clock: Arc<dyn Clock>,
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
    pub(in crate::http) fn open(side: &QuerySide<'_>) -> Result<Self, ApiError> {
        let models = Q::Models::open(side.ports)?;
        let checks = FirstUse::of(|| QueryChecks::of::<Q>(&Template::parse(Q::PATH)));
        let categories = side.categories.clone();
        let clock = side.clock.clone();
        Ok(Self { models, checks, categories, clock, query: PhantomData })
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
        // We only issue tokens for commits of the own tenant, so all others are invalid.
        let issued = |token: &ConsistencyToken| {
            self.categories.contains(token.stream.category())
                && *token.stream.tenant() == request.caller.tenant
                && token.version > Version::NONE
        };
        let token = ConsistencyToken::parse(text)
            .ok()
            .filter(issued)
            .ok_or_else(|| Problem::bad_request(format!("Consistency-Token {DamagedToken}.")))?;
        // Streams of another domain change nothing in this answer.
        Ok(Some(token).filter(|it| Q::follows(it.stream.category())))
    }

    /// The current answer with its tag.
    async fn show(
        &self,
        request: &Request,
        matched: &Matched<'_>,
        now: Timestamp,
    ) -> Result<(Response, Tag), Problem> {
        let query = self.query(request, matched)?;
        match query.may(&request.caller) {
            Access::Allowed => {}
            Access::Forbidden => return Err(QueryError::Forbidden.into()),
            Access::Hidden => return Err(Problem::no_such_resource()),
        }
        for header in Q::HEADERS {
            header.read(request)?;
        }
        let token = self.token(request)?;
        let call = QueryCall { request, token: token.as_ref(), now };
        let answer = query.answer(&self.models, call).await?;
        let media_type = answer.media_type();
        let (body, version) = answer.into_parts();
        let response = Response::json(StatusCode::OK, &body).with_media_type(media_type);
        let tag = version.map_or_else(|| Tag::of_content(&response.body), Tag::Version);
        Ok((response, tag))
    }

    /// The answer to a request that may have a condition.
    async fn conditional(
        &self,
        request: &Request,
        matched: &Matched<'_>,
    ) -> Result<Response, Problem> {
        let condition = Condition::read(request);
        let mut attempts = condition.attempts(&*self.clock);
        loop {
            let (response, tag) = self.show(request, matched, self.clock.now()).await?;
            if condition.compare(tag) == News::New || Q::Models::RECORDS || !attempts.next().await {
                return Ok(condition.response(response, tag));
            }
        }
    }
}

/// Answers depend on the caller and on the token, and some on the media type. Caches of browsers keep a 404 too.
const fn for_caches(has_media_types: bool) -> [(&'static str, &'static str); 2] {
    let vary = match has_media_types {
        true => "Authorization, Consistency-Token, Accept",
        false => "Authorization, Consistency-Token",
    };
    [("Cache-Control", "private, no-cache"), ("Vary", vary)]
}

#[async_trait]
impl<Q: HttpQuery> Endpoint for QueryEndpoint<Q> {
    async fn answer(&self, request: &Request, matched: &Matched<'_>) -> Result<Response, Problem> {
        let for_caches = for_caches(!Q::Answer::ALSO.is_empty());
        match self.conditional(request, matched).await {
            Ok(response) => Ok(for_caches
                .into_iter()
                .fold(response, |response, (name, value)| response.with_header(name, value))),
            Err(problem) => Err(for_caches
                .into_iter()
                .fold(problem, |problem, (name, value)| problem.with_header(name, value))),
        }
    }
}
