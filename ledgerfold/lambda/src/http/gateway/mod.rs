//! Converts between the events of API Gateway or function URLs and the requests of a service.

mod caller;
mod event;

use std::{collections::BTreeMap, future::Future, sync::Arc};

use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::vocabulary::guarded_future;
use serde::Serialize;
use tracing::Instrument;

use super::{Method, Problem, Request, Response, problem::defect};
use crate::RunError;

pub use event::GatewayEvent;

/// Runs a handler on HTTP requests from a REST API or an HTTP API (proxy integration), or a function URL.
///
/// We parse the event ourselves, without a general HTTP adapter: an adapter fails with 502 on malformed requests, for
/// example on odd bytes in a path or header, and such a request should get 400.
///
/// # Errors
/// The runtime's, if it cannot continue.
pub async fn serve_http<H, F>(handler: H) -> Result<(), RunError>
where
    H: Fn(Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Problem>> + Send,
{
    let handler = Arc::new(handler);
    run(service_fn(move |event: LambdaEvent<GatewayEvent>| {
        let handler = handler.clone();
        async move { Ok::<_, RunError>(answer_event(event.payload, &*handler).await) }
    }))
    .await
}

/// Answers the request in an event. A panic of the handler fails only this request.
pub async fn answer_event<H, F>(event: GatewayEvent, handler: &H) -> GatewayResponse
where
    H: Fn(Request) -> F,
    F: Future<Output = Result<Response, Problem>>,
{
    let id = event.id().to_owned();
    let head = event.method() == Method::HEAD.as_str();
    let answer = match event.into_request() {
        // The call itself is guarded too, because a handler may panic before its first await.
        Ok(request) => {
            // Log lines of this request have the id that the caller sees in a problem, beside Lambda's own.
            let span = tracing::info_span!("http", request = id);
            async {
                let answer = guarded_future(async { handler(request).await }).await;
                answer.unwrap_or_else(|panicked| Err(defect(&panicked)))
            }
            .instrument(span)
            .await
        }
        Err(problem) => Err(problem),
    };
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(&id));
    if head {
        // The same answer without a body (RFC 9110, section 9.3.2).
        response.body.clear();
    }
    response.into()
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

    use super::{GatewayEvent, GatewayResponse, Request, Response, answer_event};
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
            let answer = answer_event(event, &handler).await;
            assert_eq!(answer.status_code, status, "{body}: {}", answer.body);
            assert!(!answer.body.contains("unexpected"), "the panic message stays internal");
        }
    }

    #[tokio::test]
    async fn the_answer_to_head_has_no_body() {
        let handler = |_| async { Ok(Response::json(StatusCode::OK, &json!({"a": 1}))) };
        for (method, body) in [("GET", "{\"a\":1}"), ("HEAD", "")] {
            let event: GatewayEvent =
                serde_json::from_value(json!({"httpMethod": method, "path": "/"}))
                    .expect("an event");
            let answer = answer_event(event, &handler).await;
            assert_eq!((answer.body.as_str(), answer.status_code), (body, 200));
            assert_eq!(answer.headers["Content-Type"], "application/json");
        }
    }
}
