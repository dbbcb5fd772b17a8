//! How `Serialize` of [`Plain`](super::Plain) and [`Sealed`](super::Sealed) knows for whom it runs.
//!
//! `Serialize` has no argument for its purpose, so it is a variable of the thread. It is set only during one synchronous
//! call of `serialize`, and never while anything waits.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use serde::Serialize;
use serde_json::Value;

use super::SubjectPseudonym;
use crate::EncodeError;

thread_local! {
    static REVEALING: Cell<bool> = const { Cell::new(false) };
    static COLLECTED: RefCell<Option<BTreeSet<SubjectPseudonym>>> = const { RefCell::new(None) };
}

/// Restores the variables when the call ends, also by a panic.
struct Scope {
    was_revealing: bool,
    collected: Option<BTreeSet<SubjectPseudonym>>,
}

impl Scope {
    fn enter(reveals: bool, collects: bool) -> Self {
        Self {
            was_revealing: REVEALING.replace(reveals),
            collected: COLLECTED.replace(collects.then(BTreeSet::new)),
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        REVEALING.set(self.was_revealing);
        COLLECTED.set(self.collected.take());
    }
}

/// Runs a serialization that may contain plaintext: into a keyed hash, or of an example for documents.
pub(crate) fn revealing<T>(serialize: impl FnOnce() -> T) -> T {
    let _scope = Scope::enter(true, false);
    serialize()
}

/// The JSON of an example in a document. The person in it is invented.
///
/// # Errors
/// The value cannot be written as JSON.
#[doc(hidden)]
pub fn example_json(example: &impl Serialize) -> Result<Value, serde_json::Error> {
    revealing(|| serde_json::to_value(example))
}

/// Whether plaintext may be serialized now.
pub(super) fn is_revealing() -> bool {
    REVEALING.get()
}

/// Notes the subject of a sealed value that is serialized.
pub(super) fn note(subject: &SubjectPseudonym) {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(collected) = collected {
            collected.insert(subject.clone());
        }
    });
}

/// The subjects of all sealed values in an event, a state or a row: those whose keys open it.
///
/// # Errors
/// [`EncodeError`] if the value cannot be written as JSON.
pub fn sealed_subjects(
    value: &(impl Serialize + ?Sized),
) -> Result<BTreeSet<SubjectPseudonym>, EncodeError> {
    let _scope = Scope::enter(false, true);
    serde_json::to_writer(std::io::sink(), value)?;
    Ok(COLLECTED.take().unwrap_or_default())
}
