//! A command as the router calls it.

use std::marker::PhantomData;

use async_trait::async_trait;
use ledgerfold::EntityId;
use serde_json::Value;

use super::{CommandCall, CommandHeaders, CommandSide, Handles, HttpCommand, body};
use crate::http::{
    Problem, Request, Response,
    api::{ApiError, Endpoint, FirstUse, Matched, Template},
    query::{QueryParameters, broken, parameter},
    schema::Shape,
};

/// The checks before a command, and its handler.
pub(in crate::http) struct CommandEndpoint<C, H> {
    handler: H,
    checks: FirstUse<CommandChecks>,
    command: PhantomData<fn() -> C>,
}

/// The shape of a command, in its two places.
pub(in crate::http) struct CommandChecks {
    body: Shape,
    /// The fields that parameters of the path fill.
    path: Vec<(String, Shape)>,
}

impl CommandChecks {
    /// The checks of `C`.
    ///
    /// # Errors
    /// [`ApiError`] if the type contradicts its path, or cannot be checked.
    pub(in crate::http) fn of<C: HttpCommand>(template: &Template) -> Result<Self, ApiError> {
        let shape = Shape::of::<C>()?;
        if !shape.is_object() {
            return Err(ApiError::NoObject(C::PATH));
        }
        let names = template.fields();
        let path = names.iter().map(|name| match shape.field(name) {
            Some(shape) => Ok(((*name).to_owned(), shape.clone())),
            None => Err(ApiError::NoField { path: C::PATH, parameter: (*name).to_owned() }),
        });
        let path = path.collect::<Result<_, _>>()?;
        if let Some(name) = C::ADDS.filter(|name| shape.field(name).is_none()) {
            return Err(ApiError::NoField { path: C::PATH, parameter: name.to_owned() });
        }
        let outside: Vec<&str> = names.into_iter().chain(C::ADDS).collect();
        let body = shape.without(&outside);
        Ok(Self { body, path })
    }
}

impl<C: HttpCommand, H: Handles<C>> CommandEndpoint<C, H> {
    pub(in crate::http) fn open(side: &mut CommandSide<'_>) -> Self {
        let checks = FirstUse::of(|| CommandChecks::of::<C>(&Template::parse(C::PATH)));
        Self { handler: H::open(side), checks, command: PhantomData }
    }

    fn command(&self, request: &Request, matched: &Matched<'_>) -> Result<C, Problem> {
        let checks = self.checks.get()?;
        let mut fields = Vec::new();
        for (name, shape) in &checks.path {
            let mut value = parameter(matched.value(name).unwrap_or_default(), shape);
            let errors = shape.check(&mut value);
            if !errors.is_empty() {
                return Err(broken(name, errors));
            }
            fields.push((name.clone(), value));
        }
        if let Some(name) = C::ADDS {
            let id = CommandHeaders::read(request)?.created_id(&matched.path)?;
            fields.push((name.to_owned(), id.as_str().into()));
        }
        QueryParameters::read(request, &[])?;
        let mut body = body::json::<C>(request)?;
        let errors = checks.body.check(&mut body);
        let Value::Object(mut body) = body else {
            return Err(Problem::invalid_body(errors));
        };
        body.extend(fields);
        let command: C = body::read(body, errors)?;
        let errors = command.check();
        if errors.is_empty() { Ok(command) } else { Err(Problem::invalid_body(errors)) }
    }
}

#[async_trait]
impl<C: HttpCommand, H: Handles<C>> Endpoint for CommandEndpoint<C, H> {
    async fn answer(&self, request: &Request, matched: &Matched<'_>) -> Result<Response, Problem> {
        let id = matched.value("id").map(EntityId::new).transpose();
        let id = id.map_err(|rule| Problem::bad_request(format!("The id in the path: {rule}.")))?;
        let command = self.command(request, matched)?;
        let call = CommandCall { request, id: id.as_ref(), path: &matched.path, matched };
        self.handler.handle(command, call).await
    }
}
