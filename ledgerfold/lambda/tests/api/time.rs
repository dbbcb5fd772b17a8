//! The time of a query.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use ledgerfold::{Timestamp, context::QueryPorts, ports::Clock};
use ledgerfold_lambda::http::{Api, EventLog, HttpQuery, Method, Problem, QueryCall, Unversioned};
use ledgerfold_testkit::{MemoryReadSide, bank::Accounts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bank::{context, ports, request};

/// A clock that is one second later at each reading.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let second = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_second(second).expect("it is in range")
    }

    async fn sleep(&self, _: std::time::Duration) {}
}

/// The time, twice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct GetTime {}

#[async_trait]
impl HttpQuery for GetTime {
    type Decider = Accounts;
    type Models = EventLog;
    type Answer = Unversioned<Vec<String>>;

    const PATH: &'static str = "/time";

    fn example() -> Self {
        Self {}
    }

    async fn answer(
        self,
        _: &EventLog,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<Vec<String>>, Problem> {
        Ok(Unversioned(vec![call.now().to_string(), call.now().to_string()]))
    }
}

#[tokio::test]
async fn all_parts_of_an_answer_see_the_same_time() {
    let context = context();
    let tables = MemoryReadSide::default();
    let ports = QueryPorts::new(&context, ports().log, &tables);
    let api = Api::new("Time", "1.0.0").query::<GetTime>();
    let queries = api.queries(&ports, context.categories(), Arc::new(Ticking::default()));
    let queries = queries.expect("the declaration is right");
    let ask = async || {
        let answer = queries.answer(&request(Method::GET, "/time")).await.expect("it is answered");
        serde_json::from_str::<Value>(&answer.body).expect("JSON")
    };
    let first = ask().await;
    assert_eq!(first[0], first[1]);
    assert_ne!(ask().await, first, "the next request is later");
}
