//! Operations and the check of their costs.

use futures::future::BoxFuture;

use super::{fixture::Fixture, meter::Cost, prices::Prices};

pub(super) struct Operation {
    pub(super) name: &'static str,
    /// The expected cost.
    pub(super) cost: Cost,
    /// Prepares the operation, runs it, and measures it.
    pub(super) measure: for<'a> fn(&'a Fixture) -> BoxFuture<'a, Cost>,
}

/// `name: requests, write units, read units => how to measure it`. For `inferred` see [`Cost`].
macro_rules! operations {
    ($($name:literal: $requests:literal, $write:literal, $read:literal $($inferred:ident)?
        => $measure:path;)*) => {
        &[$(Operation {
            name: $name,
            cost: Cost::of($requests, $write, $read)$(.$inferred())?,
            measure: |fixture| $measure(fixture).boxed(),
        }),*]
    };
}

/// Measures all operations, prints their costs, and compares them with the contract.
pub(super) async fn check(title: &str, operations: &[Operation]) {
    let mut table = Prices::from_environment().table();
    let mut broken = Vec::new();
    for Operation { name, cost, measure } in operations {
        let measured = measure(&Fixture::open().await).await;
        table.add(name, measured);
        if measured != *cost {
            broken.push(format!("{name}: {measured:?} and not {cost:?}"));
        }
    }
    table.print(title);
    assert!(broken.is_empty(), "costs have changed:\n{}", broken.join("\n"));
}
