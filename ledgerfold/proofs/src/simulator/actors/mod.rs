//! The users of the infrastructure: functions with the product's handlers, clients, readers and operators. Simulated
//! services and the rules of the checker do not belong here.

pub(in crate::simulator) mod clients;
pub(in crate::simulator) mod functions;
pub(in crate::simulator) mod mapping;
pub(in crate::simulator) mod operators;
pub(in crate::simulator) mod reactions;
pub(in crate::simulator) mod readers;
pub(in crate::simulator) mod rebuilds;
