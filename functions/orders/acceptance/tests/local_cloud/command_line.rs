//! The output of `ledgerfold` about an order.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;

use orders_acceptance::eventually;
use serde_json::Value;

use crate::programs::{ledgerfold, program, run};
use crate::world::{PROJECTED, World};

/// A program that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may already have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `ledgerfold tail`, and waits until it follows the table.
fn tail(arguments: &[&str]) -> Running {
    let child = program("ledgerfold")
        .args(["tail", "--json"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = Running(child.expect("`make up` has built ledgerfold"));
    let errors = BufReader::new(running.0.stderr.take().expect("it is piped"));
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        errors.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let output_text = lines.recv_timeout(PROJECTED).expect("it prints a line");
    assert!(output_text.starts_with("Following "), "{output_text}");
    running
}

#[tokio::test]
async fn a_tail_prints_an_event_of_an_order_and_ends_after_the_requested_number() {
    let world = World::shared();
    let mut order = world.placed().await;
    let stream = format!("default/order#{}", order.id);
    let mut tail = tail(&["--stream", &stream, "--type", "OrderPaid", "--count", "1"]);
    world.pay(&mut order).await;

    eventually("the tail ends", PROJECTED, async || match tail.0.try_wait() {
        Ok(Some(status)) if status.success() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await
    .expect("it has printed one event");
    let mut text = String::new();
    let mut out = tail.0.stdout.take().expect("it is piped");
    out.read_to_string(&mut text).expect("it is text");
    let line: Value = serde_json::from_str(&text).expect("one JSON document");
    assert_eq!(
        (&line["stream"], &line["version"], &line["type"]),
        (&Value::from(stream), &Value::from(2), &Value::from("OrderPaid"))
    );
}

#[tokio::test]
async fn a_stream_is_shown_as_it_was_and_with_its_cost() {
    let world = World::shared();
    let stream = format!("default/order#{}", world.shipped().await.id);
    let types = |arguments: &[&str]| -> Vec<String> {
        let (code, shown) = run("ledgerfold", &[&["show", &stream], arguments].concat());
        assert_eq!(code, Some(0), "{shown}");
        let events = shown["events"].as_array().expect("a list");
        events.iter().map(|event| event["type"].as_str().unwrap_or("?").to_owned()).collect()
    };
    assert_eq!(types(&[]), ["OrderPlaced", "OrderPaid", "OrderShipped"]);
    assert_eq!(types(&["--version", "2"]), ["OrderPlaced", "OrderPaid"]);
    let (_, shown) = run("ledgerfold", &["show", &stream]);
    let paid = shown["events"][1]["recordedAt"].as_str().expect("an instant");
    assert_eq!(types(&["--at", paid]), ["OrderPlaced", "OrderPaid"]);

    // One read unit reads three commits below a kilobyte.
    let (code, costs) = run("ledgerfold", &["costs", "--stream", &stream]);
    assert_eq!(code, Some(0), "{costs}");
    assert_eq!(costs["streams"][0]["commits"], 3);
    assert_eq!(costs["append"]["writeUnits"], 1.0);
    assert_eq!(costs["coldLoad"]["readUnits"], 1.0);
    assert_eq!(costs["coldLoad"]["requests"], 1.0);
}

#[tokio::test]
async fn an_orders_deadline_is_listed_before_it_is_due() {
    let world = World::shared();
    let order = world.placed().await;
    let process = "payment-deadline";
    let stream = format!("default/order#{}", order.id);
    let due = |output_text: &Value| {
        let due = output_text["due"].as_array().expect("a list").iter();
        due.filter(|it| it["stream"] == stream.as_str()).count()
    };
    eventually("the order has a deadline", PROJECTED, async || {
        let (code, output_text) =
            ledgerfold(&["deadlines", process, "--until", "2100-01-01T00:00:00Z"]);
        assert_eq!(code, Some(0), "{output_text}");
        if due(&output_text) == 1 { Ok(()) } else { Err("none yet".to_owned()) }
    })
    .await
    .expect("the process has received the order");
    let (_, now) = ledgerfold(&["deadlines", process]);
    assert_eq!(due(&now), 0, "it is not due yet");
    let (code, retried) = ledgerfold(&["deadlines", "retry", process]);
    assert_eq!((code, &retried["retried"]), (Some(0), &Value::from(0)), "none has failed");
}
