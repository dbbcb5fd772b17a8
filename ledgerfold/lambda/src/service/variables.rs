//! The environment variables of a function.

use std::{fmt::Display, str::FromStr};

/// An environment variable that the function's template should set but does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set, or not UTF-8")]
pub struct MissingVariable(pub String);

/// An environment variable has an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} is {text:?}: {reason}")]
pub struct InvalidVariable {
    /// The variable.
    pub name: String,
    /// Its value.
    pub text: String,
    /// The reason.
    pub reason: String,
}

pub(super) const ROLE: &str = "ROLE";
pub(super) const EVENT_TABLE: &str = "EVENT_TABLE";
pub(super) const RESERVATIONS: &str = "RESERVATIONS";
pub(super) const PROJECTION_STATES: &str = "PROJECTION_STATES";
pub(super) const PROJECTION: &str = "PROJECTION";
pub(super) const READ_TABLE: &str = "READ_TABLE";
pub(super) const PROCESS: &str = "PROCESS";
pub(super) const SOURCE_CONTEXT: &str = "SOURCE_CONTEXT";
pub(super) const SOURCE_TABLE: &str = "SOURCE_TABLE";
pub(super) const DEADLINES: &str = "DEADLINES";
pub(super) const BUS_NAME: &str = "BUS_NAME";
pub(super) const BUS_KEY: &str = "BUS_KEY";
pub(super) const SPOT_CHECK_STREAMS: &str = "SPOT_CHECK_STREAMS";
pub(super) const SPOT_CHECK_PATIENCE: &str = "SPOT_CHECK_PATIENCE";

/// The value of a variable.
pub(super) fn required(name: &str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name.to_owned()))
}

/// The value of a variable that a template may leave out.
pub(super) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The value, parsed.
pub(super) fn parse<T: FromStr<Err: Display>>(
    name: &str,
    text: String,
) -> Result<T, InvalidVariable> {
    text.parse().map_err(|error: T::Err| InvalidVariable {
        name: name.to_owned(),
        reason: error.to_string(),
        text,
    })
}

/// The variable with the read table of a projection.
pub(super) fn table_of(projection: &str) -> String {
    format!("{}_TABLE", setting_of(projection))
}

/// The variable with the event table of another context, for roles that read several contexts.
pub(super) fn events_of(context: &str) -> String {
    format!("EVENTS_OF_{}", setting_of(context))
}

/// The variable with the setting of a process.
pub(super) fn setting_of(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::{events_of, parse, setting_of, table_of};

    #[test]
    fn names_of_variables_follow_from_the_declared_names() {
        assert_eq!(table_of("order-view"), "ORDER_VIEW_TABLE");
        assert_eq!(setting_of("payment-deadline"), "PAYMENT_DEADLINE");
        assert_eq!(events_of("loyalty-points"), "EVENTS_OF_LOYALTY_POINTS");
    }

    #[test]
    fn an_invalid_value_is_named_with_its_variable() {
        let invalid = parse::<usize>("SPOT_CHECK_STREAMS", "many".to_owned());
        let invalid = invalid.expect_err("it is no number").to_string();
        assert_eq!(
            invalid,
            "the environment variable SPOT_CHECK_STREAMS is \"many\": invalid digit found in string"
        );
    }
}
