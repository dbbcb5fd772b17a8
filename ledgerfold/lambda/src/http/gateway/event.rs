//! The events of all gateways, and their conversion to a [`Request`].

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use ledgerfold::Caller;
use serde::Deserialize;
use serde_json::Value;

use crate::http::{Method, Path, Problem, Request, authentication::Credentials};

type Map<T> = Option<BTreeMap<String, T>>;

/// A Lambda event with an HTTP request, from any of these:
///
/// - a REST API, or an HTTP API with payload format 1.0
///   (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>)
/// - an HTTP API with payload format 2.0
///   (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>)
/// - a function URL (<https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>), which uses format 2.0 too
///
/// Gateways leave fields out or set them to null.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GatewayEvent {
    // Format 1.0.
    http_method: Option<String>,
    path: Option<String>,
    resource: Option<String>,
    multi_value_headers: Map<Vec<String>>,
    multi_value_query_string_parameters: Map<Vec<String>>,
    // Format 2.0.
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    route_key: Option<String>,
    // Both.
    path_parameters: Map<String>,
    headers: Map<String>,
    query_string_parameters: Map<String>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    /// The gateway's own data about the request. It stays JSON, because its structure depends on the authorizer.
    request_context: Value,
}

impl GatewayEvent {
    /// The gateway's id of the request.
    pub(super) fn id(&self) -> &str {
        self.context("/requestId").unwrap_or_default()
    }

    pub(super) fn method(&self) -> &str {
        self.http_method.as_deref().or_else(|| self.context("/http/method")).unwrap_or_default()
    }

    fn context(&self, pointer: &str) -> Option<&str> {
        self.request_context.pointer(pointer).and_then(Value::as_str)
    }

    /// The parts that can prove who the caller is.
    pub(super) fn credentials(&self) -> Credentials<'_> {
        let is_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
        let all = self.multi_value_headers.iter().flatten();
        let all = all.filter(|(name, _)| is_authorization(name)).flat_map(|(_, values)| values);
        let mut authorization: Vec<&str> = all.map(String::as_str).collect();
        if authorization.is_empty() {
            let last = self.headers.iter().flatten().filter(|(name, _)| is_authorization(name));
            authorization.extend(last.map(|(_, value)| value.as_str()));
        }
        Credentials { authorization, context: &self.request_context }
    }

    /// Converts the event to a request of this caller.
    ///
    /// # Errors
    /// 400 if the method is invalid or the body cannot be decoded.
    pub(super) fn into_request(self, caller: Caller) -> Result<Request, Problem> {
        let method = Method::from_bytes(self.method().as_bytes())
            .map_err(|_| Problem::bad_request("The HTTP method is invalid."))?;
        let path = Path::parse(&self.api_path());
        let id = self.id().to_owned();
        let query = match &self.raw_query_string {
            // The decoded parameters of format 2.0 do not distinguish commas from repeated parameters.
            Some(raw) => form_urlencoded::parse(raw.as_bytes()).into_owned().collect(),
            None => pairs(self.multi_value_query_string_parameters, self.query_string_parameters),
        };
        let headers = pairs(self.multi_value_headers, self.headers);
        let headers = headers.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect();
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded == Some(true) {
            let damaged = |_| Problem::bad_request("The body is not valid base64.");
            STANDARD.decode(body).map_err(damaged)?
        } else {
            body.into_bytes()
        };
        Ok(Request { method, path, query, headers, body, id, caller })
    }

    /// The path as the API's definition has it.
    ///
    /// In a REST API, `path` includes the base path of a custom domain, and the stage too if the domain is not mapped
    /// to one. In an HTTP API, `rawPath` includes a named stage. The route, filled with its parameters, includes neither.
    fn api_path(&self) -> String {
        let sent = self.raw_path.as_deref().or(self.path.as_deref()).unwrap_or_default();
        let Some(path) = self.filled_route() else {
            return self.without_stage(sent).to_owned();
        };
        // A route matches with and without a trailing slash, and its parameters do not show which.
        let slash = if sent.ends_with('/') && !path.ends_with('/') { "/" } else { "" };
        path + slash
    }

    /// The route that the gateway matched, filled with its parameters: `/{proxy+}` with `orders/1`.
    fn filled_route(&self) -> Option<String> {
        let parameter = |name: &str| self.path_parameters.as_ref()?.get(name).map(String::as_str);
        // A route key is a method and a path, or `$default`.
        let path_of_key = || Some(self.route_key.as_deref()?.split_once(' ')?.1);
        let route = self.resource.as_deref().or_else(path_of_key).unwrap_or("/{proxy+}");
        let segments = route.strip_prefix('/')?.split('/').map(|segment| {
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => parameter(name.trim_end_matches('+')),
                None => Some(segment),
            }
        });
        let segments: Option<Vec<&str>> = segments.collect();
        Some(format!("/{}", segments?.join("/")))
    }

    /// The path without the stage, for a route without parameters such as `$default`.
    fn without_stage<'a>(&self, path: &'a str) -> &'a str {
        let behind_stage = || path.strip_prefix('/')?.strip_prefix(self.context("/stage")?);
        behind_stage().filter(|rest| rest.starts_with('/')).unwrap_or(path)
    }
}

