//! The queries, one file each. To add one, copy a file and add it to the list.

mod get_task;

use ledgerfold_lambda::http::Api;

pub use get_task::GetTask;

/// Adds all queries.
pub(crate) fn add_to(api: Api) -> Api {
    api.query::<GetTask>()
}
