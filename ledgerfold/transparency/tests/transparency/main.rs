//! Tests of the log from outside: the prover makes it, the verifier verifies it, and the published vectors and a third
//! implementation in Python decide whether both are right.

mod planted;
mod published;
mod sealing;
mod tampering;
mod vectors;
mod world;