/// The pairs of the map with all values, or if it is missing, of the map with the last values.
fn pairs(all: Map<Vec<String>>, last: Map<String>) -> Vec<(String, String)> {
    let all = all.filter(|all| !all.is_empty()).map(|all| {
        let each = |(key, values): (String, Vec<String>)| {
            values.into_iter().map(move |value| (key.clone(), value))
        };
        all.into_iter().flat_map(each).collect()
    });
    all.unwrap_or_else(|| last.unwrap_or_default().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use ledgerfold::Caller;
    use serde_json::{Value, json};

    use super::GatewayEvent;
    use crate::http::{Problem, Request, StatusCode};

    fn request(event: Value) -> Result<Request, Problem> {
        let event: GatewayEvent = serde_json::from_value(event).expect("an event");
        event.into_request(Caller::anonymous())
    }

    #[test]
    fn a_request_is_read_with_all_its_values() {
        let read = request(json!({
            "resource": "/{proxy+}", "path": "/orders/a b", "httpMethod": "POST",
            "headers": {"If-Match": "\"2\""},
            "multiValueHeaders": {"If-Match": ["\"1\"", "\"2\""], "X-Odd": ["sch\u{00f6}n"]},
            "queryStringParameters": {"a": "2"}, "multiValueQueryStringParameters": {"a": ["1", "2"]},
            "requestContext": {"requestId": "request-1", "identity": {"apiKeyId": "key-1", "sourceIp": "::1"}},
            "body": "aGk=", "isBase64Encoded": true,
        }))
        .expect("it can be read");
        assert_eq!(
            (read.path.segments(), read.body.as_slice()),
            (vec!["orders", "a b"], b"hi".as_slice())
        );
        assert_eq!(read.header_values("if-match").collect::<Vec<_>>(), ["\"1\"", "\"2\""]);
        assert_eq!(
            read.query,
            [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]
        );
        assert_eq!(read.id, "request-1");
    }

    #[test]
    fn a_raw_query_keeps_commas_apart_from_repetitions() {
        let read = request(json!({
            "rawPath": "/", "rawQueryString": "a=1%2C2&a=3+4&b", "queryStringParameters": {"a": "1,2,3 4", "b": ""},
            "requestContext": {"http": {"method": "GET"}},
        }));
        let query = read.expect("it can be read").query;
        let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(query, [owned("a", "1,2"), owned("a", "3 4"), owned("b", "")]);
    }

    #[test]
    fn missing_parts_of_a_request_may_be_null_or_absent() {
        let read = request(json!({
            "path": "/", "httpMethod": "GET", "headers": null, "multiValueHeaders": null,
            "queryStringParameters": null, "body": null, "isBase64Encoded": null,
            "requestContext": {"identity": {"apiKeyId": null}, "authorizer": null},
        }))
        .expect("it can be read");
        assert!(read.body.is_empty() && read.headers.is_empty() && read.query.is_empty());
        assert_eq!(read.caller, Caller::anonymous());
    }

    #[test]
    fn every_value_of_authorization_is_seen() {
        for (headers, expected) in [
            (json!({"headers": {"authorization": "a"}}), &["a"][..]),
            (json!({"headers": {"AUTHORIZATION": "a"}, "multiValueHeaders": null}), &["a"]),
            (json!({"multiValueHeaders": {"Authorization": ["a", "b"]}}), &["a", "b"]),
            (
                json!({"headers": {"Authorization": "b"},
                       "multiValueHeaders": {"Authorization": ["a"], "authorization": ["b"]}}),
                &["a", "b"],
            ),
            (json!({"headers": {"Authorization": "a"}, "multiValueHeaders": {}}), &["a"]),
            (json!({"headers": {"X-Authorization": "a"}}), &[]),
            (json!({}), &[]),
        ] {
            let event: GatewayEvent = serde_json::from_value(headers).expect("an event");
            assert_eq!(event.credentials().authorization, expected);
        }
    }

    #[test]
    fn an_invalid_body_or_method_is_a_bad_request() {
        let damaged =
            json!({"path": "/", "httpMethod": "POST", "body": "%%%", "isBase64Encoded": true});
        for event in [damaged, json!({"path": "/", "httpMethod": "NOT A METHOD"}), json!({})] {
            let problem = request(event).expect_err("it cannot be read");
            assert_eq!(problem.into_response("r").status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn the_path_excludes_stage_and_base_path() {
        let rest = |resource: &str, path: &str, parameters: Value| {
            json!({"httpMethod": "GET", "resource": resource, "path": path, "pathParameters": parameters,
                "requestContext": {"stage": "orders"}})
        };
        let http = |route: &str, stage: &str, path: &str, parameters: Value| {
            json!({"routeKey": route, "rawPath": path, "pathParameters": parameters,
                "requestContext": {"http": {"method": "GET"}, "stage": stage}})
        };
        let proxy = || json!({"proxy": "orders/a"});
        let found = [
            rest("/{proxy+}", "/orders/a", proxy()),
            rest("/{proxy+}", "/base/orders/orders/a", proxy()),
            rest("/orders/{id}", "/base/orders/a", json!({"id": "a"})),
            json!({"httpMethod": "GET", "path": "/v1/orders/a", "pathParameters": proxy()}),
            http("ANY /{proxy+}", "$default", "/orders/a", proxy()),
            http("ANY /{proxy+}", "orders", "/orders/orders/a", proxy()),
            http("GET /orders/{id}", "$default", "/orders/a", json!({"id": "a"})),
            http("$default", "$default", "/orders/a", Value::Null),
            http("$default", "orders", "/orders/orders/a", Value::Null),
            http("$default", "order", "/orders/a", Value::Null),
        ];
        for event in found {
            let read = request(event.clone()).expect("it can be read");
            assert_eq!(read.path.segments(), ["orders", "a"], "{event}");
        }
        for (event, segments) in [
            (rest("/{proxy+}", "/orders/", json!({"proxy": "orders"})), ["orders", ""]),
            (rest("/orders/a", "/base/orders/a", Value::Null), ["orders", "a"]),
        ] {
            let read = request(event.clone()).expect("it can be read");
            assert_eq!(read.path.segments(), segments, "{event}");
        }
    }
}
