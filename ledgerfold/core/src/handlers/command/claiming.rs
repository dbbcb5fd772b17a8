use std::collections::BTreeMap;

use super::CommandError;
use crate::{
    Category, Claim, Rejection,
    ports::{AppendError, EventStore, Transaction},
};

/// The revision of each domain's claims, by its category.
pub(super) type Revisions = BTreeMap<Category, u32>;

/// Checks the claims of a domain that seals. A reservation is stored under its key, and a key in clear is personal data
/// that no erasure reaches.
///
/// # Errors
/// [`CommandError::UnkeyedClaim`].
pub(super) fn check_keyed<R: Rejection>(claims: &[Claim]) -> Result<(), CommandError<R>> {
    match claims.iter().map(Claim::key).find(|key| !key.is_keyed()) {
        // The value may be personal data, so the error does not have it.
        Some(key) => Err(CommandError::UnkeyedClaim(key.kind().clone())),
        None => Ok(()),
    }
}

/// Stores a transaction.
///
/// A stream may release a key that is not reserved for it, because the stream may be older than the domain's claims.
/// Once the reservations of its category are complete, such a release is refused. Only a refusal shows whether they are
/// complete, so ordinary commands pay nothing for this check.
///
/// # Errors
/// [`AppendError::Busy`] if a build reserves such a key at the same moment.
pub(super) async fn transact(
    log: &dyn EventStore,
    transaction: &Transaction,
    revisions: &Revisions,
) -> Result<(), AppendError> {
    let mut without_release = None;
    loop {
        let attempt = without_release.as_ref().unwrap_or(transaction);
        let refusal = match log.transact(attempt).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Reserved { key, holder }) if transaction.gives_back(&key, &holder) => {
                return Err(AppendError::Busy);
            }
            Err(refusal) => refusal,
        };
        match let_pass(attempt, &refusal, revisions) {
            Some(next) => without_release = Some(next),
            None => return Err(refusal),
        }
    }
}

/// The transaction without the release that the store refused, if the reservations are incomplete.
fn let_pass(
    attempt: &Transaction,
    refusal: &AppendError,
    revisions: &Revisions,
) -> Option<Transaction> {
    let AppendError::NotReserved { key, stream, complete } = refusal else { return None };
    if complete.is_some() && complete.as_ref() == revisions.get(stream.category()) {
        return None;
    }
    // Keys are often personal data, so we never log them.
    let kind = key.key.kind().as_str();
    tracing::warn!(%stream, kind, "a command released a key that is not reserved: run `claims build`");
    attempt.forgoing(key)
}
