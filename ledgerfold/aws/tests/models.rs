//! The table lists every error of every operation that this project calls. The SDK crates are generated from the
//! service models, so their sources list the errors; an SDK with a new error fails this test.

#![allow(clippy::panic, reason = "a test may fail")]

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use ledgerfold_aws::Meaning;

/// All operations that functions and the command line call, by service.
const CALLED: [(&str, &[&str]); 6] = [
    (
        "aws-sdk-dynamodb",
        &[
            "batch_get_item",
            "delete_item",
            "describe_table",
            "get_item",
            "put_item",
            "query",
            "scan",
            "transact_get_items",
            "transact_write_items",
            "update_item",
        ],
    ),
    ("aws-sdk-dynamodbstreams", &["describe_stream", "get_records", "get_shard_iterator"]),
    (
        "aws-sdk-eventbridge",
        &[
            "cancel_replay",
            "describe_archive",
            "describe_replay",
            "list_replays",
            "put_events",
            "start_replay",
        ],
    ),
    ("aws-sdk-kms", &["decrypt", "generate_data_key", "get_public_key", "sign"]),
    ("aws-sdk-s3", &["get_object", "put_object"]),
    (
        "aws-sdk-sqs",
        &[
            "change_message_visibility",
            "delete_message_batch",
            "get_queue_attributes",
            "purge_queue",
            "receive_message",
            "send_message",
            "send_message_batch",
            "start_message_move_task",
        ],
    ),
];

/// The output of a tool. The variable may override its path.
fn run(variable: &str, tool: &str, arguments: &[&str]) -> String {
    let tool = std::env::var(variable).unwrap_or_else(|_| tool.to_owned());
    let output = Command::new(tool).args(arguments).output().expect("the tool is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The source folders of all packages of this workspace, by name.
fn sources() -> BTreeMap<String, PathBuf> {
    let version = run("RUSTC", "rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    // Crates of other platforms may not be downloaded.
    let arguments = ["metadata", "--format-version", "1", "--offline", "--filter-platform", host];
    let metadata = run("CARGO", "cargo", &arguments);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let source = |package: &serde_json::Value| {
        let manifest = PathBuf::from(package["manifest_path"].as_str()?);
        Some((package["name"].as_str()?.to_owned(), manifest.parent()?.join("src")))
    };
    packages.iter().filter_map(source).collect()
}

/// The error codes of an operation.
fn codes(source: &str) -> Vec<String> {
    let errors = source.split("Err(match error_code {").nth(1).unwrap_or_default();
    let errors = errors.split("        _ => ").next().unwrap_or_default();
    let code = |line: &str| {
        let (code, _) = line.strip_prefix("        \"")?.split_once("\" => ")?;
        Some(code.to_owned())
    };
    errors.lines().filter_map(code).collect()
}

// Guards: only-impossible-items-are-given-up
#[test]
fn every_error_of_every_operation_has_a_meaning() {
    let sources = sources();
    let mut count = 0;
    let mut unknown = Vec::new();
    for (service, operations) in CALLED {
        for operation in operations {
            let path = sources[service].join(format!("protocol_serde/shape_{operation}.rs"));
            let source =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            for code in codes(&source) {
                count += 1;
                if Meaning::listed(&code).is_none() && code != "ValidationException" {
                    unknown.push(format!("{service} {operation}: {code}"));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "the table lacks {unknown:#?}");
    assert!(count > 80, "only {count} errors found: the SDK's sources have another form now");
}

/// The reasons of a cancelled transaction, and of an entry that PutEvents refused, are texts in an answer and not
/// errors of the SDK. The service models document only these.
#[test]
fn every_reason_within_an_answer_has_a_meaning() {
    use Meaning::{Invalid, Refused, Throttled, Transient};
    let reasons = [
        ("ConditionalCheckFailed", Transient),
        ("ItemCollectionSizeLimitExceeded", Invalid),
        ("TransactionConflict", Transient),
        ("ProvisionedThroughputExceeded", Throttled),
        ("ThrottlingError", Throttled),
        ("ValidationError", Invalid),
        ("AccessDenied", Refused),
        ("DuplicateItem", Transient),
        ("InternalFailure", Transient),
        ("ThrottlingException", Throttled),
        ("AccessDeniedException", Refused),
        ("InvalidAccountIdException", Refused),
        ("InvalidArgument", Invalid),
        ("MalformedDetail", Invalid),
        ("RedactionFailure", Invalid),
        ("NotAuthorizedForSourceException", Refused),
        ("NotAuthorizedForDetailTypeException", Refused),
    ];
    for (code, meaning) in reasons {
        assert_eq!(Meaning::of(code, ""), meaning, "{code}");
    }
}
