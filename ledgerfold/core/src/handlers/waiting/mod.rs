//! Waits before retries, and waits that limit a rate. All of them use the port [`Clock`](crate::ports::Clock).

mod backoff;
mod exponential;
mod rate_limit;

pub(crate) use backoff::Backoff;
pub use exponential::ExponentialWait;
pub use rate_limit::RateLimit;
