//! The first event of each role.

use ledgerfold_lambda::http::Example;
use serde_json::{Value, json};

use crate::Error;

/// The event of API Gateway for an example of the service. Each run is another command.
pub(crate) fn request(example: &Example, run: usize) -> Value {
    let (headers, body) = match &example.command {
        Some((key, body)) => {
            let headers = json!({"content-type": "application/json",
                                 "idempotency-key": if run == 0 { key.clone() } else { format!("{key}-{run}") }});
            (headers, Value::String(body.to_string()))
        }
        None => (json!({}), Value::Null),
    };
    let path = example.path.split('?').next().unwrap_or_default();
    json!({"httpMethod": example.method, "path": path, "resource": "/{proxy+}",
           "pathParameters": {"proxy": path.trim_start_matches('/')}, "headers": headers,
           "requestContext": {"requestId": "1", "stage": "local"}, "body": body,
           "isBase64Encoded": false})
}

/// The event of the change stream for this item of the event table.
pub(crate) fn change(item: &Value) -> Value {
    let keys = json!({"pk": item["pk"], "sk": item["sk"]});
    json!({"Records": [{
        "eventID": "1", "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:dynamodb:us-east-1:1:table/t/stream/s",
        "dynamodb": {"ApproximateCreationDateTime": 1_767_225_600, "Keys": keys, "NewImage": item,
                     "SequenceNumber": "1", "SizeBytes": 100, "StreamViewType": "NEW_IMAGE"},
    }]})
}

/// The event of a queue with what the relay has sent to the bus.
pub(crate) fn message(put_events: &[u8]) -> Result<Value, Error> {
    let call: Value = serde_json::from_slice(put_events)?;
    let entry = &call["Entries"][0];
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap_or_default())?;
    let body = json!({"version": "0", "id": "1", "detail-type": entry["DetailType"],
                      "source": entry["Source"], "detail": detail});
    Ok(queued(&body))
}

/// The event of a queue with a due deadline that is done meanwhile.
pub(crate) fn due() -> Value {
    let body = json!({"format": 1, "deadline": "payment-deadline#default/order#1#payment",
                      "event": "018bcfe5-6800-7000-8000-000000000000"});
    queued(&body)
}

/// The event of a queue with one message.
fn queued(body: &Value) -> Value {
    json!({"Records": [{
        "messageId": "1", "receiptHandle": "1", "body": body.to_string(), "attributes": {},
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-east-1",
    }]})
}

/// The event of a schedule.
pub(crate) fn tick() -> Value {
    json!({"version": "0", "id": "1", "account": "1", "detail-type": "Scheduled Event",
           "source": "aws.events", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
           "resources": [], "detail": {}})
}
