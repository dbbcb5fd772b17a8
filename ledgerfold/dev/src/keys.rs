//! The keys of a context that seals, in memory. They follow from a seed, so that a file that keeps the state keeps the keys
//! with one line.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    context::Context,
    keyring::{CachedKeys, MAX_CACHED_KEYS},
    ports::Random,
};
use ledgerfold_aws::{SystemClock, SystemRandom};
use ledgerfold_memory::MemoryKeyring;

use crate::journal::{Journal, KeySeed};

/// How long keys are cached: short, so that a certificate of an erasure is not long in coming.
pub(crate) const CACHED_FOR: Duration = Duration::from_secs(2);

/// The keys with this seed, or with a new one that the journal keeps. They are cached as in a
/// deployment, but for a shorter time. `None` if the context does not seal.
pub(crate) fn keyring(
    context: &Context,
    seed: Option<KeySeed>,
    journal: Option<&Journal>,
) -> Option<Arc<CachedKeys<MemoryKeyring>>> {
    if !context.seals() {
        return None;
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
    Some(Arc::new(CachedKeys::with_limits(
        keyring,
        Arc::new(SystemClock),
        CACHED_FOR,
        MAX_CACHED_KEYS,
    )))
}
