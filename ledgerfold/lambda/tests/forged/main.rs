//! Forged tokens in HTTP requests: none reaches a handler, the log has the reason of each, and the answer has none.

#![allow(clippy::panic, reason = "a test may fail")]

// The forger of the tests of `ledgerfold-tokens`.
#[path = "../../../tokens/tests/tokens/forger.rs"]
mod forger;
#[path = "../../../tokens/tests/tokens/forgeries.rs"]
mod forgeries;
mod log;
#[path = "../../../tokens/tests/tokens/signers.rs"]
mod signers;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use ledgerfold_lambda::http::{
    Authentication, GatewayResponse, Problem, Request, Response, StatusCode, answer_event,
};
use ledgerfold_testkit::ManualClock;
use serde_json::{Value, json};

use crate::{
    forger::Forger,
    forgeries::FORGERIES,
    log::Log,
    signers::{block_on, now},
};

const TOKENS: usize = 10_000;
/// The reasons of all refusals, as the log names them.
const REASONS: [&str; 21] = [
    "algorithm",
    "audience",
    "claim",
    "expired",
    "extension",
    "issued-in-future",
    "issuer",
    "missing-claim",
    "no-key-id",
    "no-token",
    "not-base64url",
    "not-bearer",
    "not-json",
    "not-three-parts",
    "not-yet-valid",
    "other-algorithm",
    "repeated-name",
    "signature",
    "too-long",
    "type",
    "unknown-key",
];

/// A service that counts the requests that reach it.
struct Service {
    authentication: Authentication,
    reached: AtomicUsize,
}

impl Service {
    fn new(forger: &Forger) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let verifier = Box::new(forger.signers.verifier());
        let authentication = Authentication::Token { verifier, clock };
        Self { authentication, reached: AtomicUsize::new(0) }
    }

    async fn handle(&self, request: Request) -> Result<Response, Problem> {
        self.reached.fetch_add(1, Ordering::Relaxed);
        let caller = format!("{}/{}", request.caller.tenant, request.caller.subject);
        Ok(Response::json(StatusCode::OK, &caller))
    }

    /// Answers a request through the gateway of this number.
    fn ask(&self, authorization: &str, number: usize) -> GatewayResponse {
        let event = serde_json::from_value(event(authorization, number)).expect("an event");
        let handle = |request| self.handle(request);
        block_on(answer_event(event, &self.authentication, &handle))
    }
}

/// An event of a REST API, or of an HTTP API or a function URL.
fn event(authorization: &str, number: usize) -> Value {
    if number.is_multiple_of(2) {
        json!({
            "resource": "/{proxy+}", "path": "/orders/1", "httpMethod": "GET",
            "headers": {"Authorization": authorization},
            "multiValueHeaders": {"Authorization": [authorization]},
            "pathParameters": {"proxy": "orders/1"}, "requestContext": {"requestId": "request-1"},
        })
    } else {
        json!({
            "version": "2.0", "rawPath": "/orders/1", "rawQueryString": "",
            "headers": {"authorization": authorization},
            "requestContext": {"http": {"method": "GET"}, "stage": "$default", "requestId": "request-1"},
        })
    }
}

// Guards: a-forged-token-has-no-caller
#[test]
fn of_ten_thousand_requests_with_forged_tokens_none_passes_and_only_the_log_has_the_reasons() {
    let mut forger = Forger::new();
    let service = Service::new(&forger);
    let log = Log::default();
    let mut found = BTreeSet::new();
    let mut answers = BTreeSet::new();
    log.during(|| {
        for number in 0..TOKENS {
            forger.algorithm = ["ES256", "RS256"][number / FORGERIES.len() % 2];
            let (name, forge, reasons) = FORGERIES[number % FORGERIES.len()];
            let token = forge(&forger);
            // Of a forgery that is no token, two spaces would make an honest one.
            let is_basic = token.starts_with(' ');
            let scheme = if is_basic { "Basic" } else { "Bearer" };
            let answer = service.ask(&format!("{scheme} {token}"), number);
            let line = log.take();
            let reason = REASONS.into_iter().find(|it| line.contains(&format!("reason=\"{it}\"")));
            let reason =
                reason.unwrap_or_else(|| panic!("{name} has no reason in the log: {line:?}"));
            let is_expected = reasons.is_empty() || reasons.contains(&reason) || is_basic;
            assert!(is_expected, "{name} was refused because of {reason}: {token}");
            let (_, signature) = token.rsplit_once('.').unwrap_or(("", &token));
            let leaks = signature.len() > 20 && line.contains(signature);
            assert!(!leaks, "{name}: the log contains the token: {line}");
            assert_eq!(line.lines().count(), 1, "{name}: {line}");
            found.insert(reason);
            if is_basic {
                continue;
            }
            answers.insert((answer.status_code, format!("{:?}", answer.headers), answer.body));
        }
    });
    assert_eq!(service.reached.load(Ordering::Relaxed), 0, "a forged token reached the handler");
    assert_eq!(found, BTreeSet::from(REASONS), "every reason appears");
    let [(status, headers, body)] = &answers.iter().collect::<Vec<_>>()[..] else {
        panic!("the answer depends on the reason: {answers:#?}")
    };
    assert_eq!(*status, 401);
    assert!(
        headers.contains(r#""WWW-Authenticate": "Bearer error=\"invalid_token\"""#),
        "{headers}"
    );
    let body: Value = serde_json::from_str(body).expect("a problem");
    let expected = json!({
        "type": "/problems/unauthorized", "title": "The caller is not known", "status": 401,
        "detail": "The request has no valid credentials.", "instance": "request-1",
    });
    assert_eq!(body, expected);
}

#[test]
fn an_honest_token_reaches_the_handler_with_its_caller_through_every_gateway() {
    let forger = Forger::new();
    let service = Service::new(&forger);
    for number in 0..2 {
        let answer = service.ask(&format!("Bearer {}", forger.honest()), number);
        assert_eq!((answer.status_code, answer.body.as_str()), (200, "\"acme/ada\""));
    }
    assert_eq!(service.reached.load(Ordering::Relaxed), 2);
}

#[test]
fn a_request_without_a_token_gets_a_challenge_without_an_error() {
    let service = Service::new(&Forger::new());
    let log = Log::default();
    for authorization in ["", "Basic YWRhOnNlY3JldA==", "Digest username=\"ada\""] {
        let answer = log.during(|| service.ask(authorization, 1));
        assert_eq!(answer.status_code, 401, "{authorization}");
        assert_eq!(answer.headers["WWW-Authenticate"], "Bearer");
        let line = log.take();
        assert!(line.contains("reason=\"no-token\"") && !line.contains("YWRh"), "{line}");
    }
}
