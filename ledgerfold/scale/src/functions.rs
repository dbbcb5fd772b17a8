//! The functions around the handlers: environments that answer requests, and mappings that read a shard or a queue.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use ledgerfold::{
    project::Projector,
    relay::{Relay, StreamRecord},
};

use crate::{
    assumptions::{BATCHING_WINDOW, COLD_START, POLL, QUEUE_POLL, SMALL_BATCH},
    cloud::Cloud,
    domain::{Handler, delivery},
    mailbox::Mailbox,
    ports::{Message, Record},
    time::Time,
};

/// The use of a function. The fields change while its environments run.
pub(crate) struct Usage {
    time: Time,
    /// The end of the load. Later work counts as invocations, and not as busy time.
    load: Duration,
    running: Cell<u32>,
    most: Cell<u32>,
    invocations: Cell<u64>,
    busy: Cell<Duration>,
    all: Cell<Duration>,
}

impl Usage {
    pub(crate) fn new(cloud: &Cloud) -> Self {
        Self {
            time: cloud.time.clone(),
            load: cloud.load,
            running: Cell::new(0),
            most: Cell::new(0),
            invocations: Cell::new(0),
            busy: Cell::new(Duration::ZERO),
            all: Cell::new(Duration::ZERO),
        }
    }

    /// Counts an invocation.
    pub(crate) async fn of<T>(&self, work: impl Future<Output = T>) -> T {
        let begun = self.time.elapsed();
        self.running.set(self.running.get() + 1);
        self.most.set(self.most.get().max(self.running.get()));
        let result = work.await;
        self.running.set(self.running.get() - 1);
        self.invocations.set(self.invocations.get() + 1);
        let ended = self.time.elapsed();
        self.busy.set(self.busy.get() + ended.min(self.load).saturating_sub(begun));
        self.all.set(self.all.get() + ended.saturating_sub(begun));
        result
    }

    /// The most environments that ran at once.
    pub(crate) fn most(&self) -> u32 {
        self.most.get()
    }

    pub(crate) fn invocations(&self) -> u64 {
        self.invocations.get()
    }

    /// The time of all invocations.
    pub(crate) fn all(&self) -> Duration {
        self.all.get()
    }

    /// How many environments were busy during the load, on average.
    pub(crate) fn mean(&self) -> f64 {
        self.busy.get().as_secs_f64() / self.load.as_secs_f64()
    }
}

/// The environments of the command function, each with its cache. A request gets the one that became free last.
pub(crate) struct Environments {
    time: Time,
    free: RefCell<Vec<Handler>>,
    make: Box<dyn Fn() -> Handler>,
    pub(crate) usage: Usage,
}

impl Environments {
    pub(crate) fn new(cloud: &Cloud, make: impl Fn() -> Handler + 'static) -> Self {
        let usage = Usage::new(cloud);
        let time = cloud.time.clone();
        Self { time, free: RefCell::default(), make: Box::new(make), usage }
    }

    pub(crate) async fn with<T>(&self, work: impl AsyncFnOnce(&Handler) -> T) -> T {
        let free = self.free.borrow_mut().pop();
        let handler = match free {
            Some(handler) => handler,
            None => {
                self.time.pass(self.time.latency(COLD_START)).await;
                (self.make)()
            }
        };
        let result = self.usage.of(work(&handler)).await;
        self.free.borrow_mut().push(handler);
        result
    }
}

/// Reads one lane of the change stream: one batch after the other.
pub(crate) async fn relay_lane(
    time: Time,
    lane: Arc<Mailbox<Record>>,
    relay: Relay,
    batch: usize,
    usage: Rc<Usage>,
) {
    loop {
        let records = lane.take(batch);
        if records.is_empty() {
            time.pass(POLL).await;
            continue;
        }
        let batch: Vec<_> = records.iter().map(stream_record).collect();
        if let Err(unsent) = usage.of(relay.publish(&batch)).await {
            let mut records = records;
            let first = records.iter().position(|it| it.sequence_number == unsent.sequence_number);
            lane.put_back(records.split_off(first.unwrap_or(0)));
        }
    }
}

fn stream_record(record: &Record) -> StreamRecord {
    StreamRecord {
        sequence_number: record.sequence_number.clone(),
        name: record.sequence_number.clone(),
        commit: Ok(record.commit.clone()),
    }
}

/// The next batch of a queue. Lambda waits for more messages if a batch may be large.
async fn collect(queue: &Mailbox<Message>, batch: usize, time: &Time) -> Vec<Message> {
    let mut messages = queue.next(batch).await;
    if batch <= SMALL_BATCH {
        return messages;
    }
    let end = time.elapsed() + BATCHING_WINDOW;
    while messages.len() < batch && time.elapsed() < end {
        time.pass(QUEUE_POLL).await;
        messages.extend(queue.take(batch - messages.len()));
    }
    messages
}

/// One of the concurrent invocations of a projector.
pub(crate) async fn projector_worker(
    queue: Arc<Mailbox<Message>>,
    projector: Projector,
    batch: usize,
    cloud: Arc<Cloud>,
    usage: Rc<Usage>,
) {
    loop {
        let messages = collect(&queue, batch, &cloud.time).await;
        let received = u64::try_from(messages.len()).unwrap_or(u64::MAX);
        cloud.count(|counts| counts.messages += received);
        let place = |(at, message): (usize, &Message)| {
            let mut delivery = delivery(message.0.clone());
            delivery.receipt.0 = at.to_string();
            delivery
        };
        let deliveries = messages.iter().enumerate().map(place).collect();
        let failed = usage.of(projector.project(deliveries)).await;
        for failed in failed {
            let message = failed.receipt.0.parse().ok().and_then(|at: usize| messages.get(at));
            // Visible again only after its timeout, which is 180 seconds in the template.
            if let Some(message) = message.cloned() {
                let queue = queue.clone();
                let at = cloud.time.elapsed() + Duration::from_secs(180);
                cloud.time.call_at(at, move || queue.put(message));
            }
        }
    }
}
