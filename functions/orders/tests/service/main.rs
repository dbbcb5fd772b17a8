//! The service over ports in memory: requests in, answers out, everything between as Lambda runs it.

mod bodies;
mod contract;
mod events;
mod headers;
mod payment_deadline;
mod read_models;
mod routes;
mod world;
