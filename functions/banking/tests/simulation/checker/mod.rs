//! The rules, which are asked after every commit and in the end. They know neither clients nor functions.
//!
//! The checker folds the events into books of its own ([`facts`]), and never asks the product for a sum.

mod facts;
mod legs;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use banking::commands::{AccountCommand, ReleaseExpiredHolds};
use banking::domain::Accounts;
use ledgerfold::{
    Caller, CommandId, Decider, DecisionContext, StreamId, TenantId, Version, command::Answer,
    vocabulary::Commit,
};

use crate::{
    books::{Books, Kept, encoded},
    request::{Request, Stored},
};
use facts::Facts;

/// The command of a deadline.
const OF_A_DEADLINE: &str = "ReleaseExpiredHolds";

/// A rule of the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The legs of a transfer and its record are in one transaction, and their sum is zero.
    TransfersAreWhole,
    /// The sum over all streams of a tenant and a currency is zero.
    MoneyStaysTheSame,
    /// Every commit is the decision of its command on the states just before.
    EachIsDecidedOnItsMoment,
    /// No debit and no hold makes the available amount negative.
    NothingIsOverdrawn,
    /// What was captured and released of a hold is at most its amount.
    HoldsAreNotExceeded,
    /// A capture was decided before its hold expired.
    ExpiredHoldsAreNotCaptured,
    /// The use of a daily limit is what left and was reserved on that day, without what came back.
    LimitsAreExact,
    /// The balance after a leg is the balance before it and the leg.
    BalancesChain,
    /// The booking dates of a stream never go back.
    BookingDatesNeverGoBack,
    /// A command takes effect once.
    EffectsAreSingle,
    /// An answer names the events of its command, each time.
    AnswersAreTrue,
    /// In the end no transfer between banks is pending, and the banks owe each other the same.
    BanksAgree,
    /// A command changes streams of its own tenant only.
    TenantsAreSeparate,
    /// The log has all commits and no others, without gaps.
    NothingIsLost,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    pub(crate) detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.detail)
    }
}

/// A commit, or all commits of a transaction, with the command behind it.
pub(crate) struct Effect<'a> {
    /// `None` for the command of a deadline.
    pub(crate) request: Option<&'a Request>,
    pub(crate) commits: &'a [Commit],
}

/// The findings so far, and the checker's own books.
#[derive(Default)]
pub(crate) struct Checker {
    findings: Vec<Finding>,
    facts: Facts,
    /// All commits, for the comparison with the log.
    commits: Vec<Commit>,
    /// The answer to each command that took effect.
    effects: BTreeMap<CommandId, Vec<Answer>>,
    /// The references of new transfers. Each client uses one once.
    references: BTreeSet<(TenantId, String)>,
}

impl Checker {
    pub(crate) fn finds(&mut self, rule: Rule, detail: String) {
        self.findings.push(Finding { rule, detail });
    }

    /// The rules of an effect, on the states just before it.
    pub(crate) fn check(&mut self, before: &Books, effect: &Effect<'_>) {
        self.commits.extend(effect.commits.iter().cloned());
        self.check_decision(before, effect);
        self.check_single(effect);
        self.check_tenants(effect);
        legs::check(self, effect.commits);
        for commit in effect.commits {
            for finding in self.facts.apply(commit) {
                self.findings.push(finding);
            }
        }
        for finding in self.facts.check_sum() {
            self.findings.push(finding);
        }
    }

    /// The rules of the states after an effect.
    pub(crate) fn check_states(&mut self, after: &Books, commits: &[Commit]) {
        for commit in commits {
            let account = after.accounts.get(commit.stream()).and_then(Option::as_ref);
            let Some(account) = account else { continue };
            self.findings.extend(self.facts.check_account(commit.stream(), account));
        }
    }

