//! Holds a context's events to what was promised of them: to the JSON Schema kept of every version,
//! and to golden files, which are events of every version as they were written.
//!
//! A contract's folder holds `schemas/<Type>.v<version>.json`, `golden/<Type>.v<version>.json` (more
//! of one version: `<Type>.v<version>.<name>.json`) and `asyncapi.json`. One test holds the types to
//! them:
//!
//! ```no_run
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
//! # pub struct SwitchedOn { pub brightness: u8 }
//! # ledgerfold::events! {
//! #     /// What happens to a lamp.
//! #     pub enum LampEvent { SwitchedOn: 1 }
//! # }
//! use ledgerfold_testkit::schemas::{About, check};
//!
//! // With #[test]:
//! fn events_are_what_was_promised() {
//!     let about = About {
//!         context: "lamps",
//!         version: env!("CARGO_PKG_VERSION"),
//!         description: "What happens to lamps.",
//!     };
//!     check::<LampEvent>(&about, env!("CARGO_MANIFEST_DIR"), &[SwitchedOn { brightness: 80 }.into()]);
//! }
//! # events_are_what_was_promised();
//! ```
//!
//! With `UPDATE_SCHEMAS=1` in the environment the check writes what is new, and what was changed
//! compatibly; but nothing at all while anything is broken. A golden file is never written over. A
//! version that has not been deployed anywhere may still be changed: delete its files first.

mod asyncapi;
mod change;
mod diff;
mod examine;
mod finding;
mod kept;
mod normal;

use std::path::Path;

use ledgerfold::schema::{Contract, Standing};
use serde_json::Value;

pub use change::{Added, Change, Place};
pub use diff::diff;
pub use examine::{Examined, examine};
pub use finding::Finding;
pub use kept::{Golden, Kept, KeptError, SchemaName, Update};

/// The environment variable that lets the check write.
const UPDATE: &str = "UPDATE_SCHEMAS";

/// A context, as its AsyncAPI document introduces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<'a> {
    /// Its name: what it publishes as (`ledgerfold.<context>`).
    pub context: &'a str,
    /// The version of its contract, as that of its crate.
    pub version: &'a str,
    /// What its events are about.
    pub description: &'a str,
}

impl About<'_> {
    /// What an event's `dataschema` says, and its schema's `$id`.
    fn urn(&self, SchemaName { event_type, version }: &SchemaName) -> String {
        format!("urn:ledgerfold:{}:{event_type}:{version}", self.context)
    }
}

/// A schema that others rely on.
#[derive(Clone, Debug, PartialEq)]
struct Promised {
    name: SchemaName,
    schema: Value,
    standing: Standing,
}

/// Holds the events of a context to the files in its folder; see the module. `samples` are events as
/// they are written today, one of each type at least.
///
/// # Panics
/// With a sentence for each thing that does not agree.
pub fn check<E: Contract>(about: &About<'_>, folder: impl AsRef<Path>, samples: &[E]) {
    let folder = folder.as_ref();
    let examined = || {
        let kept = Kept::read(folder).unwrap_or_else(|error| unusable(&error));
        examine(about, &kept, samples)
    };
    let mut now = examined();
    if std::env::var(UPDATE).is_ok_and(|value| value == "1") {
        now.update.write(folder).unwrap_or_else(|error| unusable(&error));
        now = examined();
    }
    let sentences: String = now.findings.iter().map(|finding| format!("\n  {finding}")).collect();
    assert!(
        sentences.is_empty(),
        "the events of {} are not what was promised:{sentences}",
        about.context
    );
}

#[expect(clippy::panic, reason = "a check may fail")]
fn unusable(error: &KeptError) -> ! {
    panic!("{error}")
}
