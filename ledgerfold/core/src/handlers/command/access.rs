use super::CommandError;
use crate::{Access, Rejection, vocabulary::panics::guarded};

/// Lets an allowed command pass. A hidden one gets the answer for streams that do not exist, `decide_missing`: the
/// domain's own, so that nobody can tell the two apart.
///
/// # Errors
/// The refusal.
pub(super) fn check<R: Rejection, E>(
    access: Access,
    decide_missing: impl FnOnce() -> Result<E, R>,
) -> Result<(), CommandError<R>> {
    match access {
        Access::Allowed => Ok(()),
        Access::Forbidden => Err(CommandError::Forbidden),
        Access::Hidden => Err(match guarded(decide_missing) {
            Ok(Err(rejection)) => CommandError::Rejected(rejection),
            Ok(Ok(_)) | Err(_) => CommandError::Hidden,
        }),
    }
}
