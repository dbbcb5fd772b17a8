//! The service over ports in memory: requests in, answers out, everything between as Lambda runs it.

mod bodies;
mod contract;
mod events;
mod first_deployment;
mod headers;
mod payment_deadline;
mod read_models;
mod routes;
mod world;
