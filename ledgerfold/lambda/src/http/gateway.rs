use std::{collections::BTreeMap, future::Future, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_runtime::{LambdaEvent, run, service_fn};
use serde::{Deserialize, Serialize};

use super::{Method, Problem, Request, Response};
use crate::RunError;

/// Runs a handler on the requests of an API Gateway REST API (proxy integration).
///
/// The event is read here and not by a general HTTP adapter, because a request may hold what no
/// well-formed one does, as a path or header of odd bytes, and is to be answered 400, not 502.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_http<H, F>(handler: H) -> Result<(), RunError>
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Problem>> + Send,
{
    let handler = Arc::new(handler);
    run(service_fn(move |event: LambdaEvent<ProxyEvent>| {
        let handler = handler.clone();
        async move {
            let id = event.payload.request_context.request_id.clone();
            let answer = match event.payload.into_request() {
                Ok(request) => handler(request).await,
                Err(problem) => Err(problem),
            };
            let response = answer.unwrap_or_else(|problem| problem.into_response(&id));
            Ok::<_, RunError>(ProxyResponse::from(response))
        }
    }))
    .await
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyEvent {
    http_method: String,
    path: String,
    headers: Option<BTreeMap<String, String>>,
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    #[serde(default)]
    request_context: RequestContext,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    identity: Identity,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    api_key_id: Option<String>,
}

impl ProxyEvent {
    fn into_request(self) -> Result<Request, Problem> {
        let method = Method::from_bytes(self.http_method.as_bytes())
            .map_err(|_| Problem::bad_request("The method is no HTTP method."))?;
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded {
            STANDARD
                .decode(body)
                .map_err(|_| Problem::bad_request("The body was damaged on its way."))?
        } else {
            body.into_bytes()
        };
        let headers = pairs(self.multi_value_headers, self.headers);
        Ok(Request {
            method,
            path: self.path,
            query: pairs(self.multi_value_query_string_parameters, self.query_string_parameters),
            headers: headers.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect(),
            body,
            id: self.request_context.request_id,
            caller: self.request_context.identity.api_key_id,
        })
    }
}

/// The map with all values where it is there, otherwise the one with the last values.
fn pairs(
    all: Option<BTreeMap<String, Vec<String>>>,
    last: Option<BTreeMap<String, String>>,
) -> Vec<(String, String)> {
    let all = all.filter(|all| !all.is_empty()).map(|all| {
        let each = |(key, values): (String, Vec<String>)| {
            values.into_iter().map(move |value| (key.clone(), value))
        };
        all.into_iter().flat_map(each).collect()
    });
    all.unwrap_or_else(|| last.unwrap_or_default().into_iter().collect())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyResponse {
    status_code: u16,
    headers: BTreeMap<&'static str, String>,
    body: String,
    is_base64_encoded: bool,
}

impl From<Response> for ProxyResponse {
    fn from(response: Response) -> Self {
        Self {
            status_code: response.status.as_u16(),
            headers: response.headers.into_iter().collect(),
            body: response.body,
            is_base64_encoded: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ProxyEvent, ProxyResponse, Request, Response};
    use crate::http::{Problem, StatusCode};

    fn request(event: Value) -> Result<Request, Problem> {
        let event: ProxyEvent = serde_json::from_value(event).expect("a proxy event");
        event.into_request()
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
        assert_eq!((read.path.as_str(), read.body.as_slice()), ("/orders/a b", b"hi".as_slice()));
        assert_eq!(read.header_values("if-match").collect::<Vec<_>>(), ["\"1\"", "\"2\""]);
        assert_eq!(
            read.query,
            [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]
        );
        assert_eq!((read.id.as_str(), read.caller.as_deref()), ("request-1", Some("key-1")));
    }

    #[test]
    fn what_a_request_does_not_have_may_be_null_or_absent() {
        let read = request(json!({
            "path": "/", "httpMethod": "GET", "headers": null, "multiValueHeaders": null,
            "queryStringParameters": null, "body": null, "requestContext": {"identity": {"apiKeyId": null}},
        }))
        .expect("it can be read");
        assert!(read.body.is_empty() && read.headers.is_empty() && read.query.is_empty());
        assert_eq!(read.caller, None);
    }

    #[test]
    fn a_body_or_method_that_cannot_be_read_is_a_bad_request() {
        let damaged =
            json!({"path": "/", "httpMethod": "POST", "body": "%%%", "isBase64Encoded": true});
        for event in [damaged, json!({"path": "/", "httpMethod": "NOT A METHOD"})] {
            let problem = request(event).expect_err("it cannot be read");
            assert_eq!(problem.into_response("r").status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn an_answer_is_written_as_the_gateway_reads_it() {
        let response =
            Response::json(StatusCode::OK, &json!({"a": 1})).with_header("ETag", "\"1\"");
        let written = serde_json::to_value(ProxyResponse::from(response)).expect("it is JSON");
        let expected = json!({
            "statusCode": 200, "headers": {"Content-Type": "application/json", "ETag": "\"1\""},
            "body": "{\"a\":1}", "isBase64Encoded": false,
        });
        assert_eq!(written, expected);
    }
}
