//! Operations: routes, checks, and the document.

use async_trait::async_trait;
use ledgerfold::{
    Caller, Version,
    context::{Context, QueryPorts},
    vocabulary::{ConsistencyToken, Role},
};
use ledgerfold_lambda::http::{
    Api, ApiError, CommandCall, CommandSide, Handles, HttpCommand, Method, Problem, Request,
    Response, StatusCode, Success,
};
use ledgerfold_testkit::{MemoryReadSide, bank::Accounts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bank::{Bank, Deposit, Sender, api, ports, request};

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
    for (stream, status) in [
        (format!("default/account#{id}"), 200),
        ("default/loan#1".to_owned(), 200),
        ("default/x#1".to_owned(), 400),
    ] {
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
fn the_document_names_the_roles_for_its_examples() {
    let roles = |api: Api| {
        let document = api.openapi().expect("a document");
        document["components"]["securitySchemes"]["bearer"]["x-example-roles"].clone()
    };
    assert_eq!(roles(api()), json!([]));
    assert_eq!(roles(api().tried_as([Role::from_static("teller")])), json!(["teller"]));
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
    let [open, show, floor] =
        api().examples(&Caller::anonymous()).try_into().expect("a creation and two queries");
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
    let queries =
        api().queries(&QueryPorts::new(&undeclared, ports.log, &tables), &[], ports.clock);
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
