//! End-to-end tests of the devices service on a running stack.
//!
//! Each test has a tenant of its own, so it can rely on every sum, and tests can run concurrently and repeatedly on the
//! same stack. On a stack without an issuer (`make up AUTH=none`) all tests share one tenant, and those about callers
//! check nothing.

mod batches;
mod callers;
mod contract;
mod reading;
mod roles;
mod tenants;
mod world;
