//! Tests of the verification of tokens, from the outside.

#![allow(clippy::panic, reason = "a test may fail")]
#![allow(clippy::needless_pass_by_value, reason = "a test writes JSON on the spot")]

mod fetched;
mod forged;
mod honest;
mod issuer;
mod key_sets;
mod signers;
