//! A service of the bank with an operation of each form: a command of one stream, a command with own code and two
//! parameters in its path, and queries.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Caller, Category, CommandId, Decide, Decider, DecisionContext, EntityId,
    command::{JointHandler, JointRequest},
    context::{CommandPorts, Context, QueryPorts},
    ports::Clock,
    query::Fresh,
};
use ledgerfold_lambda::{
    http::{
        Api, CommandCall, CommandSide, EventLog, FieldError, Handles, HttpCommand, HttpQuery,
        Method, Path, Problem, QueryCall, Request, Response, Rows, StatusCode, Success,
        Unversioned,
    },
    service::{Answers, Service},
};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryReadSide, SeededRandom,
    bank::{
        Account, AccountCommand, AccountEvent, AccountRejection, Accounts, Deposited, Opened,
        Statements, Transfer, Transfers,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Open an account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct OpenAccount {
    /// The owner's address.
    #[schemars(length(min = 3, max = 64))]
    email: String,
}

impl HttpCommand for OpenAccount {
    const PATH: &'static str = "/accounts";
    const REFUSALS: &'static [&'static str] = &["account-open"];

    fn example() -> Self {
        Self { email: "ada@example.org".to_owned() }
    }
}

impl Decide for OpenAccount {
    type Decider = Accounts;

    fn decide(
        &self,
        _: &Account,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        Ok(vec![Opened { email: self.email.clone() }.into()])
    }
}

impl From<OpenAccount> for AccountCommand {
    fn from(open: OpenAccount) -> Self {
        Self::Open(open.email)
    }
}

/// Deposit an amount.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Deposit {
    /// The amount in cents.
    #[schemars(range(min = 1, max = 1_000_000))]
    amount: u64,
}

impl HttpCommand for Deposit {
    const PATH: &'static str = "/accounts/{id}/deposit";
    const REFUSALS: &'static [&'static str] = &["account-not-open"];

    fn example() -> Self {
        Self { amount: 900 }
    }
}

impl Decide for Deposit {
    type Decider = Accounts;

    fn decide(
        &self,
        _: &Account,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        Ok(vec![Deposited { amount: self.amount }.into()])
    }
}

impl From<Deposit> for AccountCommand {
    fn from(deposit: Deposit) -> Self {
        Self::Deposit(deposit.amount)
    }
}

/// Send an amount to another account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Send {
    /// The account that sends.
    from: EntityId,
    /// The account that receives. It stands in the path.
    to: EntityId,
    /// The amount in cents.
    #[schemars(range(min = 1, max = 1_000_000))]
    amount: u64,
}

impl HttpCommand for Send {
    const PATH: &'static str = "/transfers/{from}/to/{to}";
    const REFUSALS: &'static [&'static str] = &["too-little", "account-not-open"];

    fn example() -> Self {
        let id = |text| EntityId::new(text).expect("an id");
        Self { from: id("a"), to: id("b"), amount: 400 }
    }

    fn check(&self) -> Vec<FieldError> {
        let detail = "must be another account than the sender's".to_owned();
        let same = self.from == self.to;
        same.then(|| FieldError { pointer: "/to".to_owned(), detail }).into_iter().collect()
    }
}

/// The new balances are not part of the answer.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Sent {
    /// The accounts with their versions.
    legs: Vec<(String, u64)>,
}

/// Own code: a transaction over two streams, without an `Idempotency-Key`.
pub(crate) struct Sender(pub(crate) JointHandler<Transfers>);

#[async_trait]
impl Handles<Send> for Sender {
    const NEEDS_KEY: bool = false;

    fn successes() -> Vec<Success> {
        vec![Success::new::<Sent>(StatusCode::ACCEPTED, "The amount was sent.")]
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        Self(side.ports.joint_handler())
    }

    async fn handle(&self, command: Send, call: CommandCall<'_>) -> Result<Response, Problem> {
        let stream = |id| call.stream(<Accounts>::CATEGORY, id);
        let id = CommandId::new(&*call.request.id).map_err(|_| Problem::internal())?;
        let streams = [stream(command.from), stream(command.to)];
        let request =
            JointRequest::new(call.request.caller.clone(), streams, Transfer(command.amount), id);
        let legs = self.0.handle(&request).await?;
        let legs = legs.iter().map(|leg| (leg.stream.id().to_string(), leg.version.get()));
        Ok(Response::json(StatusCode::ACCEPTED, &Sent { legs: legs.collect() }))
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GetAccount {
    /// The account.
    id: EntityId,
}

/// An account's balance.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Balance {
    /// In cents.
    cents: u64,
}

#[async_trait]
impl HttpQuery for GetAccount {
    type Decider = Accounts;
    type Models = Rows<Statements>;
    type Answer = Fresh<Balance>;

