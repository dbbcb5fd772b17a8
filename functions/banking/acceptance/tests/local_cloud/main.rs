//! End-to-end tests of the banking service on a running stack.
//!
//! Each test has a tenant of its own, so it can rely on every sum, and tests can run concurrently and repeatedly on the
//! same stack. On a stack without an issuer (`make up AUTH=none`) all tests share one tenant, and those about callers
//! check nothing.

mod accounts;
mod callers;
mod conservation;
mod hidden;
mod holds;
mod idempotency;
mod interbank;
mod programs;
mod reading;
mod rebuild;
mod roles;
mod statements;
mod tenants;
mod transfers;
mod trial_balance;
mod world;
