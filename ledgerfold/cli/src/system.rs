//! The clock and the random numbers of this machine.

use std::time::Duration;

use async_trait::async_trait;
use ledgerfold::{
    Timestamp,
    ports::{Clock, Random},
};
use rand::Rng;

pub(crate) struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

pub(crate) struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
