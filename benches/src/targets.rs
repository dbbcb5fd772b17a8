//! The targets of the benchmark.

use comfy_table::Table;

use crate::{
    Scale,
    rates::Rate,
    report::{Report, table},
    spread::Spread,
};

const WARM: &str = "ledgerfold, warm";
const COLD: &str = "ledgerfold, cold";
const PUT: &str = "bare Put";
const QUERY_AND_PUT: &str = "bare Query and Put";

type Pick = fn(&Rate) -> f64;

/// The targets with the measured values.
pub fn rows(report: &Report, scale: &Scale) -> Table {
    let mut table = table(["target", "measured", "reached"]);
    let mut add = |target: String, measured: Spread, reached: bool, digits: usize| {
        let verdict = if reached { "yes" } else { "no" };
        table.add_row([target, format!("{measured:.digits$}"), verdict.to_owned()]);
    };
    let alone: Pick = |rate| rate.alone;
    let ways = [(1, alone), (scale.tasks, |rate| rate.crowded)];
    for (count, pick) in ways {
        let tasks = if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") };
        let warm = report.ratio(WARM, PUT, pick);
        let target = format!("warm, {tasks}: at least 0.9 of the bare Put");
        add(target, warm, warm.median >= 0.9, 2);
        let (peer, ratio) = best_peer(report, pick);
        let target = format!("warm, {tasks}: at least 2.5 times the best peer ({peer})");
        add(target, ratio, ratio.median >= 2.5, 2);
        let cold = report.ratio(COLD, QUERY_AND_PUT, pick);
        let target = format!("cold, {tasks}: at least 0.9 of the bare Query and Put");
        add(target, cold, cold.median >= 0.9, 2);
    }
    let growth = &report.growth;
    let target = format!("load of {} events by that of 10: at most 1.5", growth.events);
    add(target, growth.ratio, growth.ratio.median <= 1.5, 2);
    let fold = report.cpu.fold_of_ones;
    let target = "small events folded in a second: above 1,000,000".to_owned();
    add(target, fold, fold.median > 1e6, 0);
    table
}

/// The fastest other library, and our rate relative to it.
fn best_peer(report: &Report, pick: Pick) -> (&'static str, Spread) {
    let peers = report.names.iter().filter(|name| !is_ours_or_bare(name));
    let ratios = peers.map(|name| (*name, report.ratio(WARM, name, pick)));
    ratios.min_by(|(_, a), (_, b)| a.median.total_cmp(&b.median)).expect("there are peers")
}

fn is_ours_or_bare(name: &str) -> bool {
    name.starts_with("ledgerfold") || name.starts_with("bare")
}
