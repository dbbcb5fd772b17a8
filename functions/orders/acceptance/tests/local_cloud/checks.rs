//! Checks of answers by their kind.

use std::collections::BTreeSet;

use orders_acceptance::model::Problem;
use orders_acceptance::{Answer, Request};
use serde_json::Value;

// Words that can only come from inside the service.
const INTERNAL_WORDS: [&str; 7] =
    ["panicked", "arn:aws", "dynamodb", "lambda", "stack backtrace", ".rs:", "serde"];

/// Sends a request that must be refused, and checks the problem.
pub(crate) async fn refused(request: Request<'_>, status: u16, case: &str) -> Problem {
    let answer = request.send().await.expect("the service answers");
    problem(&answer, status, case)
}

/// Sends a command that must be refused by a rule.
pub(crate) async fn refused_by_rule(request: Request<'_>, rule: &str, case: &str) {
    let problem = refused(request, 409, case).await;
    assert_eq!(problem.r#type, format!("/problems/{rule}"), "{case}");
}

/// Checks that an answer is a problem as in the contract.
pub(crate) fn problem(answer: &Answer, status: u16, case: &str) -> Problem {
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
pub(crate) fn has_fields(object: &Value, fields: &[&str]) {
    let object = object.as_object().expect("a JSON object");
    let found: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(found, fields.iter().copied().collect(), "the fields of the contract");
}

/// Checks that the answer has the version of its body as a strong entity tag.
pub(crate) fn shows_version(answer: &Answer, version: u64) {
    assert_eq!(answer.header("etag"), Some(format!("\"{version}\"").as_str()));
    let body: Value = answer.json().expect("JSON");
    assert_eq!(body["version"], version);
}
