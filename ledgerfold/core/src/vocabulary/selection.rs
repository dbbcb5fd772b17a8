//! The streams that a projection reads.

use crate::{Category, StreamId, vocabulary::Source};

/// The streams whose events a projection reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// All streams of its own context.
    #[default]
    All,
    /// The streams of one category of its own context.
    Category(Category),
    /// The streams of one category of another context.
    Foreign(Source),
}

impl Selection {
    /// The category of all selected streams; `None` if there may be several.
    pub const fn category(&self) -> Option<&Category> {
        match self {
            Self::All => None,
            Self::Category(category) => Some(category),
            Self::Foreign(source) => Some(source.category()),
        }
    }

    /// The other context with the streams; `None` if they belong to the projection's own context.
    pub const fn source(&self) -> Option<&Source> {
        match self {
            Self::All | Self::Category(_) => None,
            Self::Foreign(source) => Some(source),
        }
    }

    /// Whether a stream of the right context is selected.
    pub fn has(&self, stream: &StreamId) -> bool {
        self.category().is_none_or(|category| category == stream.category())
    }
}

impl From<Source> for Selection {
    fn from(source: Source) -> Self {
        Self::Foreign(source)
    }
}

impl From<Category> for Selection {
    fn from(category: Category) -> Self {
        Self::Category(category)
    }
}
