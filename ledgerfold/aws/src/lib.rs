//! What the errors of AWS services mean to a caller: one table for all adapters.
//!
//! | [`Meaning`] | the caller |
//! | --- | --- |
//! | [`Throttled`](Meaning::Throttled) | retries later, and slower |
//! | [`Transient`](Meaning::Transient) | retries later; every unknown error means this |
//! | [`Refused`](Meaning::Refused) | retries until an operator has added the missing right or setting |
//! | [`Invalid`](Meaning::Invalid) | gives up this one item: the service can never accept it |
//!
//! Only [`Meaning::Invalid`] is permanent. A missing right therefore never quarantines a stream and never
//! drops a commit. The SDK has retried a call before its error is classified here.

mod codes;
mod failure;

pub use codes::Meaning;
pub use failure::{BoxError, Failure};
