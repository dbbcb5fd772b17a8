//! Shared by all adapters and programs: the meaning of AWS errors in one table, the clock and the randomness of the
//! machine, and the key sets of issuers over the HTTP client of the SDK. An adapter of a service belongs into a crate of
//! its own.
//!
//! | [`Meaning`] | the caller |
//! | --- | --- |
//! | [`Throttled`](Meaning::Throttled) | retries later, and slower |
//! | [`Transient`](Meaning::Transient) | retries later; every unknown error has this meaning |
//! | [`Refused`](Meaning::Refused) | retries until an operator has added the missing permission or setting |
//! | [`Invalid`](Meaning::Invalid) | gives up this item: the service can never accept it |
//!
//! Only [`Meaning::Invalid`] is permanent. So a missing permission never quarantines a stream and never drops a commit.
//! The SDK has already retried a call before its error is classified here.

mod codes;
mod failure;
mod key_set;
mod system;

pub use codes::Meaning;
pub use failure::{BoxError, Failure, explain};
pub use key_set::HttpKeySource;
pub use system::{SystemClock, SystemRandom};
