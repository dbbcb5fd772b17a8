//! The options that choose a deployment, and the tables, queues and rules they resolve to.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr, sync::Arc};

use clap::Args;
use ledgerfold::ports::PayloadStore;
use ledgerfold_dynamodb::DynamoEventStore;
use ledgerfold_eventbridge::{EventBridgePublisher, RuleArn};
use ledgerfold_s3::S3PayloadStore;
use ledgerfold_tokens::issuer::LocalIssuer;

use crate::{
    connection::{Connection, Place},
    error::CliError,
    stack::{Context, Stack},
    stream_name::TenantChoice,
};

/// The deployment to work on. Endpoint, region and credentials come from the environment and its profile,
/// as with the AWS CLI, unless a stack file names a local cloud.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TargetOptions {
    /// The stack file with all names [default: the nearest target/local/stack.json from here upwards,
    /// unless names are given]
    #[arg(long, global = true, value_name = "FILE", env = "LEDGERFOLD_STACK")]
    stack: Option<PathBuf>,
    /// The context in the stack file, if it has several [default for an admin program: its own]
    #[arg(long, global = true, value_name = "NAME", env = "LEDGERFOLD_CONTEXT")]
    context: Option<String>,
    /// The event table
    #[arg(long, global = true, value_name = "TABLE")]
    event_table: Option<String>,
    /// The event table of another context whose events a projection reads; may be repeated
    #[arg(long, global = true, value_name = "CONTEXT=TABLE")]
    source_table: Vec<Named>,
    /// The bucket for payloads that are too large for an item, if there is one
    #[arg(long, global = true, value_name = "BUCKET[/PREFIX]")]
    payloads: Option<String>,
    /// The table of unique keys, if a domain claims any
    #[arg(long, global = true, value_name = "TABLE")]
    reservations: Option<String>,
    /// A projection's read table; may be repeated
    #[arg(long, global = true, value_name = "PROJECTION=TABLE")]
    read_table: Vec<Named>,
    /// A projection's queue; may be repeated
    #[arg(long, global = true, value_name = "PROJECTION=URL")]
    queue: Vec<Named>,
    /// A projection's dead-letter queue; may be repeated
    #[arg(long, global = true, value_name = "PROJECTION=URL")]
    dead_letter_queue: Vec<Named>,
    /// A projection's rule on the bus; may be repeated
    #[arg(long, global = true, value_name = "PROJECTION=ARN")]
    rule: Vec<Named>,
    /// The bus's archive, by name or ARN
    #[arg(long, global = true, value_name = "ARCHIVE")]
    archive: Option<String>,
    /// The table of projection states: generations, quarantined streams and skips
    #[arg(long, global = true, value_name = "TABLE")]
    projection_states: Option<String>,
    /// The table of the deadlines of processes
    #[arg(long, global = true, value_name = "TABLE")]
    deadlines_table: Option<String>,
    /// The queue for audits of the bus
    #[arg(long, global = true, value_name = "URL")]
    audit_queue: Option<String>,
    /// The rule that leads audit replays to that queue
    #[arg(long, global = true, value_name = "ARN")]
    audit_rule: Option<String>,
    /// The setting a process was deployed with, for example `payment-deadline=86400`; may be repeated
    #[arg(long, global = true, value_name = "PROCESS=SETTING")]
    setting: Vec<Named>,
    /// The bus, by name or ARN
    #[arg(long, global = true, value_name = "BUS")]
    bus_name: Option<String>,
    #[command(flatten)]
    pub(crate) tenant: TenantChoice,
    /// Answer with one JSON document
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A name that belongs to a projection, for example of its queue.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    projection: String,
    name: String,
}

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((projection, name)) if !projection.is_empty() && !name.is_empty() => {
                Ok(Self { projection: projection.to_owned(), name: name.to_owned() })
            }
            _ => Err("expected PROJECTION=NAME"),
        }
    }
}

