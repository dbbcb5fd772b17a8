//! The service on ports in memory. Requests, handlers and answers are those of Lambda.

mod access;
mod bodies;
mod contract;
mod events;
mod first_deployment;
mod headers;
mod payment_deadline;
mod read_models;
mod routes;
mod world;
