//! The check of a context's events against their contract: the stored JSON Schema of every version, and golden files,
//! which are events of every version as they were written.
//!
//! A contract's folder holds `schemas/<Type>.v<version>.json`, `golden/<Type>.v<version>.json` (more of one version:
//! `<Type>.v<version>.<name>.json`) and `asyncapi.json`. One test compares the types with them:
//!
//! ```no_run
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
//! # pub struct SwitchedOn { pub brightness: u8 }
//! # ledgerfold::events! {
//! #     /// The events of a lamp.
//! #     pub enum LampEvent { SwitchedOn: 1 }
//! # }
//! use ledgerfold_testkit::schemas::{About, check};
//!
//! // With #[test]:
//! fn events_are_what_was_promised() {
//!     let about = About {
//!         context: "lamps",
//!         version: env!("CARGO_PKG_VERSION"),
//!         description: "The events of lamps.",
//!     };
//!     check::<LampEvent>(&about, env!("CARGO_MANIFEST_DIR"), &[SwitchedOn { brightness: 80 }.into()]);
//! }
//! # events_are_what_was_promised();
//! ```
//!
//! With `UPDATE_SCHEMAS=1` in the environment the check writes new files and compatible changes, but nothing at
//! all while anything is broken. It never overwrites a golden file. You may still change a version that has not
//! been deployed anywhere: delete its files first.

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
    /// Its name, which is part of the source `ledgerfold.<context>` on the bus.
    pub context: &'a str,
    /// The version of its contract, as that of its crate.
    pub version: &'a str,
    /// The subject of its events.
    pub description: &'a str,
}

impl About<'_> {
    /// The `dataschema` of an event, and the `$id` of its schema.
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