/// The tables and queues of a deployment, and the connection to them.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) connection: Connection,
    pub(crate) names: Context,
    /// The names of other contexts, as far as a projection may read their events.
    sources: BTreeMap<String, Context>,
    context: Option<String>,
    archive: Option<String>,
    bus: Option<String>,
    issuer: Option<LocalIssuer>,
    /// The tenant whose streams a command works on.
    pub(crate) tenant: TenantChoice,
}

impl TargetOptions {
    /// The options of the admin program of this context.
    #[must_use]
    pub(crate) fn of_context(self, name: &str) -> Self {
        Self { context: Some(name.to_owned()), ..self }
    }

    /// Combines the options with the stack file. An option takes precedence over the file.
    pub(crate) fn resolve(&self) -> Result<Target, CliError> {
        let stack = self.stack()?;
        let (context, mut names) = match &stack {
            Some(stack) => {
                let (context, names) = stack.context(self.context.as_deref())?;
                (Some(context.to_owned()), names.clone())
            }
            None => (self.context.clone(), Context::default()),
        };
        // A rule without a read table belongs to a process manager, which must not receive a replay.
        let Context { rules, read_tables, .. } = &mut names;
        rules.retain(|projection, _| read_tables.contains_key(projection));
        names.event_table = self.event_table.clone().or(names.event_table);
        names.payloads = self.payloads.clone().or(names.payloads);
        names.reservations = self.reservations.clone().or(names.reservations);
        names.projection_states = self.projection_states.clone().or(names.projection_states);
        names.deadlines = self.deadlines_table.clone().or(names.deadlines);
        names.audit.queue = self.audit_queue.clone().or(names.audit.queue);
        names.audit.rule = self.audit_rule.clone().or(names.audit.rule);
        for (known, named) in [
            (&mut names.read_tables, &self.read_table),
            (&mut names.queues, &self.queue),
            (&mut names.dead_letters, &self.dead_letter_queue),
            (&mut names.rules, &self.rule),
            (&mut names.settings, &self.setting),
        ] {
            known.extend(named.iter().cloned().map(|named| (named.projection, named.name)));
        }
        let archive = stack.as_ref().and_then(|stack| stack.archive.clone());
        let archive = self.archive.clone().or(archive);
        let bus = stack.as_ref().and_then(|stack| stack.bus.clone());
        let bus = self.bus_name.clone().or(bus);
        let mut sources = stack.as_ref().map(Stack::contexts).cloned().unwrap_or_default();
        for Named { projection: source, name } in self.source_table.iter().cloned() {
            sources.entry(source).or_default().event_table = Some(name);
        }
        let issuer = stack.as_ref().and_then(|stack| stack.auth.clone());
        let place = match stack {
            Some(Stack { endpoint: Some(endpoint), tables_endpoint: tables, region, .. }) => {
                Place::LocalCloud { endpoint, tables, region }
            }
            Some(Stack { region, .. }) => Place::Aws { region },
            None => Place::Aws { region: None },
        };
        let connection = Connection::to(place);
        let tenant = self.tenant.clone();
        Ok(Target { connection, names, sources, context, archive, bus, issuer, tenant })
    }

    /// Options that name nothing but the context.
    pub(crate) fn for_context(stack: Option<PathBuf>, context: Option<String>) -> Self {
        let stack = stack.or_else(|| std::env::var_os("LEDGERFOLD_STACK").map(PathBuf::from));
        Self { stack, context, ..Self::default() }
    }

    /// The name of the context: the given one, or the only one in the stack file.
    pub(crate) fn context_name(&self) -> Result<String, CliError> {
        if let Some(name) = &self.context {
            return Ok(name.clone());
        }
        let subject = "context".to_owned();
        let stack = self.stack()?.ok_or(CliError::NoName { subject, option: "--context" })?;
        Ok(stack.context(None)?.0.to_owned())
    }

    /// The named stack file, or the nearest one.
    pub(crate) fn stack(&self) -> Result<Option<Stack>, CliError> {
        let path = match &self.stack {
            Some(path) => Some(path.clone()),
            None if self.names_something() => None,
            None => Stack::nearest(),
        };
        path.map(|path| Stack::read(&path)).transpose()
    }

