//! Finds the operation of a request.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Kind, Template, template::Matched};
use crate::{
    http::{Method, Problem, Request, Response},
    service::Answers,
};

/// An operation, ready to answer.
#[async_trait]
pub(in crate::http) trait Endpoint: Send + Sync {
    /// Answers a request whose path matches the operation's.
    async fn answer(&self, request: &Request, matched: &Matched<'_>) -> Result<Response, Problem>;
}

/// The operations of an API, of which this function answers those with an endpoint.
pub(super) struct Router(Vec<Route>);

/// One operation.
pub(super) struct Route {
    pub(super) kind: Kind,
    pub(super) template: Template,
    /// None if another function answers it.
    pub(super) endpoint: Option<Arc<dyn Endpoint>>,
}

impl Router {
    pub(super) fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by_key(|route| route.template.place());
        Self(routes)
    }

    /// The operations at the path of a request. The end of the path counts, with any prefix, and the longest match:
    /// `/customers/c-1/orders` is a customer's list, and not `/orders` after a prefix.
    fn at(&self, path: &[&str]) -> &[Route] {
        let first = self.0.iter().position(|route| route.template.find(path).is_some());
        let Some(first) = first.filter(|_| path.last() != Some(&"")) else { return &[] };
        let place = self.0[first].template.place();
        let same = self.0[first..].iter().take_while(|route| route.template.place() == place);
        &self.0[first..first + same.count()]
    }
}

#[async_trait]
impl Answers for Router {
    async fn answer(&self, request: &Request) -> Result<Response, Problem> {
        let path = request.path.segments();
        let routes = self.at(&path);
        if routes.is_empty() {
            return Err(Problem::not_found("This path does not exist."));
        }
        let route = routes.iter().find(|route| route.kind.has(&request.method));
        let found = route.and_then(|it| Some((it.endpoint.as_ref()?, it.template.find(&path)?)));
        let Some((endpoint, matched)) = found else {
            return Err(Problem::method_not_allowed(&allowed(routes)));
        };
        endpoint.answer(request, &matched).await
    }
}

impl Kind {
    /// HEAD is answered like GET; the gateway adapter removes the body.
    fn has(self, method: &Method) -> bool {
        match self {
            Self::Command => method == Method::POST,
            Self::Query => method == Method::GET || method == Method::HEAD,
        }
    }
}

/// The methods of these operations, for `Allow`.
fn allowed(routes: &[Route]) -> String {
    let methods = [(Kind::Query, "GET, HEAD"), (Kind::Command, "POST")];
    let allowed = methods.into_iter().filter(|(kind, _)| routes.iter().any(|it| it.kind == *kind));
    allowed.map(|(_, methods)| methods).collect::<Vec<_>>().join(", ")
}
