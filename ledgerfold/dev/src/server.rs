//! HTTP/1.1 for the development server. Every request becomes the event that API Gateway sends, so it takes the same path
//! through the program as on AWS.

use std::{
    convert::Infallible,
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use ledgerfold_lambda::{
    http::{Authentication, Example, GatewayEvent, GatewayResponse, answer_event},
    service::Answers,
};
use serde_json::json;
use tokio::net::TcpListener;

/// The largest body of a request, as behind API Gateway
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>).
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// The two services of a context, behind one authentication.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) authentication: Arc<Authentication>,
    pub(crate) commands: Arc<dyn Answers>,
    pub(crate) queries: Arc<dyn Answers>,
}

impl Services {
    /// The service that the gateway would choose.
    fn of(&self, method: &Method) -> &Arc<dyn Answers> {
        if *method == Method::POST { &self.commands } else { &self.queries }
    }
}

/// Answers requests without an end.
pub(crate) async fn serve(listener: &TcpListener, services: Services) {
    loop {
        // A client may be gone before its connection is accepted.
        let Ok((connection, _)) = listener.accept().await else { continue };
        let services = services.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let services = services.clone();
                async move { Ok::<_, Infallible>(answer(request, &services).await) }
            });
            // A connection fails if its client goes away, and there is nobody to tell.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), answer).await;
        });
    }
}

async fn answer(request: Request<Incoming>, services: &Services) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let headers: serde_json::Map<_, _> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let event = json!({
        "version": "2.0",
        "rawPath": head.uri.path(),
        "rawQueryString": head.uri.query().unwrap_or_default(),
        "headers": headers,
        "body": STANDARD.encode(body.to_bytes()),
        "isBase64Encoded": true,
        "requestContext": {
            "http": {"method": head.method.as_str()}, "stage": "$default", "requestId": request_id(),
        },
    });
    let Ok(event) = serde_json::from_value::<GatewayEvent>(event) else {
        return refused(StatusCode::BAD_REQUEST);
    };
    let service = services.of(&head.method).clone();
    let handler = |request| {
        let service = service.clone();
        async move { service.answer(&request).await }
    };
    converted(answer_event(event, &services.authentication, &handler).await)
}

/// Unique within this process. Atomic, because connections are concurrent.
fn request_id() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    format!("dev-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn converted(answer: GatewayResponse) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status_code);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let response = response.body(Full::new(Bytes::from(answer.body)));
    response.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer for requests that API Gateway itself would refuse.
fn refused(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// The command line for an example.
pub(crate) struct Curl<'a> {
    pub(crate) example: &'a Example,
    pub(crate) address: SocketAddr,
    /// Whether the request has the token of the variable `TOKEN`.
    pub(crate) has_token: bool,
}

impl fmt::Display for Curl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Example { method, path, command } = self.example;
        let url = format!("'http://{}{path}'", self.address);
        let token = match self.has_token {
            true => " -H \"Authorization: Bearer $TOKEN\"",
            false => "",
        };
        match command {
            Some((key, body)) => write!(
                f,
                "  curl -i -X {method} {url}{token} \\\n    -H 'Content-Type: application/json' \
                 -H 'Idempotency-Key: {key}' -d '{body}'"
            ),
            None => write!(f, "  curl -i {url}{token}"),
        }
    }
}
