//! The choice of the next command of a client. It looks at the true books, so that most commands name something that
//! exists.

use banking::{
    commands::{
        AccountCommand, Amount, CaptureHold, CloseAccount, Deposit, FreezeAccount, MakeTransfer,
        Making, OpenAccount, PlaceHold, Releasing, Reversing, SendTransfer, SetLimits,
        UnfreezeAccount, Withdraw,
    },
    domain::{Hold, Transfer, hold::HoldStatus, settlement},
};
use banking_events::LegAccount;
use ledgerfold::{
    Caller, Category, CommandId, EntityId, StreamId, Subject, TenantId, ports::Clock,
};
use ledgerfold_simulator::Scheduler;
use money::CurrentCurrency;

use crate::{
    books::Books,
    request::{Ask, Request},
};

/// The accounts of each tenant. Both tenants have accounts with the same ids.
pub(crate) const ACCOUNTS: usize = 5;
/// The first accounts are in euros, and the others in yen.
const IN_EURO: usize = 3;
/// The tenants.
pub(crate) const TENANTS: [&str; 2] = ["north", "south"];

/// Draws the commands of a client.
pub(crate) struct Draw<'a> {
    pub(crate) scheduler: &'a Scheduler,
    pub(crate) books: &'a Books,
    pub(crate) tenant: TenantId,
    /// The name of the command, which is part of every id.
    pub(crate) name: String,
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("letters")
}

fn id(text: &str) -> EntityId {
    EntityId::new(text).expect("letters, digits and dashes")
}

fn account(number: usize) -> EntityId {
    id(&format!("a{number}"))
}

fn currency(number: usize) -> CurrentCurrency {
    if number < IN_EURO {
        return CurrentCurrency::EURO;
    }
    serde_json::from_str("\"JPY\"").expect("a current currency")
}

