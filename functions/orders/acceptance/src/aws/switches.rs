//! Switches parts of the pipeline off and on again, as in an outage or by an operator.

use std::time::Duration;

use super::{Aws, AwsError, explain};
use crate::wait::{NotInTime, eventually};

/// An event source mapping, which delivers messages of a stream or a queue to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping(String);

impl Aws {
    /// The event source mappings of a function, by the function's name.
    ///
    /// # Errors
    /// If Lambda does not answer.
    pub async fn mappings(&self, function: &str) -> Result<Vec<Mapping>, AwsError> {
        let answer = self
            .functions
            .list_event_source_mappings()
            .function_name(function)
            .send()
            .await
            .map_err(explain("ListEventSourceMappings"))?;
        let mappings = answer.event_source_mappings.unwrap_or_default();
        Ok(mappings.into_iter().filter_map(|mapping| mapping.uuid).map(Mapping).collect())
    }

    /// Switches a mapping on or off, and waits for the change.
    ///
    /// # Errors
    /// If it does not change in time.
    pub async fn switch_mapping(
        &self,
        Mapping(uuid): &Mapping,
        on: bool,
        deadline: Duration,
    ) -> Result<(), NotInTime> {
        let wanted = if on { "Enabled" } else { "Disabled" };
        let condition = format!("the mapping is {wanted}");
        eventually(&condition, deadline, async || {
            let state = self.mapping_state(uuid).await.map_err(|error| error.to_string())?;
            if state == wanted {
                return Ok(());
            }
            // Lambda refuses while the mapping is changing state, so this is repeated.
            self.set_mapping(uuid, on).await.map_err(|error| error.to_string())?;
            Err(state)
        })
        .await
    }

    async fn mapping_state(&self, uuid: &str) -> Result<String, AwsError> {
        let answer = self.functions.get_event_source_mapping().uuid(uuid).send().await;
        let answer = answer.map_err(explain("GetEventSourceMapping"))?;
        Ok(answer.state.unwrap_or_default())
    }

    async fn set_mapping(&self, uuid: &str, on: bool) -> Result<(), AwsError> {
        let update = self.functions.update_event_source_mapping().uuid(uuid).enabled(on);
        update.send().await.map(|_| ()).map_err(explain("UpdateEventSourceMapping"))
    }

    /// Switches the rule of a projection on or off. Events published while it is off never reach the projection's
    /// queue.
    ///
    /// # Errors
    /// If the stack file names no such rule, or the bus refuses.
    pub async fn switch_rule(&self, projection: &str, on: bool) -> Result<(), AwsError> {
        const CALL: &str = "EnableRule or DisableRule";
        let rule = self.stack.contexts["orders"].rules.get(projection);
        // An ARN ends in `rule/<bus>/<rule>`.
        let name = rule.and_then(|arn| arn.rsplit('/').next()).map(ToOwned::to_owned);
        let name = name.ok_or_else(|| AwsError::new(CALL, format!("no rule of {projection}")))?;
        let bus = self.stack.bus.clone();
        if on {
            let enable = self.events.enable_rule().name(name).event_bus_name(bus);
            enable.send().await.map(|_| ()).map_err(explain(CALL))
        } else {
            let disable = self.events.disable_rule().name(name).event_bus_name(bus);
            disable.send().await.map(|_| ()).map_err(explain(CALL))
        }
    }
}
