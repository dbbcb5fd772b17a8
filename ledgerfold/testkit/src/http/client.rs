//! A small HTTP client for a service.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Answer, Page, answer::CONSISTENCY_TOKEN};

/// The header with the idempotency key of a command.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The problem of a command that other commands kept from its streams.
const CONTENTION: &str = "contention";
const API_KEY: &str = "x-api-key";
const TIMEOUT: Duration = Duration::from_secs(90);
// LocalStack closes a connection after an idle minute, and loses a request that is sent at that moment.
const IDLE: Duration = Duration::from_secs(30);
const ATTEMPTS: u32 = 12;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
// A list with more pages than this is assumed to have a cycle.
const MOST_PAGES: usize = 2_000;

/// The reason why a request has no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The request got no answer.
    #[error("no answer: {0:?}")]
    Transport(#[from] reqwest::Error),
    /// A value is not valid in a header.
    #[error("the value of {0} is not valid in a header")]
    Header(&'static str),
    /// The request's body cannot be written as JSON.
    #[error("the body cannot be written as JSON: {0}")]
    Unwritable(String),
    /// The answer has an unexpected status.
    #[error("expected {expected}, got {actual}: {body}")]
    Status {
        /// The expected status.
        expected: u16,
        /// The status of the answer.
        actual: u16,
        /// The answer's body.
        body: String,
    },
    /// The answer's body violates the contract.
    #[error("{source} in {body}")]
    Body {
        /// The parser's error.
        source: serde_json::Error,
        /// The answer's body.
        body: String,
    },
    /// A list has no last page.
    #[error("{path} has more than {MOST_PAGES} pages")]
    Endless {
        /// The list.
        path: String,
    },
}

/// How a client handles answers that are not final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Returns the first answer.
    Once,
    /// Repeats the request after 429, 503 and the conflict `contention`, waiting as `Retry-After` says, a limited number
    /// of times.
    WhenAsked,
    /// Also repeats it after every other 5xx and after a broken connection, for tests that kill functions. The
    /// idempotency key makes that safe.
    ThroughCrashes,
}

/// A client of one service. It is cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    api: String,
    token: Option<HeaderValue>,
    patience: Patience,
}

impl Client {
    /// A client of the service at this address, such as `https://….execute-api.….amazonaws.com/prod`.
    ///
    /// # Errors
    /// If the API key is not valid in a header.
    pub fn new(api: &str, api_key: Option<&str>) -> Result<Self, ClientError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = api_key {
            let value = HeaderValue::from_str(key).map_err(|_| ClientError::Header(API_KEY))?;
            headers.insert(API_KEY, value);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .timeout(TIMEOUT)
            .pool_idle_timeout(IDLE)
            .no_proxy()
            .build()?;
        Ok(Self { http, api: api.to_owned(), token: None, patience: Patience::WhenAsked })
    }

    /// The same client with this bearer token in every request that has no `Authorization` of its own.
    ///
    /// # Errors
    /// If the token is not valid in a header.
    pub fn with_token(&self, token: &str) -> Result<Self, ClientError> {
        let mut token = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| ClientError::Header("authorization"))?;
        token.set_sensitive(true);
        Ok(Self { token: Some(token), ..self.clone() })
    }

    /// The same client without a token.
    #[must_use]
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same client with another patience.
    #[must_use]
    pub fn with_patience(&self, patience: Patience) -> Self {
        Self { patience, ..self.clone() }
    }

    /// Any request. `path` begins with a slash and is sent unchanged.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request {
            client: self,
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            fault: None,
        }
    }

    /// A query.
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// A command, in the form that all commands have.
    pub fn command(&self, path: &str, key: &str, body: &impl Serialize) -> Request<'_> {
        self.request(Method::POST, path).idempotency_key(key.as_bytes()).json(body)
    }
}

/// A request under construction.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    // The first error while building. `send` returns it, so that building can be a chain of calls.
    fault: Option<Fault>,
}

