//! The rules of a row store.

use ledgerfold::{
    Payload, StreamId, TenantId, Version,
    ports::{IndexKey, Listing, MAX_ROW_BYTES, ReadStoreError, RowStore, StoredRow, Written},
};

use super::requests::{fresh, twin};

fn row(stream: &StreamId, version: u64, text: &str) -> StoredRow {
    let body = Some(Payload::encode(&text.to_owned()).expect("a text is JSON"));
    StoredRow { stream: stream.clone(), version: Version::new(version), body, index: None }
}

fn listed(list: &str, order: &str) -> StoredRow {
    let index = IndexKey::new(list, order).expect("a key");
    StoredRow { index: Some(index), ..row(&fresh(), 1, order) }
}

async fn put(store: &dyn RowStore, row: &StoredRow) -> Written {
    store.put(row).await.expect("the row can be put")
}

async fn get(store: &dyn RowStore, stream: &StreamId) -> Option<StoredRow> {
    store.get(stream).await.expect("the row can be read")
}

/// Reading a missing row is not an error.
pub async fn a_row_that_was_never_put_is_absent(store: &dyn RowStore) {
    assert_eq!(get(store, &fresh()).await, None);
}

/// A row is returned unchanged, with its version and its index key.
pub async fn a_row_comes_back_as_it_was_put(store: &dyn RowStore) {
    let row = listed("list", "2026-11-23#1");
    assert_eq!(put(store, &row).await, Written::Done);
    assert_eq!(get(store, &row.stream).await, Some(row));
}

/// Of two rows the one with the higher version stays, in either order of the writes.
// Guards: a-row-is-the-fold-of-its-stream
pub async fn a_newer_row_wins_in_either_order(store: &dyn RowStore) {
    let (one, other) = (fresh(), fresh());
    assert_eq!(put(store, &row(&one, 9, "old")).await, Written::Done);
    assert_eq!(put(store, &row(&one, 10, "new")).await, Written::Done);
    assert_eq!(put(store, &row(&other, 10, "new")).await, Written::Done);
    assert_eq!(put(store, &row(&other, 9, "old")).await, Written::Superseded);
    for stream in [one, other] {
        assert_eq!(get(store, &stream).await, Some(row(&stream, 10, "new")));
    }
}

/// A second row with the same version has no effect.
pub async fn a_row_at_the_same_version_is_superseded(store: &dyn RowStore) {
    let stream = fresh();
    assert_eq!(put(store, &row(&stream, 3, "first")).await, Written::Done);
    assert_eq!(put(store, &row(&stream, 3, "second")).await, Written::Superseded);
    assert_eq!(get(store, &stream).await, Some(row(&stream, 3, "first")));
}

/// A deleted row keeps its version, so that late events do not restore it.
pub async fn a_deleted_row_keeps_its_version(store: &dyn RowStore) {
    let stream = fresh();
    let deleted = StoredRow { body: None, ..row(&stream, 5, "") };
    assert_eq!(put(store, &row(&stream, 4, "there")).await, Written::Done);
    assert_eq!(put(store, &deleted).await, Written::Done);
    assert_eq!(put(store, &row(&stream, 4, "there")).await, Written::Superseded);
    assert_eq!(get(store, &stream).await, Some(deleted));
}

/// A wrong row can be replaced at its own version. A newer row is not overwritten.
pub async fn a_wrong_row_is_replaced_only_while_it_is_there(store: &dyn RowStore) {
    let stream = fresh();
    let (wrong, right) = (row(&stream, 3, "wrong"), row(&stream, 3, "right"));
    let replace = async |seen, row| store.replace(seen, row).await.expect("the row can be put");
    assert_eq!(replace(&wrong, &right).await, Written::Superseded, "there is no row yet");
    assert_eq!(put(store, &wrong).await, Written::Done);
    assert_eq!(replace(&wrong, &right).await, Written::Done);
    assert_eq!(get(store, &stream).await, Some(right.clone()));
    assert_eq!(put(store, &row(&stream, 4, "newer")).await, Written::Done);
    assert_eq!(replace(&wrong, &right).await, Written::Superseded);
    assert_eq!(get(store, &stream).await, Some(row(&stream, 4, "newer")));
}

