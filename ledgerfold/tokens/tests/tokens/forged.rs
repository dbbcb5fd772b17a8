//! Forged tokens from a seeded generator: none passes, and every reason appears.

use std::collections::{BTreeMap, BTreeSet};

use ledgerfold::Caller;
use ledgerfold_tokens::{Verifier, VerifyError, bearer};

use crate::{
    forger::Forger,
    forgeries::FORGERIES,
    signers::{block_on, now},
};

const TOKENS: usize = 10_000;
/// Every reason of a refusal. `InvalidToken::name` has no others.
const REASONS: [&str; 20] = [
    "algorithm",
    "audience",
    "claim",
    "expired",
    "extension",
    "issued-in-future",
    "issuer",
    "missing-claim",
    "no-key-id",
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

fn ask(verifier: &Verifier, token: &str) -> Result<Caller, VerifyError> {
    let scheme = if token.starts_with(' ') { "Basic" } else { "Bearer" };
    let authorization = format!("{scheme} {token}");
    block_on(verifier.verify(bearer(&authorization)?, now()))
}

// Guards: a-forged-token-has-no-caller
#[test]
fn of_ten_thousand_forged_tokens_none_passes_and_every_reason_appears() {
    let mut forger = Forger::new();
    let verifier = forger.signers.verifier();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 0..TOKENS {
        forger.algorithm = ["ES256", "RS256"][number / FORGERIES.len() % 2];
        let (name, forge, reasons) = FORGERIES[number % FORGERIES.len()];
        let token = forge(&forger);
        let reason = match ask(&verifier, &token) {
            Err(VerifyError::Invalid(reason)) => reason,
            other => panic!("{name} is {other:?}: {token}"),
        };
        assert!(
            reasons.is_empty() || reasons.contains(&reason.name()),
            "{name} was refused because {reason}: {token}"
        );
        *found.entry(reason.name()).or_default() += 1;
        if number % 100 == 0 {
            let caller = ask(&verifier, &forger.honest()).expect("an honest token between them");
            assert_eq!(caller.subject.as_str(), "ada");
        }
    }
    assert_eq!(
        found.keys().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from(REASONS),
        "{found:?}"
    );
}
