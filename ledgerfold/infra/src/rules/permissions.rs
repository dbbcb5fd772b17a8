//! Rules about permissions.

use std::collections::BTreeSet;

use ledgerfold::{
    context::variables,
    vocabulary::{Category, TenantId},
};
use serde_json::{Value as Json, json};

use crate::context::due_id_of;

use super::model::{FUNCTION, Granted, Model, ROLE, list, text, texts};

const APPEND: [&str; 4] =
    ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:ConditionCheckItem"];
const WRITES: [&str; 3] = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
/// Nobody needs these on the event table.
const CHANGES: [&str; 6] = [
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
];

pub(super) fn permissions_have_no_wildcards(model: &Model<'_>) -> Vec<String> {
    // Lambda generates the names of the objects in the failure bucket, and the names of exported files are digests.
    let generated = ["${FailureBucket.Arn}/aws/lambda/*", "${ExportBucket.Arn}/*"];
    let generated = generated.map(|name| json!({"Fn::Sub": name}));
    // The whole bucket is the transparency log.
    let log = json!({"Fn::Sub": "${LogBucket.Arn}/*"});
    let own_log = |owner: &str, resource: &Json| owner == "SealerFunctionRole" && *resource == log;
    let mut broken = Vec::new();
    for granted in model.statements().into_iter().filter(Granted::allows) {
        let owner = granted.owner;
        if granted.statement.get("NotAction").or(granted.statement.get("NotResource")).is_some() {
            broken.push(format!("{owner} has a permission with NotAction or NotResource"));
        }
        let mut resources = list(&granted.statement["Resource"]);
        let wide = resources.any(|it| {
            !generated.contains(it) && !own_log(owner, it) && it.to_string().contains('*')
        });
        if wide || granted.actions().iter().any(|action| action.contains('*')) {
            broken.push(format!("{owner} has a permission with a wildcard: {}", granted.statement));
        }
    }
    for (id, role) in model.of_type(ROLE) {
        let managed = list(&role["ManagedPolicyArns"]).map(|policy| text(&policy["Fn::Sub"]));
        let wrong = managed.filter(|policy| !policy.ends_with("/AWSXRayDaemonWriteAccess"));
        broken.extend(wrong.map(|policy| format!("{id} has the managed policy {policy:?}")));
    }
    broken
}

/// The roles that may append: those that run commands.
fn appenders(model: &Model<'_>) -> BTreeSet<String> {
    let senders = model.context.processes().iter().filter(|process| process.sends_at_once());
    let senders =
        senders.map(|it| format!("{}FunctionRole", crate::context::id_of(it.name().as_str())));
    let workers = model.workers().into_iter().map(|(_, function, _)| format!("{function}Role"));
    senders.chain(workers).chain(["CommandFunctionRole".to_owned()]).collect()
}

pub(super) fn event_table_is_append_only(model: &Model<'_>) -> Vec<String> {
    let appenders = appenders(model);
    let mut broken = Vec::new();
    for granted in
        model.statements().into_iter().filter(|it| it.allows() && it.concerns("EventTable"))
    {
        let (owner, actions) = (granted.owner, granted.actions());
        // Listing the streams of the log needs a Scan. No other function may scan the event table.
        let scan = (owner == "SpotCheckFunctionRole").then_some("dynamodb:Scan");
        let extra =
            actions.iter().filter(|action| !APPEND.contains(action) && scan != Some(action));
        broken.extend(extra.map(|action| format!("{owner} may {action} on the event table")));
        if actions.contains("dynamodb:PutItem") && !appenders.contains(owner) {
            // Queries record reads, in the streams for that and in no other.
            let keys = granted.condition("dynamodb:LeadingKeys");
            let recorded = model.context.recorded_categories();
            let records = owner == "QueryFunctionRole" && wrong_streams(recorded, &keys).is_none();
            if !records {
                broken.push(format!(
                    "{owner} may append, which only functions that run commands need"
                ));
            }
        }
    }
    broken
}

