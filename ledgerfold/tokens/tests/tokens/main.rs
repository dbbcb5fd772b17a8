//! Tests of the verification of tokens, from the outside.

mod fetched;
mod forged;
mod honest;
mod issuer;
mod key_sets;
mod signers;
