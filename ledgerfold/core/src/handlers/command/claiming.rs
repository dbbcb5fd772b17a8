use std::collections::BTreeMap;

use crate::{
    Category,
    ports::{AppendError, EventStore, Transaction},
};

/// The revision of each domain's claims, by its category.
pub(super) type Revisions = BTreeMap<Category, u32>;

/// Does a transaction. A stream that gives back a key which is not reserved for it forgoes the key
/// instead, unless the reservations of its category are complete: the stream may be older than the
/// claims. Only the refusal tells whether they are, so that ordinary commands pay nothing for it.
///
/// # Errors
/// [`AppendError::Busy`] where a build reserves such a key at the same moment.
pub(super) async fn transact(
    store: &dyn EventStore,
    transaction: Transaction,
    revisions: &Revisions,
) -> Result<(), AppendError> {
    let mut attempt = transaction.clone();
    loop {
        let refusal = match store.transact(&attempt).await {
            Ok(()) => return Ok(()),
            Err(AppendError::Reserved { key, holder }) if transaction.gives_back(&key, &holder) => {
                return Err(AppendError::Busy);
            }
            Err(refusal) => refusal,
        };
        let forgoing = match &refusal {
            AppendError::NotReserved { key, stream, complete }
                if complete.is_none() || complete.as_ref() != revisions.get(stream.category()) =>
            {
                // Keys are often personal data: no log has them.
                let kind = key.kind().as_str();
                tracing::warn!(%stream, kind, "a key is given back that nobody has reserved: build the reservations");
                attempt.forgoing(key)
            }
            _ => None,
        };
        match forgoing {
            Some(forgoing) => attempt = forgoing,
            None => return Err(refusal),
        }
    }
}
