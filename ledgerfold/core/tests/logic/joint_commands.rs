//! Tests of joint commands that create a stream, and of those that expect a version.

use std::sync::Arc;

use ledgerfold::{
    Command, CommandId, CommandName, DecisionContext, StreamId, Version,
    command::{
        Answer, CommandError, JointDecider, JointHandler, JointRequest, Loader, StreamReader,
    },
    vocabulary::IDEMPOTENCY_WINDOW,
};
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address, tester};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountEvent, AccountRejection, Accounts, Deposited, Opened, Transfer,
    Transfers, Withdrawn,
};
use ledgerfold_testkit::{ManualClock, MemoryEventStore, SeededRandom};
use serde::Serialize;

/// Opens a second account with money of the first.
struct Sponsors;

#[derive(Clone, Debug, Serialize)]
struct Sponsor {
    email: String,
    amount: u64,
}

impl Command for Sponsor {
    fn name(&self) -> CommandName {
        CommandName::from_static("Sponsor")
    }
}

impl JointDecider for Sponsors {
    type Command = Sponsor;
    type Parts = (Accounts, Accounts);
    type Rejection = AccountRejection;

    fn decide(
        (from, to): (&Account, &Account),
        Sponsor { email, amount }: &Sponsor,
        _: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        let amount = *amount;
        match (&from.email, &to.email) {
            (None, _) => Err(AccountRejection::NotOpen),
            (_, Some(_)) => Err(AccountRejection::Open),
            _ if from.balance < amount => Err(AccountRejection::TooLittle),
            _ => Ok((
                vec![Withdrawn { amount }.into()],
                vec![Opened { email: email.clone() }.into(), Deposited { amount }.into()],
            )),
        }
    }
}

type Outcome = Result<Vec<Answer>, CommandError<AccountRejection>>;

struct Bank {
    log: Arc<MemoryEventStore>,
    from: StreamId,
}

impl Bank {
    async fn open() -> Self {
        let bank = Self { log: Arc::default(), from: fresh() };
        bank.run(&bank.from, "open", AccountCommand::Open(fresh_address())).await;
        bank.run(&bank.from, "first", AccountCommand::Deposit(900)).await;
        bank
    }

    async fn run(&self, stream: &StreamId, attempt: &str, command: AccountCommand) {
        let clock = Arc::new(ManualClock::default());
        let random = Arc::new(SeededRandom::new(1));
        let handler =
            ledgerfold::command::CommandHandler::<Accounts>::new(self.log.clone(), clock, random);
        handler.handle(&ask(stream, attempt, command)).await.expect("the command is accepted");
    }

    fn joint<J: JointDecider>(&self) -> JointHandler<J> {
        let clock = Arc::new(ManualClock::default());
        let random = Arc::new(SeededRandom::new(1));
        JointHandler::new(self.log.clone(), clock, random)
    }

    fn sponsor(&self, to: &StreamId, attempt: &str, sponsor: Sponsor) -> JointRequest<Sponsors> {
        let id = CommandId::new(attempt).expect("visible ASCII");
        let streams = [self.from.clone(), to.clone()];
        JointRequest::new(tester(to), streams, sponsor, id).creating(to.clone())
    }

    async fn send(&self, request: &JointRequest<Sponsors>) -> Outcome {
        self.joint().handle(request).await
    }

    fn transfer(&self, to: &StreamId, amount: u64) -> JointRequest<Transfers> {
        let id = CommandId::new(format!("transfer-{amount}")).expect("visible ASCII");
        JointRequest::new(tester(to), [self.from.clone(), to.clone()], Transfer(amount), id)
    }

    async fn balance(&self, stream: &StreamId) -> u64 {
        let loaded = Loader::<Accounts>::new().load(&*self.log, stream).await;
        loaded.expect("the read succeeds").state().balance
    }
}

// Guards: the-same-request-has-the-same-identity
#[tokio::test]
async fn a_command_is_recognised_for_ever_by_the_stream_that_it_creates() {
    let bank = Bank::open().await;
    let to = fresh();
    let email = fresh_address();
    let sponsor = |amount| bank.sponsor(&to, "s", Sponsor { email: email.clone(), amount });
    let first = bank.send(&sponsor(400)).await.expect("there is enough");
    // Both accounts forget the command: they have snapshots, and the window is full of others.
    for attempt in 0..IDEMPOTENCY_WINDOW + 30 {
        for stream in [&bank.from, &to] {
            bank.run(stream, &format!("d{attempt}"), AccountCommand::Deposit(1)).await;
        }
    }
    let commits = bank.log.commits().len();
    assert_eq!(bank.send(&sponsor(400)).await.expect("it was accepted before"), first);
    let reused = bank.send(&sponsor(401)).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    assert_eq!(bank.log.commits().len(), commits);
}

