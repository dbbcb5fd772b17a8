//! Tests of the load in virtual time, and of its client against a small server in this process.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

use super::{
    engine::{self, Plan, Results, Service, Time},
    http_service::HttpService,
    report::LoadReport,
    scenario::{Answer, Message, Scenario},
    template::Values,
};
use crate::{duration::duration, output::Report};

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text).expect("it is a scenario")
}

fn refusal(text: &str) -> String {
    Scenario::parse(text).expect_err("it is no scenario").to_string()
}

const GET: &str = r#"{"name": "get", "method": "GET", "path": "/"}"#;

/// A time that moves only when everything waits. Clones share it.
#[derive(Clone, Default)]
struct VirtualTime(Rc<Moment>);

#[derive(Default)]
struct Moment {
    now: Cell<Duration>,
    /// What waits, with the time until which it does.
    waiting: RefCell<Vec<(Duration, Waker)>>,
}

impl Time for VirtualTime {
    fn now(&self) -> Duration {
        self.0.now.get()
    }

    async fn sleep_until(&self, at: Duration) {
        poll_fn(|context| {
            if self.now() >= at {
                return Poll::Ready(());
            }
            self.0.waiting.borrow_mut().push((at, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

impl VirtualTime {
    async fn sleep(&self, time: Duration) {
        self.sleep_until(self.now() + time).await;
    }

    /// Runs this to its end.
    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
            let waiting = std::mem::take(&mut *self.0.waiting.borrow_mut());
            let next = waiting.iter().map(|(at, _)| *at).min().expect("something waits for a time");
            self.0.now.set(next.max(self.now()));
            waiting.into_iter().for_each(|(_, waker)| waker.wake());
        }
    }
}

/// A service that answers at once, and keeps the requests. From `stall` on, it does not answer for a while.
struct Fake {
    time: VirtualTime,
    stall: Duration,
    lasting: Duration,
    status: u16,
    body: String,
    /// The tests look at it after the load.
    messages: RefCell<Vec<Message>>,
}

impl Fake {
    fn answering(status: u16, body: &str) -> Self {
        Self {
            time: VirtualTime::default(),
            stall: Duration::MAX,
            lasting: Duration::ZERO,
            status,
            body: body.to_owned(),
            messages: RefCell::default(),
        }
    }

    fn paths(&self) -> Vec<String> {
        self.messages.borrow().iter().map(|message| message.path.clone()).collect()
    }
}

impl Service for Fake {
    async fn send(&self, message: Message) -> Result<Answer, String> {
        self.messages.borrow_mut().push(message);
        let passed = self.time.now();
        if let Some(into) = passed.checked_sub(self.stall)
            && into < self.lasting
        {
            self.time.sleep(self.lasting - into).await;
        }
        self.time.sleep(Duration::from_millis(1)).await;
        let mut headers = HeaderMap::new();
        headers.insert("consistency-token", HeaderValue::from_static("t/1"));
        Ok(Answer { status: self.status, headers, body: self.body.clone().into_bytes() })
    }
}

fn plan(rate: f64, seconds: u64, in_flight: usize) -> Plan {
    Plan { rate, lasting: Duration::from_secs(seconds), in_flight }
}

fn load(text: &str, service: &Fake, plan: Plan) -> Results {
    load_until(text, service, plan, stream::pending())
}

fn load_until(
    text: &str,
    service: &Fake,
    plan: Plan,
    stops: impl futures::Stream<Item = ()>,
) -> Results {
    let time = &service.time;
    time.run(engine::run(&scenario(text), service, time, plan, stops))
}

#[test]
fn a_service_that_stops_delays_all_requests_of_this_time() {
    let stall = Duration::from_secs(10);
    let lasting = Duration::from_secs(2);
    let service = Fake { stall, lasting, ..Fake::answering(200, "") };
    let plan = plan(100.0, 50, 1);
    let report = LoadReport::new("http://x", plan, &load(GET, &service, plan));
    let [corrected, from_sending] = report.latencies();
    assert_eq!((corrected.count, from_sending.count), (5_000, 5_000));
    assert!(corrected.p99 > 1_000.0, "{corrected:?}");
    assert!(from_sending.p99 < 5.0, "{from_sending:?}");
    assert!(from_sending.max > 1_990.0, "{from_sending:?}");
    assert!(report.text().contains("would hide 1"), "{}", report.text());
}

#[test]
fn the_rate_does_not_depend_on_the_answers() {
    let stall = Duration::ZERO;
    let lasting = Duration::from_secs(60);
    let service = Fake { stall, lasting, ..Fake::answering(200, "") };
    let results = load(GET, &service, plan(100.0, 10, 10_000));
    assert_eq!((results.sent, results.intended), (1_000, 1_000));
    assert_eq!(service.time.now().as_secs(), 60, "it waits for the answers");
}

#[test]
fn requests_without_an_answer_are_bounded() {
    let stall = Duration::ZERO;
    let lasting = Duration::from_secs(60);
    let service = Fake { stall, lasting, ..Fake::answering(200, "") };
    let plan = plan(100.0, 10, 7);
    let results = load(GET, &service, plan);
    assert_eq!((results.sent, results.intended), (7, 1_000));
    let hint = LoadReport::new("http://x", plan, &results).hint().expect("the rate is missed");
    assert!(hint.contains("--in-flight"), "{hint}");
}

#[test]
fn an_interrupt_ends_the_load_with_its_results() {
    let service = Fake::answering(200, "");
    let stop = stream::once(service.time.sleep(Duration::from_secs(3)));
    let results = load_until(GET, &service, plan(10.0, 60, 10), stop);
    assert!(results.stopped);
    assert_eq!((results.sent, results.intended), (30, 30));
    let counted: u64 = results.requests.iter().map(|request| request.corrected.len()).sum();
    assert_eq!(counted, 30, "the running request is waited for");

    let stall = Duration::ZERO;
    let lasting = Duration::from_secs(60);
    let service = Fake { stall, lasting, ..Fake::answering(200, "") };
    let twice = stream::unfold((), |()| async {
        service.time.sleep(Duration::from_secs(3)).await;
        Some(((), ()))
    });
    load_until(GET, &service, plan(10.0, 60, 1_000), twice);
    assert_eq!(service.time.now().as_secs(), 6, "the second one does not wait for answers");
}

#[test]
fn requests_continue_the_answers_of_others() {
    let text = r#"
        # an order, two views of it, and one payment
        {"name": "place", "method": "POST", "path": "/orders", "save": {"order": "/id", "token": "consistency-token"}}
        {"name": "show", "after": "place", "reuse": true, "weight": 2, "method": "GET", "path": "/orders/{order}?t={token}"}
        {"name": "pay", "after": "place", "method": "POST", "path": "/orders/{order}/pay"}"#;
    let service = Fake::answering(200, r#"{"id": "a b"}"#);
    let results = load(text, &service, plan(1.0, 9, 10));
    let sent: Vec<_> = results.requests.iter().map(|request| request.corrected.len()).collect();
    assert_eq!(sent.iter().sum::<u64>(), 9);
    let paths = service.paths();
    assert_eq!(paths[0], "/orders", "nothing can be continued at first");
    let escaped = paths.iter().filter(|path| *path == "/orders/a%20b?t=t%2F1").count();
    assert!(escaped >= 4, "{paths:?}");
    let paid = paths.iter().filter(|path| *path == "/orders/a%20b/pay").count();
    let placed = paths.iter().filter(|path| *path == "/orders").count();
    assert!(paid <= placed && paid > 0, "{paths:?}");
}

#[test]
fn placeholders_are_filled_everywhere() {
    let text = r#"{"name": "place", "method": "POST", "path": "/{number}", "headers": {"Idempotency-Key": "{uuid}"}, "body": {"to": ["c-{number}"], "n": 1}}"#;
    let service = Fake::answering(200, "");
    load(text, &service, plan(1.0, 2, 10));
    let messages = service.messages.borrow();
    assert_eq!(messages[1].path, "/1");
    assert_eq!(messages[1].body.as_deref(), Some(r#"{"n":1,"to":["c-1"]}"#));
    let header = |message: &Message, name: &str| {
        let found = message.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.clone()).expect("it has the header")
    };
    let keys = [0, 1].map(|at: usize| header(&messages[at], "idempotency-key"));
    assert_ne!(keys[0], keys[1]);
    assert_eq!(header(&messages[0], "content-type"), "application/json");
}

#[test]
fn unexpected_answers_are_counted() {
    let service = Fake::answering(409, "");
    let plan = plan(1.0, 3, 10);
    let report = LoadReport::new("http://x", plan, &load(GET, &service, plan));
    assert_eq!(report.unexpected(), 3);
    assert!(report.text().contains("Unexpected for get: 3 × 409"), "{}", report.text());

    let expecting = r#"{"name": "get", "method": "GET", "path": "/", "expect": [200, 409]}"#;
    let report = LoadReport::new("http://x", plan, &load(expecting, &service, plan));
    assert_eq!(report.unexpected(), 0);

    let saving = r#"{"name": "get", "method": "GET", "path": "/", "save": {"id": "/id"}}"#;
    let service = Fake::answering(200, "no JSON");
    let report = LoadReport::new("http://x", plan, &load(saving, &service, plan));
    assert!(report.text().contains("3 × 200 without /id"), "{}", report.text());
}

#[test]
fn a_wrong_scenario_is_refused_with_its_line() {
    let after = format!(
        "{GET}\n{{\"name\": \"b\", \"after\": \"x\", \"method\": \"GET\", \"path\": \"/\"}}"
    );
    assert_eq!(refusal(&after), "line 2: no request before it is called x; known: get");
    for (text, reason) in [
        ("{", "line 1: EOF"),
        ("\n# c\n[]", "line 3: "),
        (
            r#"{"name": "a", "method": "GET", "path": "/", "wait": 1}"#,
            "unknown field `wait`, expected",
        ),
        (r#"{"name": "a", "method": "G T", "path": "/"}"#, "no method"),
        (r#"{"name": "a", "method": "GET", "path": "http://x"}"#, "--api"),
        (r#"{"name": "a", "method": "GET", "path": "/{id}"}"#, "known here: uuid, number"),
        (r#"{"name": "a", "method": "GET", "path": "/", "body": {"a": ["{id"]}}"#, "closing brace"),
        (
            r#"{"name": "a", "method": "GET", "path": "/", "headers": {"a b": ""}}"#,
            "name of a header",
        ),
        (
            r#"{"name": "a", "method": "GET", "path": "/", "save": {"uuid": "/id"}}"#,
            "cannot be saved",
        ),
        (r#"{"name": "a", "method": "GET", "path": "/", "weight": 0}"#, "a weight above 0"),
        ("", "a weight above 0"),
    ] {
        assert!(refusal(text).contains(reason), "{text}: {}", refusal(text));
    }
    let twice = format!("{GET}\n{GET}");
    assert_eq!(refusal(&twice), "line 2: there is a request called get before");
}

#[test]
fn a_time_is_a_number_with_a_unit() {
    assert_eq!(
        ["30s", "10m", "24h"].map(|text| duration(text).map(|it| it.as_secs())),
        [Ok(30), Ok(600), Ok(86_400)]
    );
    for bad in ["", "10", "s", "0s", "1.5m", "25h", "-1s", "9000000000000000000h"] {
        assert!(duration(bad).is_err(), "{bad} was accepted");
    }
}

/// Answers the requests of one connection: with 201 and a body, or with 503 for the path `/busy`.
async fn serve(mut connection: TcpStream, received: Arc<Mutex<Vec<String>>>) {
    let mut buffer = vec![0; 4_096];
    while let Ok(read @ 1..) = connection.read(&mut buffer).await {
        let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let status = if request.starts_with("GET /api/busy ") { "503 Busy" } else { "201 Created" };
        received.lock().await.push(request);
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 11\r\n\r\n{{\"id\": \"7\"}}");
        if connection.write_all(answer.as_bytes()).await.is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn requests_reach_a_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let received = Arc::<Mutex<Vec<String>>>::default();
    let of_server = received.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, of_server.clone()));
        }
    });
    let scenario = scenario(
        r#"
        {"name": "place", "method": "POST", "path": "/orders", "headers": {"if-match": "\"1\""}, "body": {"a": 1}, "save": {"id": "/id"}}
        {"name": "show", "after": "place", "method": "GET", "path": "/orders/{id}"}
        {"name": "busy", "method": "GET", "path": "/busy"}"#,
    );
    let [place, show, busy] = [0, 1, 2].map(|at: usize| &scenario.requests[at]);
    let headers = HeaderMap::from_iter([
        (HeaderName::from_static("x-api-key"), HeaderValue::from_static("secret")),
        (AUTHORIZATION, HeaderValue::from_static("Bearer a.b.c")),
    ]);
    let service = HttpService::new(&format!("http://{address}/api/"), headers).expect("it is made");

    let placed = service.send(place.message(&Values::new(), 0)).await.expect("an answer");
    assert!(place.expects(placed.status), "{}", placed.status);
    let values = place.saved(&placed, Values::new()).expect("the answer has an id");
    service.send(show.message(&values, 1)).await.expect("an answer");
    let refused = service.send(busy.message(&Values::new(), 2)).await.expect("an answer");
    assert_eq!((refused.status, busy.expects(refused.status)), (503, false));

    let received = received.lock().await;
    for part in [
        "POST /api/orders HTTP/1.1",
        "x-api-key: secret",
        "authorization: Bearer a.b.c",
        "if-match: \"1\"",
        "{\"a\":1}",
    ] {
        assert!(received[0].contains(part), "{}", received[0]);
    }
    assert!(received[1].starts_with("GET /api/orders/7 "), "{}", received[1]);
}

#[tokio::test]
async fn a_server_that_is_not_there_gives_no_answer() {
    // The port is free again after the listener is dropped.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    drop(listener);
    let service =
        HttpService::new(&format!("http://{address}"), HeaderMap::new()).expect("it is made");
    let message = scenario(GET).requests[0].message(&Values::new(), 0);
    let reason = service.send(message).await.expect_err("nobody listens");
    assert!(reason.contains("refused"), "{reason}");
}
