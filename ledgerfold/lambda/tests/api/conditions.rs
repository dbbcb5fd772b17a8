//! Conditional queries, and queries that wait for news. Time passes only when a query sleeps.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{Timestamp, ports::Clock};
use ledgerfold_lambda::http::{Method, Request, Response};
use ledgerfold_testkit::ManualClock;
use serde_json::json;

use crate::bank::{Bank, request};

/// A clock by which a deposit arrives after some of the waits.
#[derive(Default)]
struct Waits {
    clock: ManualClock,
    /// All waits so far.
    slept: Mutex<Vec<Duration>>,
    /// The number of the wait in which the deposit arrives; none if it is 0.
    deposit_in: AtomicUsize,
    account: Mutex<Option<(Arc<Bank>, String)>>,
    /// Whether the clock is set back during each wait.
    runs_backwards: bool,
}

#[async_trait]
impl Clock for Waits {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, time: Duration) {
        if self.runs_backwards {
            self.clock.set(self.clock.now() - Duration::from_secs(60));
        } else {
            self.clock.sleep(time).await;
        }
        let waits = {
            let mut slept = self.slept.lock().expect("no test panicked");
            slept.push(time);
            slept.len()
        };
        let account = self.account.lock().expect("no test panicked").clone();
        if let Some((bank, id)) =
            account.filter(|_| waits == self.deposit_in.load(Ordering::Relaxed))
        {
            deposit(&bank, &id, "later").await;
        }
    }
}

impl Waits {
    fn total(&self) -> Duration {
        self.slept.lock().expect("no test panicked").iter().sum()
    }

    fn count(&self) -> usize {
        self.slept.lock().expect("no test panicked").len()
    }
}

async fn deposit(bank: &Bank, id: &str, key: &str) {
    let path = format!("/accounts/{id}/deposit");
    assert_eq!(bank.post(&path, key, json!({"amount": 900})).await.0, 200);
}

/// A bank with one account, at version 1.
async fn bank(waits: Waits) -> (Arc<Waits>, Arc<Bank>, String) {
    let waits = Arc::new(waits);
    let bank = Arc::new(Bank::with(waits.clone()));
    let id = bank.account("ada").await;
    *waits.account.lock().expect("no test panicked") = Some((bank.clone(), id.clone()));
    (waits, bank, id)
}

async fn ask(bank: &Bank, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers = headers.iter().map(owned).collect();
    let request = Request { headers, ..request(method, path) };
    let answer = bank.queries.answer(&request).await;
    answer.unwrap_or_else(|problem| problem.into_response("request-1"))
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    let found = answer.headers.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.as_str())
}

/// Asks for the account with a tag and a preference; returns the status, the tag and the applied preference.
async fn wait_for(bank: &Bank, id: &str, tag: &str, prefer: &str) -> (u16, String, Option<String>) {
    let path = format!("/accounts/{id}");
    let headers = [("if-none-match", tag), ("prefer", prefer)];
    let answer = ask(bank, Method::GET, &path, &headers).await;
    let shown = header(&answer, "ETag").expect("every answer has a tag").to_owned();
    let applied = header(&answer, "Preference-Applied").map(str::to_owned);
    (answer.status.as_u16(), shown, applied)
}

fn answered(status: u16, tag: &str, applied: &str) -> (u16, String, Option<String>) {
    let applied = Some(applied.to_owned()).filter(|it| !it.is_empty());
    (status, tag.to_owned(), applied)
}

// Guards: a-waiting-query-ends
#[tokio::test]
async fn a_query_without_news_waits_as_long_as_the_client_prefers_and_no_longer() {
    for (prefer, seconds) in [("wait=1", 1), ("wait=10", 10), ("wait=20", 20), ("wait=600", 20)] {
        let (waits, bank, id) = bank(Waits::default()).await;
        let answer = wait_for(&bank, &id, "\"1\"", prefer).await;
        assert_eq!(answer, answered(304, "\"1\"", &format!("wait={seconds}")));
        assert_eq!(waits.total(), Duration::from_secs(seconds));
        assert!(waits.count() <= 24, "{} attempts", waits.count());
    }
}

