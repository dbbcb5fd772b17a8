//! The key set of an issuer over HTTP.

use std::{fmt, mem, time::Duration};

use async_trait::async_trait;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::{
    client::{
        http::HttpClient,
        interceptors::context::{Error, Output},
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError},
        ser_de::DeserializeResponse,
    },
    http::Request,
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag, timeout::TimeoutConfig};
use http_body_util::{BodyExt, Limited};
use ledgerfold_tokens::{KeySetUrl, KeySource, KeySourceError, MAX_KEY_SET_BYTES};

use crate::{BoxError, explain};

/// How long a fetch may take. A function behind API Gateway has 10 seconds for everything.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Fetches a key set with GET, through an HTTP client of the SDK. It follows no redirect: the address is the one that
/// the configuration trusts. There is one attempt; [`FetchedKeys`](ledgerfold_tokens::FetchedKeys) decides when the next
/// one is due.
pub struct HttpKeySource {
    get: Operation<(), SdkBody, NotOk>,
    url: KeySetUrl,
    timeout: Duration,
}

/// The issuer answered, but not with a key set.
#[derive(Debug, thiserror::Error)]
#[error("the answer has status {0}")]
struct NotOk(u16);

impl HttpKeySource {
    /// The key set at this address. The client must trust the authority of the issuer's certificate.
    pub fn new(client: impl HttpClient + 'static, url: KeySetUrl) -> Self {
        let path = url.path().to_owned();
        let get = Operation::builder()
            .service_name("issuer")
            .operation_name("key set")
            .http_client(client)
            .endpoint_url(&url.origin())
            .no_auth()
            .no_retry()
            // The whole fetch has one limit, which includes the time to read the answer.
            .timeout_config(TimeoutConfig::disabled())
            .serializer(move |()| request(&path))
            .deserializer_impl(Unread)
            .build();
        Self { get, url, timeout: TIMEOUT }
    }

    async fn get(&self) -> Result<Vec<u8>, KeySourceError> {
        let body = self.get.invoke(()).await;
        let body = body.map_err(|error| self.failed(&explain(&error)))?;
        let body = Limited::new(body, MAX_KEY_SET_BYTES).collect().await;
        Ok(body.map_err(|error| self.failed(&error.to_string()))?.to_bytes().to_vec())
    }

    fn failed(&self, reason: &str) -> KeySourceError {
        KeySourceError::new(format!("{}: {reason}", self.url))
    }
}

#[async_trait]
impl KeySource for HttpKeySource {
    async fn fetch(&self) -> Result<Vec<u8>, KeySourceError> {
        let answer = tokio::time::timeout(self.timeout, self.get()).await;
        let late = || self.failed(&format!("no answer within {} s", self.timeout.as_secs()));
        answer.map_err(|_| late())?
    }
}

impl fmt::Debug for HttpKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpKeySource").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A GET of this path at the endpoint.
fn request(path: &str) -> Result<HttpRequest, BoxError> {
    let mut request = Request::new(SdkBody::empty());
    request.set_uri(path)?;
    request.headers_mut().insert("accept", "application/jwk-set+json, application/json");
    Ok(request)
}

/// Returns the body without reading it, so that its length can be limited.
#[derive(Debug)]
struct Unread;

impl DeserializeResponse for Unread {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        let status = response.status().as_u16();
        Some(if status == 200 {
            Ok(Output::erase(mem::replace(response.body_mut(), SdkBody::taken())))
        } else {
            Err(OrchestratorError::operation(Error::erase(NotOk(status))))
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        task::JoinHandle,
    };

    use super::*;

    /// A server on this machine that answers one request with this text. The handle returns the request.
    async fn server(answer: String) -> (HttpKeySource, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let served = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.expect("a client");
            let mut request = vec![0; 4_096];
            let length = connection.read(&mut request).await.expect("a request");
            // A client that has read enough closes the connection.
            let _ = connection.write_all(answer.as_bytes()).await;
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (source(&format!("http://{address}/keys/jwks.json?v=1%2F2")), served)
    }

    fn source(url: &str) -> HttpKeySource {
        let client = aws_smithy_http_client::Builder::new().build_http();
        HttpKeySource::new(client, url.parse().expect("an address"))
    }

    #[tokio::test]
    async fn a_key_set_is_fetched_from_its_address() {
        let (source, served) =
            server("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}".to_owned()).await;
        assert_eq!(source.fetch().await.expect("an answer"), b"{\"keys\":[]}");
        let request = served.await.expect("it served");
        assert!(request.starts_with("GET /keys/jwks.json?v=1%2F2 HTTP/1.1\r\n"), "{request}");
    }

    #[tokio::test]
    async fn an_answer_that_is_no_success_is_an_error_and_a_redirect_is_not_followed() {
        for status in ["404 Not Found", "500 Internal Server Error", "204 No Content", "302 Found"]
        {
            let head = format!("HTTP/1.1 {status}\r\nlocation: http://127.0.0.1:1/\r\n");
            let (source, _served) = server(format!("{head}content-length: 0\r\n\r\n")).await;
            let error = source.fetch().await.expect_err(status).to_string();
            assert!(error.contains(&format!("status {}", &status[..3])), "{error}");
            assert!(error.starts_with("http://127.0.0.1:"), "{error}");
        }
    }

    #[tokio::test]
    async fn no_more_is_read_than_a_key_set_may_have() {
        for framing in ["content-length: 100000000\r\n\r\n", "connection: close\r\n\r\n"] {
            let body = "x".repeat(MAX_KEY_SET_BYTES + 1);
            let (source, _served) = server(format!("HTTP/1.1 200 OK\r\n{framing}{body}")).await;
            let error = source.fetch().await.expect_err("it is too long").to_string();
            assert!(error.contains("length limit exceeded"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_issuer_that_does_not_answer_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let silent = HttpKeySource { timeout: Duration::ZERO, ..source(&url) };
        let error = silent.fetch().await.expect_err("nobody answers").to_string();
        assert!(error.ends_with("no answer within 0 s"), "{error}");

        drop(listener);
        assert!(source(&url).fetch().await.is_err(), "nobody listens");
    }
}
