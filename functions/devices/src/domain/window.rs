//! The numbers of an epoch that arrived: the highest one, and the ranges below it that are missing.

use devices_events::{Range, Window};

/// The effect of a number on a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is new.
    New,
    /// It arrived before.
    Duplicate,
    /// It may have arrived before: too many numbers were missing, so it is not known any more.
    Forgotten,
}

/// Adds a number. The numbers that it leaves out cost one range, however many they are.
pub fn take(window: &mut Window, seq: u64) -> Arrival {
    if seq > window.highest {
        if seq - window.highest > 1 {
            window.missing.push([window.highest + 1, seq - 1]);
        }
        window.highest = seq;
        return Arrival::New;
    }
    let at = window.missing.partition_point(|[_, last]| *last < seq);
    match window.missing.get(at) {
        Some([first, last]) if *first <= seq => {
            let below = (*first < seq).then(|| [*first, seq - 1]);
            let above = (seq < *last).then(|| [seq + 1, *last]);
            window.missing.splice(at..=at, below.into_iter().chain(above));
            Arrival::New
        }
        _ if seq <= window.forgotten => Arrival::Forgotten,
        _ => Arrival::Duplicate,
    }
}

/// The highest number without a missing one before it.
pub fn up_to(window: &Window) -> u64 {
    match window.missing.first() {
        Some([first, _]) => first.saturating_sub(1),
        None => window.highest,
    }
}

/// The numbers of `ranges` that are not in `others`. Both are ascending.
pub fn without(ranges: &[Range], others: &[Range]) -> Vec<Range> {
    let mut rest = Vec::new();
    let mut others = others.iter().copied().peekable();
    for [first, last] in ranges.iter().copied() {
        let mut from = Some(first);
        while let Some(start) = from {
            while others.next_if(|[_, end]| *end < start).is_some() {}
            match others.peek() {
                Some([begin, end]) if *begin <= last => {
                    if *begin > start {
                        rest.push([start, begin - 1]);
                    }
                    from = end.checked_add(1).filter(|next| *next <= last);
                }
                _ => {
                    rest.push([start, last]);
                    from = None;
                }
            }
        }
    }
    rest
}

/// The numbers of either. Both are ascending, and have no number in common.
pub fn with(ranges: &[Range], others: &[Range]) -> Vec<Range> {
    let mut all: Vec<_> = ranges.iter().chain(others).copied().collect();
    all.sort_unstable();
    let mut joined: Vec<Range> = Vec::with_capacity(all.len());
    for [first, last] in all {
        match joined.last_mut() {
            Some([_, end]) if end.checked_add(1) == Some(first) => *end = last,
            _ => joined.push([first, last]),
        }
    }
    joined
}
