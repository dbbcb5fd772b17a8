//! Rules about the parts of a template.

use std::collections::BTreeSet;

use super::model::{FUNCTION, MAPPING, Model, RULE, referred, text};
use crate::context::{due_id_of, id_of};
use ledgerfold::context::variables;
use serde_json::{Value as Json, json};

/// CloudFormation's limit for a stack, and the resources that SAM makes of an API: a deployment, a stage, and a permission per route.
const MOST_RESOURCES: usize = 500;
const OF_SAM: usize = 20;
/// The limit of EventBridge for the name of a rule, and of the stage's name in it.
const LONGEST_RULE: usize = 64;
const LONGEST_STAGE: usize = 16;

/// Two declared names can give the same id, for example the projection `event` and the event table.
pub(super) fn ids_differ_and_resources_fit(model: &Model<'_>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let parameters = model.at("/Parameters").as_object().into_iter().flatten().map(|(id, _)| id);
    let twice = model.ids.iter().chain(parameters).filter(|id| !seen.insert(*id));
    let mut broken: Vec<_> = twice
        .map(|id| format!("{id} occurs twice: rename the projection or process whose resources begin like this"))
        .collect();
    let count = model.ids.len() + OF_SAM;
    if count > MOST_RESOURCES {
        broken.push(format!(
            "the stack has {count} resources, and CloudFormation allows {MOST_RESOURCES}: move projections to a \
             context of their own"
        ));
    }
    broken
}

pub(super) fn names_of_rules_fit(model: &Model<'_>) -> Vec<String> {
    let rules = model.of_type(RULE).into_iter();
    let long = rules.filter_map(|(id, rule)| {
        let name = text(&rule["Name"]["Fn::Sub"]).strip_prefix("${AWS::StackName}-")?;
        let stack = "ledgerfold--".len() + LONGEST_STAGE + model.context.name().len();
        let length = stack + 1 + name.len();
        (length > LONGEST_RULE).then(|| {
            format!("the name of {id} can have {length} letters, and EventBridge allows {LONGEST_RULE}: shorten {name:?} or the name of the context")
        })
    });
    long.collect()
}

pub(super) fn functions_are_complete(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let globals = model.at("/Globals/Function");
    for (id, function) in model.of_type(FUNCTION) {
        let role = format!("{id}Role");
        if referred(&function["Role"]) != [role.as_str()] || model.properties(&role).is_null() {
            broken.push(format!("{id} has no role of its own"));
        }
        let log = format!("{id}Log");
        let kept = !model.properties(&log)["RetentionInDays"].is_null();
        if function["LoggingConfig"]["LogGroup"] != json!({"Ref": log}) || !kept {
            broken.push(format!("{id} has no log group of its own with a retention"));
        }
        let format = &function["LoggingConfig"]["LogFormat"];
        if globals["LoggingConfig"]["LogFormat"] != "JSON" || !format.is_null() {
            broken.push(format!("{id} does not log JSON"));
        }
        let tracing = function.get("Tracing").unwrap_or(&globals["Tracing"]);
        if tracing != "Active" {
            broken.push(format!("{id} is not traced"));
        }
        let needed = ["MemorySize", "Timeout", "Description"].into_iter();
        broken.extend(
            needed.filter(|key| function[*key].is_null()).map(|key| format!("{id} has no {key}")),
        );
    }
    broken
}

/// All functions run one program, and only the variable ROLE tells them apart.
pub(super) fn functions_have_their_roles(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, role) in model.functions() {
        let found = model.variable(&id, variables::ROLE);
        if found != role.as_str() {
            broken.push(format!("{id} has the role {found} instead of {role}"));
        }
        if !model.properties(&id)["CodeUri"].is_null() {
            broken.push(format!("{id} has a program of its own"));
        }
    }
    for (id, name) in model.projections() {
        if model.variable(&format!("{id}Projector"), variables::PROJECTION) != name {
            broken.push(format!("{id}Projector runs another projection than {name}"));
        }
    }
    for (id, name) in model.processes() {
        if model.variable(&format!("{id}Function"), variables::PROCESS) != name {
            broken.push(format!("{id}Function runs another process than {name}"));
        }
    }
    for (_, function, name) in model.workers() {
        if model.variable(&function, variables::PROCESS) != name {
            broken.push(format!("{function} fires the deadlines of another process than {name}"));
        }
    }
    broken
}

