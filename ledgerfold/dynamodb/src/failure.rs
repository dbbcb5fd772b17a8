//! The meaning of cancelled transactions.

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::CancellationReason,
};
use ledgerfold_aws::{Failure, Meaning};

/// The meaning of a failed transaction: the reason of its cancellation if there is one, otherwise the error itself.
pub(crate) fn of_transaction<E, R>(reason: Option<Meaning>, error: SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let failure = Failure::of(error);
    Failure { meaning: reason.unwrap_or(failure.meaning), ..failure }
}

/// The reason why a write transaction was cancelled.
pub(crate) fn write_reason(error: &TransactWriteItemsError) -> Option<Meaning> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            first_meaning(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

/// The first reason, by position, that explains the cancellation.
pub(crate) fn first_meaning(reasons: &[CancellationReason]) -> Option<Meaning> {
    reasons.iter().find_map(|reason| {
        let code = reason.code().filter(|code| *code != "None")?;
        Some(Meaning::of(code, reason.message().unwrap_or_default()))
    })
}
