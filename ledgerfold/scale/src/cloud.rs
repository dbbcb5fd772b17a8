//! The tables of DynamoDB with their limits, and the counts of all requests.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    assumptions::{
        ATTEMPTS, FIRST_WAIT, Latency, READ, READS_PER_KEY, TRANSACTION, WRITE, WRITES_PER_KEY,
    },
    time::Time,
};

/// Tokens that come at a rate, of which those of one second are kept. It is empty at the beginning, so a run never gets
/// more than its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: f64,
    level: f64,
    at: Duration,
}

impl Bucket {
    pub(crate) fn new(rate: f64) -> Self {
        Self { rate, level: 0.0, at: Duration::ZERO }
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.level = (self.level + passed * self.rate).min(self.rate);
        self.at = now;
    }

    /// Whether there is no debt. A request takes all it needs, and may leave a debt, as in DynamoDB.
    fn is_open(&mut self, now: Duration) -> bool {
        self.fill(now);
        self.level >= 0.0
    }

    fn take(&mut self, tokens: f64) {
        self.level -= tokens;
    }

    /// Takes a token, and returns how long the caller must wait for it.
    pub(crate) fn queue(&mut self, now: Duration) -> Duration {
        self.fill(now);
        self.level -= 1.0;
        Duration::from_secs_f64((-self.level).max(0.0) / self.rate)
    }
}

/// A kind of capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Capacity {
    Write,
    Read,
}

/// The use of one item by a request.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) table: &'static str,
    /// The partition key.
    pub(crate) key: String,
    /// The rest of the primary key.
    pub(crate) item: String,
    pub(crate) units: u64,
}

/// The SDK has sent a request as often as it does, and DynamoDB has throttled it each time.
#[derive(Debug)]
pub(crate) struct Throttled;

/// The result of a transaction.
#[derive(Debug)]
pub(crate) enum Transacted<T> {
    Done(T),
    /// Another transaction works on one of the items.
    Conflict,
}

/// The counts of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) requests: BTreeMap<&'static str, u64>,
    pub(crate) write_units: u64,
    pub(crate) read_units: u64,
    pub(crate) throttled: u64,
    pub(crate) conflicts: u64,
    pub(crate) events: u64,
    pub(crate) messages: u64,
    pub(crate) targets: u64,
}