    fn check_decision(&mut self, before: &Books, effect: &Effect<'_>) {
        let Some(first) = effect.commits.first() else { return };
        let id = &first.command().id;
        let at = first.metadata().recorded_at;
        let decided = match effect.request {
            Some(request) => request.decide(before, at).map_err(|refusal| refusal.to_string()),
            None if first.command().name.as_str() == OF_A_DEADLINE => decide_expiry(before, first),
            None => Err("nobody asked for it".to_owned()),
        };
        let stored: Stored = effect.commits.iter().map(stored).collect();
        match decided {
            Ok(expected) if expected == stored => {}
            Ok(expected) => {
                let detail = format!("{id} should have made {expected:?}, and made {stored:?}");
                self.finds(Rule::EachIsDecidedOnItsMoment, detail);
            }
            Err(reason) => {
                let detail = format!("{id} made {stored:?}, and should not: {reason}");
                self.finds(Rule::EachIsDecidedOnItsMoment, detail);
            }
        }
    }

    fn check_single(&mut self, effect: &Effect<'_>) {
        let Some(first) = effect.commits.first() else { return };
        let id = first.command().id.clone();
        let answers = effect.commits.iter().map(Answer::from).collect();
        if self.effects.insert(id.clone(), answers).is_some() {
            self.finds(Rule::EffectsAreSingle, format!("{id} took effect twice"));
        }
    }

    /// A reference names one transfer, whatever the ids of its attempts.
    fn check_reference(&mut self, tenant: &TenantId, reference: &str) {
        if !self.references.insert((tenant.clone(), reference.to_owned())) {
            let detail = format!("{reference} of {tenant} was made twice");
            self.finds(Rule::EffectsAreSingle, detail);
        }
    }

    fn check_tenants(&mut self, effect: &Effect<'_>) {
        let Some(first) = effect.commits.first() else { return };
        let tenant = match effect.request {
            Some(request) => &request.caller.tenant,
            None => first.stream().tenant(),
        };
        if effect.commits.iter().any(|commit| commit.stream().tenant() != tenant) {
            let id = &first.command().id;
            let detail = format!("{id} of a caller of {tenant} changed another tenant");
            self.finds(Rule::TenantsAreSeparate, detail);
        }
    }

    /// The rules of the whole log.
    pub(crate) fn close(
        &mut self,
        books: &Books,
        answers: &BTreeMap<CommandId, Vec<Answer>>,
        log: &[Commit],
    ) -> Vec<Finding> {
        for (id, answer) in answers {
            if self.effects.get(id) != Some(answer) {
                let detail = format!("{id} was answered {answer:?}, which is not in the log");
                self.finds(Rule::AnswersAreTrue, detail);
            }
        }
        self.commits.sort_by(|one, other| place(one).cmp(&place(other)));
        if self.commits != log {
            self.finds(Rule::NothingIsLost, "the log is not what was appended to it".to_owned());
        }
        self.findings.extend(self.facts.check_holds(books));
        self.findings.extend(self.facts.check_banks(books));
        self.findings.clone()
    }
}

fn place(commit: &Commit) -> (&StreamId, Version) {
    (commit.stream(), commit.from())
}

/// The events of a commit as they are stored.
fn stored(commit: &Commit) -> (StreamId, Vec<String>) {
    let events = commit.events().map(|(_, event)| event.data.as_str().to_owned());
    (commit.stream().clone(), events.collect())
}

/// The effect of the deadline's command on the account of this commit.
fn decide_expiry(before: &Books, commit: &Commit) -> Result<Stored, String> {
    let stream = commit.stream();
    let command = AccountCommand::from(ReleaseExpiredHolds {});
    let caller = Caller { tenant: stream.tenant().clone(), ..Caller::anonymous() };
    let context = DecisionContext { at: commit.metadata().recorded_at, caller: &caller };
    let events = Accounts::decide(Accounts::of(before, stream), &command, &context);
    let events = events.map_err(|refusal| refusal.to_string())?;
    Ok(vec![(stream.clone(), encoded(&events))])
}
