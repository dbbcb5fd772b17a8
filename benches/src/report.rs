//! The tables of COMPARE.md, and the targets.

use std::{fmt::Write, fs, io, path::Path};

use comfy_table::{CellAlignment, Table, presets::ASCII_MARKDOWN};

use crate::{
    Scale,
    cpu::Cpu,
    pipeline::{ANSWER, BATCH, Stage},
    probes::{COMMANDS, Probe, RACERS},
    rates::{Rate, Weight},
    spread::Spread,
    streams::{Growth, LARGE, LONG, Size, Stream},
    targets,
};

/// USD per million on-demand request units in us-east-1, as in `make costs`.
const WRITE_PRICE: f64 = 0.625;
const READ_PRICE: f64 = 0.125;

/// All measurements. Their lists have the same order of contestants.
pub struct Report {
    pub names: Vec<&'static str>,
    pub rates: Vec<Vec<Rate>>,
    pub weights: Vec<Weight>,
    pub streams: Vec<Option<[Stream; 2]>>,
    pub growth: Growth,
    pub probes: Vec<Option<Probe>>,
    pub pipeline: Vec<Stage>,
    pub cpu: Cpu,
    /// The load averages before and after.
    pub busy: [String; 2],
}

/// The load averages of the machine, if it reports them.
pub fn busy() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(1).collect()
}

/// Replaces the text between the marks in the file.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    const MARKS: [&str; 2] = ["<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"];
    let before = fs::read_to_string(file)?;
    let parts = before.split_once(MARKS[0]).and_then(|(head, rest)| {
        let (_, tail) = rest.split_once(MARKS[1])?;
        Some((head, tail))
    });
    let (head, tail) = parts.ok_or_else(|| io::Error::other("the marks are missing"))?;
    fs::write(file, format!("{head}{}\n{text}\n{}{tail}", MARKS[0], MARKS[1]))
}

impl Report {
    pub fn markdown(&self, scale: &Scale) -> String {
        let mut text = String::new();
        self.conditions(&mut text, scale).expect("a text takes all");
        let parts = [
            ("Speed", self.speed(scale)),
            ("Cost per command", self.cost()),
            ("Long streams", self.long_streams()),
            ("Races and repetitions", self.probed()),
            ("Relay and projectors", self.pipeline()),
            ("Ledgerfold alone", self.alone()),
            ("Targets", targets::rows(self, scale)),
        ];
        for (title, table) in parts {
            write!(text, "\n### {title}\n\n{table}\n").expect("a text takes all");
        }
        text
    }

    fn conditions(&self, text: &mut String, scale: &Scale) -> std::fmt::Result {
        let Scale { repetitions, turns, orders, tasks, .. } = scale;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let [before, after] = &self.busy;
        let today = ledgerfold::Timestamp::now().strftime("%Y-%m-%d");
        writeln!(
            text,
            "Measured on {today}: {repetitions} repetitions of {turns} turns for each contestant, a \
             turn being {orders} orders of 3 commands from one task and {} from {tasks}; median \
             [lowest–highest repetition]. {cores} cores, shared by client, DynamoDB Local and \
             whatever else ran: load average {before} before and {after} after.",
            2 * orders
        )
    }

    fn speed(&self, scale: &Scale) -> Table {
        let tasks = scale.tasks;
        let put = self.names[0];
        let [alone, crowded] = ["1 task", &format!("{tasks} tasks")]
            .map(|tasks| [format!("{tasks}, commands/s"), format!("by {put}")]);
        let mut table =
            table(["", &alone[0], &alone[1], "p50 ms", "p99 ms", &crowded[0], &crowded[1]]);
        for (name, rates) in self.names.iter().zip(&self.rates) {
            table.add_row([
                (*name).to_owned(),
                spread(rates, |rate| rate.alone, 0),
                format!("{:.2}", self.ratio(name, put, |rate| rate.alone)),
                spread(rates, |rate| rate.p50, 2),
                spread(rates, |rate| rate.p99, 2),
                spread(rates, |rate| rate.crowded, 0),
                format!("{:.2}", self.ratio(name, put, |rate| rate.crowded)),
            ]);
        }
        table
    }

    /// The ratio of two contestants' rates, for each repetition.
    pub fn ratio(&self, one: &str, other: &str, pick: fn(&Rate) -> f64) -> Spread {
        let of = |name: &str| {
            let at = self.names.iter().position(|known| *known == name).expect("it took part");
            self.rates[at].iter().map(pick)
        };
        Spread::of(of(one).zip(of(other)).map(|(one, other)| one / other)).expect("it was measured")
    }

