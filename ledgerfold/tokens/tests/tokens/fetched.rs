//! Fetched key sets: how often, how many at once, and what remains if a fetch fails. The time is an argument, so nothing
//! waits.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use futures::{future::join_all, poll};
use ledgerfold::Caller;
use ledgerfold_tokens::{
    FetchedKeys, InvalidToken, KeySource, KeySourceError, TrustedIssuer, Verifier, VerifyError,
};
use serde_json::json;

use crate::signers::{AUDIENCE, ISSUER, NOW, Signers, block_on, claims, header, now, with};

/// An issuer whose key set is as the test says, and which counts fetches.
#[derive(Default)]
struct Issuer {
    fetches: AtomicUsize,
    /// The next answers. The last one repeats; without any, fetches fail.
    answers: Mutex<VecDeque<Result<Vec<u8>, String>>>,
    /// How often a fetch is polled before it is answered.
    slowness: usize,
}

#[async_trait]
impl KeySource for Issuer {
    async fn fetch(&self) -> Result<Vec<u8>, KeySourceError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let mut left = self.slowness;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let mut answers = self.answers.lock().expect("no test panics with it");
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.unwrap_or_else(|| Err("connection refused".to_owned())).map_err(KeySourceError::new)
    }
}

struct World {
    signers: Signers,
    issuer: Arc<Issuer>,
    verifier: Verifier,
}

impl World {
    fn new(issuer: Issuer) -> Self {
        let issuer = Arc::new(issuer);
        let trusted = TrustedIssuer::new(ISSUER, AUDIENCE).expect("an issuer");
        let verifier = Verifier::new(trusted, FetchedKeys::new(issuer.clone()));
        Self { signers: Signers::new(), issuer, verifier }
    }

    /// The issuer's key set has keys with these ids from now on.
    fn publish(&self, ids: &[&str]) {
        let keys: Vec<_> = ids.iter().map(|id| self.signers.jwk("ES256", id)).collect();
        self.answer(Ok(json!({"keys": keys}).to_string().into_bytes()));
    }

    fn answer(&self, answer: Result<Vec<u8>, String>) {
        *self.issuer.answers.lock().expect("no test panics with it") = VecDeque::from([answer]);
    }

    fn token(&self, key: &str) -> String {
        let header = with(header("ES256"), json!({"kid": key})).to_string();
        let lasting = with(claims(), json!({"exp": NOW + 1_000_000}));
        self.signers.token_of("ES256", &header, &lasting.to_string())
    }

    async fn ask(&self, key: &str, after: Duration) -> Result<Caller, VerifyError> {
        self.verifier.verify(&self.token(key), now() + after).await
    }

