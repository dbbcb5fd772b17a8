//! The observations of a running schedule, for the checker and the report. Rules do not belong here, except those of a
//! single observation.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ledgerfold::{CommandId, command::Answer};

use crate::{domain::accounts::Request, plan::report::Report};

#[derive(Default)]
pub(crate) struct Observations(Mutex<State>);

#[derive(Default)]
struct State {
    /// The counts of the report. Every part adds to them.
    report: Report,
    /// Each command by its id, as its client first sent it. Only clients add to it.
    requests: BTreeMap<CommandId, Request>,
    /// The first answer to each command. Only clients add to it, and later answers must equal it.
    answers: BTreeMap<CommandId, Vec<Answer>>,
    /// Rules that were broken while the schedule ran, in that order.
    violations: Vec<String>,
    /// Whether the final audit found a difference. Only the audit sets it.
    audit_found: bool,
}

impl Observations {
    /// Counts something.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock().report);
    }

    pub(crate) fn report(&self) -> Report {
        self.lock().report
    }

    pub(crate) fn request(&self, request: &Request) {
        self.lock().requests.insert(request.id.clone(), request.clone());
    }

    pub(crate) fn requests(&self) -> BTreeMap<CommandId, Request> {
        self.lock().requests.clone()
    }

    /// An answer that a client got; each later one must be the same.
    pub(crate) fn answer(&self, id: &CommandId, answer: &[Answer]) {
        let mut state = self.lock();
        state.report.answers += 1;
        let first = state.answers.entry(id.clone()).or_insert_with(|| answer.to_vec());
        if first != answer {
            let rule = format!("{id} was answered {}, and then {}", brief(first), brief(answer));
            state.violations.push(rule);
        }
    }

    pub(crate) fn answers(&self) -> BTreeMap<CommandId, Vec<Answer>> {
        self.lock().answers.clone()
    }

    /// The final audit found a difference.
    pub(crate) fn audit_finds(&self, what: &str) {
        let mut state = self.lock();
        state.audit_found = true;
        state.violations.push(format!("the audit finds {what}"));
    }

    pub(crate) fn audit_found(&self) -> bool {
        self.lock().audit_found
    }

    pub(crate) fn violated(&self, rule: String) {
        self.lock().violations.push(rule);
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer in one line.
pub(crate) fn brief(answer: &[Answer]) -> String {
    let parts: Vec<_> = answer
        .iter()
        .map(|part| format!("{} at {} by {} events", part.stream, part.version, part.events.len()))
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}
