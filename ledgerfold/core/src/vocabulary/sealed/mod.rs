//! Sealed fields: personal data that is stored only as ciphertext, under a key of the person it concerns.
//!
//! A [`Sealed`] value is part of an event, a state or a row, and folds and projections carry it unopened. Who needs its
//! content fetches keys first ([`keyring`](crate::keyring)), and then opens it with plain values: nothing here waits,
//! reads a clock or draws a random number. After the key of a [`DataSubject`] has been erased, each of its values opens
//! to [`Opened::Erased`].
//!
//! Ciphertext binds a value to its tenant, its subject, the version of the key, and the [`Label`] of its type. It does
//! not bind it to a place, because folds move it.

mod crypto;
mod hash;
mod key;
mod keyed;
mod label;
mod open;
mod plain;
mod scope;
mod seal;
mod subject;
mod value;

#[cfg(test)]
mod tests;

pub use hash::KeyedHash;
pub use key::{FingerprintKey, InvalidKey, KeyState, KeyVersion, SubjectKey, TenantKey};
pub use keyed::Keyed;
pub use label::{Label, Personal};
pub use open::{OpenError, OpenKeys, Opened};
pub use plain::Plain;
pub use scope::example_json;
pub(crate) use scope::revealing;
pub use scope::sealed_subjects;
pub use seal::{SealError, SealingKeys};
pub use subject::{DataSubject, SubjectPseudonym};
pub use value::Sealed;
