//! The demo's report.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use acceptance::report::{align_right, heading, percentiles, table};
use ledgerfold_testkit::http::Stack;

use super::Options;
use super::banks::Crossed;
use super::compare::Comparison;
use super::generate::Plan;
use super::operation::{ACCEPTED, Operation, Reply, Sends, Step};
use super::send::Outcome;
use crate::client::CONTEXT;
use crate::model::TrialBalance;

pub(super) fn opening(out: &mut impl Write, stack: &Stack, options: &Options) -> io::Result<()> {
    let Options { accounts, operations, workers, seed, .. } = options;
    writeln!(out, "Ledgerfold: a bank through its HTTP API")?;
    if let Some(context) = stack.contexts.get(CONTEXT) {
        writeln!(out, "  service  {}", context.api)?;
    }
    writeln!(
        out,
        "  run      {accounts} accounts, {operations} operations (seed {seed}), {workers} at a time"
    )
}

#[derive(Default)]
struct Tally<'a> {
    by_operation: BTreeMap<&'static str, BTreeMap<Reply, usize>>,
    repeats: usize,
    misused: usize,
    differences: Vec<String>,
    steps: Vec<(&'a Step, &'a Outcome)>,
}

impl Tally<'_> {
    fn count(&mut self) {
        let steps = std::mem::take(&mut self.steps);
        for (number, (step, outcome)) in steps.iter().enumerate() {
            self.repeats += outcome.repeats;
            let wrong = outcome.wrong.iter().map(|wrong| format!("step {number}: {wrong}"));
            self.differences.extend(wrong);
            if let Step::New { operation, expected, sends, .. } = step {
                self.misused += usize::from(*sends == Sends::Misused);
                self.add(number, operation, expected, outcome);
            }
        }
    }

    fn add(
        &mut self,
        number: usize,
        operation: &Operation,
        expected: &BTreeSet<Reply>,
        outcome: &Outcome,
    ) {
        let replies = self.by_operation.entry(operation.name()).or_default();
        *replies.entry(outcome.reply.clone()).or_default() += 1;
        if !expected.contains(&outcome.reply) {
            let expected: Vec<_> = expected.iter().map(Reply::to_string).collect();
            let expected = expected.join(" or ");
            let body = &outcome.answer.body;
            self.differences.push(format!(
                "step {number}, {operation:?}: expected {expected}, got {} {body}",
                outcome.reply
            ));
        }
    }
}

/// Reports the operations. Returns those with an unexpected answer.
pub(super) fn operations(
    out: &mut impl Write,
    plan: &Plan,
    outcomes: &[Outcome],
    took: Duration,
) -> io::Result<Vec<String>> {
    let mut tally = Tally { steps: plan.steps.iter().zip(outcomes).collect(), ..Tally::default() };
    tally.count();
    heading(out, "Operations")?;
    let requests: usize = outcomes.iter().map(|outcome| outcome.took.len()).sum();
    let seconds = took.as_secs_f64();
    let rate = f64::from(u32::try_from(requests).unwrap_or(u32::MAX)) / seconds;
    writeln!(out, "  {requests} requests in {seconds:.1} s, {rate:.0} a second")?;
    let mut replies = table(&["operation", "answer", "count", "reason"]);
    align_right(&mut replies, 2);
    for (operation, counts) in &tally.by_operation {
        for (reply, count) in counts {
            let Reply { status, reason } = reply;
            replies.add_row([*operation, &status.to_string(), &count.to_string(), reason]);
        }
    }
    writeln!(out, "{replies}")?;
    let alike = tally.repeats
        - outcomes
            .iter()
            .filter(|it| it.repeats > 0)
            .map(|it| it.wrong.len().min(it.repeats))
            .sum::<usize>();
    writeln!(
        out,
        "  {} sent again, at once or long after; {alike} of them answered as the first time",
        tally.repeats
    )?;
    writeln!(out, "  {} keys used again for another request", tally.misused)?;
    Ok(tally.differences)
}

