//! Prints the model of growth. `make scale` runs it.

use std::io::{self, Write};

use ledgerfold_scale::{
    Setting, Template,
    report::{Run, bars, first_limit, table},
    run,
};

const STREAMS: [u64; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const RATES: [u32; 4] = [10, 100, 1_000, 10_000];
/// The streams of the special runs.
const MANY: u64 = 1_000_000;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let grid: Vec<_> = RATES
        .into_iter()
        .flat_map(|rate| STREAMS.map(|streams| perform("", Setting::new(streams, rate))))
        .collect();
    let special: Vec<_> =
        special().into_iter().map(|(name, setting)| perform(name, setting)).collect();
    writeln!(
        out,
        "Each command with its relay, its two projections and half a query. Times: 50 % / 99 %.\n"
    )?;
    writeln!(out, "{}\n", table(&grid))?;
    let of = |rate: u32| grid.iter().filter(move |run| run.setting.rate == rate);
    writeln!(out, "{}", bars("USD per million commands", of(1_000), |figures| figures.price))?;
    let visible = |run: &&Run| run.setting.streams == MANY;
    let seconds = |figures: &ledgerfold_scale::Figures| figures.visible[1].as_secs_f64() * 1_000.0;
    writeln!(out, "{}", bars("99 % visible, ms", grid.iter().filter(visible), seconds))?;
    writeln!(out, "{}\n", table(&special))?;
    for run in grid.iter().filter(visible).chain(&special) {
        writeln!(out, "{}", first_limit(run))?;
    }
    Ok(())
}

fn perform(name: &str, setting: Setting) -> Run {
    let figures = run(&setting);
    Run { name: name.to_owned(), setting, figures }
}

/// Runs that reach a limit on purpose, and the settings that move it.
fn special() -> Vec<(&'static str, Setting)> {
    let tuned = Template { projector_batch: 100, projectors: 200, ..Template::default() };
    let at = |rate| Setting::new(MANY, rate);
    vec![
        ("larger batches, 200 projectors", Setting { template: tuned, ..at(10_000) }),
        ("new tables", Setting { partitions: Some(4), ..at(10_000) }),
        ("one stream gets 20/s", Setting { hot: 0.02, ..at(1_000) }),
        ("one stream gets 100/s", Setting { hot: 0.1, ..at(1_000) }),
        ("one stream gets 300/s", Setting { hot: 0.3, ..at(1_000) }),
        ("one list of all rows", Setting { has_one_list: true, ..at(2_000) }),
    ]
}
