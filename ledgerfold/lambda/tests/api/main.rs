//! Tests of a small service, from its requests to its answers.

mod bank;
mod conditions;
mod joint;
mod operations;
mod time;
