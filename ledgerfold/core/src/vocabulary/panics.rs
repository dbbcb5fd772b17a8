use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use futures::FutureExt;

/// A team's code panicked. The one item that it was called for has failed for good, as it will each
/// time; its neighbours have not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the code panicked: {0}")]
pub struct Panicked(String);

/// Calls code of a team, for example `evolve`. After a panic the data that the call was changing must not be used.
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| Panicked(message(&*payload)))
}

/// Waits for code that a team has written, as a handler of requests. Nothing that it was to change may be
/// used after a panic.
///
/// # Errors
/// [`Panicked`] with the words of the panic.
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
    #![allow(clippy::panic, reason = "they are what is guarded against")]

    use super::{Panicked, guarded};

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| panic!("as a text")), Err::<(), _>(Panicked("as a text".into())));
        let number = 7;
        assert_eq!(guarded(|| panic!("{number}")), Err::<(), _>(Panicked("7".into())));
    }
}