/// A projection may read the events of another context, and nobody may change them.
pub(super) fn other_contexts_are_only_read(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for granted in model.statements().into_iter().filter(Granted::allows) {
        let mut resources = list(&granted.statement["Resource"]);
        if !resources.any(|resource| resource.to_string().contains("table/${Platform}-")) {
            continue;
        }
        let scan = (granted.owner == "SpotCheckFunctionRole").then_some("dynamodb:Scan");
        let read = ["dynamodb:Query", "dynamodb:GetItem"];
        let actions = granted.actions().into_iter();
        let extra = actions.filter(|action| !read.contains(action) && scan != Some(*action));
        broken
            .extend(extra.map(|action| format!("{} may {action} another context", granted.owner)));
    }
    broken
}

/// The resource policy also applies to users and roles outside this template.
pub(super) fn nobody_changes_a_commit(model: &Model<'_>) -> Vec<String> {
    let policy = &model.properties("EventTable")["ResourcePolicy"]["PolicyDocument"];
    let denied = list(&policy["Statement"]).any(|statement| {
        let everybody = statement["Principal"] == "*" && statement["Resource"] == "*";
        let actions = texts(&statement["Action"]);
        let all = CHANGES.iter().all(|action| actions.contains(action));
        statement["Effect"] == "Deny" && everybody && all && statement["Condition"].is_null()
    });
    if denied {
        Vec::new()
    } else {
        vec!["no policy denies changes of a commit to everybody".to_owned()]
    }
}

/// Other contexts also publish on the bus, and must not use this context's sources.
pub(super) fn only_the_relay_publishes(model: &Model<'_>) -> Vec<String> {
    let source = model.source();
    let mut broken = Vec::new();
    for granted in model.statements() {
        if !granted.actions().contains("events:PutEvents") {
            continue;
        }
        if granted.owner != "RelayFunctionRole" {
            broken.push(format!("{} may publish", granted.owner));
        }
        let condition = &granted.statement["Condition"];
        let sources = texts(&condition["ForAllValues:StringEquals"]["events:source"]);
        let own = |asked: &&str| *asked == source || asked.starts_with(&format!("{source}."));
        // ForAllValues is also true for a call without a source, so Null must exclude that.
        if sources.is_empty()
            || !sources.iter().all(own)
            || condition["Null"]["events:source"] != "false"
        {
            broken.push(format!("{} may publish with any source", granted.owner));
        }
    }
    let repair =
        json!({"Fn::If": ["HasBusRepairRole", {"Ref": "BusRepairRole"}, {"Ref": "AWS::NoValue"}]});
    let expected = json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": {"Fn::ImportValue": {"Fn::Sub": "${Platform}-BusArn"}},
        "Condition": {
            "ForAnyValue:StringLike": {"events:source": [source, format!("{source}.*")]},
            "ArnNotEquals": {"aws:PrincipalArn": [{"Fn::GetAtt": ["RelayFunctionRole", "Arn"]}, repair]},
            // Replays of the archive come from the service.
            "Bool": {"aws:PrincipalIsAWSService": "false"},
        },
    });
    if model.properties("BusPolicy")["Statement"] != expected {
        broken.push("other roles may publish with this context's sources".to_owned());
    }
    if model.at("/Parameters/BusRepairRole/Default") != "" {
        broken.push("a role may publish with this context's sources by default".to_owned());
    }
    broken
}

/// Only the relay and the consumers get the key of the bus.
pub(super) fn events_are_signed(model: &Model<'_>) -> Vec<String> {
    let key = json!({"Fn::Sub": "{{resolve:secretsmanager:${BusKey}}}"});
    let users: BTreeSet<_> = model.consumers().into_iter().map(|(_, function)| function).collect();
    let mut broken = Vec::new();
    let length = &model.properties("BusKey")["GenerateSecretString"]["PasswordLength"];
    if length.as_i64().is_none_or(|length| length < 43) {
        broken.push("the key of the bus is missing or too short".to_owned());
    }
    for (id, _) in model.of_type(FUNCTION) {
        let found = model.variable(id, variables::BUS_KEY);
        if id == "RelayFunction" || users.contains(id) {
            broken.extend((*found != key).then(|| format!("{id} has no key")));
        } else if !found.is_null() {
            broken.push(format!("{id} has a key that it does not need"));
        }
    }
    broken
}

