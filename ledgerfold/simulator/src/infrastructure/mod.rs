//! The simulated services behind the ports of the product: log, change stream, bus, queues and tables. They know no
//! function and no client.

pub(crate) mod bus;
pub(crate) mod change_stream;
pub(crate) mod deadlines;
pub(crate) mod defects;
pub(crate) mod due_queue;
pub(crate) mod generations;
pub(crate) mod hidden_writes;
pub(crate) mod log;
pub(crate) mod messages;
pub(crate) mod pipeline_log;
pub(crate) mod projection;
pub(crate) mod quarantine;
pub(crate) mod queue;
pub(crate) mod read_table;
pub(crate) mod rows;
pub(crate) mod tallies;
