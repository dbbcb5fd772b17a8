//! Pages of the audit log.

use ledgerfold::{
    StreamId,
    query::{AuditPage, AuditPosition, audit},
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::Amended;

use crate::{note_models::World, query::write, reads::Counting};

#[tokio::test]
async fn the_audit_log_is_paged_even_within_a_commit() {
    let world = World::with_pages_of(1);
    let stream = fresh();
    write(&world, &stream, &["a"]).await;
    write(&world, &stream, &["b", "c", "d"]).await;
    write(&world, &stream, &["e"]).await;
    for limit in 1..=6 {
        let mut seen = Vec::new();
        let mut from = Some(AuditPosition::START);
        while let Some(position) = from {
            let page =
                audit(&*world.log, &stream, position, limit).await.expect("the read succeeds");
            assert!(page.events.len() <= limit && !page.events.is_empty());
            seen.extend(page.events.iter().map(|event| event.version.get()));
            from = page.next;
        }
        assert_eq!(seen, [1, 2, 3, 4, 5], "in pages of {limit}");
    }
}

/// All pages of the audit log, and the number of commits that were read for them.
async fn audited(world: &World, stream: &StreamId, limit: usize) -> (Vec<AuditPage>, usize) {
    let log = Amended::of(world.log.clone(), Counting::default());
    let mut pages = Vec::new();
    let mut from = Some(AuditPosition::START);
    while let Some(position) = from {
        let page = audit(&*log, stream, position, limit).await.expect("the read succeeds");
        from = page.next;
        pages.push(page);
    }
    let (_, commits) = log.amendment().take();
    (pages, commits)
}

#[tokio::test]
async fn the_audit_log_reads_as_much_of_the_log_as_it_shows() {
    let world = World::new();
    let stream = fresh();
    for _ in 0..600 {
        write(&world, &stream, &["a"]).await;
    }
    for limit in [20, 100] {
        let (pages, read) = audited(&world, &stream, limit).await;
        assert_eq!(pages.len(), 600 / limit);
        assert!(read <= 640, "{read} commits were read in pages of {limit}");
    }
}

#[tokio::test]
async fn the_audit_log_reads_each_commit_of_several_events_once() {
    let world = World::new();
    let stream = fresh();
    for _ in 0..300 {
        write(&world, &stream, &["a", "b", "c"]).await;
    }
    let (pages, read) = audited(&world, &stream, 20).await;
    let versions: Vec<_> =
        pages.iter().flat_map(|page| &page.events).map(|it| it.version.get()).collect();
    assert_eq!(versions, (1..=900).collect::<Vec<_>>());
    // A page that ends inside a commit shows the rest of it on the next page, and each page looks for one event more.
    assert!(read <= 300 + pages.len(), "{read} commits were read in {} pages", pages.len());
}

#[tokio::test]
async fn a_page_of_the_audit_log_fits_into_one_answer() {
    let world = World::new();
    let stream = fresh();
    let large = "x".repeat(250_000);
    for at in 0..30 {
        world.write(&stream, &format!("n{at}"), &[&large]).await.expect("the command is accepted");
    }
    let (pages, _) = audited(&world, &stream, 100).await;
    let bytes = |page: &AuditPage| -> usize {
        page.events.iter().map(|event| event.event.data.as_str().len()).sum()
    };
    assert!(pages.iter().all(|page| bytes(page) < 4_000_000), "a page is too large");
    assert_eq!(pages.iter().map(|page| page.events.len()).sum::<usize>(), 30);
}