#[tokio::test]
async fn a_stream_that_a_command_creates_costs_no_read() {
    let bank = Bank::open().await;
    let to = fresh();
    let email = fresh_address();
    let sponsor = |amount| bank.sponsor(&to, "s", Sponsor { email: email.clone(), amount });
    let reads = bank.log.reads();
    let refused = bank.send(&sponsor(1_000)).await;
    assert!(matches!(refused, Err(CommandError::Rejected(AccountRejection::TooLittle))));
    assert_eq!(bank.log.reads() - reads, 3, "both reads of the first account, one of the new one");
    let reads = bank.log.reads();
    bank.send(&sponsor(400)).await.expect("there is enough");
    assert_eq!(bank.log.reads() - reads, 1);
}

#[tokio::test]
async fn a_wrong_guess_about_a_new_stream_changes_no_outcome() {
    let bank = Bank::open().await;
    let to = fresh();
    let email = fresh_address();
    bank.run(&to, "open", AccountCommand::Open(fresh_address())).await;
    let sponsor = bank.sponsor(&to, "s", Sponsor { email, amount: 400 });
    let refused = bank.send(&sponsor).await;
    assert!(matches!(refused, Err(CommandError::Rejected(AccountRejection::Open))), "{refused:?}");

    let transfer = bank.transfer(&to, 400).creating(to.clone());
    bank.joint().handle(&transfer).await.expect("both accounts are open");
    assert_eq!((bank.balance(&bank.from).await, bank.balance(&to).await), (500, 400));
}

#[tokio::test]
async fn a_joint_command_takes_effect_only_at_the_expected_version() {
    let bank = Bank::open().await;
    let to = fresh();
    bank.run(&to, "open", AccountCommand::Open(fresh_address())).await;
    let joint = bank.joint::<Transfers>();
    let ask = |stream: &StreamId, version| {
        bank.transfer(&to, 400).expecting(stream.clone(), Version::new(version))
    };
    for (stream, version, actual) in [(&bank.from, 1, 2), (&to, 2, 1), (&bank.from, 3, 2)] {
        let refused = joint.handle(&ask(stream, version)).await;
        let Err(CommandError::ExpectedVersion { expected, actual: found }) = refused else {
            panic!("{stream} was not at {version}: {refused:?}");
        };
        assert_eq!((expected, found), (Version::new(version), Version::new(actual)));
    }
    let first = joint.handle(&ask(&bank.from, 2)).await.expect("it is the current version");
    let again = joint.handle(&ask(&bank.from, 2)).await.expect("it took effect before");
    assert_eq!(again, first);
}

#[tokio::test]
async fn the_domain_answers_before_an_expected_version_of_a_missing_stream() {
    let bank = Bank::open().await;
    let missing = fresh();
    let transfer = bank.transfer(&missing, 400).expecting(missing.clone(), Version::new(7));
    let refused = bank.joint().handle(&transfer).await;
    let missing = matches!(refused, Err(CommandError::Rejected(AccountRejection::NotOpen)));
    assert!(missing, "{refused:?}");

    let to = fresh();
    let email = fresh_address();
    let sponsor = bank.sponsor(&to, "s", Sponsor { email, amount: 1 });
    let refused = bank.send(&sponsor.expecting(to.clone(), Version::new(1))).await;
    let version = matches!(refused, Err(CommandError::ExpectedVersion { actual, .. }) if actual == Version::NONE);
    assert!(version, "the stream would be created: {refused:?}");
}

#[tokio::test]
async fn an_expected_version_of_another_stream_is_a_defect() {
    let bank = Bank::open().await;
    let to = fresh();
    let transfer = bank.transfer(&to, 1).expecting(fresh(), Version::new(1));
    let refused = bank.joint().handle(&transfer).await;
    assert!(matches!(refused, Err(CommandError::NotAmongStreams { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_reader_folds_streams_of_any_domain() {
    let bank = Bank::open().await;
    for attempt in 0..100 {
        bank.run(&bank.from, &format!("d{attempt}"), AccountCommand::Deposit(1)).await;
    }
    let reader = StreamReader::new(bank.log.clone());
    let reads = bank.log.reads();
    let found = reader.state::<Accounts>(&bank.from).await.expect("the read succeeds");
    assert_eq!((found.state.balance, found.version), (1_000, Version::new(102)));
    assert_eq!(bank.log.reads() - reads, 1, "it begins at a snapshot");
    let none = reader.state::<Accounts>(&fresh()).await.expect("the read succeeds");
    assert_eq!((none.state, none.version), (Account::default(), Version::NONE));
}
