//! Waiting, always by the port [`Clock`](crate::ports::Clock): before a retry, and to keep a rate.

mod backoff;
mod exponential;
mod rate_limit;

pub(crate) use backoff::Backoff;
pub use exponential::ExponentialWait;
pub use rate_limit::RateLimit;
