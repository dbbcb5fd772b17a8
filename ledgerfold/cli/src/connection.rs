//! How tables and queues are reached.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// Whoever waits here can wait longer than a function: a Scan of a megabyte takes its time.
const ATTEMPTS: u32 = 6;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// Where tables and queues are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// AWS, by the environment's own configuration.
    Aws {
        /// Instead of the environment's region.
        region: Option<String>,
    },
    /// A local cloud. Real credentials are never sent there.
    LocalCloud {
        /// Answers for every service.
        endpoint: String,
        /// Answers for tables, if the engine behind them can be asked without a detour.
        tables: Option<String>,
        region: Option<String>,
    },
}

/// Makes clients.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    place: Place,
}

impl Connection {
    pub(crate) const fn to(place: Place) -> Self {
        Self { place }
    }

    #[cfg(test)]
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) async fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk().await);
        let config = match &self.place {
            Place::LocalCloud { tables: Some(tables), .. } => config.endpoint_url(tables),
            _ => config,
        };
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub(crate) async fn dynamodb_streams(&self) -> aws_sdk_dynamodbstreams::Client {
        aws_sdk_dynamodbstreams::Client::new(&self.sdk().await)
    }

    /// Whether it is a local cloud.
    pub(crate) const fn is_local(&self) -> bool {
        matches!(self.place, Place::LocalCloud { .. })
    }

    pub(crate) async fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.sdk().await)
    }

    pub(crate) async fn s3(&self) -> aws_sdk_s3::Client {
        // A local cloud has no host names of buckets.
        let config = aws_sdk_s3::config::Builder::from(&self.sdk().await);
        aws_sdk_s3::Client::from_conf(config.force_path_style(self.is_local()).build())
    }

    pub(crate) async fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk().await)
    }

    async fn sdk(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(ATTEMPT_TIMEOUT);
        let tls = Provider::Rustls(CryptoMode::Ring);
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(Builder::new().tls_provider(tls).build_https())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts.build());
        let region = |name: &String| Region::new(name.clone());
        match &self.place {
            Place::Aws { region: None } => loader,
            Place::Aws { region: Some(name) } => loader.region(region(name)),
            Place::LocalCloud { endpoint, region: name, .. } => {
                let name = name.clone().unwrap_or_else(|| "us-east-1".to_owned());
                let credentials = Credentials::new("test", "test", None, None, "local cloud");
                loader
                    .endpoint_url(endpoint)
                    .region(region(&name))
                    .credentials_provider(credentials)
            }
        }
        .load()
        .await
    }
}