/// A list is in descending order, and a page begins below the last key of the page before.
pub async fn a_list_is_in_descending_order_and_paged(store: &dyn RowStore) {
    let list = fresh().to_string();
    let rows: Vec<_> = ["a", "b", "c", "d", "e"].map(|order| listed(&list, order)).into();
    for row in rows.iter().chain([&listed(&fresh().to_string(), "b")]) {
        put(store, row).await;
    }
    let page = |before: Option<&str>| Listing {
        tenant: TenantId::default_tenant(),
        partition: list.parse().expect("a list"),
        before: before.map(|before| before.parse().expect("an order key")),
        limit: 2,
    };
    let expected =
        [(None, vec![4, 3]), (Some("d"), vec![2, 1]), (Some("b"), vec![0]), (Some("a"), vec![])];
    for (before, expected) in expected {
        let found = store.list(&page(before)).await.expect("the index can be read");
        let expected: Vec<_> = expected.into_iter().map(|at: usize| rows[at].clone()).collect();
        assert_eq!(found, expected, "below {before:?}");
    }
}

/// A JSON text of this many bytes.
fn body_of(bytes: usize) -> Payload {
    Payload::encode(&"x".repeat(bytes.saturating_sub(2))).expect("a text is JSON")
}

/// A row that is too large is refused as invalid, and the former row stays. An item of DynamoDB has at most 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub async fn a_row_that_is_too_large_is_refused_for_good(store: &dyn RowStore) {
    let former = listed(&fresh().to_string(), "a");
    put(store, &former).await;
    for bytes in [MAX_ROW_BYTES + 1, 450 * 1_024] {
        let large = StoredRow { body: Some(body_of(bytes)), ..row(&former.stream, 2, "") };
        let put = store.put(&large).await;
        assert!(matches!(put, Err(ReadStoreError::Invalid(_))), "{bytes} bytes: {put:?}");
        let replaced = store.replace(&former, &large).await;
        assert!(matches!(replaced, Err(ReadStoreError::Invalid(_))), "{bytes} bytes: {replaced:?}");
    }
    assert_eq!(get(store, &former.stream).await, Some(former));
}

/// The largest row with the longest keys is stored.
// Guards: a-refused-row-stops-only-its-stream
pub async fn the_largest_row_is_taken(store: &dyn RowStore) {
    let row = listed(&longest(&fresh().to_string(), 1_900), &longest("z", 1_024));
    let row = StoredRow { body: Some(body_of(MAX_ROW_BYTES)), ..row };
    assert_eq!(put(store, &row).await, Written::Done);
    assert!(get(store, &row.stream).await == Some(row), "the stored row differs");
}

/// A text with this beginning and this many bytes.
fn longest(beginning: &str, bytes: usize) -> String {
    format!("{beginning}{}", "x".repeat(bytes - beginning.len()))
}

/// The shortest and the longest keys and any text are stored, and pages begin at the right place.
pub async fn the_longest_keys_are_taken(store: &dyn RowStore) {
    let name = fresh().to_string();
    for list in [longest(&name, 1_900), format!("{name}\u{0}"), format!("{name}~#\u{e4}")] {
        let orders = ["\u{0}", "a", "\u{1f980}"].map(str::to_owned);
        let orders = orders.into_iter().chain([longest("b", 1_024), longest("c", 1_024)]);
        let mut rows: Vec<_> = orders.map(|order| listed(&list, &order)).collect();
        for row in &rows {
            assert_eq!(put(store, row).await, Written::Done);
        }
        let order = |row: &StoredRow| row.index.as_ref().map(|index| index.order.clone());
        rows.sort_by_key(|row| std::cmp::Reverse(order(row)));
        for (at, row) in rows.iter().enumerate() {
            let partition = list.parse().expect("a list");
            let listing = Listing {
                tenant: TenantId::default_tenant(),
                partition,
                before: order(row),
                limit: 10,
            };
            let found = store.list(&listing).await.expect("the index can be read");
            assert_eq!(found, rows[at + 1..], "below {:?}", listing.before);
        }
    }
}

