//! A template as rules see it: JSON, with CloudFormation's functions in their long form.

use std::collections::BTreeSet;

use ledgerfold::context::{Context, Role, variables};
use serde_json::{Value as Json, json};

use crate::{
    context::{due_id_of, id_of},
    document::{Resource, Template},
};

/// A template with the declaration that it must match.
#[derive(Clone, Debug)]
pub struct Model<'a> {
    /// The declaration.
    pub context: &'a Context,
    /// The template.
    pub template: Json,
    /// The ids of its resources, also those that occur twice.
    pub ids: Vec<String>,
}

pub(super) const FUNCTION: &str = "AWS::Serverless::Function";
pub(super) const MAPPING: &str = "AWS::Lambda::EventSourceMapping";
pub(super) const ROLE: &str = "AWS::IAM::Role";
pub(super) const QUEUE: &str = "AWS::SQS::Queue";
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";
pub(super) const RULE: &str = "AWS::Events::Rule";
pub(super) const ALARM: &str = "AWS::CloudWatch::Alarm";

/// A statement of a policy, with the id of its resource.
pub(super) struct Granted<'m> {
    pub(super) owner: &'m str,
    pub(super) statement: &'m Json,
}

impl<'a> Model<'a> {
    /// The model of this template.
    pub fn of(context: &'a Context, template: &Template) -> Self {
        let resources = template.sections.iter().flat_map(|section| &section.resources);
        let ids = resources.map(|Resource { id, .. }| id.clone()).collect();
        Self { context, template: template.to_json(), ids }
    }

    /// A value of the template by its JSON pointer. Null if there is none.
    pub(super) fn at(&self, pointer: &str) -> &Json {
        self.template.pointer(pointer).unwrap_or(&Json::Null)
    }

    /// The properties of a resource. Null if it does not exist.
    pub(super) fn properties(&self, id: &str) -> &Json {
        self.at(&format!("/Resources/{id}/Properties"))
    }

    /// The resources of a type, with their properties.
    pub(super) fn of_type(&self, kind: &str) -> Vec<(&str, &Json)> {
        let all = self.at("/Resources").as_object().into_iter().flatten();
        let of_kind = all.filter(|(_, body)| body["Type"] == kind);
        of_kind.map(|(id, body)| (id.as_str(), &body["Properties"])).collect()
    }

    /// A variable of a function.
    pub(super) fn variable(&self, function: &str, name: &str) -> &Json {
        self.at(&format!("/Resources/{function}/Properties/Environment/Variables/{name}"))
    }