    fn cost(&self) -> Table {
        let header = ["", "requests", "which", "write units", "read units", "USD per million"];
        let mut table = table(header);
        for (name, weight) in self.names.iter().zip(&self.weights) {
            let Weight { requests, by_operation, write_units, read_units } = weight;
            let each: Vec<_> =
                by_operation.iter().map(|(name, count)| format!("{count:.2} {name}")).collect();
            let price = write_units * WRITE_PRICE + read_units * READ_PRICE;
            table.add_row([
                (*name).to_owned(),
                format!("{requests:.2}"),
                each.join(", "),
                format!("{write_units:.2}"),
                format!("{read_units:.2}"),
                format!("{price:.2}"),
            ]);
        }
        table
    }

    fn long_streams(&self) -> Table {
        let header = ["", "events", "load ms", "requests", "read units", "seen", "next command"];
        let mut table = table(header);
        for (at, Size { events, bytes }) in [LONG, LARGE].into_iter().enumerate() {
            for (name, streams) in self.names.iter().zip(&self.streams) {
                let Some(streams) = streams else { continue };
                let Stream { loads, requests, read_units, seen, next } = &streams[at];
                let loads = Spread::of(loads.iter().copied()).expect("it was loaded");
                table.add_row([
                    (*name).to_owned(),
                    format!("{events} of {bytes} B"),
                    format!("{loads:.1}"),
                    requests.to_string(),
                    read_units.to_string(),
                    format!("{seen}"),
                    next.clone(),
                ]);
            }
        }
        table
    }

    fn probed(&self) -> Table {
        let race = format!("{RACERS} at once: rounds with 1 winner");
        let many = format!("events in the state after {COMMANDS}");
        let twice = "same command again";
        let mut table = table(["", &race, "the others", twice, "requests", "stored", &many]);
        for (name, probe) in self.names.iter().zip(&self.probes) {
            let Some(probe) = probe else { continue };
            let losers = probe.losers.iter().map(|(told, count)| format!("{count} {told}"));
            table.add_row([
                (*name).to_owned(),
                format!("{} of {}", probe.right, probe.rounds),
                losers.collect::<Vec<_>>().join(", "),
                probe.second.clone(),
                probe.second_requests.to_string(),
                probe.stored.to_string(),
                probe.counted.to_string(),
            ]);
        }
        table
    }

    /// One function at a time, in batches.
    fn pipeline(&self) -> Table {
        let millis = ANSWER.as_millis();
        let sizes = format!("batches of {BATCH}, and calls of the bus that take {millis} ms");
        let header = [
            &sizes,
            "messages/s",
            "by the floor",
            "requests",
            "which",
            "write units",
            "read units",
        ];
        let mut table = table(header);
        for Stage { name, floor, rates, requests, write_units, read_units } in &self.pipeline {
            let rate = Spread::of(rates.iter().map(|(ours, _)| *ours)).expect("it was measured");
            let ratio = rates.iter().map(|(ours, floor)| ours / floor);
            let ratio = Spread::of(ratio).expect("it was measured");
            let which: Vec<_> =
                requests.iter().map(|(name, each)| format!("{each:.2} {name}")).collect();
            table.add_row([
                format!("{name}; floor: {floor}"),
                format!("{rate:.0}"),
                format!("{ratio:.2}"),
                format!("{:.2}", requests.values().sum::<f64>()),
                which.join(", "),
                format!("{write_units:.2}"),
                format!("{read_units:.2}"),
            ]);
        }
        table
    }

    fn alone(&self) -> Table {
        let Cpu { fold_of_ones, fold_of_tens, bare_fold, encode, decode } = &self.cpu;
        let Growth { events, short, long, .. } = &self.growth;
        let thousands = |rate: &Spread| {
            let Spread { low, median, high } = *rate;
            format!("{:.0}", Spread { low: low / 1e3, median: median / 1e3, high: high / 1e3 })
        };
        let mut table = table(["", "median [lowest–highest]"]);
        let rows = [
            ("load of 10 events, snapshots on, ms".to_owned(), format!("{short:.2}")),
            (format!("load of {events} events, snapshots on, ms"), format!("{long:.2}")),
            ("per second of a processor:".to_owned(), String::new()),
            ("small events folded, 1 a commit, thousands".to_owned(), thousands(fold_of_ones)),
            ("small events folded, 10 a commit, thousands".to_owned(), thousands(fold_of_tens)),
            ("the same decoded in a bare loop, thousands".to_owned(), thousands(bare_fold)),
            ("commits encoded to items, thousands".to_owned(), thousands(encode)),
            ("commits decoded from items, thousands".to_owned(), thousands(decode)),
        ];
        for (measure, value) in rows {
            table.add_row([measure, value]);
        }
        table
    }
}

fn spread(rates: &[Rate], pick: fn(&Rate) -> f64, digits: usize) -> String {
    let spread = Spread::of(rates.iter().map(pick)).expect("it was measured");
    format!("{spread:.digits$}")
}

/// A table with a left-aligned first column.
pub fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
