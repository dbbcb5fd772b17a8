//! The parameters of a deployment, with the conditions and mappings that follow from them.

use ledgerfold::context::{Context, Kind};

use super::{callers, id_of, keys, transparency};
use crate::{
    document::{Map, Value, import, list, map, reference},
    parts::{KEY, key_condition, key_parameter},
    shared::platform_parameter,
};

/// How old an item of the change stream may become, in seconds: the stream deletes it after 24 hours.
const HOUR: i64 = 3_600;

/// The groups in which the console of CloudFormation shows the parameters.
pub(super) fn groups(context: &Context) -> Value {
    let group = |label: &str, names: &[&str]| {
        map! { Label: map! { default: label }, Parameters: names.iter().copied().collect::<Value>() }
    };
    let mut throughput = vec![
        "ApiRateLimit",
        "ApiBurstLimit",
        "RelayPatience",
        "ProjectorTimeout",
        "ProjectorBatchSize",
    ];
    throughput.extend(has_counters(context).then_some("CounterBatchSize"));
    throughput.extend(["MaxReceives", "RetryEvery"]);
    throughput.extend(exports(context).then_some("ExportWindow"));
    let mut groups = vec![
        group("Deployment", &["Stage", "Platform", "Architecture", "BusRepairRole", KEY]),
        group("Callers", &callers::PARAMETERS),
        group("Logs", &["LogRetention", "LogLevel"]),
        group("Throughput and time limits", &throughput),
        group("Spot check", &["SpotCheckEvery", "SpotCheckStreams", "SpotCheckPatience"]),
    ];
    if context.erases() {
        groups.insert(2, group("Keys of people", &keys::PARAMETERS));
    }
    if context.is_transparent() {
        groups.push(group("Transparency log", &transparency::PARAMETERS));
    }
    let settings: Vec<_> = settings(context).map(|(id, _)| id).collect();
    if !settings.is_empty() {
        let names: Vec<_> = settings.iter().map(String::as_str).collect();
        groups.push(group("Processes", &names));
    }
    groups.into_iter().collect()
}

/// The settings of processes, which each deployment has of its own.
fn settings(context: &Context) -> impl Iterator<Item = (String, Map)> {
    let configured = context.processes().iter().filter(|process| process.is_configured());
    configured.map(|process| {
        let name = process.name().as_str();
        let parameter = map! {
            Type: "String",
            Default: process.default_setting(),
            Description: format!("Setting of the process {name}. {}", process.about_settings()),
        };
        (id_of(name), parameter)
    })
}

pub(super) fn parameters(context: &Context) -> Map {
    let counters = if has_counters(context) { counters() } else { Map::default() };
    let window = if exports(context) { window() } else { Map::default() };
    let limits = limits().and(counters).and(window);
    let deployment = deployment().and(key_parameter()).and(callers::parameters());
    let keys = keys::parameters(context);
    let sealing =
        if context.is_transparent() { transparency::parameters() } else { Map::default() };
    let optional = sealing.and(settings(context).collect());
    deployment.and(keys).and(logs()).and(limits).and(spot_check()).and(optional)
}

fn has_counters(context: &Context) -> bool {
    context.projections().iter().any(|projection| projection.kind() == Kind::Counters)
}

fn exports(context: &Context) -> bool {
    !context.exported().is_empty()
}

fn window() -> Map {
    map! {
        ExportWindow: choice("60", &["5", "15", "60", "240", "1440"],
            "Minutes of a window of the export. Each window has files of its own, until those of a day are merged."),
    }
}

fn counters() -> Map {
    map! {
        CounterBatchSize: choice("100", &["10", "50", "100", "500", "1000"],
            "Maximum messages per invocation of a projector of counters. Lambda waits a second for more. The events of \
             a batch are counted together, so larger batches need fewer writes."),
    }
}

/// The name of the environment, and the effect of the stage "local".
pub(crate) fn stage(effect: &str) -> Map {
    map! {
        Stage: map! {
            Type: "String",
            Default: "prod",
            AllowedPattern: "[a-z][a-z0-9]{1,15}",
            ConstraintDescription: "2 to 16 lower-case letters and digits, starting with a letter.",
            Description: format!("Name of the environment. The stage \"local\" {effect}."),
        },
    }
}

fn deployment() -> Map {
    let stack = "Name of the stack of the platform, which has the bus and the topic of alarms.";
    let shared = stage("does not protect the event table").and(platform_parameter(stack));
    shared.and(map! {
        Architecture: map! {
            Type: "String",
            Default: "arm64",
            AllowedValues: list!["arm64", "x86_64"],
            Description: "Processor architecture that the program was built for.",
        },
        BusRepairRole: map! {
            Type: "String",
            Default: "",
            AllowedPattern: "|arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+",
            ConstraintDescription: "the ARN of an IAM role, or empty.",
            Description: "ARN of the role that runs \"ledgerfold repair --bus\". If empty, only the relay can publish \
                          events of this context.",
        },
    })
}