    /// Names given as options mean AWS, so a stack file nearby, of another deployment, must not be used.
    fn names_something(&self) -> bool {
        let named = [
            &self.source_table,
            &self.read_table,
            &self.queue,
            &self.dead_letter_queue,
            &self.rule,
        ];
        self.event_table.is_some()
            || self.payloads.is_some()
            || self.reservations.is_some()
            || self.archive.is_some()
            || self.projection_states.is_some()
            || self.deadlines_table.is_some()
            || [&self.audit_queue, &self.audit_rule, &self.bus_name]
                .into_iter()
                .any(Option::is_some)
            || named.iter().any(|names| !names.is_empty())
    }
}

impl Target {
    /// The same deployment with the log of another context, whose events a projection reads.
    pub(crate) fn reading(mut self, source: &str) -> Result<Self, CliError> {
        let of_it = self.sources.get(source).cloned().unwrap_or_default();
        let table = of_it.event_table.ok_or_else(|| {
            unnamed(&format!("event table of the context {source}"), "--source-table")
        })?;
        self.names.event_table = Some(table);
        self.names.payloads = of_it.payloads;
        Ok(self)
    }

    /// The address of the context's API.
    pub(crate) fn api(&self) -> Result<&str, CliError> {
        self.names.api.as_deref().ok_or_else(|| unnamed("API", "--api"))
    }

    /// The key that the API requires, if it does.
    pub(crate) fn api_key(&self) -> Option<&str> {
        self.names.api_key.as_deref()
    }

    /// The issuer of tokens, which only a local cloud has.
    pub(crate) const fn issuer(&self) -> Option<&LocalIssuer> {
        self.issuer.as_ref()
    }

    pub(crate) fn event_table(&self) -> Result<&str, CliError> {
        self.names.event_table.as_deref().ok_or_else(|| CliError::NoName {
            subject: "event table".to_owned(),
            option: "--event-table",
        })
    }

    /// The log in the event table, with the payload store if there is one.
    pub(crate) async fn log(&self) -> Result<DynamoEventStore, CliError> {
        let log = DynamoEventStore::new(self.connection.dynamodb().await, self.event_table()?);
        Ok(match self.payloads().await {
            Some(payloads) => log.with_payloads(payloads),
            None => log,
        })
    }

    /// The store of payloads that are too large for the log, if there is one.
    pub(crate) async fn payloads(&self) -> Option<Arc<dyn PayloadStore>> {
        let (bucket, prefix) = bucket_and_prefix(self.names.payloads.as_ref()?);
        Some(Arc::new(S3PayloadStore::new(self.connection.s3().await, bucket, prefix)))
    }

    pub(crate) fn read_table(&self, projection: &str) -> Result<&str, CliError> {
        self.names.read_tables.get(projection).map(String::as_str).ok_or_else(|| CliError::NoName {
            subject: format!("read table of {projection}"),
            option: "--read-table",
        })
    }

    /// The name of the context, if it is known.
    pub(crate) fn context_name(&self) -> Option<&str> {
        self.context.as_deref()
    }

    pub(crate) fn projection_states(&self) -> Result<&str, CliError> {
        self.names.projection_states.as_deref().ok_or_else(|| CliError::NoName {
            subject: "table of projection states".to_owned(),
            option: "--projection-states",
        })
    }

    pub(crate) fn reservations(&self) -> Result<&str, CliError> {
        let table = self.names.reservations.as_deref();
        table.ok_or_else(|| unnamed("table of reservations", "--reservations"))
    }

    pub(crate) fn deadlines(&self) -> Result<&str, CliError> {
        let table = self.names.deadlines.as_deref();
        table.ok_or_else(|| unnamed("table of deadlines", "--deadlines-table"))
    }

    pub(crate) fn setting(&self, process: &str) -> Result<&str, CliError> {
        let setting = self.names.settings.get(process).map(String::as_str);
        setting.ok_or_else(|| unnamed(&format!("setting of {process}"), "--setting"))
    }

    /// Checks that the projection has a queue, if any queues are known.
    pub(crate) fn check_projection(&self, projection: &str) -> Result<(), CliError> {
        let queues = &self.names.queues;
        if queues.is_empty() || queues.contains_key(projection) {
            return Ok(());
        }
        let name = projection.to_owned();
        let known = queues.keys().cloned().collect();
        Err(CliError::Unknown { subject: "projection", name, known })
    }

