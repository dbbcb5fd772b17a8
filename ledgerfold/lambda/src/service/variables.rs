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

#[cfg(test)]
mod tests {
    use super::parse;

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
