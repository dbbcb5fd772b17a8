//! Sends requests at a fixed rate, whether or not earlier ones were answered.
//!
//! The latency of a request begins when the request should have been sent. A load that waits for a slow server before it
//! sends the next request hides all the requests that should have been sent in the meantime: this is coordinated
//! omission. The report shows both figures.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::pin,
    time::Duration,
};

use futures::{Stream, StreamExt, stream::FuturesUnordered};
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::{
    scenario::{Answer, Message, Scenario},
    template::Values,
};

/// The service that gets the requests.
pub(super) trait Service {
    /// Sends one request. The error is a sentence.
    async fn send(&self, message: Message) -> Result<Answer, String>;
}

/// The time since some moment.
pub(super) trait Time {
    fn now(&self) -> Duration;
    async fn sleep_until(&self, at: Duration);
}

/// The time of this machine, since this moment.
pub(super) struct SystemTime(pub(super) Instant);

impl Time for SystemTime {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn sleep_until(&self, at: Duration) {
        tokio::time::sleep_until(self.0 + at).await;
    }
}

/// The load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Requests a second.
    pub(super) rate: f64,
    pub(super) lasting: Duration,
    /// The most requests without an answer.
    pub(super) in_flight: usize,
}

/// The results.
#[derive(Debug)]
pub(super) struct Results {
    /// In the order of the scenario.
    pub(super) requests: Vec<Recorded>,
    /// The requests that should have been sent up to the end.
    pub(super) intended: u64,
    pub(super) sent: u64,
    /// How long requests were to be sent, up to an interrupt.
    pub(super) lasting: Duration,
    pub(super) stopped: bool,
}

/// The results of one request of the scenario.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) name: String,
    /// Microseconds from the intended time.
    pub(super) corrected: Histogram<u64>,
    /// Microseconds from the time of sending.
    pub(super) uncorrected: Histogram<u64>,
    /// The answers by status, or by the reason why there is none.
    pub(super) answers: BTreeMap<String, u64>,
    /// Answers that the scenario does not expect, by the same.
    pub(super) unexpected: BTreeMap<String, u64>,
}

/// A request that was answered.
struct Done {
    at: usize,
    values: Values,
    answer: Result<Answer, String>,
    corrected: Duration,
    uncorrected: Duration,
}

/// The longest list of answers that wait to be continued. The oldest ones are dropped first.
const LONGEST: usize = 10_000;
/// The longest latency that is told apart.
const SLOWEST: u64 = 3_600_000_000;

/// Sends the requests of the scenario. A request that could not be sent before the end is never sent. The first `stops` ends the sending, the second one also the waiting.
pub(super) async fn run(
    scenario: &Scenario,
    service: &impl Service,
    time: &impl Time,
    plan: Plan,
    stops: impl Stream<Item = ()>,
) -> Results {
    let mut stops = pin!(stops.fuse());
    let mut course = Course::new(scenario);
    let begun = time.now();
    let due = |number: u64| begun + Duration::from_secs_f64(float(number) / plan.rate);
    let end = begun + plan.lasting;
    let mut running = FuturesUnordered::new();
    let mut number = 0;
    let mut interrupted = None;
    loop {
        let intended = due(number);
        let is_over = interrupted.is_some() || intended.max(time.now()) >= end;
        if is_over && running.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            Some(()) = stops.next() => {
                if interrupted.is_some() {
                    break;
                }
                interrupted = Some((time.now() - begun).min(plan.lasting));
            }
            () = time.sleep_until(intended), if !is_over && running.len() < plan.in_flight => {
                let (at, values) = course.next();
                let message = scenario.requests[at].message(&values, number);
                running.push(measured((service, time), message, at, values, intended));
                number += 1;
            }
            Some(done) = running.next() => course.record(done),
        }
    }
    let lasting = interrupted.unwrap_or(plan.lasting);
    let intended = whole(lasting.as_secs_f64() * plan.rate).max(number);
    let stopped = interrupted.is_some();
    Results { requests: course.recorded, intended, sent: number, lasting, stopped }
}

