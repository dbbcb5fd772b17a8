//! The deployed service, over HTTP. The client is the one that the SDK of AWS already contains.

use std::{io, time::Duration};

use http::{HeaderMap, Uri};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::{
    engine::Service,
    scenario::{Answer, Message},
};

/// API Gateway answers within 29 seconds.
const TIMEOUT: Duration = Duration::from_secs(35);

/// A service at an address.
pub(super) struct HttpService {
    client: Client<HttpsConnector<HttpConnector>, String>,
    /// Without a slash at the end.
    api: String,
    /// In every request.
    headers: HeaderMap,
}

impl HttpService {
    /// The service at this address, with these headers in each request.
    ///
    /// # Errors
    /// If the certificates of the machine cannot be read.
    pub(super) fn new(api: &str, headers: HeaderMap) -> io::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, api: api.trim_end_matches('/').to_owned(), headers })
    }
}

impl Service for HttpService {
    async fn send(&self, message: Message) -> Result<Answer, String> {
        let uri: Uri = format!("{}{}", self.api, message.path)
            .parse()
            .map_err(|error| format!("no answer: {} is no address: {error}", message.path))?;
        let mut request = http::Request::builder().method(message.method).uri(uri);
        for (name, value) in message.headers {
            request = request.header(name, value);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(message.body.unwrap_or_default())
            .map_err(|error| format!("no answer: {error}"))?;
        let answered = async {
            let answer = self.client.request(request).await.map_err(|error| cause(&error))?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| cause(&error))?.to_bytes().to_vec();
            Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
        };
        tokio::time::timeout(TIMEOUT, answered)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())))
    }
}

/// The innermost cause, which tells most, for example "connection refused".
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    format!("no answer: {innermost}")
}
