/// A failure that has nothing to do with the content of the request. All ports share it.
///
/// The adapter has already retried. In every case the caller may try again later.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The service currently allows fewer requests.
    #[error("is throttling")]
    Throttled,
    /// The service did not answer. A write may have taken effect.
    #[error("is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The service refuses the request until an operator acts: a permission or a setting is missing, or the program
    /// has a defect.
    #[error("refused the request: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl PortError {
    /// The same failure for another caller, when one request served several. Its source is only a text.
    #[must_use]
    pub fn repeated(&self) -> Self {
        match self {
            Self::Throttled => Self::Throttled,
            Self::Unavailable(source) => Self::Unavailable(source.to_string().into()),
            Self::Refused(source) => Self::Refused(source.to_string().into()),
        }
    }
}