#[derive(Default)]
struct State {
    /// By table and capacity.
    tables: BTreeMap<(&'static str, Capacity), Bucket>,
    keys: HashMap<(&'static str, Capacity, String), Key>,
    /// The items that a transaction works on.
    locked: BTreeSet<(&'static str, String, String)>,
    counts: Counts,
}

struct Key {
    bucket: Bucket,
    /// Units while clients send commands.
    units: u64,
}

/// The tables. Every request takes its time, and its units from the buckets of its table and of its partition key.
pub(crate) struct Cloud {
    pub(crate) time: Time,
    /// The end of the load. Later units count for no key.
    pub(crate) load: Duration,
    partitions: u64,
    /// A mutex, because every request changes it.
    state: Mutex<State>,
}

impl Cloud {
    pub(crate) fn new(time: Time, load: Duration, partitions: u64) -> Self {
        Self { time, load, partitions, state: Mutex::default() }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock().counts);
    }

    /// The busiest key of each table and capacity, with its units.
    pub(crate) fn busiest(&self) -> BTreeMap<(&'static str, Capacity), (String, u64)> {
        let mut busiest: BTreeMap<_, (String, u64)> = BTreeMap::new();
        for ((table, capacity, key), used) in &self.lock().keys {
            let most = busiest.entry((*table, *capacity)).or_default();
            // The name decides between equals, because a hash map has no order.
            if (used.units, key) > (most.1, &most.0) {
                *most = (key.clone(), used.units);
            }
        }
        busiest
    }

    /// A strongly consistent read. `read` returns the answer and the units that it costs.
    pub(crate) async fn read<T>(
        &self,
        name: &'static str,
        (table, key): (&'static str, &str),
        read: impl Fn() -> (T, u64) + Send,
    ) -> Result<T, Throttled> {
        for attempt in 0..ATTEMPTS {
            let rest = self.arrive(name, READ, attempt).await;
            let part = Part { table, key: key.to_owned(), item: String::new(), units: 1 };
            if !self.take(Capacity::Read, std::slice::from_ref(&part)) {
                continue;
            }
            let (answer, units) = read();
            self.charge(Capacity::Read, &Part { units: units.saturating_sub(1), ..part });
            self.time.pass(rest).await;
            return Ok(answer);
        }
        Err(Throttled)
    }

    /// A strongly consistent read of many items in one request. `key` is the partition key of each, and `read` returns
    /// its answer and the units that it costs.
    pub(crate) async fn read_all<K: Sync, T: Send>(
        &self,
        table: &'static str,
        items: &[K],
        key: impl Fn(&K) -> String + Send,
        read: impl Fn(&K) -> (T, u64) + Send,
    ) -> Result<Vec<T>, Throttled> {
        let parts: Vec<_> = items
            .iter()
            .map(|it| Part { table, key: key(it), item: String::new(), units: 1 })
            .collect();
        for attempt in 0..ATTEMPTS {
            let rest = self.arrive("BatchGetItem", READ, attempt).await;
            if !self.take(Capacity::Read, &parts) {
                continue;
            }
            let mut answers = Vec::with_capacity(items.len());
            for (item, part) in items.iter().zip(parts) {
                let (answer, units) = read(item);
                self.charge(Capacity::Read, &Part { units: units.saturating_sub(1), ..part });
                answers.push(answer);
            }
            self.time.pass(rest).await;
            return Ok(answers);
        }
        Err(Throttled)
    }

    /// A conditional write. It costs its units also if `write` refuses it.
    pub(crate) async fn write<T>(
        &self,
        parts: &[Part],
        write: impl FnOnce() -> T + Send,
    ) -> Result<T, Throttled> {
        self.write_as("PutItem", parts, write).await
    }

    /// The same by another operation.
    pub(crate) async fn write_as<T>(
        &self,
        name: &'static str,
        parts: &[Part],
        write: impl FnOnce() -> T + Send,
    ) -> Result<T, Throttled> {
        for attempt in 0..ATTEMPTS {
            let rest = self.arrive(name, WRITE, attempt).await;
            if self.take(Capacity::Write, parts) {
                let answer = write();
                self.time.pass(rest).await;
                return Ok(answer);
            }
        }
        Err(Throttled)
    }

    /// A transaction. Its items are locked for half of its time.
    pub(crate) async fn transact<T>(
        &self,
        parts: &[Part],
        write: impl FnOnce() -> T + Send,
    ) -> Result<Transacted<T>, Throttled> {
        for attempt in 0..ATTEMPTS {
            let rest = self.arrive("TransactWriteItems", TRANSACTION, attempt).await;
            if !self.take(Capacity::Write, parts) {
                continue;
            }
            if !self.lock_items(parts) {
                self.count(|counts| counts.conflicts += 1);
                self.time.pass(rest).await;
                return Ok(Transacted::Conflict);
            }
            self.time.pass(rest).await;
            let answer = write();
            self.unlock_items(parts);
            return Ok(Transacted::Done(answer));
        }
        Err(Throttled)
    }

    /// Sends a request, after the SDK's wait. Returns the time until its answer.
    async fn arrive(&self, name: &'static str, latency: Latency, attempt: u32) -> Duration {
        if let Some(doublings) = attempt.checked_sub(1) {
            self.time.pass(FIRST_WAIT.mul_f64(self.time.draw()) * (1 << doublings)).await;
        }
        self.count(|counts| *counts.requests.entry(name).or_default() += 1);
        let half = self.time.latency(latency) / 2;
        self.time.pass(half).await;
        half
    }

    /// Takes the units of all parts, or none.
    fn take(&self, capacity: Capacity, parts: &[Part]) -> bool {
        let now = self.time.elapsed();
        let open = {
            let mut state = self.lock();
            parts.iter().all(|part| {
                self.table(&mut state, capacity, part).is_open(now)
                    && self.key(&mut state, capacity, part).bucket.is_open(now)
            })
        };
        if !open {
            self.count(|counts| counts.throttled += 1);
            return false;
        }
        parts.iter().for_each(|part| self.charge(capacity, part));
        true
    }

    fn charge(&self, capacity: Capacity, part: &Part) {
        let mut state = self.lock();
        match capacity {
            Capacity::Write => state.counts.write_units += part.units,
            Capacity::Read => state.counts.read_units += part.units,
        }
        let tokens = float(part.units);
        self.table(&mut state, capacity, part).take(tokens);
        let is_loaded = self.time.elapsed() <= self.load;
        let key = self.key(&mut state, capacity, part);
        key.bucket.take(tokens);
        key.units += if is_loaded { part.units } else { 0 };
    }

    fn table<'a>(&self, state: &'a mut State, capacity: Capacity, part: &Part) -> &'a mut Bucket {
        let rate = limit(capacity) * float(self.partitions);
        state.tables.entry((part.table, capacity)).or_insert_with(|| Bucket::new(rate))
    }

    fn key<'a>(&self, state: &'a mut State, capacity: Capacity, part: &Part) -> &'a mut Key {
        let fresh = || Key { bucket: Bucket::new(limit(capacity)), units: 0 };
        state.keys.entry((part.table, capacity, part.key.clone())).or_insert_with(fresh)
    }

    fn lock_items(&self, parts: &[Part]) -> bool {
        let mut state = self.lock();
        let is_free = !parts.iter().any(|part| state.locked.contains(&part.lock()));
        if is_free {
            state.locked.extend(parts.iter().map(Part::lock));
        }
        is_free
    }

    fn unlock_items(&self, parts: &[Part]) {
        let mut state = self.lock();
        for part in parts {
            state.locked.remove(&part.lock());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn lock(&self) -> (&'static str, String, String) {
        (self.table, self.key.clone(), self.item.clone())
    }
}

/// The units of one partition key in one second.
pub(crate) fn limit(capacity: Capacity) -> f64 {
    f64::from(match capacity {
        Capacity::Write => WRITES_PER_KEY,
        Capacity::Read => READS_PER_KEY,
    })
}

/// The write units of an item.
pub(crate) fn write_units(bytes: usize) -> u64 {
    units(bytes, 1_024)
}

/// The units of a strongly consistent read.
pub(crate) fn read_units(bytes: usize) -> u64 {
    units(bytes, 4_096)
}

fn units(bytes: usize, each: usize) -> u64 {
    u64::try_from(bytes.div_ceil(each).max(1)).unwrap_or(u64::MAX)
}

/// A count as a number to calculate with. Counts are far below the limit.
pub(crate) fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Bucket, Capacity, Cloud, Part, Transacted, read_units, write_units};
    use crate::time::{Tasks, Time};

    fn part(units: u64) -> Part {
        Part { table: "table", key: "key".to_owned(), item: "item".to_owned(), units }
    }

    #[test]
    fn a_bucket_gives_its_rate_and_no_more() {
        let mut bucket = Bucket::new(100.0);
        let mut taken = 0;
        for millis in 0..2_000 {
            if bucket.is_open(Duration::from_millis(millis)) {
                bucket.take(1.0);
                taken += 1;
            }
        }
        assert_eq!(taken, 200);
    }

    #[test]
    fn units_are_rounded_up() {
        assert_eq!([0, 1, 1_024, 1_025].map(write_units), [1, 1, 1, 2]);
        assert_eq!([0, 4_096, 4_097].map(read_units), [1, 1, 2]);
    }

    /// Two writes of 900 units leave a debt, so all others wait, and the last attempt of each comes too early.
    #[test]
    fn a_key_without_units_throttles() {
        let time = Time::new(1);
        let mut tasks = Tasks::new(time.clone());
        let cloud = std::sync::Arc::new(Cloud::new(time, Duration::from_secs(1), 4));
        for _ in 0..20 {
            let cloud = cloud.clone();
            tasks.spawner().spawn(async move {
                let _ = cloud.write(&[part(900)], || ()).await;
            });
        }
        tasks.run_until(Duration::from_secs(10));
        let counts = cloud.counts();
        let written = counts.write_units / 900;
        assert_eq!(counts.throttled, counts.requests["PutItem"] - written, "{counts:?}");
        assert!(written < 3, "{counts:?}");
        assert_eq!(cloud.busiest()[&("table", Capacity::Write)].0, "key");
    }

    #[test]
    fn transactions_on_one_item_do_not_overlap() {
        let time = Time::new(1);
        let mut tasks = Tasks::new(time.clone());
        let cloud = std::sync::Arc::new(Cloud::new(time, Duration::from_secs(1), 4));
        let done = std::rc::Rc::new(std::cell::Cell::new(0));
        for _ in 0..2 {
            let cloud = cloud.clone();
            let done = done.clone();
            tasks.spawner().spawn(async move {
                if let Ok(Transacted::Done(())) = cloud.transact(&[part(2)], || ()).await {
                    done.set(done.get() + 1);
                }
            });
        }
        tasks.run_until(Duration::from_secs(1));
        assert_eq!((done.get(), cloud.counts().conflicts), (1, 1));
    }
}
