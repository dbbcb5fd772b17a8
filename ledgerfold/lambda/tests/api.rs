//! A service of the bank with an operation of each form: a command of one stream, a command with own code and two
//! parameters in its path, and a query.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Actor, Category, CommandId, Decide, Decider, EntityId, StreamId, Version,
    command::{JointHandler, JointRequest},
    context::{CommandPorts, Context, QueryPorts},
    query::Fresh,
    vocabulary::ConsistencyToken,
};
use ledgerfold_lambda::{
    http::{
        Api, ApiError, CommandCall, CommandSide, EventLog, FieldError, Handles, HttpCommand,
        HttpQuery, Method, Path, Problem, QueryCall, Request, Response, Rows, StatusCode, Success,
        Unversioned,
    },
    service::Service,
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
struct OpenAccount {
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

    fn decide(&self, _: &Account) -> Result<Vec<AccountEvent>, AccountRejection> {
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
struct Deposit {
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

    fn decide(&self, _: &Account) -> Result<Vec<AccountEvent>, AccountRejection> {
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
struct Send {
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
struct Sent {
    /// The accounts with their versions.
    legs: Vec<(String, u64)>,
}

/// Own code: a transaction over two streams, without an `Idempotency-Key`.
struct Sender(JointHandler<Transfers>);

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
        let stream = |id| StreamId::new(<Accounts>::CATEGORY, id);
        let id = CommandId::new(&*call.request.id).map_err(|_| Problem::internal())?;
        let streams = [stream(command.from), stream(command.to)];
        let request = JointRequest::new(streams, Transfer(command.amount), id);
        let legs = self.0.handle(&request).await?;
        let legs = legs.iter().map(|leg| (leg.stream.id().to_string(), leg.version.get()));
        Ok(Response::json(StatusCode::ACCEPTED, &Sent { legs: legs.collect() }))
    }
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct GetAccount {
    /// The account.
    id: EntityId,
}

/// An account's balance.
#[derive(Serialize, JsonSchema)]
struct Balance {
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
        let stream = StreamId::new(<Accounts>::CATEGORY, self.id);
        let found = accounts.get(&stream, call).await?;
        let found = found.ok_or_else(|| Problem::not_found("The account does not exist."))?;
        Ok(Fresh { row: Balance { cents: found.row.balance }, version: found.version })
    }
}

/// A floor of the vault, below the ground too.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct GetFloor {
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

fn api() -> Api {
    Api::new("Bank", "1.0.0")
        .command::<OpenAccount>()
        .command::<Deposit>()
        .command_with::<Send, Sender>()
        .query::<GetAccount>()
        .query::<GetFloor>()
}

struct Bank {
    commands: Arc<dyn ledgerfold_lambda::service::Answers>,
    queries: Arc<dyn ledgerfold_lambda::service::Answers>,
}

fn ports() -> CommandPorts {
    CommandPorts {
        log: Arc::new(MemoryEventStore::default()),
        clock: Arc::new(ManualClock::default()),
        random: Arc::new(SeededRandom::new(1)),
    }
}

fn context() -> Context {
    Context::new("bank").decider::<Accounts>().rows::<Statements>("statements")
}

fn request(method: Method, path: &str) -> Request {
    Request {
        method,
        path: Path::parse(path),
        query: Vec::new(),
        headers: Vec::new(),
        body: Vec::new(),
        id: "request-1".to_owned(),
        caller: Actor::anonymous(),
    }
}

impl Bank {
    fn open() -> Self {
        let ports = ports();
        let service = Service::new(context(), api());
        let commands = service.commands(&ports).expect("the declaration is right");
        let tables = MemoryReadSide::default();
        let categories = [<Accounts>::CATEGORY, Category::from_static("loan")];
        let ports = QueryPorts::new(service.context(), ports.log, &tables);
        let queries = service.api().queries(&ports, &categories);
        Self { commands, queries: queries.expect("the declaration is right") }
    }

    async fn send(&self, method: Method, path: &str, key: &str, body: &Value) -> (u16, Value) {
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

    async fn post(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, key, &body).await
    }

    async fn account(&self, key: &str) -> String {
        let (status, opened) = self.post("/accounts", key, json!({"email": key})).await;
        assert_eq!(status, 201, "{opened}");
        opened["id"].as_str().expect("an id").to_owned()
    }

    async fn balance(&self, id: &str) -> (u16, Value) {
        self.send(Method::GET, &format!("/v1/accounts/{id}"), "", &Value::Null).await
    }
}

#[tokio::test]
async fn a_command_of_one_stream_and_a_query_need_no_own_code() {
    let bank = Bank::open();
    let id = bank.account("ada").await;
    let path = format!("/accounts/{id}/deposit");
    assert_eq!(bank.post(&path, "b", json!({"amount": 900})).await.0, 200);
    assert_eq!(bank.balance(&id).await, (200, json!({"cents": 900, "version": 2})));
    let (status, refused) = bank.post(&path, "c", json!({"amount": 0, "to": "me"})).await;
    assert_eq!(status, 400);
    let expected = json!([
        {"pointer": "/amount", "detail": "must be an integer from 1 to 1000000"},
        {"pointer": "/to", "detail": "is not known; known fields are: amount"},
    ]);
    assert_eq!(refused["errors"], expected);
}

#[tokio::test]
async fn a_command_with_own_code_takes_several_parameters_of_the_path() {
    let bank = Bank::open();
    let from = bank.account("ada").await;
    let to = bank.account("bob").await;
    bank.post(&format!("/accounts/{from}/deposit"), "d", json!({"amount": 900})).await;
    let path = format!("/transfers/{from}/to/{to}");
    let sent = bank.post(&path, "", json!({"amount": 400})).await;
    assert_eq!(sent, (202, json!({"legs": [[from, 3], [to, 2]]})));
    assert_eq!(bank.balance(&from).await.1["cents"], 500);
    assert_eq!(bank.balance(&to).await.1["cents"], 400);
}

#[tokio::test]
async fn parameters_of_the_path_and_rules_over_several_fields_are_checked() {
    let bank = Bank::open();
    let same = bank.post("/transfers/a/to/a", "", json!({"amount": 1})).await;
    let detail = "must be another account than the sender's";
    assert_eq!(same.0, 400);
    assert_eq!(same.1["errors"], json!([{"pointer": "/to", "detail": detail}]));
    let (status, invalid) = bank.post("/transfers/a/to/b%20c", "", json!({"amount": 1})).await;
    let detail = "to must be 1 to 64 characters of A-Z a-z 0-9 . _ -, but not . or ...";
    assert_eq!((status, &invalid["detail"]), (400, &json!(detail)));
    let (_, body) = bank.post("/transfers/a/to/b", "", json!({"amount": 1, "to": "c"})).await;
    assert_eq!(body["errors"][0]["pointer"], "/to", "a field of the path is not part of the body");
}

#[tokio::test]
async fn a_token_of_another_domain_of_the_context_is_no_condition() {
    let bank = Bank::open();
    let id = bank.account("ada").await;
    for (stream, status) in
        [(format!("account#{id}"), 200), ("loan#1".to_owned(), 200), ("x#1".to_owned(), 400)]
    {
        let stream = stream.parse().expect("a stream");
        let token = ConsistencyToken { stream, version: Version::new(1) }.to_text();
        let request = Request {
            headers: vec![("consistency-token".to_owned(), token.clone())],
            ..request(Method::GET, &format!("/accounts/{id}"))
        };
        let answer = bank.queries.answer(&request).await;
        let answer = answer.unwrap_or_else(|problem| problem.into_response("request-1"));
        assert_eq!(answer.status.as_u16(), status, "{token}: {answer:?}");
    }
}

#[test]
fn the_document_separates_the_path_from_the_body() {
    let document = api().openapi().expect("every schema has its own name");
    let send = &document["paths"]["/transfers/{from}/to/{to}"]["post"];
    let names: Vec<_> = send["parameters"].as_array().expect("a list").iter().collect();
    assert_eq!((&names[0]["name"], &names[0]["in"]), (&json!("from"), &json!("path")));
    assert_eq!((&names[1]["name"], &names[1]["in"]), (&json!("to"), &json!("path")));
    let references: Vec<_> = names.iter().filter_map(|it| it["$ref"].as_str()).collect();
    assert!(!references.iter().any(|it| it.contains("IdempotencyKey")), "{references:?}");
    let body = &document["components"]["schemas"]["Send"];
    assert_eq!(body["required"], json!(["amount"]));
    assert!(body["properties"]["to"].is_null());
    assert_eq!(
        send["requestBody"]["content"]["application/json"]["example"],
        json!({"amount": 400})
    );
    assert!(send["responses"]["202"].is_object() && send["responses"]["200"].is_null());
}

#[test]
fn the_examples_work_one_after_the_other() {
    let [open, show, floor] = api().examples().try_into().expect("a creation and two queries");
    assert_eq!((open.method, open.path.as_str()), ("POST", "/accounts"));
    let (key, body) = open.command.expect("it is a command");
    assert_eq!((key.as_str(), body), ("try-OpenAccount", json!({"email": "ada@example.org"})));
    assert!(show.path.starts_with("/accounts/") && show.command.is_none(), "{show:?}");
    assert_eq!(floor.path, "/floors/-5?shelf=-1");
}

#[tokio::test]
async fn a_declaration_that_contradicts_itself_is_refused() {
    let twice = || api().command::<Deposit>();
    let refusal = Err(ApiError::Twice("/accounts/{id}/deposit"));
    assert_eq!(twice().check(), refusal);
    assert_eq!(twice().commands(&ports()).map(|_| ()), refusal);

    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    struct Lost {}
    impl HttpCommand for Lost {
        const PATH: &'static str = "/accounts/{id}/holds/{hold}";
        const REFUSALS: &'static [&'static str] = &[];
        fn example() -> Self {
            Self {}
        }
    }
    #[async_trait]
    impl Handles<Lost> for Sender {
        fn successes() -> Vec<Success> {
            Vec::new()
        }
        fn open(side: &mut CommandSide<'_>) -> Self {
            Self(side.ports.joint_handler())
        }
        async fn handle(&self, _: Lost, _: CommandCall<'_>) -> Result<Response, Problem> {
            Err(Problem::internal())
        }
    }
    let lost = Api::new("Bank", "1").command_with::<Lost, Sender>();
    let refusal = lost.openapi().expect_err("a field is missing").to_string();
    assert!(refusal.contains("{hold}: add a field"), "{refusal}");
    let service = lost.commands(&ports()).expect("the function starts");
    let problem = service.answer(&request(Method::POST, "/accounts/a/holds/h")).await;
    let problem = problem.map(|_| ()).expect_err("the operation cannot be checked");
    assert_eq!(problem.into_response("request-1").status, StatusCode::INTERNAL_SERVER_ERROR);

    let undeclared = Context::new("bank").decider::<Accounts>();
    let tables = MemoryReadSide::default();
    let ports = ports();
    let queries = api().queries(&QueryPorts::new(&undeclared, ports.log, &tables), &[]);
    assert!(matches!(queries.map(|_| ()), Err(ApiError::Undeclared(_))));
}

#[test]
fn a_name_stands_for_one_schema() {
    mod other {
        /// Another type of the same name.
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub(super) struct Part {
            pub(super) size: u8,
        }
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        name: String,
    }
    /// The body contains one `Part`, and the answer the other.
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Order {
        part: Part,
    }
    impl HttpCommand for Order {
        const PATH: &'static str = "/orders";
        const REFUSALS: &'static [&'static str] = &[];
        fn example() -> Self {
            Self { part: Part { name: "wheel".to_owned() } }
        }
    }
    struct Shop;
    #[async_trait]
    impl Handles<Order> for Shop {
        fn successes() -> Vec<Success> {
            vec![Success::new::<other::Part>(StatusCode::OK, "Ordered.")]
        }
        fn open(_: &mut CommandSide<'_>) -> Self {
            Self
        }
        async fn handle(&self, _: Order, _: CommandCall<'_>) -> Result<Response, Problem> {
            Ok(Response::json(StatusCode::OK, &other::Part { size: 1 }))
        }
    }
    let api = Api::new("Shop", "1").command_with::<Order, Shop>();
    assert_eq!(api.openapi(), Err(ApiError::TwoSchemas("Part".to_owned())));
}

#[tokio::test]
async fn integers_in_paths_and_parameters_may_be_negative() {
    let bank = Bank::open();
    let shelf = |text: &str| vec![("shelf".to_owned(), text.to_owned())];
    for (path, shelf, answer) in [
        ("/floors/3", shelf("9"), Ok(json!([3, 9]))),
        ("/floors/-5", shelf("-1"), Ok(json!([-5, -1]))),
        ("/floors/-6", shelf("0"), Err("floor must be an integer from -5 to 200.")),
        ("/floors/03", shelf("-0"), Err("floor must be an integer from -5 to 200.")),
    ] {
        let request = Request { query: shelf, ..request(Method::GET, path) };
        match (bank.queries.answer(&request).await, answer) {
            (Ok(found), Ok(wanted)) => {
                let body: Value = serde_json::from_str(&found.body).expect("JSON");
                assert_eq!(body, wanted, "{path}");
            }
            (Err(problem), Err(sentence)) => {
                let body = problem.into_response("request-1").body;
                assert!(body.contains(sentence), "{path}: {body}");
            }
            (found, _) => unreachable!("{path}: {:?}", found.map(|it| it.status)),
        }
    }
}
