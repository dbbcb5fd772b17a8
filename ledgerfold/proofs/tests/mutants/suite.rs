//! Runs the rules of a suite on faulty stores.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use futures::future::BoxFuture;

use crate::{fails, silently, turn};

/// A rule that runs on a store.
pub(crate) type Rule<S> = fn(Arc<S>) -> BoxFuture<'static, ()>;

/// Gives a closure the type of a rule.
pub(crate) fn rule<S>(rule: Rule<S>) -> Rule<S> {
    rule
}

/// The rules of a suite with their names, for the type `Subject` of the caller.
macro_rules! named_rules {
    ($suite:ident, $($rule:ident,)+) => {
        [$((stringify!($rule), $crate::suite::rule(|store: std::sync::Arc<Subject>| {
            Box::pin(async move { ledgerfold_proofs::conformance::$suite::$rule(&*store).await })
        }))),+]
    };
}
pub(crate) use named_rules;

/// Each faulty store fails exactly its rules, and each rule is failed by at least one store.
pub(crate) fn examine<S, D: Copy + Debug>(
    rules: &[(&'static str, Rule<S>)],
    mutants: &[(D, &[&'static str])],
    store: impl Fn(D) -> Arc<S>,
) {
    let _turn = turn();
    let mut unproven: BTreeSet<_> = rules.iter().map(|(name, _)| *name).collect();
    let mut surprises = Vec::new();
    for (defect, expected) in mutants {
        let failing = rules.iter().filter(|(_, rule)| silently(|| fails(rule(store(*defect)))));
        let failed: BTreeSet<_> = failing.map(|(name, _)| *name).collect();
        if failed != expected.iter().copied().collect() {
            surprises.push((defect, failed.clone()));
        }
        unproven.retain(|rule| !failed.contains(rule));
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(unproven.is_empty(), "no faulty store fails {unproven:#?}");
}
