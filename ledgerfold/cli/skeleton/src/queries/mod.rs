//! The queries, one file each, with their read models. To add one, copy a file, add it to the list, and declare its
//! projection in lib.rs.

mod get_task;

use ledgerfold_lambda::http::Api;

pub use get_task::{GetTask, ListedTask, TaskList};

/// Adds all queries.
pub(crate) fn add_to(api: Api) -> Api {
    api.query::<GetTask>()
}
