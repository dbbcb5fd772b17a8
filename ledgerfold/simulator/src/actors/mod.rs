//! The users of the infrastructure: functions with the product's handlers, clients, readers and operators. Simulated
//! services and the rules of the checker do not belong here.

pub(crate) mod clients;
pub(crate) mod functions;
pub(crate) mod mapping;
pub(crate) mod operators;
pub(crate) mod reactions;
pub(crate) mod readers;
pub(crate) mod rebuilds;
