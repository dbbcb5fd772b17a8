//! Queries: rows, lists and counters from the read models, past states and audit pages from the log.
//!
//! If a read model is older than the caller's consistency token, the missing events are added from the log. Nothing
//! here writes; [`project`](crate::project) updates the read models.

mod freshness;
mod history;
mod live;
mod parts;

pub use freshness::{Fresh, Listed, QueryError, current_row, fresh_counts, fresh_list, fresh_row};
pub use history::{AuditPage, AuditPosition, EventPage, Until, as_of, audit, commit_hash, events};
pub use live::{LiveParts, LiveRows, LiveTallies};
pub use parts::{FreshPart, PartPage, fresh_parts};
