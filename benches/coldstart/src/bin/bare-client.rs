//! The second floor: the runtime with one client of DynamoDB, made as the SDK's documentation says, and one read.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing_subscriber::fmt().with_target(false).without_time().init();
    let table = std::env::var("EVENT_TABLE")?;
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let client = Client::new(&sdk);
    run(service_fn(|_: LambdaEvent<Value>| async {
        let read = client.get_item().table_name(&table);
        let read = read.key("pk", AttributeValue::S("order#none".to_owned()));
        let item = read.key("sk", AttributeValue::N("1".to_owned())).send().await?;
        Ok::<_, Error>(json!({ "found": item.item.is_some() }))
    }))
    .await
}
