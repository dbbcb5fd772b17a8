use async_trait::async_trait;

use super::PortError;
use crate::vocabulary::ContentId;

/// Where content is kept that is too large for the log or the bus. Each content has its own digest
/// for a name, so that it is never changed, and putting it twice is the same as putting it once.
#[async_trait]
pub trait PayloadStore: Send + Sync {
    /// Keeps this content under its name, for good.
    ///
    /// # Errors
    /// [`PayloadError`].
    async fn put(&self, id: &ContentId, content: String) -> Result<(), PayloadError>;

    /// The content under this name, unchecked. [`ContentId::fetch`] checks it.
    ///
    /// # Errors
    /// [`PayloadError`].
    async fn get(&self, id: &ContentId) -> Result<Vec<u8>, PayloadError>;

    /// Where others find it, as a URI.
    fn uri(&self, id: &ContentId) -> String;
}

impl ContentId {
    /// Fetches the content of this name and checks its digest.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub async fn fetch(&self, store: &dyn PayloadStore) -> Result<String, PayloadError> {
        let content = store.get(self).await?;
        if Self::of(&content) != *self {
            return Err(PayloadError::Damaged(self.clone()));
        }
        String::from_utf8(content).map_err(|_| PayloadError::Damaged(self.clone()))
    }

    /// Stores content under its name.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub async fn keep(store: &dyn PayloadStore, content: String) -> Result<Self, PayloadError> {
        let id = Self::of(content.as_bytes());
        store.put(&id, content).await?;
        Ok(id)
    }
}

/// Content could not be kept or fetched; the store has tried again itself already.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The request failed for a reason that all ports share.
    #[error("the payload store {0}")]
    Port(#[from] PortError),
    /// It is not there.
    #[error("the content {0} is not there")]
    Missing(ContentId),
    /// The stored content has another digest.
    #[error("what is kept as {0} is something else")]
    Damaged(ContentId),
}

impl PayloadError {
    /// Whether the content itself is lost or damaged. Everything else may pass, and is retried.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Missing(_) | Self::Damaged(_) => true,
            Self::Port(_) => false,
        }
    }
}
