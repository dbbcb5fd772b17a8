//! Random histories of a device beside a model: a set of the readings that were taken. Planted faults prove that the
//! comparison can fail.

use std::collections::{BTreeMap, BTreeSet};

use devices::domain::{BeginMonth, Device, RecordReadings, Sent, Telemetry, TelemetryState};
use devices_events::{Month, ReadingsRecorded, TelemetryEvent, numbers, ranges_of};
use ledgerfold::{
    Caller, Decider, DecisionContext, EntityId, Event, Timestamp, command::JointDecider,
    ports::Random,
};
use ledgerfold_testkit::SeededRandom;

/// What is wrong with the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// The window moves beyond numbers that are missing.
    WindowMovedTooFar,
    /// All epochs share one window.
    EpochIgnored,
    /// A month begins without the window of the month before.
    WindowNotCarriedOver,
    /// Missing numbers stay missing after they arrived.
    GapNotClosed,
}

fn draw(random: &SeededRandom, below: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % below
}

fn id() -> EntityId {
    EntityId::new("d-1").expect("an id")
}

/// A device, and the readings that it has sent.
struct History {
    random: SeededRandom,
    fault: Fault,
    state: TelemetryState,
    month: Month,
    taken: BTreeSet<(u32, u64)>,
}

impl History {
    fn begin(seed: u64, fault: Fault) -> Self {
        let opened = devices_events::MonthOpened {
            previous: None,
            base: 1,
            windows: Vec::new(),
            closed_through: None,
        };
        let state = Telemetry::evolve(Telemetry::initial(), &opened.into());
        let month = "2026-11".parse().expect("a month");
        Self { random: SeededRandom::new(seed), fault, state, month, taken: BTreeSet::new() }
    }

    /// A batch with repeated, late and future numbers of one of three epochs.
    fn batch(&self) -> (u32, Vec<Sent>) {
        let epoch = u32::try_from(draw(&self.random, 3)).expect("it is small") + 1;
        let seq = |_| {
            let (at, metric) = (Timestamp::UNIX_EPOCH, format!("m{}", draw(&self.random, 2)));
            Sent { seq: draw(&self.random, 40) + 1, at, metric, value: "1".to_owned() }
        };
        (epoch, (0..=draw(&self.random, 8)).map(seq).collect())
    }

    fn decide(&self, epoch: u32, readings: &[Sent]) -> Option<TelemetryEvent> {
        let epoch = if self.fault == Fault::EpochIgnored { 1 } else { epoch };
        let command =
            RecordReadings { device: id(), epoch, readings: readings.to_vec(), expected: None };
        let caller = Caller::anonymous();
        let context = DecisionContext { at: Timestamp::UNIX_EPOCH, caller: &caller };
        let events = Telemetry::decide(&self.state, &command, &context).expect("it is open");
        events.into_iter().next()
    }

    fn evolve(&mut self, mut event: ReadingsRecorded) {
        match self.fault {
            Fault::WindowMovedTooFar => event.gaps.opened.clear(),
            Fault::GapNotClosed => event.gaps.closed.clear(),
            _ => {}
        }
        let event = TelemetryEvent::from(event);
        let stored = event.encode().expect("it can be written");
        let read = TelemetryEvent::decode(&event.event_type(), event.schema_version(), &stored);
        let read = read.expect("it can be read");
        assert_eq!(read.as_slice(), std::slice::from_ref(&event));
        self.state = Telemetry::evolve(self.state.clone(), &event);
    }

    /// Begins the next month in the joint decision.
    fn turn(&mut self) {
        let month: Month = if self.month.to_string() == "2026-11" { "2026-12" } else { "2026-11" }
            .parse()
            .expect("a month");
        let device = Some(Device { month: Some(self.month), decommissioned: false });
        let command = BeginMonth { device: id(), previous: self.month, month };
        let caller = Caller::anonymous();
        let context = DecisionContext { at: Timestamp::UNIX_EPOCH, caller: &caller };
        let new = TelemetryState::default();
        let decided = BeginMonth::decide((&device, &self.state, &new), &command, &context);
        let (_, _, opened) = decided.expect("the device is active");
        let mut state = opened.iter().fold(new, Telemetry::evolve);
        if self.fault == Fault::WindowNotCarriedOver {
            state.windows.clear();
        }
        self.state = state;
        self.month = month;
    }

    /// Sends a batch, and compares its effect with the model.
    fn step(&mut self) -> Result<(), String> {
        if draw(&self.random, 10) == 0 {
            self.turn();
        }
        let (epoch, readings) = self.batch();
        let event = self.decide(epoch, &readings);
        let mut expected = BTreeMap::<String, BTreeSet<u64>>::new();
        let mut duplicates = Vec::new();
        for Sent { seq, metric, .. } in &readings {
            if self.taken.insert((epoch, *seq)) {
                expected.entry(metric.clone()).or_default().insert(*seq);
            } else {
                duplicates.push(*seq);
            }
        }
        let Some(TelemetryEvent::ReadingsRecorded(event)) = event else {
            return Err("nothing was recorded".to_owned());
        };
        let taken = event.metrics.iter().map(|(metric, column)| {
            let readings = column.readings().expect("whole columns");
            (metric.clone(), readings.into_iter().map(|reading| reading.seq).collect())
        });
        let taken: BTreeMap<_, BTreeSet<_>> = taken.collect();
        let repeated: Vec<_> = numbers(&event.duplicates).collect();
        duplicates.sort_unstable();
        if (&taken, &repeated) != (&expected, &duplicates) {
            return Err(format!("{taken:?} and {repeated:?}, not {expected:?} and {duplicates:?}"));
        }
        self.evolve(event);
        self.compare_windows()
    }

    fn compare_windows(&self) -> Result<(), String> {
        let epochs: BTreeSet<_> = self.taken.iter().map(|(epoch, _)| *epoch).collect();
        for epoch in epochs {
            let seqs = self.taken.range((epoch, 0)..=(epoch, u64::MAX)).map(|(_, seq)| *seq);
            let seqs: BTreeSet<_> = seqs.collect();
            let highest = seqs.last().copied().unwrap_or_default();
            let missing = ranges_of((1..highest).filter(|seq| !seqs.contains(seq)));
            let found = self.state.window(epoch).map(|it| (it.highest, it.missing.clone()));
            if found != Some((highest, missing.clone())) {
                return Err(format!("epoch {epoch}: {found:?}, not {highest} and {missing:?}"));
            }
        }
        Ok(())
    }
}

fn run(seed: u64, fault: Fault) -> Result<(), String> {
    let mut history = History::begin(seed, fault);
    (0..60).try_for_each(|_| history.step())
}

// Guards: each-reading-is-taken-once
#[test]
fn each_reading_is_taken_once_in_any_history() {
    for seed in 0..200 {
        run(seed, Fault::None).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
    }
}

#[test]
fn every_planted_fault_is_found() {
    for fault in [
        Fault::WindowMovedTooFar,
        Fault::EpochIgnored,
        Fault::WindowNotCarriedOver,
        Fault::GapNotClosed,
    ] {
        assert!((0..20).any(|seed| run(seed, fault).is_err()), "{fault:?} is not found");
    }
}
