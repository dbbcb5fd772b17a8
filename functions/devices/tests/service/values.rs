//! Values, times and other fields of readings.

use serde_json::{Value, json};

use crate::world::World;

const NOON: &str = "2026-11-15T12:00:00Z";

fn batch(values: &[&str]) -> String {
    let reading = |(at, value): (usize, &&str)| {
        let seq = at + 1;
        format!(r#"{{"seq":{seq},"at":"{NOON}","metric":"temperature","value":{value}}}"#)
    };
    let readings: Vec<_> = values.iter().enumerate().map(reading).collect();
    format!(r#"{{"epoch":1,"readings":[{}]}}"#, readings.join(","))
}

async fn send(world: &World, body: &str) -> crate::world::Answer {
    world.post_text("/devices/d-1/readings", body, &[]).await
}

// Guards: a-value-keeps-its-notation
#[tokio::test]
async fn values_come_back_exactly_as_they_were_sent() {
    let values = [
        "21.5",
        "21.50",
        "-0",
        "-0.0",
        "0",
        "1E2",
        "1e-7",
        "12345678901234567890",
        "0.1",
        "5e-324",
        "123456789012345678901234567890.125",
        "1.7976931348623157e308",
        "-9007199254740993",
        "1e-999",
    ];
    let world = World::with_device(NOON).await;
    let answer = send(&world, &batch(&values)).await;
    assert_eq!(answer.json()["accepted"], values.len(), "{answer:?}");
    world.project().await;
    let path = "/devices/d-1/timeline?metric=temperature&limit=100";
    let text = world.get(path).await.body;
    let mut rest = text.as_str();
    for value in values {
        let expected = format!("\"value\":{value},");
        let (_, after) =
            rest.split_once(&expected).unwrap_or_else(|| panic!("{expected} in {text}"));
        rest = after;
    }
    let path = "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-15&step=day";
    let text = world.get(path).await.body;
    assert!(text.contains(r#""min":-9007199254740993,"max":1.7976931348623157e308,"#), "{text}");
}

#[tokio::test]
async fn a_value_that_is_not_finite_is_refused_alone() {
    let world = World::with_device(NOON).await;
    let answer = send(&world, &batch(&["1.5", "1e999", "-1E+400", "2.5"])).await;
    let refused = |seq| json!({"seq": seq, "rule": "value-not-finite"});
    let expected = json!({
        "accepted": 2, "duplicates": [], "rejected": [refused(2), refused(3)], "missing": [[2, 3]],
        "version": 2,
    });
    assert_eq!((answer.status, answer.json()), (200, expected));
    let again = send(&world, &batch(&["1e999"]).replace("\"seq\":1", "\"seq\":2")).await;
    assert_eq!(again.status, 422, "{again:?}");
    assert_eq!((&again.json()["accepted"], &again.json()["version"]), (&json!(0), &json!(2)));
    let corrected = send(&world, &batch(&["1.25"]).replace("\"seq\":1", "\"seq\":2")).await;
    assert_eq!(corrected.json()["accepted"], 1, "a corrected reading is taken");
    let long = format!("1.{}", "3".repeat(100));
    let answer = send(&world, &batch(&[&long]).replace("\"seq\":1", "\"seq\":9")).await;
    assert_eq!(answer.json()["rejected"], json!([{"seq": 9, "rule": "value-too-long"}]));
}

#[tokio::test]
async fn what_is_no_batch_is_refused_as_a_whole() {
    let world = World::with_device(NOON).await;
    let valid = batch(&["1"]);
    let many = batch(&vec!["1"; 501]);
    for (body, status) in [
        (valid.replace(":1}", ":NaN}"), 400),
        (valid.replace(":1}", ":Infinity}"), 400),
        (valid.replace(":1}", ":\"1\"}"), 400),
        (valid.replace(":1}", ":null}"), 400),
        (valid.replace("\"seq\":1", "\"seq\":0"), 400),
        (valid.replace("\"seq\":1", "\"seq\":1.5"), 400),
        (valid.replace("\"seq\":1", "\"seq\":9007199254740992"), 400),
        (valid.replace("\"seq\":1", "\"seq\":1e999"), 400),
        (valid.replace("\"epoch\":1", "\"epoch\":-1"), 400),
        (valid.replace("\"epoch\":1", "\"epoch\":1,\"more\":1"), 400),
        (valid.replace("12:00:00Z", "25:00:00Z"), 400),
        (valid.replace("2026-11-15", "2026-02-30"), 400),
        (valid.replace("temperature", "a metric"), 400),
        (batch(&[]), 400),
        (many, 400),
        (format!("{}{valid}", " ".repeat(256 * 1024)), 413),
        (valid.clone(), 200),
        (batch(&["1"; 500]), 200),
    ] {
        let answer = send(&world, &body).await;
        let begin: String = body.chars().take(120).collect();
        assert_eq!(answer.status, status, "{begin}: {answer:?}");
    }
}

#[tokio::test]
async fn no_clock_causes_a_refusal() {
    let world = World::with_device(NOON).await;
    let times = [
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000000001Z",
        "2026-11-15T12:20:00Z",
        "2026-11-01T12:00:00Z",
        "9999-12-30T22:00:00Z",
    ];
    let readings = times
        .iter()
        .zip(1..)
        .map(|(at, seq)| json!({"seq": seq, "at": at, "metric": "temperature", "value": seq}));
    let answer = world.send(1, &readings.collect::<Vec<_>>()).await;
    assert_eq!(answer.json()["accepted"], 5, "{answer:?}");
    world.project().await;
    let timeline = world.timeline("", 2).await;
    let shown: Vec<_> = timeline
        .iter()
        .map(|it| (it["at"].as_str().unwrap_or_default(), it["late"] == true))
        .collect();
    let expected = [
        (times[0], true),
        (times[1], true),
        (times[3], true),
        (times[2], false),
        (times[4], false),
    ];
    assert_eq!(shown, expected);
    let fleet = world.shown("/fleet?from=2026-11-15&to=2026-11-15").await;
    let hour = &fleet["hours"][0];
    assert_eq!(hour["hour"], "2026-11-15T12:00:00Z");
    for (counter, amount) in
        [("readings", 5), ("late", 3), ("early", 2), ("duplicates", 0), ("gaps", 0)]
    {
        assert_eq!(hour[counter], amount, "{counter}");
        assert_eq!(fleet["totals"][counter], amount, "{counter}");
    }
}

#[tokio::test]
async fn sums_are_exact_and_unknown_beyond_the_range_of_floats() {
    let world = World::with_device(NOON).await;
    send(&world, &batch(&["0.1"; 10])).await;
    world.project().await;
    let path = "/devices/d-1/rollup?metric=temperature&from=2026-11-15&to=2026-11-15&step=minute";
    let windows = world.shown(path).await;
    assert_eq!(
        (&windows["windows"][0]["sum"], &windows["windows"][0]["mean"]),
        (&json!(1.0), &json!(0.1))
    );
    let large = batch(&["1.7e308", "1.7e308"]).replace("\"epoch\":1", "\"epoch\":2");
    send(&world, &large).await;
    world.project().await;
    let windows = world.shown(path).await;
    assert_eq!(windows["windows"][0]["sum"], Value::Null);
    assert_eq!(windows["windows"][0]["count"], 12);
}
