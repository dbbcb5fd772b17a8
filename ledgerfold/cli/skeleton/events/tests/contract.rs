//! Checks the events against their contract: JSON Schemas, a stored example of each version, and the AsyncAPI document.
//! `make test` writes the files of a new event. Commit them.

use __ident___events::{TaskAdded, TaskEvent, TaskFinished};
use ledgerfold_testkit::schemas::{About, check};

#[test]
fn the_events_match_their_contract() {
    let about = About {
        context: "__name__",
        version: env!("CARGO_PKG_VERSION"),
        description: "The events of tasks.",
    };
    let samples: [TaskEvent; 2] =
        [TaskAdded { title: "Water the plants".to_owned() }.into(), TaskFinished {}.into()];
    check(&about, env!("CARGO_MANIFEST_DIR"), &samples);
}
