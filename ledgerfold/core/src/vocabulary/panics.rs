use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use futures::FutureExt;

/// A team's code panicked. Only the item that it was called for has failed, and a retry with the same code panics
/// again. Other items of a batch go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code panicked: {0}")]
pub struct Panicked(String);

/// Calls code of a team, for example `evolve`. After a panic the data that the call was changing must not be used.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| Panicked(message(&*payload)))
}

/// Awaits code of a team, for example a request handler. After a panic the data that the code was changing must not be
/// used.
///
/// # Errors
/// [`Panicked`] with the panic's message.
pub async fn guarded_future<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let outcome = AssertUnwindSafe(future).catch_unwind().await;
    outcome.map_err(|payload| Panicked(message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "the tests panic on purpose")]

    use super::{Panicked, guarded};

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| panic!("as a text")), Err::<(), _>(Panicked("as a text".into())));
        let number = 7;
        assert_eq!(guarded(|| panic!("{number}")), Err::<(), _>(Panicked("7".into())));
    }
}
