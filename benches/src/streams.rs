//! Long streams: the cost of a load, the events that it sees, and the next command.

use std::time::Instant;

use crate::{
    Entrant, Scale,
    contestant::Contestant,
    meter::Meter,
    order::{self, Order},
    ours::WithSnapshots,
    rates::order_id,
    spread::Spread,
};

/// A stream of many events.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub events: usize,
    pub bytes: usize,
}

pub const LONG: Size = Size { events: 2_000, bytes: 100 };
pub const LARGE: Size = Size { events: 1_000, bytes: 3_000 };

/// The results for one stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Milliseconds per load.
    pub loads: Vec<f64>,
    pub requests: f64,
    pub read_units: f64,
    /// Events that the load returned.
    pub seen: u64,
    /// The outcome of the next command.
    pub next: String,
}

/// Measures the long and the large stream of each contestant; `None` for a contestant that does not load.
pub async fn measure(entrants: &[Entrant], scale: &Scale) -> Vec<Option<[Stream; 2]>> {
    let mut streams: Vec<Option<[Stream; 2]>> = Vec::new();
    for Entrant { contestant, .. } in entrants {
        if contestant.is_blind() {
            streams.push(None);
            continue;
        }
        for (tag, size) in [("long", LONG), ("large", LARGE)] {
            let events = order::notes(size.events, size.bytes);
            contestant.seed(&order_id(tag, 0), events).await.expect("all events are accepted");
        }
        streams.push(Some([Stream::default(), Stream::default()]));
        eprintln!("seeded {}", contestant.name());
    }
    for _ in 0..scale.repetitions * scale.loads {
        for (entrant, streams) in entrants.iter().zip(&mut streams) {
            let Some(streams) = streams else { continue };
            for (tag, stream) in ["long", "large"].into_iter().zip(streams) {
                let (time, state) = load(&*entrant.contestant, &order_id(tag, 0)).await;
                stream.loads.push(time);
                stream.seen = state.events;
            }
        }
    }
    for (Entrant { contestant, meter }, streams) in entrants.iter().zip(&mut streams) {
        let Some(streams) = streams else { continue };
        for (tag, stream) in ["long", "large"].into_iter().zip(streams) {
            meter.weigh();
            load(&**contestant, &order_id(tag, 0)).await;
            let weighed = meter.weighed();
            stream.requests = weighed.requests.values().sum::<u64>() as f64;
            stream.read_units = weighed.read_units;
            let next = contestant.execute(&order_id(tag, 0), order::note(100), "next").await;
            stream.next = next.map_or_else(|failure| failure.label(), |()| "accepted".to_owned());
        }
    }
    streams
}

async fn load(contestant: &dyn Contestant, id: &str) -> (f64, Order) {
    let start = Instant::now();
    let state = contestant.load(id).await.expect("it can be loaded");
    (start.elapsed().as_secs_f64() * 1e3, state)
}

/// How the time of a load grows with the stream, with snapshots.
pub struct Growth {
    pub events: usize,
    /// Milliseconds for 10 events and for `events` events, and their ratio.
    pub short: Spread,
    pub long: Spread,
    pub ratio: Spread,
}

pub async fn growth(scale: &Scale) -> Growth {
    let contestant = WithSnapshots::cold(Meter::client().0, "growth").await;
    let short = order_id("short", 0);
    let long = order_id("long", 0);
    for (id, events) in [(&short, 10), (&long, scale.long_stream)] {
        contestant.seed(id, order::notes(events, 100)).await.expect("all events are accepted");
    }
    let mut medians: Vec<[f64; 2]> = Vec::new();
    for _ in 0..scale.repetitions {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..20 * scale.loads {
            for (times, (id, events)) in
                times.iter_mut().zip([(&short, 10), (&long, scale.long_stream)])
            {
                let (time, state) = load(&contestant, id).await;
                assert_eq!(state.events, events as u64);
                times.push(time);
            }
        }
        medians.push(times.map(|times| Spread::of(times).expect("there are some").median));
    }
    let of = |pick: fn(&[f64; 2]) -> f64| Spread::of(medians.iter().map(pick)).expect("some");
    Growth {
        events: scale.long_stream,
        short: of(|[short, _]| *short),
        long: of(|[_, long]| *long),
        ratio: of(|[short, long]| long / short),
    }
}
