//! Functions: their environment variables, and direct invocations.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_lambda::types::{Environment, LastUpdateStatus};
use serde_json::Value;

use super::{Aws, AwsError, explain};
use crate::wait::eventually;

const UPDATED: Duration = Duration::from_secs(60);

/// The environment variables of a function.
pub type Variables = HashMap<String, String>;

impl Aws {
    /// Reads the environment variables of a function.
    ///
    /// # Errors
    /// If Lambda does not answer.
    pub async fn variables(&self, function: &str) -> Result<Variables, AwsError> {
        let name = self.function(function)?;
        let answer = self.functions.get_function_configuration().function_name(name).send().await;
        let answer = answer.map_err(explain("GetFunctionConfiguration"))?;
        Ok(answer.environment.and_then(|environment| environment.variables).unwrap_or_default())
    }

    /// Replaces the environment variables of a function, and waits until the update is complete.
    ///
    /// # Errors
    /// If the update is refused, or not complete in time.
    pub async fn set_variables(
        &self,
        function: &str,
        variables: Variables,
    ) -> Result<(), AwsError> {
        const CALL: &str = "UpdateFunctionConfiguration";
        let name = self.function(function)?;
        let environment = Environment::builder().set_variables(Some(variables)).build();
        let update = self.functions.update_function_configuration().function_name(name);
        update.environment(environment).send().await.map_err(explain(CALL))?;
        eventually("the function is updated", UPDATED, async || {
            let answer = self.functions.get_function_configuration().function_name(name).send();
            let answer = answer.await.map_err(|error| error.to_string())?;
            match answer.last_update_status {
                Some(LastUpdateStatus::InProgress) => Err("it is in progress".to_owned()),
                _ => Ok(()),
            }
        })
        .await
        .map_err(|error| AwsError::new(CALL, error))
    }

    /// Invokes a function with an event without content and waits for its end, ignoring its result.
    ///
    /// # Errors
    /// If it cannot be invoked.
    pub async fn wake(&self, function: &str) -> Result<(), AwsError> {
        let invoke = self.functions.invoke().function_name(self.function(function)?);
        let event = aws_sdk_lambda::primitives::Blob::new(r#"{"Records": []}"#);
        invoke.payload(event).send().await.map_err(explain("Invoke"))?;
        Ok(())
    }

    /// Invokes a function with an event and returns its answer.
    ///
    /// # Errors
    /// If it cannot be invoked, fails, or does not answer with JSON.
    pub async fn ask(&self, function: &str, event: &Value) -> Result<Value, AwsError> {
        const CALL: &str = "Invoke";
        let invoke = self.functions.invoke().function_name(self.function(function)?);
        let event = aws_sdk_lambda::primitives::Blob::new(event.to_string());
        let answer = invoke.payload(event).send().await.map_err(explain(CALL))?;
        let payload = answer.payload.map(aws_sdk_lambda::primitives::Blob::into_inner);
        let payload = payload.unwrap_or_default();
        match answer.function_error {
            None => serde_json::from_slice(&payload).map_err(|error| AwsError::new(CALL, error)),
            Some(_) => Err(AwsError::new(CALL, String::from_utf8_lossy(&payload))),
        }
    }

    /// The full name of the function with this role.
    fn function(&self, role: &str) -> Result<&str, AwsError> {
        let name = self.stack.contexts["orders"].functions.get(role);
        let missing =
            || AwsError::new("Invoke", format!("the stack file names no {role} function"));
        name.map(String::as_str).ok_or_else(missing)
    }
}