    fn fetches(&self) -> usize {
        self.issuer.fetches.load(Ordering::SeqCst)
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn is_unknown(answer: &Result<Caller, VerifyError>) -> bool {
    matches!(answer, Err(VerifyError::Invalid(InvalidToken::UnknownKey(_))))
}

#[test]
fn keys_are_fetched_once_when_first_needed() {
    let world = World::new(Issuer::default());
    world.publish(&["a"]);
    assert_eq!(world.fetches(), 0);
    for second in 0..600 {
        assert!(block_on(world.ask("a", seconds(second))).is_ok());
    }
    assert_eq!(world.fetches(), 1);
}

#[test]
fn an_unreadable_token_fetches_nothing() {
    let world = World::new(Issuer::default());
    world.publish(&["a"]);
    for token in ["", "a.b.c", "x.y"] {
        assert!(block_on(world.verifier.verify(token, now())).is_err());
    }
    assert_eq!(world.fetches(), 0);
}

// Guards: unknown-keys-cost-one-fetch-a-minute
#[test]
fn invented_keys_cost_one_fetch_a_minute() {
    let world = World::new(Issuer::default());
    world.publish(&["a"]);
    for tenth in 0..6_000 {
        let key = format!("invented-{tenth}");
        let answer = block_on(world.ask(&key, Duration::from_millis(100 * tenth)));
        assert!(is_unknown(&answer), "{answer:?}");
    }
    assert_eq!(world.fetches(), 10, "ten minutes");
}

#[test]
fn a_new_key_is_found_a_minute_after_the_last_fetch() {
    let world = World::new(Issuer::default());
    world.publish(&["a"]);
    assert!(block_on(world.ask("a", seconds(0))).is_ok());
    world.publish(&["a", "b"]);
    assert!(is_unknown(&block_on(world.ask("b", seconds(59)))));
    assert!(block_on(world.ask("b", seconds(60))).is_ok());
    assert!(block_on(world.ask("a", seconds(61))).is_ok());
    assert_eq!(world.fetches(), 2);
}

// Guards: unknown-keys-cost-one-fetch-a-minute
#[test]
fn of_a_hundred_requests_at_once_one_fetches_and_all_get_its_answer() {
    let world = World::new(Issuer { slowness: 50, ..Issuer::default() });
    world.publish(&["a"]);
    // Each request reads the clock before it waits, so the one that fetches may have read it last.
    let times = (0..100).map(|number| Duration::from_millis(99 - number * 37 % 100));
    let answers = block_on(join_all(times.map(|after| world.ask("a", after))));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.fetches(), 1);

    let unknown =
        (0..100).map(|number| seconds(120) + Duration::from_millis(99 - number * 37 % 100));
    let answers = block_on(join_all(unknown.map(|after| world.ask("b", after))));
    assert!(answers.iter().all(is_unknown));
    assert_eq!(world.fetches(), 2);
}

#[test]
fn requests_with_a_known_key_do_not_wait_for_a_fetch() {
    let world = World::new(Issuer { slowness: 50, ..Issuer::default() });
    world.publish(&["a"]);
    block_on(async {
        world.ask("a", seconds(0)).await.expect("a caller");
        let mut unknown = Box::pin(world.ask("b", seconds(120)));
        assert!(poll!(&mut unknown).is_pending(), "it fetches");
        assert!(world.ask("a", seconds(120)).await.is_ok());
        let mut stale = Box::pin(world.ask("a", seconds(7_200)));
        assert!(matches!(poll!(&mut stale), Poll::Ready(Ok(_))), "another request fetches");
        assert!(is_unknown(&unknown.await));
    });
}

#[test]
fn the_old_set_stays_in_use_while_fetches_fail() {
    let world = World::new(Issuer::default());
    world.publish(&["a"]);
    assert!(block_on(world.ask("a", seconds(0))).is_ok());
    for answer in [
        Err("timeout".to_owned()),
        Ok(b"<html>".to_vec()),
        Ok(b"{\"keys\": []}".to_vec()),
        Ok(vec![b' '; 1_000_000]),
    ] {
        world.answer(answer);
        let fetches = world.fetches();
        let at = seconds(60 * 120 * u64::try_from(fetches).expect("it is small"));
        let unknown = block_on(world.ask("b", at));
        assert!(matches!(unknown, Err(VerifyError::Unavailable(_))), "{unknown:?}");
        assert!(block_on(world.ask("a", at)).is_ok(), "the old set is older than an hour");
        let again = block_on(world.ask("b", at + seconds(59)));
        assert!(matches!(again, Err(VerifyError::Unavailable(_))), "{again:?}");
        assert_eq!(world.fetches(), fetches + 1);
    }
}

#[test]
fn a_withdrawn_key_is_refused_after_an_hour() {
    let world = World::new(Issuer::default());
    world.publish(&["a", "b"]);
    assert!(block_on(world.ask("a", seconds(0))).is_ok());
    world.publish(&["b"]);
    assert!(block_on(world.ask("a", seconds(3_599))).is_ok());
    assert!(is_unknown(&block_on(world.ask("a", seconds(3_600)))));
    assert_eq!(world.fetches(), 2);
}

#[test]
fn without_any_set_a_request_may_be_repeated_and_fetches_every_five_seconds() {
    let world = World::new(Issuer::default());
    for tenth in 0..200 {
        let answer = block_on(world.ask("a", Duration::from_millis(100 * tenth)));
        let Err(VerifyError::Unavailable(reason)) = answer else { panic!("{answer:?}") };
        assert!(reason.to_string().contains("connection refused"), "{reason}");
    }
    assert_eq!(world.fetches(), 4, "twenty seconds");
    world.publish(&["a"]);
    assert!(block_on(world.ask("a", seconds(20))).is_ok());
}

#[test]
fn a_request_that_is_dropped_while_it_fetches_does_not_block_the_others() {
    let world = World::new(Issuer { slowness: 5, ..Issuer::default() });
    world.publish(&["a"]);
    block_on(async {
        let mut dropped = Box::pin(world.ask("a", seconds(0)));
        assert!(poll!(&mut dropped).is_pending());
        drop(dropped);
        let soon = world.ask("a", seconds(1)).await;
        assert!(matches!(soon, Err(VerifyError::Unavailable(_))), "{soon:?}");
        assert!(world.ask("a", seconds(5)).await.is_ok());
    });
    assert_eq!(world.fetches(), 2);
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_fetches() {
    let world = World::new(Issuer::default());
    world.publish(&["a"]);
    assert!(is_unknown(&block_on(world.ask("b", seconds(86_400)))));
    world.publish(&["a", "b"]);
    assert!(block_on(world.ask("b", seconds(0))).is_ok());
}
