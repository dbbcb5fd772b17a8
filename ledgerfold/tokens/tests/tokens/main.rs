//! Tests of the verification of tokens, from the outside.

#![allow(clippy::panic, reason = "a test may fail")]

mod fetched;
mod forged;
mod forger;
mod forgeries;
mod honest;
mod issuer;
mod key_sets;
mod signers;