/// A row without an index key leaves its list.
pub async fn a_row_without_index_is_not_listed(store: &dyn RowStore) {
    let list = fresh().to_string();
    let former = listed(&list, "a");
    put(store, &former).await;
    put(store, &row(&former.stream, 2, "gone")).await;
    let listing = Listing {
        tenant: TenantId::default_tenant(),
        partition: list.parse().expect("a list"),
        before: None,
        limit: 10,
    };
    assert_eq!(store.list(&listing).await.expect("the index can be read"), []);
}

/// Rows of many streams are read in their order, with those that are missing.
pub async fn many_rows_are_read_in_order(store: &dyn RowStore) {
    let rows: Vec<_> = (0..60).map(|at| row(&fresh(), 1, &format!("row {at}"))).collect();
    for row in &rows {
        assert_eq!(put(store, row).await, Written::Done);
    }
    let streams: Vec<_> = rows.iter().flat_map(|row| [row.stream.clone(), fresh()]).collect();
    let read: Vec<_> = store.get_all(&streams).await.into_iter().flatten().collect();
    let expected: Vec<_> = rows.into_iter().flat_map(|row| [Some(row), None]).collect();
    assert_eq!(read, expected);
}

/// Rows that are larger than one answer of the store are all read. DynamoDB answers up to 16 MB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
pub async fn rows_larger_than_an_answer_are_all_read(store: &dyn RowStore) {
    let text = "x".repeat(MAX_ROW_BYTES - 2);
    let rows: Vec<_> = (0..44).map(|_| row(&fresh(), 1, &text)).collect();
    for row in &rows {
        assert_eq!(put(store, row).await, Written::Done);
    }
    let streams: Vec<_> = rows.iter().map(|row| row.stream.clone()).collect();
    let read: Vec<_> = store.get_all(&streams).await.into_iter().flatten().flatten().collect();
    assert!(read == rows, "{} of {} rows are right", read.len(), rows.len());
}

/// Streams with equal ids have a row in each tenant.
// Guards: tenants-never-meet
pub async fn rows_of_tenants_do_not_mix(store: &dyn RowStore) {
    let here = fresh();
    let there = twin(&here);
    assert_eq!(get(store, &there).await, None);
    assert_eq!(put(store, &row(&here, 7, "here")).await, Written::Done);
    assert_eq!(get(store, &there).await, None);
    assert_eq!(put(store, &row(&there, 2, "there")).await, Written::Done);
    let expected = [row(&here, 7, "here"), row(&there, 2, "there")];
    for row in &expected {
        assert_eq!(get(store, &row.stream).await.as_ref(), Some(row));
    }
    let read: Vec<_> =
        store.get_all(&[here, there]).await.into_iter().flatten().flatten().collect();
    assert_eq!(read, expected);
}

/// A list has only the rows of its tenant, on every page, although another tenant has a list of the same name with rows
/// at the same and at neighbouring places.
// Guards: tenants-never-meet
pub async fn lists_of_tenants_do_not_mix(store: &dyn RowStore) {
    let list = fresh().to_string();
    let here: Vec<_> = ["a", "b", "d", "e"].map(|order| listed(&list, order)).into();
    let beside = here.iter().zip(["a", "c", "d", "f"]);
    let beside =
        beside.map(|(row, order)| StoredRow { stream: twin(&row.stream), ..listed(&list, order) });
    let there: Vec<_> = beside.collect();
    for row in here.iter().chain(&there) {
        assert_eq!(put(store, row).await, Written::Done);
    }
    for rows in [here, there] {
        let tenant = rows[0].stream.tenant();
        for limit in [1, 3, 10] {
            let mut expected = rows.clone();
            expected.reverse();
            assert_eq!(all_pages(store, tenant, &list, limit).await, expected, "{tenant}");
        }
    }
}

/// The rows of a list, in pages of this size.
async fn all_pages(
    store: &dyn RowStore,
    tenant: &TenantId,
    list: &str,
    limit: usize,
) -> Vec<StoredRow> {
    let mut rows: Vec<StoredRow> = Vec::new();
    loop {
        let last = rows.last().and_then(|row| row.index.as_ref());
        let listing = Listing {
            tenant: tenant.clone(),
            partition: list.parse().expect("a list"),
            before: last.map(|index| index.order.clone()),
            limit,
        };
        let page = store.list(&listing).await.expect("the index can be read");
        let is_last = page.len() < limit;
        rows.extend(page);
        if is_last {
            return rows;
        }
    }
}
