//! The observations of a running schedule: requests, effects in their true order, and answers. Each effect is checked at
//! its moment; the rules themselves belong to `checker`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use banking::{
    domain::BankingRejection,
    process::{HoldExpiry, InterbankTransfers},
};
use banking_events::AccountEvent;
use ledgerfold::{
    Caller, CommandId, Envelope, Rejection, Timestamp,
    command::{Answer, CommandError},
    ports::{Cause, Deadline, DeadlineKey},
    process::{ProcessManager, Reaction},
    vocabulary::Commit,
};
use ledgerfold_simulator::{Effects, Scheduler, Signal};

use crate::{
    books::Books,
    checker::{Checker, Effect, Finding, Rule},
    clients::is_effect,
    interbank::steps,
    request::{Ask, Request},
};

/// Everything that happened in a schedule. Clones share it.
#[derive(Clone)]
pub(crate) struct Ledger {
    /// A mutex, because effects come while clients ask. No lock is held across a turn.
    state: Arc<Mutex<State>>,
    /// Wakes the deadlines when a hold was placed.
    deadline_came: Signal,
    /// Wakes the process of transfers between banks.
    message_came: Signal,
}

#[derive(Default)]
pub(crate) struct State {
    /// The states before the next effect.
    books: Books,
    checker: Checker,
    /// Each command by its id, as its client first sent it.
    requests: BTreeMap<CommandId, Request>,
    /// The first answer to each accepted command. Later ones must equal it.
    answers: BTreeMap<CommandId, Vec<Answer>>,
    /// The deadlines that nobody has taken yet.
    deadlines: VecDeque<Deadline>,
    /// The messages of the process of transfers between banks that nobody has taken yet, and all of them.
    messages: VecDeque<Envelope>,
    all_messages: Vec<Envelope>,
    /// The steps of this process, by the event that they follow from.
    steps: BTreeMap<String, Request>,
    /// How often something happened, for the report.
    counts: BTreeMap<String, usize>,
}

impl Ledger {
    pub(crate) fn new(scheduler: &Scheduler) -> Self {
        let (deadline_came, message_came) = (scheduler.signal(), scheduler.signal());
        Self { state: Arc::default(), deadline_came, message_came }
    }

    /// Looks at the true books.
    pub(crate) fn with_books<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        look(&self.lock().books)
    }

    pub(crate) fn count(&self, what: &str) {
        self.lock().count(what);
    }

    /// A client sends a command for the first time.
    pub(crate) fn asked(&self, request: &Request) {
        self.lock().requests.insert(request.id.clone(), request.clone());
    }

    /// A client was answered. Each later answer must be the same.
    pub(crate) fn answered(&self, request: &Request, answers: &[Answer]) {
        let mut state = self.lock();
        state.count("answered");
        if !is_effect(answers) {
            // A command without an effect is not remembered.
            return;
        }
        let id = &request.id;
        let first = state.answers.entry(id.clone()).or_insert_with(|| answers.to_vec());
        if first != answers {
            let detail = format!("{id} was answered {first:?}, and then {answers:?}");
            state.checker.finds(Rule::AnswersAreTrue, detail);
        }
    }

    /// A client was refused. What was accepted once is never refused.
    pub(crate) fn refused(&self, request: &Request, refusal: &CommandError<BankingRejection>) {
        let mut state = self.lock();
        let is_foreign = request.caller.tenant != *request.streams[0].tenant();
        match refusal {
            CommandError::Rejected(rejection) => state.count(rejection.rule()),
            CommandError::Hidden if is_foreign => state.count("hidden"),
            CommandError::SameStream { .. } => {}
            refusal => {
                let detail = format!("{} failed: {refusal}", request.id);
                state.checker.finds(Rule::AnswersAreTrue, detail);
            }
        }
        if state.answers.contains_key(&request.id) {
            let detail = format!("{} was accepted once, and then refused: {refusal}", request.id);
            state.checker.finds(Rule::AnswersAreTrue, detail);
        }
    }

    /// The accepted commands.
    pub(crate) fn accepted(&self) -> Vec<Request> {
        let state = self.lock();
        state.answers.keys().filter_map(|id| state.requests.get(id).cloned()).collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Deadline> {
        self.lock().deadlines.pop_front()
    }

    pub(crate) async fn deadline_came(&self) {
        self.deadline_came.wait().await;
    }

    pub(crate) fn next_message(&self) -> Option<Envelope> {
        self.lock().messages.pop_front()
    }

    pub(crate) async fn message_came(&self) {
        self.message_came.wait().await;
    }

    /// Delivers every message once more.
    pub(crate) fn repeat_messages(&self) {
        let mut state = self.lock();
        let all = state.all_messages.clone();
        state.messages.extend(all);
        drop(state);
        self.message_came.notify();
    }

    /// The broken rules, and the counts. The log is compared with its effects.
    pub(crate) fn close(&self, log: &[Commit]) -> (Vec<Finding>, BTreeMap<String, usize>) {
        let mut state = self.lock();
        let State { books, checker, answers, counts, .. } = &mut *state;
        let findings = checker.close(books, answers, log);
        (findings, counts.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    fn took_effect(&mut self, commits: &[Commit]) {
        let Some(first) = commits.first() else { return };
        let step = self.steps.get(first.metadata().causation_id.as_str());
        let request = self.requests.get(&first.command().id).or(step);
        let is_return = matches!(request.map(|it| &it.ask), Some(Ask::ReverseBetweenBanks(_)));
        let name = first.command().name.to_string();
        let effect = Effect { request, commits };
        self.checker.check(&self.books, &effect);
        for commit in commits {
            if let Err(reason) = self.books.apply(commit) {
                self.checker.finds(Rule::NothingIsLost, reason);
            }
        }
        self.checker.check_states(&self.books, commits);
        self.count(&name);
        if is_return {
            self.count("sent back to another bank");
        }
    }

    /// Keeps the messages of the process of transfers between banks, with the steps that follow from them.
    fn note_messages(&mut self, commit: &Commit) {
        for envelope in commit.envelopes() {
            for (streams, step) in steps(&envelope) {
                let caller =
                    Caller::process(&InterbankTransfers::NAME, streams[0].tenant().clone());
                let id = envelope.command_id.clone();
                let request = Request { id, caller, streams: streams.into(), ask: Ask::Step(step) };
                self.steps.insert(envelope.event.id.to_string(), request);
                self.messages.push_back(envelope.clone());
                self.all_messages.push(envelope.clone());
            }
        }
    }

    fn schedule(&mut self, commit: &Commit) -> Option<()> {
        for envelope in commit.envelopes() {
            for recorded in envelope.open::<AccountEvent>().ok()? {
                for reaction in HoldExpiry::react(&recorded, &()) {
                    let Reaction::Schedule { stream, name, due } = reaction else { continue };
                    let key = DeadlineKey { process: HoldExpiry::NAME, stream, name };
                    self.deadlines.push_back(Deadline { key, due, cause: Cause::of(&envelope) });
                }
            }
        }
        Some(())
    }
}

impl Effects for Ledger {
    fn committed(&self, _: Timestamp, commits: &[Commit]) {
        let mut state = self.lock();
        state.took_effect(commits);
        for commit in commits {
            // Commits of other streams have no events of accounts.
            let _ = state.schedule(commit);
            state.note_messages(commit);
        }
        let has_messages = !state.messages.is_empty();
        let has_deadlines = !state.deadlines.is_empty();
        drop(state);
        if has_deadlines {
            self.deadline_came.notify();
        }
        if has_messages {
            self.message_came.notify();
        }
    }

    fn was_busy(&self) {
        self.count("met a transaction");
    }
}