/// The resources of a projection or of a process refer to each other and to shared ones only.
pub(super) fn components_are_separate(model: &Model<'_>) -> Vec<String> {
    let shared = [
        "EventTable",
        "ProjectionStates",
        "Deadlines",
        "DeadlineSweepFunctionRole",
        "BusKey",
        "Reservations",
        "AWS::NoValue",
    ];
    let parameters = model.at("/Parameters").as_object();
    let is_shared =
        |id: &str| shared.contains(&id) || parameters.is_some_and(|all| all.contains_key(id));
    let mut broken = Vec::new();
    let projections = model.projections().into_iter().map(|(prefix, _)| prefix);
    let processes = model.processes().into_iter().map(|(prefix, _)| prefix);
    let workers = model.workers().into_iter().map(|(prefix, _, _)| prefix);
    for prefix in projections.chain(processes).chain(workers) {
        let parts =
            ["Rule", "Retry", "Queue", "DeadLetters", "Projector", "Function", "Mapping", "Table"];
        let own: Vec<_> = parts.map(|part| format!("{prefix}{part}")).into_iter().collect();
        let is_own = |id: &str| own.iter().any(|start| id.starts_with(start.as_str()));
        for (id, body) in model.at("/Resources").as_object().into_iter().flatten() {
            if is_own(id) {
                let foreign =
                    referred(body).into_iter().filter(|other| !is_own(other) && !is_shared(other));
                broken.extend(foreign.map(|other| format!("{id} refers to {other}")));
            }
        }
        for consumer in ["ProjectorMapping", "Mapping"].map(|end| format!("{prefix}{end}")) {
            let source = referred(&model.properties(&consumer)["EventSourceArn"]);
            if !source.is_empty() && source != [format!("{prefix}Queue")] {
                broken.push(format!("{consumer} reads another queue than {prefix}Queue"));
            }
        }
    }
    for (id, name) in model.projections() {
        let read = model.variable(&format!("{id}Projector"), variables::READ_TABLE);
        if *read != json!({"Ref": format!("{id}Table")}) {
            broken.push(format!("the projector of {name} writes another table"));
        }
        let pattern = &model.properties(&format!("{id}Rule"))["EventPattern"];
        if *pattern != model.pattern_of(name) {
            broken.push(format!("{id}Rule does not match the events that {name} reads"));
        }
    }
    let mappings = model.of_type(MAPPING).len();
    let sealers = usize::from(model.context.is_transparent());
    if mappings != 1 + model.queue_readers().len() + sealers {
        broken.push(format!(
            "there are {mappings} mappings, and one for each reader of a queue is needed"
        ));
    }
    broken
}

/// Programs find resources by these outputs.
pub(super) fn outputs_are_complete(model: &Model<'_>) -> Vec<String> {
    let mut needed: BTreeSet<String> = [
        "BusName",
        "ArchiveName",
        "ArchiveArn",
        "ApiId",
        "ApiStage",
        "ApiUrl",
        "EventTable",
        "FailureBucket",
        "CommandFunction",
        "RelayFunction",
        "QueryFunction",
        "UsagePlan",
        "ProjectionStates",
        "AuditRuleArn",
        "AuditQueue",
        "AuditDeadLetters",
        "RelayDeadLetters",
        "RelayRuleDeadLetters",
    ]
    .map(str::to_owned)
    .into();
    for (id, _) in model.projections() {
        let parts = ["Table", "Projector", "Queue", "DeadLetters", "Rule"];
        needed.extend(parts.map(|part| format!("{id}{part}")));
        needed.extend(["SpotCheckFunction", "SpotCheckDeadLetters"].map(str::to_owned));
    }
    for process in model.context.processes() {
        let id = id_of(process.name().as_str());
        // Processes have no rule among the outputs, because only projections may receive a replay.
        for id in [&id, &due_id_of(process.name().as_str())] {
            needed.extend(["Function", "Queue", "DeadLetters"].map(|part| format!("{id}{part}")));
        }
        needed.extend(process.is_configured().then(|| format!("{id}Setting")));
        needed.extend(
            ["Deadlines", "DeadlineSweepFunction", "DeadlineSweepDeadLetters"].map(str::to_owned),
        );
    }
    if model.exports() {
        let outputs = ["Bucket", "Progress", "Function", "Queue", "DeadLetters", "Minutes"];
        needed.extend(outputs.map(|part| format!("Export{part}")));
    }
    if model.context.keeps_reservations() {
        needed.insert("Reservations".to_owned());
    }
    if model.context.seals() {
        needed.extend(["KeyTable", "WrappingKey"].map(str::to_owned));
    }
    if model.context.erases() {
        needed.insert("CertificateKey".to_owned());
    }
    if model.context.is_transparent() {
        let sealer = ["SealerFunction", "SealerQueue", "SealerDeadLetters"];
        needed.extend(["LogBucket", "SigningKey"].into_iter().chain(sealer).map(str::to_owned));
    }
    let outputs = model.at("/Outputs").as_object().into_iter().flatten();
    let found: BTreeSet<String> = outputs
        .filter(|(_, output)| *output != &Json::Null)
        .map(|(name, _)| name.clone())
        .collect();
    needed
        .symmetric_difference(&found)
        .map(|name| format!("the output {name} is missing or unknown"))
        .collect()
}
