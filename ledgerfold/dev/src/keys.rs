//! The keys of a context that seals, in memory. They follow from a seed, so that a file that keeps the state keeps the keys
//! with one line.

use std::sync::Arc;

use ledgerfold::{
    context::{Context, MissingKeyring},
    keyring::CachedKeys,
    ports::{Keyring, Random},
};
use ledgerfold_aws::{SystemClock, SystemRandom};
use ledgerfold_memory::MemoryKeyring;

use crate::journal::{Journal, KeySeed};

/// The keys with this seed, or with a new one that the journal keeps. They are cached as in a deployment.
pub(crate) fn keyring(
    context: &Context,
    seed: Option<KeySeed>,
    journal: Option<&Journal>,
) -> Arc<dyn Keyring> {
    if !context.seals() {
        return Arc::new(MissingKeyring);
    }
    let seed = seed.unwrap_or_else(|| {
        let mut seed = KeySeed::default();
        SystemRandom.fill(&mut seed);
        if let Some(journal) = journal {
            journal.key_seed(seed);
        }
        seed
    });
    let keyring = Arc::new(MemoryKeyring::from_seed(seed));
    Arc::new(CachedKeys::new(keyring, Arc::new(SystemClock)))
}
