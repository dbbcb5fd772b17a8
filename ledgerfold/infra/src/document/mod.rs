//! The model of a template: values, resources, and how they are written.

mod template;
mod value;
mod yaml;

pub use template::{Resource, Section, Template};
pub use value::{Map, Value};
pub(crate) use value::{arn, attribute, choose, import, list, map, no_value, note, reference, sub};
