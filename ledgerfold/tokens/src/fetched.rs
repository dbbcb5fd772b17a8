//! Key sets that are fetched, and fetched again.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::lock::Mutex;
use ledgerfold::Timestamp;

use crate::{
    KeySet,
    source::{KeySource, KeySourceError},
};

/// The least time between two fetches. Everybody can send tokens with invented key ids, and each one would otherwise
/// cost a request to the issuer.
const BETWEEN_FETCHES: Duration = Duration::from_secs(60);
/// The same before the first fetch has succeeded. Until then no honest caller gets in, so we try more often.
const BETWEEN_FIRST_FETCHES: Duration = Duration::from_secs(5);
/// The age at which a set is fetched again, even if it has the key. So a key that the issuer has withdrawn is refused
/// after this time.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// The key set of an issuer, fetched when a token first needs it.
///
/// It is fetched again if a token names a key that it does not have, at most once a minute, and after an hour. Of
/// concurrent requests, one fetches and the others wait for it. If a fetch fails, the old set stays in use.
pub struct FetchedKeys {
    source: Arc<dyn KeySource>,
    /// Every request reads it, and a fetch replaces it. Nobody waits while holding the lock.
    current: RwLock<Option<Fetched>>,
    /// The last fetch. The holder of this lock may fetch; the others wait for the result. An asynchronous lock, because
    /// it is held during the fetch.
    last: Mutex<Option<Attempt>>,
}

#[derive(Clone)]
struct Fetched {
    keys: Arc<KeySet>,
    at: Timestamp,
}

struct Attempt {
    at: Timestamp,
    /// Why it failed, if it did.
    failure: Option<String>,
}

/// The key of a token is not known, and the key set of its issuer cannot be fetched. The caller should repeat its request
/// later: status 503.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key set of the issuer cannot be fetched: {0}")]
pub struct KeysUnavailable(String);

impl FetchedKeys {
    /// The keys from this source. The first token fetches them.
    pub fn new(source: Arc<dyn KeySource>) -> Self {
        Self { source, current: RwLock::new(None), last: Mutex::new(None) }
    }

    /// The set with this key, or the newest set if no set has it.
    pub(crate) async fn with_key(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, KeysUnavailable> {
        match self.current() {
            Some(fetched) if fetched.keys.has(id) => {
                // Nobody waits for the refresh that another request makes.
                if elapsed(fetched.at, now) >= MAX_AGE
                    && let Some(mut last) = self.last.try_lock()
                {
                    self.fetch_if_due(&mut last, now).await;
                }
                Ok(self.current().unwrap_or(fetched).keys)
            }
            _ => self.with_unknown_key(id, now).await,
        }
    }

    async fn with_unknown_key(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, KeysUnavailable> {
        let mut last = self.last.lock().await;
        // If another request has just fetched the key, no fetch is due.
        self.fetch_if_due(&mut last, now).await;
        let failure = last.as_ref().and_then(|attempt| attempt.failure.clone());
        match (self.current(), failure) {
            (Some(fetched), _) if fetched.keys.has(id) => Ok(fetched.keys),
            // The issuer may have made the key a moment ago.
            (_, Some(failure)) => Err(KeysUnavailable(failure)),
            (Some(fetched), None) => Ok(fetched.keys),
            (None, None) => Err(KeysUnavailable("the last attempt was interrupted".to_owned())),
        }
    }

    async fn fetch_if_due(&self, last: &mut Option<Attempt>, now: Timestamp) {
        let wait = if self.current().is_some() { BETWEEN_FETCHES } else { BETWEEN_FIRST_FETCHES };
        if last.as_ref().is_some_and(|attempt| elapsed(attempt.at, now) < wait) {
            return;
        }
        // Before the fetch, because the request that makes it may be dropped.
        *last = Some(Attempt { at: now, failure: None });
        let failure = match self.fetch().await {
            Ok(keys) => {
                self.replace(Fetched { keys: Arc::new(keys), at: now });
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the key set of the issuer could not be fetched");
                Some(error.to_string())
            }
        };
        *last = Some(Attempt { at: now, failure });
    }

    async fn fetch(&self) -> Result<KeySet, KeySourceError> {
        let text = self.source.fetch().await?;
        KeySet::parse(&text).map_err(KeySourceError::new)
    }

    fn current(&self) -> Option<Fetched> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, fetched: Fetched) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
    }
}

impl fmt::Debug for FetchedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedKeys").finish_non_exhaustive()
    }
}

/// The time between two instants, whichever is the later one: concurrent requests read the clock before they wait, and a
/// clock may be set back.
fn elapsed(one: Timestamp, other: Timestamp) -> Duration {
    one.duration_since(other).unsigned_abs()
}
