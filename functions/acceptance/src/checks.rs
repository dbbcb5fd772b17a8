//! Checks of answers by their kind. Each panics with the case and the answer, as an assertion of a test.

use std::collections::BTreeSet;

use ledgerfold_testkit::http::{Answer, Problem, Request};
use serde_json::Value;

// Words that can only come from inside the service.
const INTERNAL_WORDS: [&str; 7] =
    ["panicked", "arn:aws", "dynamodb", "lambda", "stack backtrace", ".rs:", "serde"];

/// Sends a request that must get this status.
///
/// # Panics
/// If it gets another one.
pub async fn answered(request: Request<'_>, status: u16) -> Answer {
    let answer = request.send().await.expect("the service answers");
    answer.expect_status(status).expect("the status of the contract")
}

/// Sends a request that must be refused, and checks the problem.
///
/// # Panics
/// If it differs.
pub async fn refused(request: Request<'_>, status: u16, case: &str) -> Problem {
    let answer = request.send().await.expect("the service answers");
    problem(&answer, status, case)
}

/// Sends a command that must be refused by a rule.
///
/// # Panics
/// If it differs.
pub async fn refused_by_rule(request: Request<'_>, rule: &str, case: &str) {
    let problem = refused(request, 409, case).await;
    assert_eq!(problem.r#type, format!("/problems/{rule}"), "{case}");
}

/// Checks that an answer is a problem as in the contract.
///
/// # Panics
/// If it differs.
pub fn problem(answer: &Answer, status: u16, case: &str) -> Problem {
    let text = answer.text();
    assert_eq!(answer.status(), status, "{case}: {text}");
    assert_eq!(answer.media_type(), Some("application/problem+json"), "{case}: {text}");
    let problem = answer.problem().expect("a problem document");

    assert_eq!(problem.status, status, "{case}: the body repeats the status");
    assert!(problem.r#type.starts_with("/problems/"), "{case}: type {}", problem.r#type);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = problem.name();
    assert!(!name.is_empty() && name.chars().all(plain), "{case}: type {}", problem.r#type);
    for (member, value) in
        [("title", &problem.title), ("detail", &problem.detail), ("instance", &problem.instance)]
    {
        assert!(!value.trim().is_empty(), "{case}: {member} is empty");
    }
    let lower = text.to_lowercase();
    for word in INTERNAL_WORDS {
        assert!(!lower.contains(word), "{case}: says \"{word}\": {text}");
    }
    problem
}

/// Checks that a JSON object has exactly these fields.
///
/// # Panics
/// If it differs.
pub fn has_fields(object: &Value, fields: &[&str]) {
    let object = object.as_object().expect("a JSON object");
    let found: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(found, fields.iter().copied().collect(), "the fields of the contract");
}

/// Checks that the answer has the version of its body as a strong entity tag.
///
/// # Panics
/// If it differs.
pub fn shows_version(answer: &Answer, version: u64) {
    assert_eq!(answer.header("etag"), Some(format!("\"{version}\"").as_str()));
    let body: Value = answer.json().expect("JSON");
    assert_eq!(body["version"], version);
}