#[derive(Debug, Clone)]
enum Fault {
    Header(&'static str),
    Body(String),
}

impl Request<'_> {
    /// Adds a header. The value may be any bytes that HTTP can carry.
    pub fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        match HeaderValue::from_bytes(value.as_ref()) {
            Ok(value) => {
                self.headers.append(HeaderName::from_static(name), value);
            }
            Err(_) => self.fault = self.fault.or(Some(Fault::Header(name))),
        }
        self
    }

    /// Sets `Idempotency-Key`.
    pub fn idempotency_key(self, key: impl AsRef<[u8]>) -> Self {
        self.header(IDEMPOTENCY_KEY, key)
    }

    /// Sets `If-Match: "<version>"`.
    pub fn if_match(self, version: u64) -> Self {
        self.header("if-match", format!("\"{version}\""))
    }

    /// Sets `If-None-Match` to this tag, which has its quotes.
    pub fn if_none_match(self, tag: &str) -> Self {
        self.header("if-none-match", tag)
    }

    /// Lets a query wait this long for news, together with `If-None-Match`.
    pub fn prefer_wait(self, seconds: u64) -> Self {
        self.header("prefer", format!("wait={seconds}"))
    }

    /// Requires an answer at the token's version or newer.
    pub fn consistency_token(self, token: &str) -> Self {
        self.header(CONSISTENCY_TOKEN, token)
    }

    /// Adds a query parameter. The value is escaped.
    pub fn query(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Sends a body as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body(bytes, "application/json"),
            Err(error) => {
                self.fault = self.fault.or(Some(Fault::Body(error.to_string())));
                self
            }
        }
    }

    /// Sends any body with any content type.
    pub fn body(mut self, body: impl Into<Vec<u8>>, content_type: &str) -> Self {
        self.body = Some(body.into());
        self.headers.remove(CONTENT_TYPE);
        self.header("content-type", content_type)
    }

    /// Sends the request, and repeats it according to the client's patience.
    ///
    /// # Errors
    /// If there is no answer, or the request could not be built. An answer with an error status is returned as an
    /// answer.
    pub async fn send(self) -> Result<Answer, ClientError> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let outcome = self.send_once().await;
            let Some(pause) = self.pause_before_next(&outcome, attempt) else {
                return outcome.map(|answer| Answer { took: started.elapsed(), ..answer });
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    fn pause_before_next(
        &self,
        outcome: &Result<Answer, ClientError>,
        attempt: u32,
    ) -> Option<Duration> {
        if attempt >= ATTEMPTS || self.client.patience == Patience::Once {
            return None;
        }
        let through_crashes = self.client.patience == Patience::ThroughCrashes;
        let backoff = (SHORTEST_PAUSE * 2u32.pow(attempt - 1)).min(LONGEST_PAUSE);
        match outcome {
            Ok(answer) if asks_to_repeat(answer) => {
                Some(asked_pause(answer).unwrap_or(backoff).min(LONGEST_PAUSE))
            }
            Ok(answer) if through_crashes && answer.status.is_server_error() => Some(backoff),
            Err(ClientError::Transport(_)) if through_crashes => Some(backoff),
            _ => None,
        }
    }

    async fn send_once(&self) -> Result<Answer, ClientError> {
        match &self.fault {
            Some(Fault::Header(name)) => return Err(ClientError::Header(name)),
            Some(Fault::Body(error)) => return Err(ClientError::Unwritable(error.clone())),
            None => {}
        }
        let url = format!("{}{}", self.client.api, self.path);
        let mut request =
            self.client.http.request(self.method.clone(), url).headers(self.headers.clone());
        if let Some(token) = &self.client.token
            && !self.headers.contains_key(AUTHORIZATION)
        {
            request = request.header(AUTHORIZATION, token);
        }
        if !self.query.is_empty() {
            request = request.query(&self.query);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let response = request.send().await?;
        let status = response.status();
        let headers = response.headers().clone();
        let body = response.bytes().await?.to_vec();
        Ok(Answer { status, headers, body, took: Duration::ZERO })
    }

    /// Reads all pages of a list. The request is that of the first page.
    ///
    /// # Errors
    /// If a page cannot be read, or the list never ends.
    pub async fn all_pages<T: DeserializeOwned>(self) -> Result<Vec<T>, ClientError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut request = self.clone();
            if let Some(cursor) = &cursor {
                request = request.query("cursor", cursor);
            }
            let page: Page<T> = request.send().await?.expect_status(200)?.json()?;
            items.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(items);
            }
        }
        Err(ClientError::Endless { path: self.path })
    }
}

/// Whether the same request may succeed later: nothing of it took effect.
fn asks_to_repeat(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => true,
        StatusCode::CONFLICT => answer.problem().is_ok_and(|it| it.name() == CONTENTION),
        _ => false,
    }
}

fn asked_pause(answer: &Answer) -> Option<Duration> {
    let seconds = answer.header(RETRY_AFTER.as_str())?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
