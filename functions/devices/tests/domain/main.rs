//! The domain of devices: rules as examples, and random histories beside a model.

#![allow(clippy::panic, reason = "a test may fail")]

mod examples;
mod histories;
mod windows;