/// Where functions share a table, each may write only its own keys.
pub(super) fn writers_keep_to_their_keys(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for granted in model.statements().into_iter().filter(Granted::allows) {
        let (owner, actions) = (granted.owner, granted.actions());
        let keys = granted.condition("dynamodb:LeadingKeys");
        let writes: Vec<_> = WRITES.into_iter().filter(|write| actions.contains(write)).collect();
        if granted.concerns("EventTable") && actions.contains("dynamodb:PutItem") {
            broken.extend(
                wrong_streams(model.context.categories(), &keys)
                    .map(|wrong| format!("{owner} {wrong}")),
            );
        }
        if granted.concerns("ProjectionStates") || granted.concerns("Deadlines") {
            let own = own_keys(model, owner);
            let foreign = keys.is_empty() || keys.iter().any(|key| !own.contains(*key));
            if !writes.is_empty() && foreign {
                broken.push(format!("{owner} may {writes:?} keys of other functions"));
            }
            let records = model
                .projections()
                .into_iter()
                .any(|(_, name)| keys.contains(name) || keys.contains(copies_of(name).as_str()));
            if writes.contains(&"dynamodb:DeleteItem") && records {
                broken.push(format!("{owner} may delete a projection's record"));
            }
            let attributes = granted.condition("dynamodb:Attributes");
            let moved = BTreeSet::from(["pk", "ix", "io", "e", "n"]);
            if writes.contains(&"dynamodb:UpdateItem") && attributes != moved {
                broken
                    .push(format!("{owner} may change the identity or the due time of a deadline"));
            }
        }
        let mut tables = model.projections().into_iter().map(|(id, _)| format!("{id}Table"));
        let counts =
            writes.contains(&"dynamodb:UpdateItem") && tables.any(|table| granted.concerns(&table));
        if counts
            && granted.condition("dynamodb:EnclosingOperation")
                != BTreeSet::from(["TransactWriteItems"])
        {
            broken.push(format!("{owner} may change counters outside a transaction"));
        }
    }
    broken
}

/// What is wrong with the patterns of the streams to which a function may append. It compares them with keys of real
/// streams: IAM refuses every append if a pattern leaves out the tenant, and no emulator notices.
fn wrong_streams(categories: &[Category], patterns: &BTreeSet<&str>) -> Option<&'static str> {
    let key = |category: &Category| format!("{}/{category}#some-id", TenantId::default_tenant());
    let own: Vec<_> = categories.iter().map(key).collect();
    let other = key(&Category::from_static("another-category"));
    let useless = |pattern: &str| !own.iter().any(|key| matches(pattern, key));
    if patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, &other)) {
        Some("may append to other categories")
    } else if patterns.iter().any(|pattern| useless(pattern)) {
        Some("may append to streams that this context does not have")
    } else {
        None
    }
}

/// Whether IAM's `StringLike` accepts a text: `*` stands for any number of characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| matches(rest, &text[at..]))
        }),
    }
}

/// The keys of the copies of a projection's record.
fn copies_of(projection: &str) -> String {
    format!("copy#{projection}#*")
}

/// The keys of shared tables that a role may write.
fn own_keys(model: &Model<'_>, role: &str) -> BTreeSet<String> {
    let deadlines = || model.processes().into_iter().map(|(_, name)| format!("{name}#*"));
    if role == "SealerFunctionRole" {
        return BTreeSet::from(["log#size".to_owned()]);
    }
    if role == "DeadlineSweepFunctionRole" {
        return deadlines().collect();
    }
    let projections = model.projections().into_iter();
    let projector = projections.filter(|(id, _)| role == format!("{id}ProjectorRole"));
    let processes = model.processes().into_iter();
    let process = processes.filter(|(id, name)| {
        role == format!("{id}FunctionRole") || role == format!("{}FunctionRole", due_id_of(name))
    });
    let states = projector
        .flat_map(|(_, name)| [name.to_owned(), copies_of(name), format!("parked#{name}")]);
    states.chain(process.map(|(_, name)| format!("{name}#*"))).collect()
}

/// Only operators may decide that a projector skips an event.
pub(super) fn projectors_cannot_write_skips(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, name) in model.projections() {
        let key = format!("skipped#{name}");
        let statements = model.statements().into_iter();
        let own: Vec<Json> = statements
            .filter(|it| it.owner == format!("{id}ProjectorRole"))
            .filter(|it| it.condition("dynamodb:LeadingKeys").contains(key.as_str()))
            .map(|it| it.statement["Action"].clone())
            .collect();
        if own != [json!("dynamodb:GetItem")] {
            broken.push(format!("{id}ProjectorRole has {own:?} on its skips instead of GetItem"));
        }
    }
    broken
}