/// Reports how many functions died.
pub(super) fn kills(out: &mut impl Write, killed: usize) -> io::Result<()> {
    writeln!(out, "  {killed} processes of functions killed meanwhile")
}

/// Reports the transfers between banks. Returns what differs from their book.
pub(super) fn banks(out: &mut impl Write, crossed: &Crossed) -> io::Result<Vec<String>> {
    let Crossed { settled, refused, differences } = crossed;
    if settled + refused > 0 {
        writeln!(
            out,
            "  transfers between two other banks meanwhile, each sent twice: {settled} settled, {refused} refused"
        )?;
    }
    Ok(differences.clone())
}

/// Reports the money of each currency. Returns the currencies with a difference.
pub(super) fn money(
    out: &mut impl Write,
    plan: &Plan,
    comparison: &Comparison,
    trial: &TrialBalance,
    baseline: &BTreeMap<String, i64>,
) -> io::Result<Vec<String>> {
    heading(out, "Money: paid in minus paid out is on accounts, and all balances sum to 0")?;
    let header = ["currency", "paid in", "paid out", "in − out", "accounts", "settlement", "sum"];
    let mut rows = table(&header);
    (1..header.len()).for_each(|column| align_right(&mut rows, column));
    let mut differences = Vec::new();
    for (currency, (paid_in, paid_out)) in plan.book.outside() {
        let totals = trial.of(currency);
        let accounts = comparison.balances.get(currency).copied().unwrap_or_default();
        let show = |minor| acceptance::report::money(minor, currency);
        let sums = [paid_in, paid_out, paid_in - paid_out, accounts, totals.settlement];
        let mut row = vec![currency.to_owned()];
        row.extend(sums.map(show));
        row.push(show(totals.difference));
        rows.add_row(row);
        let before = baseline.get(currency).copied().unwrap_or_default();
        if accounts != paid_in - paid_out || -totals.settlement != accounts + before {
            differences.push(format!("the money in {currency} does not add up"));
        }
    }
    writeln!(out, "{rows}")?;
    Ok(differences)
}

/// Reports everything that was compared with the book.
pub(super) fn comparison(out: &mut impl Write, plan: &Plan, found: &Comparison) -> io::Result<()> {
    heading(out, "The service beside the book")?;
    let mut rows = table(&["", "in the book", "equal"]);
    (1..3).for_each(|column| align_right(&mut rows, column));
    let accounts = plan.book.accounts.len();
    let entries: usize = plan.book.accounts.iter().map(|account| account.entries.len()).sum();
    let transfers = plan.book.transfers.len();
    for (name, expected, equal) in [
        ("accounts: balance, holds, available, entries, statements", accounts, found.accounts),
        ("entries", entries, found.entries),
        ("transfers with each leg exactly once", transfers, found.transfers),
    ] {
        rows.add_row([name.to_owned(), expected.to_string(), equal.to_string()]);
    }
    writeln!(out, "{rows}")?;
    writeln!(
        out,
        "  {} statements lead from their opening to their closing; {} transfers read by id",
        found.statements, found.read_transfers
    )
}

pub(super) fn latencies(
    out: &mut impl Write,
    outcomes: &[Outcome],
    queries: &[Duration],
) -> io::Result<()> {
    heading(out, "Latency, in milliseconds")?;
    let mut rows = table(&["", "count", "p50", "p90", "p99", "longest"]);
    (1..6).for_each(|column| align_right(&mut rows, column));
    let accepted = |it: &&Outcome| it.reply.reason == ACCEPTED;
    let refused = |it: &&Outcome| it.reply.reason != ACCEPTED;
    let took = |it: &Outcome| it.took.clone();
    rows.add_row(percentiles(
        "accepted",
        outcomes.iter().filter(accepted).flat_map(took).collect(),
    ));
    rows.add_row(percentiles("refused", outcomes.iter().filter(refused).flat_map(took).collect()));
    rows.add_row(percentiles("queries", queries.to_vec()));
    writeln!(out, "{rows}")
}
