//! The simulated services behind the ports of the product: log, change stream, bus, queues and tables. They know no
//! function and no client.

pub(in crate::simulator) mod bus;
pub(in crate::simulator) mod change_stream;
pub(in crate::simulator) mod deadlines;
pub(in crate::simulator) mod defects;
pub(in crate::simulator) mod generations;
pub(in crate::simulator) mod hidden_writes;
pub(in crate::simulator) mod log;
pub(in crate::simulator) mod projection;
pub(in crate::simulator) mod quarantine;
pub(in crate::simulator) mod queue;
pub(in crate::simulator) mod read_table;
pub(in crate::simulator) mod rows;
pub(in crate::simulator) mod tallies;
