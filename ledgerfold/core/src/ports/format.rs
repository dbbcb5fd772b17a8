/// The stored data has a format that this program cannot read yet, because a newer program wrote it. The data is not
/// damaged, so the caller retries until the newer program runs here too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is in format {found}, and this program reads formats up to {known}: a newer program wrote it; deploy \
     that program here too"
)]
pub struct NewerFormat {
    /// The format of the data.
    pub found: u64,
    /// The newest format that this program reads.
    pub known: u64,
}
