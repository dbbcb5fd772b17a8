//! The rules of a log, by subject.
//!
//! A rule is one public function over a store that others may use at the same time: it takes
//! streams, keys and command ids of its own. It panics where the store breaks it.

pub(super) mod tools;

pub mod appends;
pub mod commands;
pub mod content;
pub mod joint;
pub mod keys;
pub mod reads;
pub mod transactions;

use std::sync::Arc;

use futures::future::BoxFuture;
use ledgerfold::ports::EventStore;

pub use tools::{LosesAnswers, View, asked, draft};

/// The store that is tested.
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

/// All rules with their names: the list that makes the tests of
/// [`event_store_conformance!`](crate::event_store_conformance) too.
pub fn rules() -> Vec<(&'static str, Rule)> {
    crate::event_store_rules!([event_store_list])
}