impl Draw<'_> {
    fn stream(&self, category: &'static str, id: EntityId) -> StreamId {
        StreamId::new(self.tenant.clone(), Category::from_static(category), id)
    }

    /// A manager of the tenant.
    fn caller(&self) -> Caller {
        let subject = Subject::new("manager").expect("visible ASCII");
        Caller { tenant: self.tenant.clone(), subject, ..Caller::anonymous() }
    }

    fn request(&self, streams: Vec<StreamId>, ask: Ask) -> Request {
        let id = format!("{}.{}", self.tenant, self.name);
        let id = CommandId::new(id).expect("visible ASCII");
        Request { id, caller: self.caller(), streams, ask }
    }

    fn making<C>(&self, account: EntityId, command: C) -> Making<C> {
        Making { account, id: id(&self.name), command }
    }

    fn own(&self) -> StreamId {
        self.stream("transfer", id(&self.name))
    }

    fn settlement(&self, in_currency: CurrentCurrency) -> StreamId {
        settlement::stream_of(self.tenant.clone(), &id(&self.name), in_currency.into())
    }

    fn amount(&self, most: usize, of: usize) -> Amount {
        let amount = i64::try_from(1 + self.scheduler.below(most)).unwrap_or(1);
        // Now and then in the wrong currency.
        let of = if self.scheduler.chance(3) { ACCOUNTS - 1 - of } else { of };
        Amount { amount, currency: currency(of) }
    }

    pub(crate) fn open(&self, number: usize) -> Request {
        let overdraft_limit = if number.is_multiple_of(2) { 0 } else { 30 };
        let owner_id = id("o-1");
        let open = OpenAccount { owner_id, currency: currency(number), overdraft_limit };
        self.of_account(number, open.into())
    }

    pub(crate) fn deposit(&self, number: usize, most: usize) -> Request {
        let amount = self.amount(most, number);
        let streams = vec![
            self.stream("account", account(number)),
            self.settlement(amount.currency),
            self.own(),
        ];
        let deposit = Deposit { amount, reference: self.name.clone() };
        self.request(streams, Ask::Deposit(self.making(account(number), deposit)))
    }

    fn of_account(&self, number: usize, command: AccountCommand) -> Request {
        self.request(vec![self.stream("account", account(number))], Ask::Account(command))
    }

    /// The next command of a client.
    pub(crate) fn next(&self) -> Request {
        let first = self.scheduler.below(ACCOUNTS);
        match self.scheduler.below(100) {
            0..=9 => self.deposit(first, 100),
            10..=19 => self.withdraw(first),
            20..=38 => self.transfer(),
            39..=44 => self.send(),
            45..=61 => self.hold(first),
            62..=78 => self.capture().unwrap_or_else(|| self.hold(first)),
            79..=84 => self.release().unwrap_or_else(|| self.hold(first)),
            85..=90 => self.reverse().unwrap_or_else(|| self.transfer()),
            91..=94 => self.limit(first),
            95..=96 => self.of_account(first, FreezeAccount { reason: self.name.clone() }.into()),
            97..=98 => self.of_account(first, UnfreezeAccount { reason: self.name.clone() }.into()),
            _ => self.of_account(first, CloseAccount { reason: self.name.clone() }.into()),
        }
    }

    fn withdraw(&self, number: usize) -> Request {
        let amount = self.amount(60, number);
        let streams = vec![
            self.stream("account", account(number)),
            self.settlement(amount.currency),
            self.own(),
        ];
        let withdraw = Withdraw { amount, reference: self.name.clone() };
        self.request(streams, Ask::Withdraw(self.making(account(number), withdraw)))
    }

    /// A transfer between two of few accounts, so that transfers cross.
    fn transfer(&self) -> Request {
        let (from, to) = self.pair();
        let amount = self.amount(60, from);
        let streams = vec![
            self.stream("account", account(from)),
            self.stream("account", account(to)),
            self.own(),
        ];
        let reference = self.name.clone();
        let transfer =
            MakeTransfer { from: account(from), to: account(to), amount, reference, to_bank: None };
        self.request(streams, Ask::Transfer(self.making(account(from), transfer)))
    }

    /// A transfer to the other tenant, now and then to an account that nobody has.
    fn send(&self) -> Request {
        let (from, to) = self.pair();
        let to = if self.scheduler.chance(10) { ACCOUNTS } else { to };
        let amount = self.amount(60, from);
        let other = TENANTS.into_iter().find(|name| *name != self.tenant.as_str());
        let to_bank = tenant(other.unwrap_or_default());
        let (reference, to_account) = (self.between_tenants(), account(to));
        let (from, to) = (account(from), to_account);
        let streams = vec![self.stream("account", from.clone()), self.own()];
        let transfer = MakeTransfer { from: from.clone(), to, amount, reference, to_bank: None };
        self.request(streams, Ask::Send(self.making(from, SendTransfer { to_bank, transfer })))
    }

    /// A reference that the other tenant does not use.
    fn between_tenants(&self) -> String {
        format!("{} of {}", self.name, self.tenant)
    }

    /// Two accounts, mostly of one currency.
    fn pair(&self) -> (usize, usize) {
        let from = self.scheduler.below(ACCOUNTS);
        (from, self.other_than(from))
    }

    fn other_than(&self, from: usize) -> usize {
        let others: Vec<_> = (0..ACCOUNTS)
            .filter(|other| *other != from && (*other < IN_EURO) == (from < IN_EURO))
            .collect();
        if self.scheduler.chance(4) {
            return (from + IN_EURO) % ACCOUNTS;
        }
        others[self.scheduler.below(others.len())]
    }

    fn hold(&self, number: usize) -> Request {
        let longest = [60, 3_600, 24 * 3_600, 7 * 24 * 3_600];
        let longest = longest[self.scheduler.below(longest.len())];
        let expires_in = 1 + u64::try_from(self.scheduler.below(longest)).unwrap_or(0);
        let amount = self.amount(60, number);
        let streams =
            vec![self.stream("account", account(number)), self.stream("hold", id(&self.name))];
        let hold = PlaceHold { amount, reference: self.name.clone(), expires_in };
        self.request(streams, Ask::Hold(self.making(account(number), hold)))
    }

    /// One of the holds of the tenant, mostly one that is open.
    fn some_hold(&self) -> Option<(&StreamId, &Hold)> {
        let now = self.scheduler.now();
        let is_open = |hold: &Hold| hold.status(now) == HoldStatus::Open;
        let mut holds: Vec<(&StreamId, &Hold)> = Vec::new();
        for (stream, hold) in Books::of_tenant(&self.books.holds, &self.tenant) {
            holds.extend(hold.as_ref().map(|hold| (stream, hold)));
        }
        if self.scheduler.chance(85) {
            holds.retain(|(_, hold)| is_open(hold));
        }
        holds.get(self.scheduler.below(holds.len())).copied()
    }

    fn capture(&self) -> Option<Request> {
        let (stream, hold) = self.some_hold()?;
        let from = hold.placed.account.clone();
        let number = from.as_str().strip_prefix('a')?.parse().ok()?;
        let to = account(self.other_than(number));
        // A part, or all of the rest.
        let amount = self.scheduler.chance(60).then(|| self.amount(30, number));
        let streams = vec![
            self.stream("account", from.clone()),
            self.stream("account", to.clone()),
            stream.clone(),
            self.own(),
        ];
        let capture = CaptureHold { hold: stream.id().clone(), to, amount };
        Some(self.request(streams, Ask::Capture(self.making(from, capture))))
    }

    fn release(&self) -> Option<Request> {
        let (stream, hold) = self.some_hold()?;
        let account = hold.placed.account.clone();
        let streams = vec![self.stream("account", account.clone()), stream.clone()];
        let hold = stream.id().clone();
        Some(self.request(streams, Ask::Release(Releasing { account, hold })))
    }

    fn reverse(&self) -> Option<Request> {
        let mut transfers: Vec<(&StreamId, &Transfer)> = Vec::new();
        for (stream, transfer) in Books::of_tenant(&self.books.transfers, &self.tenant) {
            transfers.extend(transfer.as_ref().map(|transfer| (stream, transfer)));
        }
        let (original, transfer) = transfers.get(self.scheduler.below(transfers.len())).copied()?;
        let reversing = Reversing {
            original: original.id().clone(),
            id: id(&self.name),
            reason: self.between_tenants(),
        };
        if transfer.is_between_banks() {
            let sent = transfer.sent.as_ref().map(|sent| sent.from.clone());
            let credited = transfer.made.as_ref().and_then(|made| match &made.to {
                LegAccount::Customer(id) => Some(id.clone()),
                LegAccount::Settlement(_) => None,
            });
            let account = self.stream("account", sent.or(credited)?);
            let streams = vec![account, original.clone(), self.own()];
            return Some(self.request(streams, Ask::ReverseBetweenBanks(reversing)));
        }
        let made = transfer.made.as_ref()?;
        let parts = match (&made.to, &made.from) {
            (LegAccount::Customer(from), LegAccount::Customer(to)) => {
                let streams = [from, to].map(|id| self.stream("account", id.clone()));
                return Some(self.request(
                    [&streams[..], &[original.clone(), self.own()]].concat(),
                    Ask::ReverseBetween(reversing),
                ));
            }
            (LegAccount::Customer(account), LegAccount::Settlement(bank))
            | (LegAccount::Settlement(bank), LegAccount::Customer(account)) => (account, bank),
            (LegAccount::Settlement(_), LegAccount::Settlement(_)) => return None,
        };
        let (account, bank) = parts;
        let streams = vec![
            self.stream("account", account.clone()),
            self.stream("settlement", bank.clone()),
            original.clone(),
            self.own(),
        ];
        Some(self.request(streams, Ask::ReverseWithTheBank(reversing)))
    }

    fn limit(&self, number: usize) -> Request {
        let daily = self.scheduler.chance(80).then(|| self.amount(150, number));
        self.of_account(number, SetLimits { daily }.into())
    }
}