// Guards: a-waiting-query-ends
#[tokio::test]
async fn a_clock_that_runs_backwards_makes_no_wait_longer() {
    let (waits, bank, id) = bank(Waits { runs_backwards: true, ..Waits::default() }).await;
    assert_eq!(wait_for(&bank, &id, "\"1\"", "wait=10").await.0, 304);
    assert_eq!(waits.total(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_waiting_query_answers_as_soon_as_it_sees_a_newer_version() {
    let (waits, bank, id) = bank(Waits { deposit_in: 5.into(), ..Waits::default() }).await;
    let answer = wait_for(&bank, &id, "W/\"1\"", "wait=20").await;
    assert_eq!(answer, answered(200, "\"2\"", "wait=20"));
    assert_eq!(waits.count(), 5);
}

#[tokio::test]
async fn news_that_comes_in_the_last_wait_is_not_missed() {
    let (waits, bank, id) = bank(Waits { deposit_in: 1.into(), ..Waits::default() }).await;
    waits.clock.set(waits.clock.now() + Duration::from_millis(1));
    assert_eq!(wait_for(&bank, &id, "\"1\"", "wait=1").await.0, 200);
}

#[tokio::test]
async fn a_read_model_behind_the_clients_version_is_no_news_while_the_query_waits() {
    let (waits, bank, id) = bank(Waits { deposit_in: 3.into(), ..Waits::default() }).await;
    // The client has version 2 from the answer to its command.
    let answer = wait_for(&bank, &id, "\"2\"", "wait=2").await;
    assert_eq!(answer, answered(304, "\"2\"", "wait=2"));
    assert_eq!(waits.total(), Duration::from_secs(2));

    // A version that never comes, for example of a service that began anew, is not waited for for ever.
    assert_eq!(wait_for(&bank, &id, "\"9\"", "wait=2").await, answered(200, "\"2\"", "wait=2"));
}

#[tokio::test]
async fn a_query_with_news_or_without_a_tag_does_not_wait() {
    let (waits, bank, id) = bank(Waits::default()).await;
    deposit(&bank, &id, "now").await;
    assert_eq!(wait_for(&bank, &id, "\"1\"", "wait=20").await, answered(200, "\"2\"", "wait=20"));
    assert_eq!(wait_for(&bank, &id, "*", "wait=20").await, answered(304, "\"2\"", ""));
    assert_eq!(wait_for(&bank, &id, "\"2\"", "wait=x").await, answered(304, "\"2\"", ""));
    assert_eq!(wait_for(&bank, &id, "\"2\"", "wait=0").await, answered(304, "\"2\"", "wait=0"));
    let path = format!("/accounts/{id}");
    let answer = ask(&bank, Method::GET, &path, &[("prefer", "wait=20")]).await;
    assert_eq!((answer.status.as_u16(), header(&answer, "Preference-Applied")), (200, None));
    let missing = [("if-none-match", "\"1\""), ("prefer", "wait=20")];
    assert_eq!(ask(&bank, Method::GET, "/accounts/none", &missing).await.status.as_u16(), 404);
    assert_eq!(waits.total(), Duration::ZERO);
}

#[tokio::test]
async fn an_answer_without_a_version_has_the_digest_of_its_body_as_tag() {
    let (_, bank, _) = bank(Waits::default()).await;
    let floor = async |path: &str, headers: &[(&str, &str)]| {
        let (path, shelf) = path.split_once('?').expect("a shelf");
        let query = vec![("shelf".to_owned(), shelf.to_owned())];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(owned).collect();
        let request = Request { query, headers, ..request(Method::GET, path) };
        bank.queries.answer(&request).await.expect("an answer")
    };
    let shown = floor("/floors/3?1", &[]).await;
    let tag = header(&shown, "ETag").expect("a tag").to_owned();
    assert_eq!(header(&floor("/floors/3?1", &[]).await, "ETag"), Some(tag.as_str()));
    assert_ne!(header(&floor("/floors/3?2", &[]).await, "ETag"), Some(tag.as_str()));
    let known = floor("/floors/3?1", &[("if-none-match", &format!("W/{tag}"))]).await;
    assert_eq!((known.status.as_u16(), known.body.as_str()), (304, ""));
    assert_eq!(header(&known, "ETag"), Some(tag.as_str()));
}

#[tokio::test]
async fn every_answer_of_a_query_tells_caches_to_ask_again() {
    let (_, bank, id) = bank(Waits::default()).await;
    let found = format!("/accounts/{id}");
    let known = [("if-none-match", "\"1\"")];
    for (path, headers, status) in [
        (found.as_str(), &[][..], 200),
        (&found, &known, 304),
        ("/accounts/none", &[], 404),
        ("/accounts/a%20b", &[], 400),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&bank, method, path, headers).await;
            assert_eq!(answer.status.as_u16(), status, "{path}");
            assert_eq!(header(&answer, "Cache-Control"), Some("private, no-cache"), "{path}");
            let vary = header(&answer, "Vary");
            assert_eq!(vary, Some("Authorization, Consistency-Token"), "{path}");
        }
    }
}