async fn measured(
    (service, time): (&impl Service, &impl Time),
    message: Message,
    at: usize,
    values: Values,
    intended: Duration,
) -> Done {
    let sent = time.now();
    let answer = service.send(message).await;
    let answered = time.now();
    let corrected = answered.saturating_sub(intended);
    Done { at, values, answer, corrected, uncorrected: answered - sent }
}

/// The turns of the requests, and the results so far.
struct Course<'a> {
    scenario: &'a Scenario,
    recorded: Vec<Recorded>,
    /// By request, the answers that it can continue.
    waiting: Vec<VecDeque<Values>>,
    /// By request, how much its turn is overdue.
    overdue: Vec<i64>,
}

impl<'a> Course<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let recorded = scenario.requests.iter().map(|request| Recorded::new(&request.name));
        let requests = scenario.requests.len();
        Self {
            scenario,
            recorded: recorded.collect(),
            waiting: vec![VecDeque::new(); requests],
            overdue: vec![0; requests],
        }
    }

    /// The next request by weight. If it has no answer to continue, the request before it takes its turn.
    fn next(&mut self) -> (usize, Values) {
        let mut at = self.turn();
        while let Some(before) = self.scenario.requests[at].after {
            if let Some(values) = self.waiting[at].pop_front() {
                if self.scenario.requests[at].reuse {
                    self.waiting[at].push_back(values.clone());
                }
                return (at, values);
            }
            at = before;
        }
        (at, Values::new())
    }

    /// Turns are spread evenly: each request becomes overdue by its weight, and the most overdue one is next.
    fn turn(&mut self) -> usize {
        let weights = self.scenario.requests.iter().map(|request| i64::from(request.weight));
        let all: i64 = weights.clone().sum();
        for (overdue, weight) in self.overdue.iter_mut().zip(weights) {
            *overdue += weight;
        }
        let most = self.overdue.iter().copied().max().unwrap_or_default();
        let next = self.overdue.iter().position(|overdue| *overdue == most).unwrap_or_default();
        self.overdue[next] -= all;
        next
    }

    fn record(&mut self, done: Done) {
        let Done { at, values, answer, corrected, uncorrected } = done;
        let request = &self.scenario.requests[at];
        let recorded = &mut self.recorded[at];
        recorded.corrected.saturating_record(micros(corrected));
        recorded.uncorrected.saturating_record(micros(uncorrected));
        let (told, is_expected) = match &answer {
            Ok(answer) => (answer.status.to_string(), request.expects(answer.status)),
            Err(reason) => (reason.clone(), false),
        };
        *recorded.answers.entry(told.clone()).or_default() += 1;
        if !is_expected {
            *recorded.unexpected.entry(told).or_default() += 1;
            return;
        }
        let Ok(answer) = answer else { return };
        match request.saved(&answer, values) {
            Ok(values) => self.pass_on(at, &values),
            Err(missing) => {
                let told = format!("{told} without {missing}");
                *self.recorded[at].unexpected.entry(told).or_default() += 1;
            }
        }
    }

    /// Gives the values of an answer to the requests that continue it.
    fn pass_on(&mut self, from: usize, values: &Values) {
        for (request, waiting) in self.scenario.requests.iter().zip(&mut self.waiting) {
            if request.after == Some(from) {
                waiting.push_back(values.clone());
                if waiting.len() > LONGEST {
                    waiting.pop_front();
                }
            }
        }
    }
}

impl Recorded {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            corrected: histogram(),
            uncorrected: histogram(),
            answers: BTreeMap::new(),
            unexpected: BTreeMap::new(),
        }
    }
}

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, SLOWEST, 3).expect("these bounds are valid")
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn whole(number: f64) -> u64 {
    Duration::from_secs_f64(number.max(0.0)).as_secs()
}

/// A count as a number to calculate with. No load has more requests.
pub(super) fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
