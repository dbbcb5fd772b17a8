//! Exported files of a whole bank, as other programs read them.

#![cfg(feature = "parquet")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::write,
    path::Path,
    process::Command,
    sync::Arc,
};

use ledgerfold::{Envelope, StreamId, Timestamp, ports::Clock as _};
use ledgerfold_export::{ExportPorts, Exporter, Tables, WindowLength};
use ledgerfold_testkit::{MemoryExportFiles, MemoryExportProgress};
use serde_json::{Map, Value, json};
use tempfile::tempdir;

use crate::{bank::Bank, histories::History};

type Row = Map<String, Value>;

/// The rows of a file by stream and version, as this program reads them.
fn read(program: &str, file: &Path) -> Vec<Row> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/parquet.sh");
    let run = Command::new(script).arg(program).arg(file).output().expect("bash runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).expect("JSON is text");
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// Exports the whole log, and returns the files with their tables.
async fn export(bank: &Bank) -> Vec<(String, Vec<u8>)> {
    let files = Arc::new(MemoryExportFiles::default());
    let ports = ExportPorts {
        log: bank.log.clone(),
        files: files.clone(),
        progress: Arc::new(MemoryExportProgress::default()),
        clock: bank.clock.clone(),
    };
    let tables = Tables::of(banking::context().exported());
    let exporter = Exporter::new(ports, tables, WindowLength::HOUR);
    // Some clocks of the history are days ahead.
    let later = jiff::SignedDuration::from_hours(24 * 30);
    bank.clock.set(bank.clock.now().checked_add(later).expect("a time"));
    let streams: BTreeSet<_> = bank.log.commits().iter().map(|it| it.stream().clone()).collect();
    let streams: Vec<StreamId> = streams.into_iter().collect();
    exporter.back_fill(&streams).await.expect("memory answers");
    exporter.close_windows(Timestamp::MAX).await.expect("memory answers");
    exporter.compact(Timestamp::MAX).await.expect("memory answers");
    let live = exporter.live().await.expect("memory answers");
    let objects = files.objects();
    let named = live.units().values().flat_map(|unit| &unit.files);
    named.map(|file| (file.table.clone(), objects[&file.key].clone())).collect()
}

/// Whether a value of a file is that of the event. A file has objects as JSON text, and times in another form.
fn is_same(expected: &Value, found: &Value) -> bool {
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match (expected, found) {
        (Value::Object(_) | Value::Array(_), Value::String(json)) => {
            serde_json::from_str::<Value>(json).is_ok_and(|json| json == *expected)
        }
        (Value::String(_), Value::String(_)) if time(expected).is_some() => {
            time(expected) == time(found)
        }
        _ => expected == found,
    }
}

/// The time as files have it.
fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).expect("it is in range")
}

/// Compares a row of the table of all events, value by value.
fn check_envelope(event: &Envelope, row: &Row) {
    let expected = json!({
        "stream": event.stream,
        "tenant": event.stream.tenant(),
        "category": event.stream.category().as_str(),
        "entity_id": event.stream.id(),
        "version": event.version,
        "event_id": event.event.id,
        "event_type": event.event.event_type,
        "schema_version": event.event.schema_version,
        "recorded_at": to_micros(event.metadata.recorded_at),
        "commit_from": event.commit.0,
        "commit_to": event.commit.1,
        "command_id": event.command_id,
        "correlation_id": event.metadata.correlation_id,
        "causation_id": event.metadata.causation_id,
        "actor": event.metadata.actor,
        "traceparent": event.metadata.traceparent,
        "data": event.event.data.as_str(),
    });
    let expected = expected.as_object().expect("an object");
    assert_eq!(expected.keys().collect::<Vec<_>>(), row.keys().collect::<Vec<_>>());
    for (name, value) in expected {
        assert!(is_same(value, &row[name]), "{name} is {} instead of {value}", row[name]);
    }
}

/// Compares a row of the table of a type, value by value.
fn check_typed(event: &Envelope, row: &Row) {
    let data: Row = event.event.data.decode().expect("an object");
    // The clock of the history has nanoseconds, which no column shows.
    let rest = row["_rest"].as_str().map(|json| serde_json::from_str(json).expect("an object"));
    let rest: Row = rest.unwrap_or_default();
    for (name, value) in &data {
        let found = rest.get(name).unwrap_or(&row[name]);
        assert!(is_same(value, found), "{name} is {found} instead of {value}");
    }
    assert!(rest.keys().all(|name| data.contains_key(name)), "{rest:?} is not part of {data:?}");
    let more = row.iter().filter(|(name, _)| !name.starts_with('_') && !data.contains_key(*name));
    assert!(more.into_iter().all(|(_, value)| value.is_null()), "{row:?} has more than {data:?}");
    let recorded_at = to_micros(event.metadata.recorded_at);
    assert!(is_same(&json!(recorded_at), &row["_recorded_at"]), "{row:?}");
    assert_eq!(row["_event_id"], json!(event.event.id));
}

// Guards: other-programs-read-exported-files
#[tokio::test]
async fn duckdb_and_pyarrow_read_every_value_of_every_event_once() {
    let mut history = History::new(5).await;
    for number in 0..300 {
        history.step(number).await;
    }
    let bank = &history.bank;
    let files = export(bank).await;
    let commits = bank.log.commits();
    let events: BTreeMap<_, _> = commits
        .iter()
        .flat_map(|commit| commit.envelopes())
        .map(|event| ((event.stream.to_string(), event.version.get()), event))
        .collect();
    let folder = tempdir().expect("a folder");
    for program in ["duckdb", "pyarrow"] {
        let mut seen = BTreeMap::<&str, BTreeSet<_>>::new();
        let mut balances = BTreeMap::<String, i64>::new();
        for (table, content) in &files {
            let path = folder.path().join("events.parquet");
            write(&path, content).expect("a file");
            let is_typed = table != "events";
            let (kind, prefix) = if is_typed { ("typed", "_") } else { ("events", "") };
            let mut last = None;
            for row in read(program, &path) {
                let stream = row[&format!("{prefix}stream")].as_str().expect("text").to_owned();
                let version = row[&format!("{prefix}version")].as_u64().expect("a version");
                let place = (stream, version);
                assert!(last.as_ref().is_none_or(|last| *last < place), "{table} is not sorted");
                let event = &events[&place];
                match is_typed {
                    true => check_typed(event, &row),
                    false => check_envelope(event, &row),
                }
                let sign = match event.event.event_type.as_str() {
                    "Credited" => 1,
                    "Debited" => -1,
                    _ => 0,
                };
                if is_typed && sign != 0 {
                    let amount = row["amount"].as_i64().expect("an amount");
                    let account = event.stream.id().to_string();
                    *balances.entry(account).or_default() += sign * amount;
                }
                last = Some(place.clone());
                assert!(seen.entry(kind).or_default().insert(place), "{table} has an event twice");
            }
        }
        for kind in ["events", "typed"] {
            assert_eq!(seen[kind].len(), events.len(), "{program}: {kind}");
        }
        assert!(!balances.is_empty());
        for (account, sum) in balances {
            assert_eq!(sum, bank.account(&account).posted, "{program}: {account}");
        }
    }
}
