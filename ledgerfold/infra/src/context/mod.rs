//! The template of a context, one module for each component.

mod api;
mod audit;
pub(crate) mod callers;
mod deadlines;
mod events;
mod export;
mod keys;
pub(crate) mod parameters;
mod process;
mod projection;
mod read_tables;
mod relay;
mod scope;
mod spot_check;
mod transparency;
mod worker;

use ledgerfold::context::Context;

use scope::Scope;

use crate::{
    document::{Map, Section, Template, list, map, reference},
    parts::key_if_any,
};

/// The template of this context.
pub(crate) fn template(context: &Context) -> Template {
    let scope = Scope { context };
    let mut sections = vec![events::section(&scope), relay::section(&scope), api::section(&scope)];
    sections.extend(context.seals().then(|| keys::section(&scope)));
    sections.push(read_tables::section(&scope));
    let projections = context.catalog().projections();
    sections.extend(
        projections
            .iter()
            .enumerate()
            .map(|(place, projection)| projection::section(&scope, projection, place == 0)),
    );
    sections.push(audit::section(&scope));
    if !context.processes().is_empty() {
        let processes = context.processes().iter().enumerate();
        sections.extend(processes.map(|(place, it)| process::section(&scope, it, place == 0)));
        sections.push(deadlines::section(&scope));
        let workers = context.processes().iter().enumerate();
        sections.extend(workers.map(|(place, it)| worker::section(&scope, it, place == 0)));
    }
    if !context.exported().is_empty() {
        sections.push(export::section(&scope));
    }
    if !projections.is_empty() {
        sections.push(spot_check::section(&scope));
    }
    sections.extend(context.is_transparent().then(|| transparency::section(&scope)));
    Template {
        description: format!(
            "Ledgerfold, {}: event table, relay, one queue and read table per projection, and the HTTP API.",
            context.name()
        ),
        note: vec![
            format!(
                "Generated from the declaration of the context {name}. Do not edit: run {name}-admin generate.",
                name = context.name()
            ),
            "One template for AWS and for the local cloud. CloudFormation generates the names of most resources, so \
             that a resource can be replaced and two stacks can share an account. Other code finds the names in the \
             outputs. Rules of the bus are named after the stack."
                .to_owned(),
        ],
        metadata: metadata(context),
        parameters: parameters::parameters(context),
        rules: callers::rules(),
        mappings: parameters::mappings(),
        conditions: parameters::conditions(),
        globals: globals(context),
        sections,
    }
}

/// The beginning of logical ids from a declared name: `order-view` becomes `OrderView`.
pub(crate) fn id_of(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(capital).collect()
}

/// The beginning of the ids of a process's deadline worker: `payment-deadline` becomes `PaymentDeadlineDue`.
pub(crate) fn due_id_of(process: &str) -> String {
    format!("{}Due", id_of(process))
}

fn metadata(context: &Context) -> Map {
    let ignored = list![
        "ES1001"; "ES1001 wants a failure destination for SQS mappings. Their queues have dead-letter queues instead.",
        "ES6000"; "ES6000 wants a dead-letter queue for each dead-letter queue.",
        "W6001"; "W6001 warns of outputs that pass on an import. Programs look for all names in one stack.",
        "WS1004"; "WS1004 looks for log groups by the function's name. We name them in LoggingConfig.",
    ];
    map! {
        "cfn-lint": map! { config: map! { ignore_checks: ignored } },
        "AWS::CloudFormation::Interface": map! { ParameterGroups: parameters::groups(context) },
    }
}

fn globals(context: &Context) -> Map {
    let function = map! {
        Runtime: "provided.al2023",
        /// One program for all functions. ROLE in its environment chooses the work.
        CodeUri: format!("../target/lambda/{}/", context.name()),
        Handler: "bootstrap",
        Architectures: list![reference("Architecture")],
        Tracing: "Active",
        LoggingConfig: map! {
            LogFormat: "JSON",
            ApplicationLogLevel: reference("LogLevel"),
        },
        /// Encrypts the environment, which has the key of the bus.
        KmsKeyArn: key_if_any(),
    };
    map! { Function: function }
}

/// The sections that explain something for all of their kind begin the first of them.
fn first_only(first: bool, note: &'static str) -> &'static str {
    if first { note } else { "" }
}

/// A section about one of several things.
fn one_of(kind: &str, name: &str, note: &str) -> Section {
    Section::new(format!("{kind}: {name}"), note)
}