    pub(crate) fn dead_letters(&self) -> Result<&BTreeMap<String, String>, CliError> {
        if self.names.dead_letters.is_empty() {
            let subject = "dead-letter queue".to_owned();
            return Err(CliError::NoName { subject, option: "--dead-letter-queue" });
        }
        Ok(&self.names.dead_letters)
    }

    pub(crate) fn dead_letter_queue(&self, projection: &str) -> Result<&str, CliError> {
        let queues = self.dead_letters()?;
        queues.get(projection).map(String::as_str).ok_or_else(|| CliError::Unknown {
            subject: "projection",
            name: projection.to_owned(),
            known: queues.keys().cloned().collect(),
        })
    }

    pub(crate) fn archive(&self) -> Result<&str, CliError> {
        self.archive
            .as_deref()
            .ok_or_else(|| CliError::NoName { subject: "archive".to_owned(), option: "--archive" })
    }

    /// A publisher to the context's bus, like the relay's.
    pub(crate) async fn publisher(&self) -> Result<EventBridgePublisher, CliError> {
        let bus = self.bus.as_ref().ok_or_else(|| unnamed("bus", "--bus-name"))?;
        let context = self.context.as_ref().ok_or_else(|| unnamed("context", "--context"))?;
        let client = self.connection.eventbridge().await;
        let publisher = EventBridgePublisher::new(client, bus, context);
        Ok(match self.payloads().await {
            Some(payloads) => publisher.with_payloads(payloads),
            None => publisher,
        })
    }

    pub(crate) fn audit_queue(&self) -> Result<&str, CliError> {
        let queue = self.names.audit.queue.as_deref();
        queue.ok_or_else(|| unnamed("audit queue", "--audit-queue"))
    }

    pub(crate) fn audit_rule(&self) -> Result<RuleArn, CliError> {
        let rule = self.names.audit.rule.as_ref();
        Ok(rule.ok_or_else(|| unnamed("audit rule", "--audit-rule"))?.parse()?)
    }

    /// The rules of these projections, or of all if none is named. There is at least one.
    pub(crate) fn rules(&self, wanted: &[String]) -> Result<BTreeMap<String, RuleArn>, CliError> {
        let known = &self.names.rules;
        if known.is_empty() {
            return Err(CliError::NoName {
                subject: "projection's rule".to_owned(),
                option: "--rule",
            });
        }
        let wanted: Vec<_> =
            if wanted.is_empty() { known.keys().collect() } else { wanted.iter().collect() };
        let rule = |name: &String| {
            let arn = known.get(name).ok_or_else(|| CliError::Unknown {
                subject: "projection",
                name: name.clone(),
                known: known.keys().cloned().collect(),
            })?;
            Ok((name.clone(), arn.parse()?))
        };
        wanted.into_iter().map(rule).collect()
    }

    pub(crate) fn queue(&self, projection: &str) -> Result<&str, CliError> {
        self.names.queues.get(projection).map(String::as_str).ok_or_else(|| CliError::NoName {
            subject: format!("queue of {projection}"),
            option: "--queue",
        })
    }
}

pub(crate) fn unnamed(subject: &str, option: &'static str) -> CliError {
    CliError::NoName { subject: subject.to_owned(), option }
}

