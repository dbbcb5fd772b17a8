//! An HTTP client for end-to-end tests: it sends commands and queries, repeats them with patience, and reads answers,
//! problems and pages, and it finds the stack that `make up` has deployed. The bodies of a service's own resources do not belong here.
//!
//! ```no_run
//! use ledgerfold::Role;
//! use ledgerfold_testkit::{eventually, http::{ClientError, Grant, Stack}};
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let stack = Stack::find()?;
//! let ada = Grant { roles: vec![Role::from_static("staff")], ..Grant::of("ada".parse()?) };
//! let client = stack.client("orders", &ada)?;
//! let placed = client.command("/orders", "key-1", &json!({"customerId": "c-1"})).send().await?;
//! let id = placed.expect_status(201)?.accepted()?.id;
//! eventually("the customer's list has the order", Duration::from_secs(10), async || {
//!     let orders: Vec<Value> = client
//!         .get("/customers/c-1/orders")
//!         .all_pages()
//!         .await
//!         .map_err(|error: ClientError| error.to_string())?;
//!     if orders.iter().any(|order| order["id"] == id) { Ok(()) } else { Err("it is missing".to_owned()) }
//! })
//! .await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod client;
mod contract;
mod stack;

pub use answer::{Answer, CONSISTENCY_TOKEN, Essence};
pub use client::{Client, ClientError, IDEMPOTENCY_KEY, Patience, Request};
pub use contract::{Accepted, FieldError, NewEvent, Page, Problem};
pub use ledgerfold_tokens::issuer::Grant;
pub use stack::{DeployedContext, STACK_VARIABLE, Stack, StackError, find_upwards};
