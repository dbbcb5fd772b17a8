use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{LambdaEvent, run, service_fn};
use ledgerfold::project::{Delivery, Projector, Receipt};
use ledgerfold_eventbridge::BusMessage;

use crate::RunError;

/// Runs a projector on the messages that a rule of the bus puts into a queue.
///
/// The mapping must report batch item failures: messages that could not be applied are named, and
/// they alone come again.
///
/// # Errors
/// The runtime's, when it cannot go on.
pub async fn serve_projector(projector: Projector) -> Result<(), RunError> {
    let projector = Arc::new(projector);
    run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let projector = projector.clone();
        async move { Ok::<_, RunError>(handle(&projector, event.payload).await) }
    }))
    .await
}

async fn handle(projector: &Projector, event: SqsEvent) -> SqsBatchResponse {
    let deliveries = event.records.into_iter().map(delivery).collect();
    let failed = projector.project(deliveries).await;
    let mut response = SqsBatchResponse::default();
    response.set_failures(failed.into_iter().map(|(receipt, _)| receipt.0));
    response
}

fn delivery(message: SqsMessage) -> Delivery {
    let receipt = Receipt(message.message_id.unwrap_or_default());
    match BusMessage::parse(message.body.as_deref().unwrap_or_default()) {
        Ok(BusMessage { envelope, replay }) => Delivery { receipt, envelope: Ok(envelope), replay },
        Err(error) => Delivery { receipt, envelope: Err(error.to_string()), replay: None },
    }
}
