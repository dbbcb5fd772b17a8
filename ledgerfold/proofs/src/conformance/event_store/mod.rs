//! The rules of a log, by subject.
//!
//! A rule is a public function over a store. It uses its own streams, keys and command ids, so others may use the store
//! at the same time. It panics if the store breaks the rule.

pub(super) mod tools;

pub mod appends;
pub mod commands;
pub mod content;
pub mod joint;
pub mod keys;
pub mod reads;
pub mod tenants;
pub mod transactions;

use std::sync::Arc;

use futures::future::BoxFuture;
use ledgerfold::ports::EventStore;

pub use tools::{LosesAnswers, View, asked, draft};

/// The tested store.
pub type Store = Arc<dyn EventStore>;

/// A rule as a value.
pub type Rule = fn(Store) -> BoxFuture<'static, ()>;

/// A list of rules from the list of their names.
macro_rules! event_store_list {
    (() $($subject:ident { $($rule:ident,)+ })+) => {{
        let rules: Vec<(&'static str, Rule)> = vec![$($(
            (stringify!($rule), |store| Box::pin(async move { $subject::$rule(&store).await })),
        )+)+];
        rules
    }};
}

/// All rules with their names. [`event_store_conformance!`](crate::event_store_conformance) uses the same list.
pub fn rules() -> Vec<(&'static str, Rule)> {
    crate::event_store_rules!([event_store_list])
}
