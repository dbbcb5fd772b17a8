//! Rules of the bus, and schedules. Each has a dead-letter queue and limited retries.

use crate::document::{Map, Resource, Value, arn, import, list, map, sub};

/// Where a rule delivers to.
pub(crate) struct Delivery<'a> {
    pub(crate) name: &'a str,
    pub(crate) to: &'a str,
    pub(crate) dead_letters: &'a str,
    /// For how many seconds, and how often, a delivery is retried.
    pub(crate) retries: (i64, i64),
    /// The message, if it is not the event.
    pub(crate) input: Option<&'a str>,
}

impl<'a> Delivery<'a> {
    /// The most retries that EventBridge allows.
    const LONGEST: (i64, i64) = (86_400, 185);

    /// Delivers events to a queue.
    pub(crate) const fn to_queue(queue: &'a str, dead_letters: &'a str) -> Self {
        Self { name: "queue", to: queue, dead_letters, retries: Self::LONGEST, input: None }
    }

    fn target(&self) -> Value {
        let target = map! { Id: self.name, Arn: arn(self.to) };
        let target =
            self.input.into_iter().fold(target, |target, input| target.with("Input", input));
        let (seconds, attempts) = self.retries;
        let target = target.and(map! {
            RetryPolicy: map! {
                MaximumEventAgeInSeconds: seconds,
                MaximumRetryAttempts: attempts,
            },
            DeadLetterConfig: map! { Arn: arn(self.dead_letters) },
        });
        list![target]
    }
}

/// A rule of the platform's bus. `name` is unique in the context: the rule is named after it and the stack, because
/// alarms need its name and `Ref` does not return it.
pub(crate) fn bus_rule(
    id: &str,
    name: &str,
    description: &str,
    pattern: Map,
    delivery: &Delivery<'_>,
) -> Resource {
    let properties = map! {
        Name: rule_name(name),
        Description: description,
        EventBusName: import("BusName"),
        EventPattern: pattern,
        Targets: delivery.target(),
    };
    Resource::new(id, RULE, properties)
}

/// The name of a rule of the bus.
pub(crate) fn rule_name(name: &str) -> Value {
    sub(format!("${{AWS::StackName}}-{name}"))
}

/// A rule that fires on a schedule. EventBridge supports schedules on the account's default bus only.
pub(crate) fn schedule(
    id: &str,
    description: &str,
    every: Value,
    delivery: &Delivery<'_>,
) -> Resource {
    let properties = map! {
        Description: description,
        ScheduleExpression: every,
        Targets: delivery.target(),
    };
    Resource::new(id, RULE, properties)
}

const RULE: &str = "AWS::Events::Rule";
