//! The parts of which components consist. Each is safe by itself: a queue brings its policy and its dead-letter
//! queue, a function its role and its log, a rule its retries.

mod alarm;
mod encryption;
mod function;
mod queue;
mod rule;
mod table;

pub(crate) use alarm::{Alarm, Metric, Page};
pub(crate) use encryption::{
    HAS_KEY, KEY, condition as key_condition, key_if_any, parameter as key_parameter, with_key,
};
pub(crate) use function::{
    Consumer, Function, QUEUE_CONSUMER, Statement, log_group, queue_mapping, trusted_by,
};
pub(crate) use queue::{DEAD_LETTERS, dead_letters, queue, queue_of_role};
pub(crate) use rule::{Delivery, bus_rule, schedule};
pub(crate) use table::{Index, Key, table};
