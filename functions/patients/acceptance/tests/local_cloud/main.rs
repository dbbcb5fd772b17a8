//! End-to-end tests of the patients service on a running local cloud.

mod erasures;
mod reading;
mod world;
