//! A context that seals, from requests over HTTP to everything that it stores.

mod ports;
mod server;
mod service;
mod stage;
