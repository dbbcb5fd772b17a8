//! AWS clients, for AWS itself or for a local cloud.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// An operator can wait longer than a function: a Scan of a megabyte is slow.
const ATTEMPTS: u32 = 6;
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// The cloud to connect to.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// AWS, configured by the environment.
    Aws {
        /// Overrides the environment's region.
        region: Option<String>,
    },
    /// A local cloud. It never receives real credentials.
    LocalCloud {
        /// The endpoint of all services.
        endpoint: String,
        /// The endpoint of DynamoDB, if it has its own.
        tables: Option<String>,
        region: Option<String>,
    },
}

/// Creates clients.
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

    /// Whether this is a local cloud.
    pub(crate) const fn is_local(&self) -> bool {
        matches!(self.place, Place::LocalCloud { .. })
    }

    pub(crate) async fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.sdk().await)
    }

    pub(crate) async fn s3(&self) -> aws_sdk_s3::Client {
        // A local cloud does not resolve a host name per bucket.
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
