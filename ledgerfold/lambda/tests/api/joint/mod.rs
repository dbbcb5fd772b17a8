//! Commands of several streams, over HTTP.

mod payments;

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Caller, Subject,
    context::{CommandPorts, Context},
    vocabulary::ConsistencyToken,
};
use ledgerfold_lambda::{
    http::{
        Accepted, Api, ApiError, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan,
        Method, Problem, Request, Response,
    },
    service::{Answers, Service},
};
use ledgerfold_testkit::bank::{AccountCommand, Accounts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bank::{OpenAccount, ports, request};
use payments::{Pay, Payments, ReversePayment, Reverses};

fn api() -> Api {
    Api::new("Bank", "1.0.0")
        .command::<OpenAccount>()
        .joint_command::<Pay>()
        .joint_command::<ReversePayment>()
}

fn context() -> Context {
    Context::new("bank").decider::<Accounts>().decider::<Payments>()
}

struct Bank {
    commands: Arc<dyn Answers>,
    ports: CommandPorts,
}

struct Sent<'a> {
    path: &'a str,
    key: &'a str,
    body: Value,
    if_match: Option<&'a str>,
    subject: &'a str,
}

fn pay<'a>(path: &'a str, key: &'a str, body: Value) -> Sent<'a> {
    Sent { path, key, body, if_match: None, subject: "ada" }
}

impl Bank {
    fn open() -> Self {
        let ports = ports();
        let commands = Service::new(context(), api()).commands(&ports);
        Self { commands: commands.expect("the declaration is right"), ports }
    }

    async fn send(&self, sent: Sent<'_>) -> Response {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers =
            vec![header("content-type", "application/json"), header("idempotency-key", sent.key)];
        headers.extend(sent.if_match.map(|tag| header("if-match", tag)));
        let subject = Subject::new(sent.subject).expect("a subject");
        let caller = Caller { subject, ..Caller::anonymous() };
        let body = sent.body.to_string().into_bytes();
        let request = Request { headers, body, caller, ..request(Method::POST, sent.path) };
        let answer = self.commands.answer(&request).await;
        answer.unwrap_or_else(|problem| problem.into_response("request-1"))
    }

    /// An account with this balance, and its path of payments.
    async fn account(&self, name: &str, balance: u64) -> String {
        let opened = self.send(pay("/accounts", name, json!({"email": name}))).await;
        assert_eq!(opened.status.as_u16(), 201, "{opened:?}");
        let id = json_of(&opened)["id"].as_str().expect("an id").to_owned();
        if balance > 0 {
            self.deposit(&id, &format!("{name}-first"), balance).await;
        }
        id
    }

    async fn deposit(&self, id: &str, attempt: &str, amount: u64) {
        let stream = format!("default/account#{id}").parse().expect("a stream");
        let request = ledgerfold::command::CommandRequest::new(
            Caller::anonymous(),
            stream,
            AccountCommand::Deposit(amount),
            ledgerfold::CommandId::new(attempt).expect("visible ASCII"),
        );
        let handled = self.ports.handler::<Accounts>().handle(&request).await;
        handled.expect("the account is open");
    }
}

