//! The verification of a stream's hash chain, which shows whether a stored commit was changed, removed or moved.
//!
//! Each commit stores a hash of its content, its place and the hash of the commit before it
//! ([`CommitHash`](crate::vocabulary::CommitHash)). A [`ChainVerifier`] computes each hash again from the stored content
//! and the stored hash of the commit before it.
//!
//! ```
//! # use std::sync::Arc;
//! # use ledgerfold::{StreamId, ports::{EventReader, StoreError}};
//! use ledgerfold::chain::{ChainVerifier, Finding};
//!
//! async fn verify(log: Arc<dyn EventReader>, stream: &StreamId) -> Result<Vec<Finding>, StoreError> {
//!     let mut walk = ChainVerifier::new(log).walk(stream.clone());
//!     let mut all = Vec::new();
//!     while let Some(findings) = walk.next().await? {
//!         all.extend(findings);
//!     }
//!     Ok(all)
//! }
//! ```
//!
//! The chain alone cannot show everything:
//!
//! - Newest commits that were removed: the rest is an intact chain.
//! - A whole stream that was removed.
//! - A commit that was changed by someone who also computed its hash and all later hashes of the stream again. The
//!   hashes have no key.
//!
//! To detect these too, keep the newest version and hash of a stream ([`ChainWalk::head`]) where a writer of the log
//! cannot change them, and compare: a later walk must pass the same version with the same hash.

mod verifier;

pub use verifier::{ChainVerifier, ChainWalk, Fault, Finding};
