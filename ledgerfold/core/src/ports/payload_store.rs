use async_trait::async_trait;

use super::PortError;
use crate::vocabulary::ContentId;

/// The store of content that is too large for the log or the bus. Each content is named by its own digest. So it never
/// changes, and storing it twice has the same effect as storing it once.
#[async_trait]
pub trait PayloadStore: Send + Sync {
    /// Stores this content under its name, for ever.
    ///
    /// # Errors
    /// [`PayloadError`].
    async fn put(&self, id: &ContentId, content: String) -> Result<(), PayloadError>;

    /// The content under this name, unchecked. [`ContentId::fetch`] checks it.
    ///
    /// # Errors
    /// [`PayloadError`].
    async fn get(&self, id: &ContentId) -> Result<Vec<u8>, PayloadError>;

    /// The URI of the content, for other programs.
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

/// Content could not be stored or fetched. The store has already retried.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The request failed for a reason that all ports share.
    #[error("the payload store {0}")]
    Port(#[from] PortError),
    /// The store does not have the content.
    #[error("the content {0} is missing")]
    Missing(ContentId),
    /// The stored content has another digest.
    #[error("the content {0} is damaged")]
    Damaged(ContentId),
}

impl PayloadError {
    /// Whether the content itself is lost or damaged. All other failures may pass, and are retried.
    pub const fn is_damage(&self) -> bool {
        match self {
            Self::Missing(_) | Self::Damaged(_) => true,
            Self::Port(_) => false,
        }
    }
}
