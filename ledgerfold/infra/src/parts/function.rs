//! Functions. Each has a role that allows only its own calls, and a log group of its own.

use ledgerfold::context::Role;

use super::encryption::{key_if_any, permissions};
use crate::document::{Map, Resource, Value, arn, attribute, choose, list, map, reference, sub};

/// A permission of a function.
pub(crate) struct Statement {
    note: Option<String>,
    actions: Vec<String>,
    body: Map,
    conditions: Map,
}

impl Statement {
    /// Allows actions on resources.
    pub(crate) fn allow(actions: &[&str], resources: impl Into<Value>) -> Self {
        let action: Value = match actions {
            [action] => (*action).into(),
            actions => actions.iter().copied().collect(),
        };
        let body = map! { Effect: "Allow", Action: action, Resource: resources };
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Self { note: None, actions, body, conditions: Map::default() }
    }

    /// Limits the statement to these partition keys of a table. `*` in a key stands for any text.
    pub(crate) fn on_keys(self, keys: &[String]) -> Self {
        let like = keys.iter().any(|key| key.contains('*'));
        let operator = if like { "ForAllValues:StringLike" } else { "ForAllValues:StringEquals" };
        let keys: Value = keys.iter().cloned().collect();
        self.when(operator, map! { "dynamodb:LeadingKeys": keys })
    }

    /// Adds a condition.
    pub(crate) fn when(mut self, operator: &str, condition: Map) -> Self {
        self.conditions.set(operator, condition, None);
        self
    }

    /// Explains why the function needs it.
    pub(crate) fn because(self, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..self }
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    pub(super) fn item(self) -> (Option<String>, Value) {
        let body = match self.conditions.is_empty() {
            true => self.body,
            false => self.body.with("Condition", self.conditions),
        };
        (self.note, body.into())
    }
}

/// A function of the context's program.
pub(crate) struct Function<'a> {
    pub(crate) id: &'a str,
    pub(crate) description: String,
    pub(crate) role: Role,
    /// In seconds.
    pub(crate) timeout: Value,
    /// Its environment, beside `ROLE`.
    pub(crate) variables: Map,
    pub(crate) permissions: Vec<Statement>,
    /// Further properties, for example its routes.
    pub(crate) settings: Map,
}

/// The permissions to read a queue, through a mapping.
pub(crate) const QUEUE_CONSUMER: [&str; 3] =
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

impl Function<'_> {
    /// The function, its log group and its role.
    pub(crate) fn resources(self) -> [Resource; 3] {
        let log = format!("{}Log", self.id);
        let role = format!("{}Role", self.id);
        let variables = map! { ROLE: self.role.as_str() }.and(self.variables);
        let properties = map! {
            Description: self.description,
            MemorySize: 512,
            Timeout: self.timeout,
            Role: arn(&role),
            LoggingConfig: map! { LogGroup: reference(&log) },
        };
        let properties =
            properties.and(self.settings).with("Environment", map! { Variables: variables });
        let write = Statement::allow(&["logs:CreateLogStream", "logs:PutLogEvents"], arn(&log));
        let on_key = permissions(&self.permissions);
        let own = self.permissions.into_iter().chain([write]).map(Statement::item);
        let statements: Vec<_> = own.chain(on_key).collect();
        let trust = trusted_by("lambda.amazonaws.com").with(
            "ManagedPolicyArns",
            list![sub("arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess")],
        );
        let policy = map! {
            PolicyName: self.role.as_str(),
            PolicyDocument: map! { Version: "2012-10-17", Statement: Value::List(statements) },
        };
        let function = Resource::new(self.id, "AWS::Serverless::Function", properties);
        [
            function.skipping(&[("CKV_AWS_116", after_failures(self.role))]),
            log_group(&log),
            Resource::new(&role, "AWS::IAM::Role", trust.with("Policies", list![policy])),
        ]
    }
}

/// Why a function of this role needs no dead-letter queue of its own.
fn after_failures(role: Role) -> &'static str {
    match role {
        Role::Command | Role::Query => {
            "The gateway calls it and passes failures on to the caller, who repeats the request."
        }
        Role::Relay => "Its mapping moves commits that keep failing to the failure bucket.",
        Role::Projector | Role::Process | Role::DeadlineWorker | Role::Export | Role::Sealer => {
            "Its queue moves messages that keep failing to a dead-letter queue."
        }
        Role::DeadlineSweep | Role::SpotCheck => {
            "The next start does the work of a failed one, and an alarm watches failures."
        }
    }
}

/// A log group that forgets old entries.
pub(crate) fn log_group(id: &str) -> Resource {
    let properties = map! {
        RetentionInDays: reference("LogRetention"),
        KmsKeyId: key_if_any(),
    };
    Resource::new(id, "AWS::Logs::LogGroup", properties)
}

/// The beginning of a role that a service may take.
pub(crate) fn trusted_by(service: &str) -> Map {
    let statement = map! {
        Effect: "Allow",
        Principal: map! { Service: service },
        Action: "sts:AssumeRole",
    };
    map! {
        AssumeRolePolicyDocument: map! { Version: "2012-10-17", Statement: list![statement] },
    }
}

/// How a consumer handles the messages of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consumer {
    /// Message by message, in at most this many invocations at once.
    OneByOne(i64),
    /// The events of a batch are counted together, so a larger batch needs fewer writes. More than two invocations
    /// at once would often write the same counters. Two is the least that Lambda allows.
    Together,
}

/// The mapping from a queue to its consumer.
pub(crate) fn queue_mapping(id: &str, function: &str, queue: &str, consumer: Consumer) -> Resource {
    let (size, window, most) = match consumer {
        Consumer::OneByOne(most) => ("ProjectorBatchSize", choose("SmallBatches", 0, 1), most),
        Consumer::Together => ("CounterBatchSize", 1.into(), 2),
    };
    let properties = map! {
        FunctionName: reference(function),
        EventSourceArn: attribute(queue, "Arn"),
        BatchSize: reference(size),
        MaximumBatchingWindowInSeconds: window,
        FunctionResponseTypes: list!["ReportBatchItemFailures"],
        ScalingConfig: map! { MaximumConcurrency: most },
    };
    Resource::new(id, "AWS::Lambda::EventSourceMapping", properties)
}
