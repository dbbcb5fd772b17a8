//! Rules of domains that seal: what they may claim, and who may send to them.

use std::sync::Arc;

use ledgerfold::{
    Caller, Category, Claim, Command, CommandId, CommandName, Decider, DecisionContext, EntityId,
    ProcessName, Recorded, StreamId,
    command::{
        CommandError, CommandHandler, CommandRequest, JointDecider, JointHandler, JointRequest,
    },
    context::{CommandPorts, Context, Contradiction},
    ports::{DeadlineKey, EventStore, KeyReader, Keyring},
    process::{CommandOf, OnRefusal, ProcessManager, Reaction},
    sealed::{Keyed, Plain},
};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, SeededRandom,
    bank::{Account, AccountEvent, AccountRejection, Accounts, Opened, address_claims},
    clinic::{self, PatientEvent, Patients},
    keys_of,
};
use serde::Serialize;

/// Opens an account with an address that is personal data.
#[derive(Clone, Debug, Serialize)]
struct Open(Plain<String>);

impl Command for Open {
    fn name(&self) -> CommandName {
        CommandName::from_static("Open")
    }
}

/// A domain that seals, and yet stores the address and reserves it in clear.
struct Careless;

impl Decider for Careless {
    type Command = Keyed<Open>;
    type Event = AccountEvent;
    type State = ();
    type Rejection = AccountRejection;
    const CATEGORY: Category = Category::from_static("account");

    fn initial() {}

    fn evolve((): (), _: &AccountEvent) {}

    fn decide(
        (): &(),
        command: &Keyed<Open>,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        Ok(vec![Opened { email: command.command().0.expose().clone() }.into()])
    }

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        address_claims(event)
    }
}

/// The same over the streams of a domain that does not seal.
struct CarelessPair;

impl JointDecider for CarelessPair {
    type Command = Keyed<Open>;
    type Parts = (Accounts, Accounts);
    type Rejection = AccountRejection;

    fn decide(
        _: (&Account, &Account),
        command: &Keyed<Open>,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        let email = command.command().0.expose().clone();
        Ok((vec![Opened { email }.into()], Vec::new()))
    }
}

fn open() -> Keyed<Open> {
    Keyed::new(Open(Plain::new("ada@example.org".to_owned())), keys_of(&["ada"]))
}

fn account(id: &str) -> StreamId {
    StreamId::of_default_tenant(Careless::CATEGORY, EntityId::new(id).expect("an id"))
}

// Guards: unique-keys-of-sealing-domains-are-keyed
#[tokio::test]
async fn a_domain_that_seals_claims_no_key_in_clear() {
    let log = Arc::new(MemoryEventStore::default());
    let clock = Arc::new(ManualClock::default());
    let random = Arc::new(SeededRandom::new(1));
    let id = || CommandId::new("c-1").expect("an id");
    let one = CommandHandler::<Careless>::new(log.clone(), clock.clone(), random.clone());
    let request = CommandRequest::new(Caller::anonymous(), account("ada"), open(), id());
    let alone = one.handle(&request).await.expect_err("the key is in clear");
    let joint = JointHandler::<CarelessPair>::new(log.clone(), clock, random);
    let streams = [account("ada"), account("bob")];
    let request = JointRequest::new(Caller::anonymous(), streams, open(), id());
    let both = joint.handle(&request).await.expect_err("the key is in clear");
    for refusal in [alone, both] {
        assert!(matches!(refusal, CommandError::UnkeyedClaim(_)), "{refusal:?}");
        assert!(!format!("{refusal:?} {refusal}").contains("example.org"), "{refusal:?}");
    }
    assert_eq!(log.commits(), []);
}

/// Sends to patients, for which it has no keys.
struct Reminder;

impl ProcessManager for Reminder {
    type Event = PatientEvent;
    type Target = Patients;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("reminder");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(_: &Recorded<PatientEvent>, (): &()) -> Vec<Reaction<CommandOf<Self>>> {
        Vec::new()
    }

    fn expire(_: &DeadlineKey) -> Option<CommandOf<Self>> {
        None
    }
}

#[test]
fn a_context_seals_if_one_of_its_domains_does() {
    assert!(clinic::context().seals());
    assert!(Context::new("both").decider::<Accounts>().decider::<Patients>().seals());
    assert!(!Context::new("bank").decider::<Accounts>().seals());
    assert_eq!(clinic::context().check(), Ok(()));
    let refused = clinic::context().process_with::<Reminder>(()).check();
    let found = refused.expect_err("a process has no keys").found;
    assert!(matches!(&found[..], [Contradiction::ProcessSeals(name)] if *name == Reminder::NAME));
}

#[tokio::test]
async fn the_ports_of_a_context_that_does_not_seal_say_that_it_has_no_keys() {
    let log: Arc<dyn EventStore> = Arc::new(MemoryEventStore::default());
    let clock = Arc::new(ManualClock::default());
    let ports = CommandPorts::new(log, clock, Arc::new(SeededRandom::new(1)));
    let caller = Caller::anonymous();
    let keys = keys_of(&["ada"]);
    let ada = keys.pseudonym(&keys.subjects()[0]);
    let keyring: &dyn Keyring = &*ports.keyring;
    let refusals = [
        keyring.provide_tenant_key(&caller.tenant).await.map(drop),
        keyring.provide_subject_key(&caller.tenant, &ada).await.map(drop),
        KeyReader::tenant_key(keyring, &caller.tenant).await.map(drop),
        keyring.subject_key(&caller.tenant, &ada).await.map(drop),
    ];
    for refusal in refusals {
        let refusal = refusal.expect_err("there are no keys").to_string();
        assert!(refusal.contains("declare the domain whose commands are `Keyed`"), "{refusal}");
    }
}
