//! A check of a context's events against their contract.
//!
//! The folder of a contract has these files:
//!
//! - `schemas/<Type>.v<version>.json`: the JSON Schema of every version;
//! - `golden/<Type>.v<version>.json`: an event of every version, as it was written. More events of one version are in
//!   `golden/<Type>.v<version>.<name>.json`;
//! - `asyncapi.json`: the AsyncAPI document of all events.
//!
//! One test compares the types with these files:
//!
//! ```no_run
//! use ledgerfold_testkit::{
//!     bank::{NoteEvent, NoteWritten},
//!     schemas::{About, check},
//! };
//!
//! // With #[test]:
//! fn events_keep_their_contract() {
//!     let about = About {
//!         context: "bank",
//!         version: env!("CARGO_PKG_VERSION"),
//!         description: "The notes of accounts.",
//!     };
//!     let samples = [NoteWritten { text: "a note".to_owned() }.into()];
//!     check::<NoteEvent>(&about, env!("CARGO_MANIFEST_DIR"), &samples);
//! }
//! # events_keep_their_contract();
//! ```
//!
//! With `UPDATE_SCHEMAS=1` in the environment the check writes new files and compatible changes. It writes nothing if
//! any change is incompatible, and it never overwrites a golden file. To change a version that has not been deployed
//! anywhere, delete its files first.

mod asyncapi;
mod change;
mod diff;
mod examine;
mod finding;
mod kept;
mod normal;

use std::path::Path;

use ledgerfold::{
    PublicEvents,
    schema::{Contract, Standing},
    vocabulary::public_name,
};
use serde_json::Value;

pub use change::{Added, Change, Place};
pub use diff::diff;
pub use examine::{Examined, examine};
pub use finding::Finding;
pub use kept::{Golden, Kept, KeptError, SchemaName, Update};

/// The environment variable that allows the check to write files.
const UPDATE: &str = "UPDATE_SCHEMAS";

/// The description of a context in its AsyncAPI document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<'a> {
    /// The name. It is part of the source `ledgerfold.<context>` on the bus.
    pub context: &'a str,
    /// The version of the contract, for example the version of its crate.
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

/// A published schema.
#[derive(Clone, Debug, PartialEq)]
struct Promised {
    name: SchemaName,
    schema: Value,
    standing: Standing,
}

/// Compares the events of a context with the files in its folder; see the module. `samples` are events of today, at
/// least one of each type.
///
/// # Panics
/// If anything differs, with a sentence for each difference. Also if a file cannot be read or written.
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
        "the events of {} differ from their contract:{sentences}",
        about.context
    );
}

/// Compares the public events of a context with the files in a folder of their own. They have the name
/// `<context>.public`, so their schemas and their AsyncAPI document differ from those of the stored events. `samples` are
/// public events of today, at least one of each type.
///
/// ```no_run
/// use ledgerfold_testkit::{
///     bank::{AccountClosed, AccountOpened, MoneyMoved, PublicAccounts},
///     schemas::{About, check_public},
/// };
///
/// // With #[test]:
/// fn public_events_keep_their_contract() {
///     let about = About {
///         context: "bank",
///         version: env!("CARGO_PKG_VERSION"),
///         description: "The public events of accounts.",
///     };
///     let samples =
///         [AccountOpened {}.into(), MoneyMoved { amount: -900 }.into(), AccountClosed {}.into()];
///     let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/public");
///     check_public::<PublicAccounts>(&about, folder, &samples);
/// }
/// # public_events_keep_their_contract();
/// ```
///
/// # Panics
/// As [`check`]. Also if `about` names another context than the mapping does.
pub fn check_public<M: PublicEvents<Public: Contract>>(
    about: &About<'_>,
    folder: impl AsRef<Path>,
    samples: &[M::Public],
) {
    assert_eq!(about.context, M::CONTEXT, "the public events belong to another context");
    let context = public_name(about.context);
    check(&About { context: &context, ..*about }, folder, samples);
}

#[expect(clippy::panic, reason = "a check may fail")]
fn unusable(error: &KeptError) -> ! {
    panic!("{error}")
}
