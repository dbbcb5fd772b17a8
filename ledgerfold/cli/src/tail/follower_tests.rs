//! Tests on a change stream in memory, with shards that end and places that are lost.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;
use ledgerfold_testkit::ManualClock;

use super::{
    super::changes::{Change, Changes, Lost, Page, Place, Position, Shard},
    Follower, Start,
};
use crate::error::CliError;

/// A shard: its parent, its changes, and whether it has ended.
type StoredShard = (Option<&'static str>, Vec<&'static str>, bool);

/// A place is written `shard:number of changes before it`.
#[derive(Default)]
struct Memory {
    /// Mutexes because the test changes them while the follower holds a reference.
    shards: Mutex<BTreeMap<&'static str, StoredShard>>,
    /// The next reads fail with these.
    faults: Mutex<VecDeque<Lost>>,
}

impl Memory {
    fn with(self, id: &'static str, parent: Option<&'static str>, closed: bool) -> Self {
        self.add(id, parent, closed);
        self
    }

    fn add(&self, id: &'static str, parent: Option<&'static str>, closed: bool) {
        self.shards.lock().expect("whole").insert(id, (parent, Vec::new(), closed));
    }

    fn append(&self, shard: &'static str, changes: &[&'static str]) {
        let mut shards = self.shards.lock().expect("whole");
        shards.get_mut(shard).expect("a shard").1.extend(changes);
    }

    fn close(&self, shard: &'static str) {
        self.shards.lock().expect("whole").get_mut(shard).expect("a shard").2 = true;
    }

    fn fail(&self, fault: Lost) {
        self.faults.lock().expect("whole").push_back(fault);
    }
}

#[async_trait]
impl Changes for Memory {
    async fn shards(&self) -> Result<Vec<Shard>, CliError> {
        let shards = self.shards.lock().expect("whole");
        let shard = |(id, (parent, _, closed)): (&&str, &StoredShard)| Shard {
            id: (*id).to_owned(),
            parent: parent.map(str::to_owned),
            closed: *closed,
        };
        Ok(shards.iter().map(shard).collect())
    }

    async fn open(&self, shard: &str, position: &Position) -> Result<Place, Lost> {
        let shards = self.shards.lock().expect("whole");
        let changes = &shards.get(shard).ok_or(Lost::Gone)?.1;
        let before = match position {
            Position::Oldest => 0,
            Position::Newest => changes.len(),
            Position::After(number) => number.parse::<usize>().expect("a number") + 1,
        };
        Ok(Place(format!("{shard}:{before}")))
    }

    /// Returns one change at a time.
    async fn read(&self, Place(place): &Place) -> Result<Page, Lost> {
        if let Some(fault) = self.faults.lock().expect("whole").pop_front() {
            return Err(fault);
        }
        let (shard, at) = place.split_once(':').expect("a place");
        let at: usize = at.parse().expect("a number");
        let shards = self.shards.lock().expect("whole");
        let (_, changes, closed) = &shards[shard];
        let Some(change) = changes.get(at) else {
            let next = (!closed).then(|| Place(place.to_owned()));
            return Ok(Page { changes: Vec::new(), next });
        };
        // The content of a change does not matter here; an error text is shorter than a commit.
        let change = Change { sequence_number: at.to_string(), commit: Err((*change).to_owned()) };
        Ok(Page { changes: vec![change], next: Some(Place(format!("{shard}:{}", at + 1))) })
    }
}

/// The changes of some rounds.
async fn rounds(follower: &mut Follower<'_>, rounds: usize) -> Vec<String> {
    let mut found = Vec::new();
    for _ in 0..rounds {
        let changes = follower.next(&ManualClock::default()).await.expect("it can be read");
        found.extend(changes.into_iter().map(|change| change.expect_err("words")));
    }
    found
}

#[tokio::test]
async fn a_start_now_returns_later_changes_even_of_later_shards() {
    let memory = Memory::default().with("a", None, true).with("b", Some("a"), false);
    memory.append("a", &["long ago"]);
    memory.append("b", &["before"]);
    let mut follower = Follower::begin(&memory, Start::Now).await.expect("it begins");
    assert!(rounds(&mut follower, 3).await.is_empty());

    memory.append("b", &["one", "two"]);
    memory.add("c", Some("b"), false);
    memory.append("c", &["three"]);
    memory.close("b");
    assert_eq!(rounds(&mut follower, 6).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn from_the_start_parents_come_before_their_children() {
    // In the order of names the children come first.
    let memory = Memory::default()
        .with("a-grandchild", Some("b-child"), false)
        .with("b-child", Some("c-parent"), true)
        .with("c-parent", Some("trimmed long ago"), true);
    memory.append("c-parent", &["one", "two"]);
    memory.append("b-child", &["three"]);
    memory.append("a-grandchild", &["four"]);
    let mut follower = Follower::begin(&memory, Start::Oldest).await.expect("it begins");
    assert_eq!(rounds(&mut follower, 9).await, ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn a_child_that_is_listed_late_is_found() {
    let memory = Memory::default().with("a", None, true).with("z", None, false);
    let mut follower = Follower::begin(&memory, Start::Oldest).await.expect("it begins");
    assert!(rounds(&mut follower, 2).await.is_empty());
    memory.add("b", Some("a"), false);
    memory.append("b", &["late"]);
    assert_eq!(rounds(&mut follower, 25).await, ["late"]);
}

#[tokio::test]
async fn a_lost_place_is_opened_again_after_the_last_change_read() {
    let memory = Memory::default().with("a", None, false);
    memory.append("a", &["one", "two", "three"]);
    let mut follower = Follower::begin(&memory, Start::Oldest).await.expect("it begins");
    assert_eq!(rounds(&mut follower, 1).await, ["one"]);
    memory.fail(Lost::Expired);
    assert_eq!(rounds(&mut follower, 2).await, ["two"]);
    memory.fail(Lost::Throttled);
    assert_eq!(rounds(&mut follower, 2).await, ["three"]);
    memory.fail(Lost::Trimmed);
    assert_eq!(rounds(&mut follower, 2).await, ["one"], "from the oldest remaining one");
}

#[tokio::test]
async fn an_error_that_no_retry_can_fix_ends_it() {
    let memory = Memory::default().with("a", None, false);
    let mut follower = Follower::begin(&memory, Start::Now).await.expect("it begins");
    memory.fail(Lost::CliError(CliError::Call { call: "GetRecords", reason: "no".to_owned() }));
    assert!(follower.next(&ManualClock::default()).await.is_err());
}
