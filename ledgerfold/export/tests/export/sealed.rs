//! Sealed fields in files.

use std::sync::Arc;

use ledgerfold::{StreamId, Timestamp, ports::EventReader as _, sealed::Plain};
use ledgerfold_export::{ExportPorts, Exporter, Row, Tables, WindowLength};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryExportFiles, MemoryExportProgress, Sandbox,
    clinic::{self, PatientName, Patients, Register},
};

use crate::world::at;

/// Texts that no file may contain.
const NAME: &str = "Sentinel-Augusta";
const EMAIL: &str = "sentinel-augusta@example.org";

fn contains(content: &[u8], text: &str) -> bool {
    content.windows(text.len()).any(|window| window == text.as_bytes())
}

// Guards: sealed-fields-stay-sealed-in-files
#[tokio::test]
async fn a_sealed_field_is_in_the_files_as_it_was_stored() {
    let clinic = Sandbox::<Patients>::default();
    let command =
        Register { name: Plain::new(PatientName::new(NAME)), email: Plain::new(EMAIL.to_owned()) };
    clinic.run_keyed("p-1", command).await.expect("the patient is new");
    let stream: StreamId = "default/patient#p-1".parse().expect("a stream");
    let files = Arc::new(MemoryExportFiles::default());
    let clock = Arc::new(ManualClock::at(at("2099-01-01T00:00:00Z")));
    let log = Arc::new(MemoryEventStore::default());
    for commit in clinic.commits() {
        log.overwrite(&commit);
    }
    let ports = ExportPorts {
        log: log.clone(),
        files: files.clone(),
        progress: Arc::new(MemoryExportProgress::default()),
        clock,
    };
    let context = clinic::context().exports::<Patients>();
    let exporter = Exporter::new(ports, Tables::of(context.exported()), WindowLength::HOUR);
    exporter.back_fill(std::slice::from_ref(&stream)).await.expect("memory answers");
    exporter.close_windows(Timestamp::MAX).await.expect("memory answers");
    let stored = log.read(&stream, ledgerfold::Version::NONE).await.expect("memory answers");
    let stored: Vec<_> = stored.commits.iter().flat_map(|it| it.envelopes()).collect();
    let mut read = 0;
    for (key, content) in files.objects() {
        assert!(!contains(&content, NAME) && !contains(&content, EMAIL), "{key}");
        if key.starts_with("events/") {
            let rows = Row::read_all(content).expect("a file of events");
            assert_eq!(rows, stored.iter().map(Row::of).collect::<Vec<_>>());
            assert!(rows.iter().all(|row| !contains(row.data.as_bytes(), NAME)));
            read += rows.len();
        } else if key.starts_with("typed/patient/Registered/v1/") {
            let name: serde_json::Value = stored[0].event.data.decode().expect("JSON");
            let cipher = name["name"]["c"].as_str().expect("the ciphertext");
            assert!(contains(&content, cipher), "no column has {cipher}");
            read += 1;
        }
    }
    assert_eq!(read, 2);
}