    const PATH: &'static str = "/accounts/{id}";

    fn example() -> Self {
        Self { id: EntityId::new("a").expect("an id") }
    }

    async fn answer(
        self,
        accounts: &Rows<Statements>,
        call: QueryCall<'_>,
    ) -> Result<Fresh<Balance>, Problem> {
        let stream = call.stream(<Accounts>::CATEGORY, self.id);
        let found = accounts.get(&stream, call).await?;
        let found = found.ok_or_else(|| Problem::not_found("The account does not exist."))?;
        Ok(Fresh { row: Balance { cents: found.row.balance }, version: found.version })
    }
}

/// A floor of the vault, below the ground too.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GetFloor {
    /// The floor.
    #[schemars(range(min = -5, max = 200))]
    floor: i32,
    /// The shelf.
    #[schemars(range(min = -1, max = 9))]
    shelf: i32,
}

#[async_trait]
impl HttpQuery for GetFloor {
    type Decider = Accounts;
    type Models = EventLog;
    type Answer = Unversioned<Vec<i32>>;

    const PATH: &'static str = "/floors/{floor}";

    fn example() -> Self {
        Self { floor: -5, shelf: -1 }
    }

    async fn answer(
        self,
        _: &EventLog,
        _: QueryCall<'_>,
    ) -> Result<Unversioned<Vec<i32>>, Problem> {
        Ok(Unversioned(vec![self.floor, self.shelf]))
    }
}

pub(crate) fn api() -> Api {
    Api::new("Bank", "1.0.0")
        .command::<OpenAccount>()
        .command::<Deposit>()
        .command_with::<Send, Sender>()
        .query::<GetAccount>()
        .query::<GetFloor>()
}

pub(crate) struct Bank {
    pub(crate) commands: Arc<dyn Answers>,
    pub(crate) queries: Arc<dyn Answers>,
}

pub(crate) fn ports() -> CommandPorts {
    CommandPorts::new(
        Arc::new(MemoryEventStore::default()),
        Arc::new(ManualClock::default()),
        Arc::new(SeededRandom::new(1)),
    )
}

pub(crate) fn context() -> Context {
    Context::new("bank").decider::<Accounts>().rows::<Statements>("statements")
}

pub(crate) fn request(method: Method, path: &str) -> Request {
    Request {
        method,
        path: Path::parse(path),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        id: "request-1".to_owned(),
        caller: Caller::anonymous(),
    }
}

impl Bank {
    pub(crate) fn open() -> Self {
        Self::with(Arc::new(ManualClock::default()))
    }

    /// A bank whose queries wait by this clock.
    pub(crate) fn with(clock: Arc<dyn Clock>) -> Self {
        let ports = ports();
        let service = Service::new(context(), api());
        let commands = service.commands(&ports).expect("the declaration is right");
        let tables = MemoryReadSide::default();
        let categories = [<Accounts>::CATEGORY, Category::from_static("loan")];
        let ports = QueryPorts::new(service.context(), ports.log, &tables);
        let queries = service.api().queries(&ports, &categories, clock);
        Self { commands, queries: queries.expect("the declaration is right") }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> (u16, Value) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![header("content-type", "application/json")];
        headers.extend((!key.is_empty()).then(|| header("idempotency-key", key)));
        let body = body.to_string().into_bytes();
        let request = Request { headers, body, ..request(method.clone(), path) };
        let service = if method == Method::POST { &self.commands } else { &self.queries };
        let answer = service.answer(&request).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        (answer.status.as_u16(), serde_json::from_str(&answer.body).expect("JSON"))
    }

    pub(crate) async fn post(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, key, &body).await
    }

    pub(crate) async fn account(&self, key: &str) -> String {
        let (status, opened) = self.post("/accounts", key, json!({"email": key})).await;
        assert_eq!(status, 201, "{opened}");
        opened["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn balance(&self, id: &str) -> (u16, Value) {
        self.send(Method::GET, &format!("/v1/accounts/{id}"), "", &Value::Null).await
    }
}