/// `bucket`, `bucket/prefix` or `bucket/prefix/`; the prefix ends with a slash, or is empty.
fn bucket_and_prefix(place: &str) -> (&str, String) {
    match place.split_once('/') {
        Some((bucket, prefix)) if !prefix.is_empty() => {
            (bucket, format!("{}/", prefix.trim_end_matches('/')))
        }
        Some((bucket, _)) => (bucket, String::new()),
        None => (place, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::{Named, TargetOptions, bucket_and_prefix};
    use crate::{connection::Place, error::CliError};

    fn stack_file(name: &str, text: &str) -> TargetOptions {
        let path = env::temp_dir().join(format!("ledgerfold-cli-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("the folder can be written");
        TargetOptions { stack: Some(path), ..TargetOptions::default() }
    }

    const ONE: &str = r#"{"endpoint": "http://127.0.0.1:1", "region": "us-east-1", "bus": "b",
        "contexts": {"orders": {"eventTable": "t", "apiKey": null,
            "readTables": {"order-view": "v"}, "queues": {"order-view": "http://q"},
            "projectionStates": "s", "deadLetters": {"order-view": "http://d"}}}}"#;

    #[test]
    fn an_option_takes_precedence_over_the_stack_file() {
        let options = stack_file("one.json", ONE);
        let target = options.resolve().expect("it is a stack file");
        assert_eq!(target.event_table().expect("it is named"), "t");
        assert_eq!(target.read_table("order-view").expect("it is named"), "v");
        assert_eq!(target.projection_states().expect("it is named"), "s");
        assert!(target.check_projection("order-view").is_ok());
        assert!(matches!(target.check_projection("orders"), Err(CliError::Unknown { .. })));
        let place = target.connection.place();
        assert!(matches!(place, Place::LocalCloud { endpoint, .. } if endpoint.ends_with(":1")));

        let options = TargetOptions { event_table: Some("mine".to_owned()), ..options };
        let target = options.resolve().expect("it is a stack file");
        assert_eq!(target.event_table().expect("it is named"), "mine");
    }

    #[test]
    fn a_name_alone_is_one_of_aws() {
        let options =
            TargetOptions { event_table: Some("mine".to_owned()), ..TargetOptions::default() };
        let target = options.resolve().expect("it names a table");
        assert!(matches!(target.connection.place(), Place::Aws { .. }));
        assert!(matches!(target.read_table("x"), Err(CliError::NoName { .. })));
        assert!(matches!(target.projection_states(), Err(CliError::NoName { .. })));
        assert!(target.check_projection("x").is_ok(), "no queues are known to check against");
    }

    #[test]
    fn a_replay_reaches_projections_that_are_named_and_no_process_manager() {
        let rule = |name: &str| format!("arn:aws:events:us-east-1:123456789012:rule/bus/{name}");
        let text = format!(
            r#"{{"archive": "a", "contexts": {{"orders": {{
                "readTables": {{"order-view": "v", "shipment": "s"}},
                "rules": {{"order-view": "{}", "shipment": "{}", "deadline": "{}"}}}}}}}}"#,
            rule("view"),
            rule("shipment"),
            rule("deadline"),
        );
        let target = stack_file("rules.json", &text).resolve().expect("it is a stack file");
        assert_eq!(target.archive().expect("it is named"), "a");
        let names = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
            target.rules(&wanted).map(|rules| rules.into_keys().collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).expect("all"), ["order-view", "shipment"]);
        assert_eq!(names(&["shipment"]).expect("it exists"), ["shipment"]);
        assert!(matches!(names(&["deadline"]), Err(CliError::Unknown { .. })));
    }

    #[test]
    fn payloads_are_in_a_bucket_or_a_folder_of_it() {
        for (place, prefix) in [("b", ""), ("b/", ""), ("b/orders", "orders/"), ("b/a/b/", "a/b/")]
        {
            assert_eq!(bucket_and_prefix(place), ("b", prefix.to_owned()), "{place}");
        }
    }

    #[test]
    fn of_several_contexts_one_must_be_named() {
        let several = r#"{"contexts": {"a": {"eventTable": "ta"}, "b": {"eventTable": "tb"}}}"#;
        let options = stack_file("several.json", several);
        assert!(matches!(options.resolve(), Err(CliError::Unknown { .. })));
        let options = TargetOptions { context: Some("b".to_owned()), ..options };
        assert_eq!(options.resolve().expect("it exists").event_table().expect("named"), "tb");
    }

    #[test]
    fn a_name_of_a_projection_is_written_with_an_equals_sign() {
        assert!("order-view=https://queue?a=b".parse::<Named>().is_ok());
        for bad in ["order-view", "=x", "order-view="] {
            assert!(bad.parse::<Named>().is_err(), "{bad} was accepted");
        }
    }
}
