//! Fetches keys before pure code runs, and caches them for a bounded time.
//!
//! Code that seals or opens is pure, so it gets keys as values. A function fetches them first: [`provide_keys`] for a
//! command, [`keys_to_open`] for the rows of a query. [`CachedKeys`] stands in front of a keyring, so that a command about
//! a person who was there a moment ago costs no request.

mod cached;
mod fetch;

pub use cached::{CACHED_FOR, CachedKeys, MAX_CACHED_KEYS};
pub use fetch::{
    FetchKeysError, MAX_SUBJECTS, existing_keys, fetch_keys, keys_to_open, provide_keys,
};
