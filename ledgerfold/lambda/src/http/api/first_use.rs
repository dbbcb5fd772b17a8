//! Parts of an operation that a function makes with the first request.

use std::sync::OnceLock;

use super::ApiError;
use crate::http::{Problem, problem::defect};

/// A value that is made when it is first used. A function that starts has many operations, and answers one request.
///
/// [`Api::check`](super::Api::check) makes the same values to find every error before a deployment.
pub(in crate::http) struct FirstUse<T> {
    value: OnceLock<Result<T, ApiError>>,
    make: fn() -> Result<T, ApiError>,
}

impl<T> FirstUse<T> {
    pub(in crate::http) const fn of(make: fn() -> Result<T, ApiError>) -> Self {
        Self { value: OnceLock::new(), make }
    }

    /// The value.
    ///
    /// # Errors
    /// 500 if it cannot be made.
    pub(in crate::http) fn get(&self) -> Result<&T, Problem> {
        self.value.get_or_init(self.make).as_ref().map_err(|error| defect(error))
    }
}