fn json_of(response: &Response) -> Value {
    serde_json::from_str(&response.body).expect("JSON")
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

// Guards: the-same-request-has-the-same-identity
#[tokio::test]
async fn a_command_that_creates_a_stream_answers_with_its_location_and_the_same_again_for_ever() {
    let bank = Bank::open();
    let ada = bank.account("ada", 900).await;
    let bob = bank.account("bob", 0).await;
    let path = format!("/accounts/{ada}/payments");
    let body = || json!({"to": bob, "amount": 400});
    let first = bank.send(pay(&path, "k", body())).await;
    let paid = json_of(&first);
    assert_eq!(
        (first.status.as_u16(), &paid["legs"][0]),
        (201, &json!({"account": ada, "version": 3}))
    );
    let id = paid["id"].as_str().expect("an id");
    let location = format!("../../accounts/{ada}/payments/{id}");
    assert_eq!((header(&first, "Location"), header(&first, "ETag")), (Some(&*location), None));
    let token = header(&first, "Consistency-Token").expect("a token");
    let token = ConsistencyToken::parse(token).expect("a token");
    assert_eq!(
        (token.stream.to_string(), token.version.get()),
        (format!("default/account#{ada}"), 3)
    );

    for attempt in 0..150 {
        for account in [&ada, &bob] {
            bank.deposit(account, &format!("d{attempt}"), 1).await;
        }
    }
    assert_eq!(bank.send(pay(&path, "k", body())).await, first, "byte by byte, with all headers");
    let other = bank.send(pay(&path, "k", json!({"to": bob, "amount": 401}))).await;
    assert_eq!(other.status.as_u16(), 422, "{other:?}");
    let elsewhere = bank
        .send(pay(&format!("/accounts/{bob}/payments"), "k", json!({"to": ada, "amount": 1})))
        .await;
    assert_eq!(elsewhere.status.as_u16(), 201, "the key belongs to the path: {elsewhere:?}");
    assert_ne!(json_of(&elsewhere)["id"], paid["id"]);
    let somebody = Sent { subject: "eve", ..pay(&path, "k", body()) };
    assert_ne!(
        json_of(&bank.send(somebody).await)["id"],
        paid["id"],
        "the key belongs to its caller"
    );
}

#[tokio::test]
async fn a_command_reads_one_stream_to_learn_the_others() {
    let bank = Bank::open();
    let ada = bank.account("ada", 900).await;
    let bob = bank.account("bob", 0).await;
    let path = format!("/accounts/{ada}/payments");
    let paid = bank.send(pay(&path, "k", json!({"to": bob, "amount": 400}))).await;
    let id = json_of(&paid)["id"].as_str().expect("an id").to_owned();
    let reverse = format!("/payments/{id}/reverse");
    let reversed = bank.send(pay(&reverse, "r", json!({}))).await;
    let body = json_of(&reversed);
    assert_eq!(
        (reversed.status.as_u16(), &body["id"], &body["version"]),
        (200, &json!(id), &json!(2))
    );
    assert_eq!(body["events"][0]["type"], "PaymentReversed");
    assert_eq!((header(&reversed, "ETag"), header(&reversed, "Location")), (Some("\"2\""), None));
    assert_eq!(bank.send(pay(&reverse, "r", json!({}))).await, reversed);
    let again = bank.send(pay(&reverse, "other", json!({}))).await;
    assert_eq!(
        (again.status.as_u16(), &json_of(&again)["type"]),
        (409, &json!("/problems/already-reversed"))
    );
    let unknown = bank.send(pay("/payments/none/reverse", "r", json!({}))).await;
    assert_eq!(unknown.status.as_u16(), 404);
}

#[tokio::test]
async fn if_match_expects_the_version_of_the_stream_that_the_command_is_about() {
    let bank = Bank::open();
    let ada = bank.account("ada", 900).await;
    let bob = bank.account("bob", 0).await;
    let path = format!("/accounts/{ada}/payments");
    let body = || json!({"to": bob, "amount": 400});
    let stale = bank.send(Sent { if_match: Some("\"1\""), ..pay(&path, "a", body()) }).await;
    assert_eq!(stale.status.as_u16(), 412, "{stale:?}");
    let unknown = Sent { if_match: Some("\"1\""), ..pay("/accounts/none/payments", "a", body()) };
    assert_eq!(bank.send(unknown).await.status.as_u16(), 404, "the domain answers first");
    let current = Sent { if_match: Some("\"2\""), ..pay(&path, "a", body()) };
    assert_eq!(bank.send(current).await.status.as_u16(), 201);
    let repeated = Sent { if_match: Some("\"2\""), ..pay(&path, "a", body()) };
    assert_eq!(bank.send(repeated).await.status.as_u16(), 201, "it took effect before");
}

// Guards: everybody-sees-only-their-own
#[tokio::test]
async fn a_hidden_command_is_answered_as_if_nothing_existed() {
    let bank = Bank::open();
    let ada = bank.account("ada", 900).await;
    let bob = bank.account("bob", 0).await;
    let body = || json!({"to": bob, "amount": 400});
    let path = format!("/accounts/{ada}/payments");
    let hidden = bank.send(Sent { subject: "mallory", ..pay(&path, "k", body()) }).await;
    let missing = bank.send(pay("/accounts/none/payments", "k", body())).await;
    assert_eq!((hidden.status.as_u16(), &hidden.body), (404, &missing.body));
}

#[test]
fn the_document_has_the_answers_of_joint_commands() {
    let document = api().openapi().expect("the declaration is right");
    let pay = &document["paths"]["/accounts/{id}/payments"]["post"]["responses"];
    let headers = &pay["201"]["headers"];
    let pattern = "^\\.\\./\\.\\./accounts/[A-Za-z0-9._-]+/payments/[A-Za-z0-9._-]+$";
    assert_eq!(headers["Location"]["schema"]["pattern"], pattern);
    assert!(headers["ETag"].is_null() && headers["Consistency-Token"].is_object(), "{headers}");
    assert!(pay["404"].is_object() && pay["422"].is_object() && pay["412"].is_object());
    let reverse = &document["paths"]["/payments/{id}/reverse"]["post"]["responses"];
    assert!(reverse["200"]["headers"]["ETag"].is_object() && reverse["201"].is_null());
}

/// A command whose location has a parameter that nothing fills.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Lost {}

impl HttpCommand for Lost {
    const PATH: &'static str = "/lost/{id}";
    const REFUSALS: &'static [&'static str] = &[];

    fn example() -> Self {
        Self {}
    }
}

#[async_trait]
impl HttpJointCommand for Lost {
    type Decider = Reverses;
    type Answer = Accepted;

    const LOCATION: Option<&'static str> = Some("/lost/{id}/{place}");

    async fn plan(self, _: &JointCall<'_>) -> Result<JointPlan<Reverses>, Problem> {
        Err(Problem::internal())
    }

    fn answer(effect: &JointEffect<'_>) -> Accepted {
        effect.accepted()
    }
}

#[test]
fn a_location_has_only_parameters_that_the_path_fills() {
    let lost = Api::new("Lost", "1.0.0").joint_command::<Lost>();
    let parameter = "place";
    let location = "/lost/{id}/{place}";
    assert_eq!(lost.check(), Err(ApiError::NoParameter { path: Lost::PATH, location, parameter }));
}
