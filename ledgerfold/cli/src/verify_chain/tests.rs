//! Tests of the command over a log in memory.

use ledgerfold::{CommandId, command::Loaded, ports::EventStore, vocabulary::Commit};
use ledgerfold_proofs::conformance::requests::{commit, fresh};
use ledgerfold_testkit::MemoryEventStore;

use super::*;
use crate::{
    output::rendered,
    stream_name::{TenantChoice, tests::of},
};

/// Three streams, with the commits of the commands `a`, `b` and `c`.
async fn log() -> (Arc<MemoryEventStore>, Vec<StreamId>) {
    let log = Arc::new(MemoryEventStore::with_pages_of(2));
    let nobody = CommandId::new("nobody").expect("visible ASCII");
    let mut streams = Vec::new();
    for tenant in ["default", "default", "acme"] {
        let stream = fresh();
        let tenant = tenant.parse().expect("a tenant");
        let stream = StreamId::new(tenant, stream.category().clone(), stream.id().clone());
        let mut loaded = Loaded::unread(stream.clone());
        for attempt in ["a", "b", "c"] {
            log.append(&commit(&loaded, attempt, &["one", "two"], 60)).await.expect("appended");
            loaded.read_on(&*log, &nobody).await.expect("it can be read");
        }
        streams.push(stream);
    }
    (log, streams)
}

/// Stores the commit of version 3 with other content.
fn edit(log: &MemoryEventStore, stream: &StreamId) {
    let commits = log.commits();
    let is_it = |it: &&Commit| it.stream() == stream && it.from() == Version::new(3);
    let old = commits.iter().find(is_it).expect("it exists");
    let mut events: Vec<_> = old.events().map(|(_, event)| event.clone()).collect();
    events.reverse();
    let versions = (old.from(), old.to());
    let command = old.command().clone();
    let metadata = old.metadata().clone();
    let edited = Commit::restore(stream.clone(), versions, events, command, metadata, old.hash());
    log.overwrite(&edited.expect("it adds up"));
}

async fn verified(
    log: &Arc<MemoryEventStore>,
    named: &[StreamId],
    tenant: TenantChoice,
) -> Result<Verified, CliError> {
    let command = VerifyChain { stream: Vec::new(), category: None, from: None };
    let mut report = Verified::default();
    let index = Included { index: OfMemory(log.clone()), tenant };
    let verifier = ChainVerifier::new(log.clone());
    verify(&command, named, &index, &verifier, &mut report).await?;
    Ok(report)
}

struct OfMemory(Arc<MemoryEventStore>);

#[async_trait::async_trait]
impl Streams for OfMemory {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<ledgerfold::ports::Page<StreamId>, ledgerfold::ports::StreamsError> {
        self.0.list(segment, from).await
    }
}

#[tokio::test]
async fn untouched_streams_have_no_findings() {
    let (log, streams) = log().await;
    let report = verified(&log, &[], TenantChoice::default()).await.expect("verified");
    assert_eq!((report.streams, report.commits, report.findings.len()), (3, 9, 0));
    assert_eq!(report.exit_code(), ExitCode::SUCCESS);
    let text = rendered(&report, false).expect("text");
    assert_eq!(text, "edited=0 missing=0 unreadable=0 commits=9 streams=3\n");

    let named = verified(&log, &streams[..1], TenantChoice::default()).await.expect("verified");
    let commits = log.commits();
    let newest = commits.iter().rfind(|it| *it.stream() == streams[0]);
    let json: serde_json::Value =
        serde_json::from_str(&rendered(&named, true).expect("JSON")).expect("JSON");
    assert_eq!(json["heads"][0]["version"], 6);
    assert_eq!(json["heads"][0]["hash"], newest.expect("a commit").hash().to_string());
}

#[tokio::test]
async fn an_edited_commit_is_named_in_both_forms() {
    let (log, streams) = log().await;
    edit(&log, &streams[2]);
    let report = verified(&log, &[], TenantChoice::default()).await.expect("verified");
    assert_eq!(report.exit_code(), ExitCode::from(FINDINGS));
    let text = rendered(&report, false).expect("text");
    assert!(text.contains(&streams[2].to_string()), "{text}");
    assert!(text.ends_with("edited=1 missing=0 unreadable=0 commits=9 streams=3\n"), "{text}");
    let json: serde_json::Value =
        serde_json::from_str(&rendered(&report, true).expect("JSON")).expect("JSON");
    let found = &json["findings"][0];
    assert_eq!((&found["stream"], &found["version"]), (&streams[2].to_string().into(), &3.into()));
    assert_eq!((&found["commandId"], &found["fault"]), (&"b".into(), &"edited".into()));
}

#[tokio::test]
async fn a_chosen_tenant_limits_the_walk() {
    let (log, streams) = log().await;
    edit(&log, &streams[2]);
    let default = verified(&log, &[], of("default")).await.expect("verified");
    assert_eq!((default.streams, default.findings.len()), (2, 0));
    let acme = verified(&log, &[], of("acme")).await.expect("verified");
    assert_eq!((acme.streams, acme.findings.len()), (1, 1));
}

#[tokio::test]
async fn a_named_stream_that_does_not_exist_is_an_error() {
    let (log, _) = log().await;
    let missing = verified(&log, &[fresh()], TenantChoice::default()).await;
    assert!(matches!(missing, Err(CliError::NoStream { .. })));
}
