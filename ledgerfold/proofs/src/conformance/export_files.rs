//! The rules of the objects of an export. Each rule needs its own.

use futures::future::join_all;
use ledgerfold::ports::{ExportFiles, ExportStored};

/// The suite of the objects of an export. The argument is a future of an empty store for each test.
#[macro_export]
macro_rules! export_files_conformance {
    ($adapter:expr) => {
        $crate::conformance_tests!(
            export_files,
            $adapter,
            an_object_comes_back_as_it_was_stored,
            no_object_is_ever_replaced,
            of_writers_at_once_one_wins,
            keys_are_listed_once_and_in_order,
        );
    };
}

async fn put(files: &dyn ExportFiles, key: &str, content: &str) -> ExportStored {
    files.put_new(key, content.as_bytes().to_vec()).await.expect("it can be stored")
}

async fn get(files: &dyn ExportFiles, key: &str) -> Option<Vec<u8>> {
    files.get(key).await.expect("it can be read")
}

async fn all(files: &dyn ExportFiles, prefix: &str, after: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut last = after.to_owned();
    loop {
        let page = files.list(prefix, &last).await.expect("it can be listed");
        let Some(end) = page.last() else { return all };
        last.clone_from(end);
        all.extend(page);
    }
}

/// An object comes back byte by byte. A missing one is not an error.
pub async fn an_object_comes_back_as_it_was_stored(files: &dyn ExportFiles) {
    assert_eq!(get(files, "a/b.json").await, None);
    for (key, content) in [("a/b.json", "{}"), ("a/day=2026-11-29/c", ""), ("a/d", "ä\0\r\n")] {
        assert_eq!(put(files, key, content).await, ExportStored::New);
        assert_eq!(get(files, key).await, Some(content.as_bytes().to_vec()), "{key}");
    }
}

/// A taken key keeps its content.
pub async fn no_object_is_ever_replaced(files: &dyn ExportFiles) {
    assert_eq!(put(files, "a", "first").await, ExportStored::New);
    for content in ["second", "first"] {
        assert_eq!(put(files, "a", content).await, ExportStored::Taken);
        assert_eq!(get(files, "a").await, Some(b"first".to_vec()));
    }
}

/// Of concurrent writers of one key one wins, and the object is its own.
// Guards: one-writer-stores-each-manifest
pub async fn of_writers_at_once_one_wins(files: &dyn ExportFiles) {
    let texts: Vec<_> = (0..8).map(|number| format!("writer {number}")).collect();
    let stored = join_all(texts.iter().map(|text| put(files, "a", text))).await;
    let winners = texts.iter().zip(&stored).filter(|(_, stored)| **stored == ExportStored::New);
    let winners: Vec<_> = winners.map(|(text, _)| text.clone().into_bytes()).collect();
    assert_eq!(get(files, "a").await.into_iter().collect::<Vec<_>>(), winners);
}

/// Keys with a prefix are listed once, in order, from behind a key on.
pub async fn keys_are_listed_once_and_in_order(files: &dyn ExportFiles) {
    let keys: Vec<_> = (0..10).map(|number| format!("m/{number:03}.json")).collect();
    for key in keys.iter().rev() {
        put(files, key, "{}").await;
    }
    put(files, "l/000.json", "{}").await;
    put(files, "n/000.json", "{}").await;
    assert_eq!(all(files, "m/", "").await, keys);
    assert_eq!(all(files, "m/", "m/003.json").await, keys[4..]);
    assert_eq!(all(files, "m/", "m/009.json").await, Vec::<String>::new());
    assert_eq!(all(files, "o/", "").await, Vec::<String>::new());
}