    /// Every statement of a policy on roles, queues and buckets.
    pub(super) fn statements(&self) -> Vec<Granted<'_>> {
        let mut all = Vec::new();
        for (owner, role) in self.of_type(ROLE) {
            for policy in list(&role["Policies"]) {
                let statements =
                    list(&policy["PolicyDocument"]["Statement"]).map(with_condition_met);
                all.extend(statements.map(|statement| Granted { owner, statement }));
            }
        }
        for kind in ["AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"] {
            for (owner, policy) in self.of_type(kind) {
                let statements = list(&policy["PolicyDocument"]["Statement"]);
                all.extend(statements.map(|statement| Granted { owner, statement }));
            }
        }
        all
    }

    /// The queues for undeliverable messages.
    pub(super) fn dead_letter_queues(&self) -> BTreeSet<String> {
        let queues = self.of_type(QUEUE).into_iter();
        let redriven =
            queues.flat_map(|(_, queue)| referred(&queue["RedrivePolicy"]["deadLetterTargetArn"]));
        let rules = self.of_type(RULE).into_iter().flat_map(|(_, rule)| list(&rule["Targets"]));
        let undelivered = rules.flat_map(|target| referred(&target["DeadLetterConfig"]));
        redriven.chain(undelivered).collect()
    }

    /// The metric and the resource of every alarm.
    pub(super) fn watched(&self) -> BTreeSet<(String, String)> {
        let alarms = self.of_type(ALARM).into_iter();
        alarms
            .flat_map(|(_, alarm)| {
                let metric = text(&alarm["MetricName"]).to_owned();
                let of = referred(&alarm["Dimensions"]);
                of.into_iter().map(move |resource| (metric.clone(), resource))
            })
            .collect()
    }

    /// The ids with which the resources of projections begin, with the projections' names.
    pub(super) fn projections(&self) -> Vec<(String, &'static str)> {
        let names = self.context.catalog().projections().into_iter();
        names.map(|name| (id_of(name), name)).collect()
    }

    /// The ids with which the resources of processes begin, with the processes' names.
    pub(super) fn processes(&self) -> Vec<(String, &str)> {
        let processes = self.context.processes().iter();
        processes.map(|process| (id_of(process.name().as_str()), process.name().as_str())).collect()
    }

    /// The functions that read the queue of a projection or of a process, with the beginnings of the ids.
    pub(super) fn consumers(&self) -> Vec<(String, String)> {
        let projectors =
            self.projections().into_iter().map(|(id, _)| (id.clone(), format!("{id}Projector")));
        let processes =
            self.processes().into_iter().map(|(id, _)| (id.clone(), format!("{id}Function")));
        projectors.chain(processes).collect()
    }

    /// The functions that read a queue of due deadlines, with the beginnings of the ids and the names of the processes.
    pub(super) fn workers(&self) -> Vec<(String, String, &str)> {
        let processes = self.processes().into_iter();
        let ids = processes.map(|(_, name)| (due_id_of(name), name));
        ids.map(|(id, name)| (id.clone(), format!("{id}Function"), name)).collect()
    }

    /// The functions that read any queue, with the beginnings of the ids.
    pub(super) fn queue_readers(&self) -> Vec<(String, String)> {
        let workers = self.workers().into_iter().map(|(id, function, _)| (id, function));
        let export = self.exports().then(|| ("Export".to_owned(), "ExportFunction".to_owned()));
        self.consumers().into_iter().chain(workers).chain(export).collect()
    }

    /// Whether the context exports its events as files.
    pub(super) fn exports(&self) -> bool {
        !self.context.exported().is_empty()
    }

    /// The functions that the declaration asks for, with their roles.
    pub(super) fn functions(&self) -> Vec<(String, Role)> {
        let mut all = vec![
            ("CommandFunction".to_owned(), Role::Command),
            ("QueryFunction".to_owned(), Role::Query),
            ("RelayFunction".to_owned(), Role::Relay),
        ];
        all.extend(
            self.projections()
                .into_iter()
                .map(|(id, _)| (format!("{id}Projector"), Role::Projector)),
        );
        all.extend(
            self.processes().into_iter().map(|(id, _)| (format!("{id}Function"), Role::Process)),
        );
        if !self.processes().is_empty() {
            all.push(("DeadlineSweepFunction".to_owned(), Role::DeadlineSweep));
            let workers = self.workers().into_iter();
            all.extend(workers.map(|(_, function, _)| (function, Role::DeadlineWorker)));
        }
        if !self.projections().is_empty() {
            all.push(("SpotCheckFunction".to_owned(), Role::SpotCheck));
        }
        if self.exports() {
            all.push(("ExportFunction".to_owned(), Role::Export));
        }
        if self.context.is_transparent() {
            all.push(("SealerFunction".to_owned(), Role::Sealer));
        }
        all
    }

    /// The source of the context's events.
    pub(super) fn source(&self) -> String {
        format!("ledgerfold.{}", self.context.name())
    }

    /// The pattern of the events that a projection reads.
    pub(super) fn pattern_of(&self, projection: &str) -> Json {
        let catalog = self.context.catalog();
        let foreign = catalog.source(projection);
        let source = foreign.map_or(self.source(), |it| format!("ledgerfold.{}", it.bus_name()));
        match catalog.category(projection) {
            Some(category) => {
                let streams = format!("*/{category}#*");
                json!({"source": [source], "detail": {"subject": [{"wildcard": streams}]}})
            }
            None => json!({"source": [source]}),
        }
    }

    /// The variables with the read tables, and with the event tables of other contexts.
    pub(super) fn table_variables(&self) -> Vec<(String, Json)> {
        let projections = self.projections().into_iter();
        let tables = projections
            .map(|(id, name)| (variables::table_of(name), json!({"Ref": format!("{id}Table")})));
        let sources = self.context.sources().into_iter().map(|source| {
            let table = format!("${{Platform}}-{source}-events");
            (variables::events_of(source), json!({"Fn::Sub": table}))
        });
        tables.chain(sources).collect()
    }
}

/// The first value of a choice, which permits more than its second one. Any other value as it is.
fn with_condition_met(value: &Json) -> &Json {
    value.pointer("/Fn::If/1").unwrap_or(value)
}

/// The items of a list, or a single value as one.
pub(super) fn list(value: &Json) -> impl Iterator<Item = &Json> {
    let (items, single) = match value {
        Json::Array(items) => (items.as_slice(), None),
        Json::Null => (&[][..], None),
        other => (&[][..], Some(other)),
    };
    items.iter().chain(single)
}

/// A text. Empty if the value is no text.
pub(super) fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// The texts of a list.
pub(super) fn texts(value: &Json) -> BTreeSet<&str> {
    list(value).map(text).collect()
}

/// The ids to which a value refers by Ref or GetAtt.
pub(super) fn referred(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().flat_map(referred).collect(),
        Json::Object(map) => {
            let entries = map.iter().flat_map(|(key, value)| match key.as_str() {
                "Ref" => vec![text(value).to_owned()],
                "Fn::GetAtt" => vec![text(&value[0]).to_owned()],
                _ => referred(value),
            });
            entries.collect()
        }
        _ => Vec::new(),
    }
}

impl Granted<'_> {
    pub(super) fn allows(&self) -> bool {
        self.statement["Effect"] == "Allow"
    }

    pub(super) fn actions(&self) -> BTreeSet<&str> {
        texts(&self.statement["Action"])
    }

    /// Whether it is about this resource itself, and not only about an index or a stream of it.
    pub(super) fn concerns(&self, id: &str) -> bool {
        list(&self.statement["Resource"])
            .any(|resource| *resource == json!({"Fn::GetAtt": [id, "Arn"]}))
    }

    /// The values that it accepts for a condition key, with any operator.
    pub(super) fn condition(&self, key: &str) -> BTreeSet<&str> {
        let operators = self.statement["Condition"].as_object().into_iter().flatten();
        operators.flat_map(|(_, keys)| list(&keys[key])).map(text).collect()
    }
}
