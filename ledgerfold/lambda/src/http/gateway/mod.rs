//! Converts between the events of API Gateway or function URLs and the requests of a service.

mod event;

use std::{collections::BTreeMap, future::Future, sync::Arc};

use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::vocabulary::guarded_future;
use serde::Serialize;
use tracing::Instrument;

use super::{Authentication, Method, Problem, Request, Response, problem::defect};
use crate::RunError;

pub use event::GatewayEvent;

/// Runs a handler on HTTP requests from a REST API or an HTTP API (proxy integration), or a function URL. A request without
/// a caller does not reach the handler.
///
/// We parse the event ourselves, without a general HTTP adapter: an adapter fails with 502 on malformed requests, for
/// example on odd bytes in a path or header, and such a request should get 400.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_http<H, F>(authentication: Authentication, handler: H) -> Result<(), RunError>
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Problem>> + Send,
{
    let served = Arc::new((authentication, handler));
    run(service_fn(move |event: LambdaEvent<GatewayEvent>| {
        let served = served.clone();
        async move {
            let (authentication, handler) = &*served;
            Ok::<_, RunError>(answer_event(event.payload, authentication, handler).await)
        }
    }))
    .await
}

/// Answers the request in an event. A panic of the handler fails only this request.
pub async fn answer_event<H, F>(
    event: GatewayEvent,
    authentication: &Authentication,
    handler: &H,
) -> GatewayResponse
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<Response, Problem>>,
{
    let id = event.id().to_owned();
    let is_head = event.method() == Method::HEAD.as_str();
    // Log lines of this request have the id that the caller sees in a problem, beside Lambda's own.
    let span = tracing::info_span!("http", request = id);
    let answer = answer_caller(event, authentication, handler).instrument(span).await;
    let response = answer.unwrap_or_else(|problem| problem.into_response(&id));
    if is_head { response.without_body() } else { response }.into()
}

/// Authenticates the request before anything else, so that nobody without a caller learns which paths there are.
async fn answer_caller<H, F>(
    event: GatewayEvent,
    authentication: &Authentication,
    handler: &H,
) -> Result<Response, Problem>
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<Response, Problem>>,
{
    let caller = authentication.caller(&event.credentials()).await?;
    let request = event.into_request(caller)?;
    // The call itself is guarded too, because a handler may panic before its first await.
    let answer = guarded_future(async { handler(request).await }).await;
    answer.unwrap_or_else(|panicked| Err(defect(&panicked)))
}

/// An answer in the format that all gateways accept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayResponse {
    /// The status.
    pub status_code: u16,
    /// The headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body, as text.
    pub body: String,
    is_base64_encoded: bool,
}

impl From<Response> for GatewayResponse {
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
    use serde_json::json;

    use super::{Authentication, GatewayEvent, GatewayResponse, Request, Response, answer_event};
    use crate::http::StatusCode;

    #[test]
    fn an_answer_is_written_as_the_gateway_reads_it() {
        let response =
            Response::json(StatusCode::OK, &json!({"a": 1})).with_header("ETag", "\"1\"");
        let written = serde_json::to_value(GatewayResponse::from(response)).expect("it is JSON");
        let expected = json!({
            "statusCode": 200, "headers": {"Content-Type": "application/json", "ETag": "\"1\""},
            "body": "{\"a\":1}", "isBase64Encoded": false,
        });
        assert_eq!(written, expected);
    }

    #[tokio::test]
    async fn a_panic_of_the_handler_fails_one_request_only() {
        let handler = |request: Request| async move {
            assert_ne!(request.body, b"bad", "unexpected body");
            Ok(Response::json(StatusCode::OK, &json!({})))
        };
        for (body, status) in [("good", 200), ("bad", 500), ("good", 200)] {
            let event = json!({"httpMethod": "POST", "path": "/", "body": body});
            let event = serde_json::from_value(event).expect("an event");
            let answer = answer_event(event, &Authentication::None, &handler).await;
            assert_eq!(answer.status_code, status, "{body}: {}", answer.body);
            assert!(!answer.body.contains("unexpected"), "the panic message stays internal");
        }
    }

    #[tokio::test]
    async fn the_answer_to_head_has_no_body_and_the_length_of_the_one_to_get() {
        let handler = |_| async { Ok(Response::json(StatusCode::OK, &json!({"a": 1}))) };
        for (method, body, length) in [("GET", "{\"a\":1}", None), ("HEAD", "", Some("7"))] {
            let event: GatewayEvent =
                serde_json::from_value(json!({"httpMethod": method, "path": "/"}))
                    .expect("an event");
            let answer = answer_event(event, &Authentication::None, &handler).await;
            assert_eq!((answer.body.as_str(), answer.status_code), (body, 200));
            assert_eq!(answer.headers["Content-Type"], "application/json");
            assert_eq!(answer.headers.get("Content-Length").map(String::as_str), length);
        }
    }
}
