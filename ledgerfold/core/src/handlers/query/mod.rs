//! Answers: from read models where they are fresh enough, from the log where they are not, and from
//! the log alone where the past is asked for.

mod freshness;
mod history;
mod live;

pub use freshness::{Fresh, Listed, QueryError, fresh_counts, fresh_list, fresh_row};
pub use history::{AuditPage, AuditPosition, Until, as_of, audit};
pub use live::{LiveRows, LiveTallies};
