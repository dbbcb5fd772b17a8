//! Alarms. A description names the component, the event, the command that shows the reason, and the fix. It must be clear
//! at night to a reader without knowledge of the code. It ends with the section of the page about alarms.

use crate::document::{Map, Resource, Value, attribute, import, list, map, reference, sub};

use super::rule::rule_name;

/// The sections of docs/operations.md that explain alarms.
#[derive(Clone, Copy)]
pub(crate) enum Page {
    Projection,
    UndeliveredWork,
    LongWaits,
    WrongReadModels,
    UnauthorizedWrites,
    Functions,
}

impl Page {
    /// The section about work that waits. A projection's own section also has its waits.
    pub(crate) const fn of_waits(self) -> Self {
        match self {
            Self::Projection => Self::Projection,
            _ => Self::LongWaits,
        }
    }

    const fn address(self) -> &'static str {
        match self {
            Self::Projection => "docs/operations.md#alarms-on-a-projection",
            Self::UndeliveredWork => "docs/operations.md#alarms-on-undelivered-work",
            Self::LongWaits => "docs/operations.md#alarms-on-long-waits",
            Self::WrongReadModels => "docs/operations.md#alarms-on-wrong-read-models",
            Self::UnauthorizedWrites => "docs/operations.md#alarms-on-unauthorized-writes",
            Self::Functions => "docs/operations.md#alarms-on-functions",
        }
    }
}

/// A metric of a resource.
pub(crate) struct Metric {
    namespace: &'static str,
    name: &'static str,
    dimensions: Value,
    statistic: &'static str,
}

impl Metric {
    fn new(
        namespace: &'static str,
        name: &'static str,
        statistic: &'static str,
        dimensions: &[(&str, Value)],
    ) -> Self {
        let dimension = |(name, value): &(&str, Value)| map! { Name: *name, Value: value.clone() };
        Self { namespace, name, statistic, dimensions: dimensions.iter().map(dimension).collect() }
    }

    /// The number of messages in a queue.
    pub(crate) fn messages(queue: &str) -> Self {
        let name = attribute(queue, "QueueName");
        Self::new(
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            "Maximum",
            &[("QueueName", name)],
        )
    }

    /// The age of the oldest message of a queue, in seconds.
    pub(crate) fn age(queue: &str) -> Self {
        let name = attribute(queue, "QueueName");
        Self::new("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", &[("QueueName", name)])
    }

    /// A metric of a rule of the bus.
    pub(crate) fn of_bus_rule(metric: &'static str, rule: &str) -> Self {
        let dimensions = [("EventBusName", import("BusName")), ("RuleName", rule_name(rule))];
        Self::new("AWS/Events", metric, "Sum", &dimensions)
    }

    /// A metric of a schedule.
    pub(crate) fn of_schedule(metric: &'static str, id: &str) -> Self {
        Self::new("AWS/Events", metric, "Sum", &[("RuleName", reference(id))])
    }

    /// A metric that Lambda counts for a function.
    pub(crate) fn of_function(metric: &'static str, id: &str) -> Self {
        Self::new("AWS/Lambda", metric, "Sum", &[("FunctionName", reference(id))])
    }

    /// A metric that Lambda counts for the mapping of a stream.
    pub(crate) fn of_mapping(metric: &'static str, id: &str) -> Self {
        Self::new("AWS/Lambda", metric, "Sum", &[("EventSourceMappingUUID", reference(id))])
    }

    /// A metric that our functions count.
    pub(crate) fn of_ours(metric: &'static str, function: &str) -> Self {
        Self::new("Ledgerfold", metric, "Sum", &[("FunctionName", reference(function))])
    }

    /// The objects of a bucket.
    pub(crate) fn objects(bucket: &str) -> Self {
        let dimensions =
            [("BucketName", reference(bucket)), ("StorageType", "AllStorageTypes".into())];
        Self::new("AWS/S3", "NumberOfObjects", "Maximum", &dimensions)
    }

    /// Answers of the API with a status of 500 or above.
    pub(crate) fn server_errors() -> Self {
        let dimensions = [("ApiName", reference("AWS::StackName")), ("Stage", reference("Stage"))];
        Self::new("AWS/ApiGateway", "5XXError", "Sum", &dimensions)
    }

    pub(crate) fn at_most(self) -> Self {
        Self { statistic: "Maximum", ..self }
    }

    pub(crate) fn at_least(self) -> Self {
        Self { statistic: "Minimum", ..self }
    }
}

/// An alarm. It goes off if the metric is above 0 for 5 minutes, unless it says otherwise.
pub(crate) struct Alarm {
    id: String,
    text: String,
    page: Page,
    metric: Metric,
    period: i64,
    periods: i64,
    threshold: i64,
    needs_data: bool,
}

impl Alarm {
    /// An alarm whose description refers to resources as `${Bus}`. `page` explains it.
    pub(crate) fn new(
        id: impl Into<String>,
        metric: Metric,
        page: Page,
        text: impl Into<String>,
    ) -> Self {
        let (id, text) = (id.into(), text.into());
        Self { id, text, page, metric, period: 300, periods: 1, threshold: 0, needs_data: false }
    }

    /// Looks at this many periods of so many seconds.
    pub(crate) fn over(self, periods: i64, period: i64) -> Self {
        Self { periods, period, ..self }
    }

    /// Goes off above this value instead of 0.
    pub(crate) fn above(self, threshold: i64) -> Self {
        Self { threshold, ..self }
    }

    /// Goes off if there is nothing to count, or no data.
    pub(crate) fn if_nothing(self) -> Self {
        Self { needs_data: true, ..self }
    }
}

impl From<Alarm> for Resource {
    fn from(alarm: Alarm) -> Self {
        let text = format!("{} See {}.", alarm.text, alarm.page.address());
        let description = if text.contains("${") { sub(text) } else { text.into() };
        let (threshold, comparison, missing) = match alarm.needs_data {
            true => (1, "LessThanThreshold", "breaching"),
            // A missing metric means that nothing happened.
            false => (alarm.threshold, "GreaterThanThreshold", "notBreaching"),
        };
        let properties: Map = map! {
            AlarmDescription: description,
            Namespace: alarm.metric.namespace,
            MetricName: alarm.metric.name,
            Dimensions: alarm.metric.dimensions,
            Statistic: alarm.metric.statistic,
            Period: alarm.period,
            EvaluationPeriods: alarm.periods,
            Threshold: threshold,
            ComparisonOperator: comparison,
            TreatMissingData: missing,
            AlarmActions: list![import("AlarmTopicArn")],
        };
        Self::new(alarm.id, "AWS::CloudWatch::Alarm", properties)
    }
}