fn logs() -> Map {
    let days = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
        2922, 3288, 3653,
    ];
    map! {
        LogRetention: map! {
            Type: "Number",
            Default: 30,
            AllowedValues: days.into_iter().collect::<Value>(),
            Description: "Days that logs are kept.",
        },
        LogLevel: map! {
            Type: "String",
            Default: "INFO",
            AllowedValues: list!["TRACE", "DEBUG", "INFO", "WARN", "ERROR"],
            Description: "Lowest level that functions log.",
        },
    }
}

/// A number within bounds.
pub(super) fn number(default: i64, least: i64, most: i64, description: &str) -> Map {
    map! { Type: "Number", Default: default, MinValue: least, MaxValue: most, Description: description }
}

/// One of several texts.
fn choice(default: &str, values: &[&str], description: &str) -> Map {
    let values: Value = values.iter().copied().collect();
    map! { Type: "String", Default: default, AllowedValues: values, Description: description }
}

fn limits() -> Map {
    map! {
        ApiRateLimit: number(500, 1, 10_000,
            "Requests per second that the API accepts. It answers further ones with 429."),
        ApiBurstLimit: number(1_000, 1, 5_000, "Requests above the rate that the API accepts in a burst."),
        RelayPatience: number(23 * HOUR, HOUR, 23 * HOUR,
            "Age in seconds at which the relay stops retrying a commit and Lambda moves it to the failure bucket. The \
             change stream deletes records after 24 hours, so the maximum leaves an hour for the move."),
        ProjectorTimeout: choice("30", &["5", "10", "30", "60"],
            "Timeout of projectors, processes and deadline workers in seconds. It also sets the visibility timeout of their \
             queues."),
        ProjectorBatchSize: choice("10", &["1", "5", "10", "50", "100", "500", "1000"],
            "Maximum messages per invocation of a projector, a process or a deadline worker. Above 10, Lambda waits a second \
             for more."),
        MaxReceives: number(5, 1, 1_000,
            "Failed deliveries of a message before SQS moves it to the dead-letter queue."),
        RetryEvery: choice("5 minutes", &["1 minute", "5 minutes", "15 minutes"],
            "How often projectors retry and count their quarantined streams."),
    }
}

fn spot_check() -> Map {
    map! {
        SpotCheckEvery: choice("1 hour", &["15 minutes", "1 hour", "6 hours", "1 day"],
            "How often the spot check compares a sample of streams with their read models."),
        SpotCheckStreams: number(200, 1, 10_000,
            "Streams in a sample. Each costs one read of the stream and one read of each read table."),
        SpotCheckPatience: number(1_800, 0, 86_400,
            "Seconds after which a read model that is missing an event counts as wrong. Keep it longer than the queues \
             retry a message, which is 6 * MaxReceives * ProjectorTimeout seconds."),
    }
}

pub(super) fn mappings() -> Map {
    let seconds = |timeout: i64| map! { Seconds: 6 * timeout + 1 };
    let visibility: Map = [5, 10, 30, 60]
        .into_iter()
        .map(|timeout| (timeout.to_string(), seconds(timeout)))
        .collect();
    map! {
        /// SQS must hide a message for at least six times the function's timeout plus the batching window. Otherwise it
        /// delivers a slow batch a second time while the function still works on the first. CloudFormation cannot
        /// multiply, so this table holds the products.
        QueueVisibility: visibility,
    }
}

/// How long SQS hides a message from other invocations of a projector or a process.
pub(super) fn visibility() -> Value {
    let path = list!["QueueVisibility", reference("ProjectorTimeout"), "Seconds"];
    Map::default().with("Fn::FindInMap", path).into()
}

/// Every stage except "local" is protected.
pub(crate) fn protected() -> Map {
    map! { Protected: not(equals("Stage", "local")) }
}

pub(crate) fn equals(parameter: &str, value: &str) -> Value {
    Map::default().with("Fn::Equals", list![reference(parameter), value]).into()
}

pub(crate) fn not(condition: Value) -> Value {
    Map::default().with("Fn::Not", list![condition]).into()
}

pub(super) fn conditions() -> Map {
    let small: Value =
        ["1", "5", "10"].map(|size| equals("ProjectorBatchSize", size)).into_iter().collect();
    let own = protected().and(map! {
        HasBusRepairRole: not(equals("BusRepairRole", "")),
        SmallBatches: Map::default().with("Fn::Or", small),
    });
    own.and(key_condition()).and(callers::condition())
}

/// The outputs of the platform that programs also look for here.
pub(super) fn outputs() -> Map {
    let output = |name: &str| map! { Value: import(name) };
    map! {
        /// The bus, and the parameters of StartReplay: the archive and the rules that can receive a replay.
        BusName: output("BusName"),
        ArchiveName: output("ArchiveName"),
        ArchiveArn: output("ArchiveArn"),
    }
}
