use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use ledgerfold::ports::{
    Clock, DeadlineStore, EventReader, GenerationReader, GenerationStore, Quarantine, Random,
    ReadTable, ReadView, Skips, Streams,
};
use ledgerfold_aws::{SystemClock, SystemRandom};
use ledgerfold_dynamodb::{
    DynamoDeadlineStore, DynamoEventStore, DynamoGenerationStore, DynamoQuarantine,
    DynamoReadTable, DynamoSkips, DynamoStreams,
};
use ledgerfold_eventbridge::EventBridgePublisher;

/// How often the SDK tries a call, with its own jitter in between.
const ATTEMPTS: u32 = 4;
/// The longest that one attempt, and all of them together, may take. Functions behind API Gateway
/// have 10 seconds for everything, so that they still answer when the table does not.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2_500);
const CALL_TIMEOUT: Duration = Duration::from_secs(4);

/// The ports as they are in a Lambda function: AWS by the environment's own configuration, the
/// system's clock and randomness.
#[derive(Clone)]
pub struct World {
    sdk: SdkConfig,
    dynamodb: aws_sdk_dynamodb::Client,
    eventbridge: aws_sdk_eventbridge::Client,
}

impl World {
    /// Reads the environment's configuration of AWS and starts logging. Once per environment.
    pub async fn from_environment() -> Self {
        lambda_runtime::tracing::init_default_subscriber();
        let sdk = sdk_config().await;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            eventbridge: aws_sdk_eventbridge::Client::new(&sdk),
            sdk,
        }
    }

    /// The configuration of AWS, for a client that is not made here, as that of S3 for payloads.
    pub const fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The log in this table; it can be given a table for reservations, and a store for payloads that
    /// are too large for it.
    pub fn event_store(&self, table: &str) -> DynamoEventStore {
        DynamoEventStore::new(self.dynamodb.clone(), table)
    }

    /// The log in this table, for a function that only reads it.
    pub fn event_reader(&self, table: &str) -> Arc<dyn EventReader> {
        Arc::new(self.event_store(table))
    }

    /// Which streams the log in this table has.
    pub fn streams(&self, table: &str) -> Arc<dyn Streams> {
        Arc::new(DynamoStreams::new(self.dynamodb.clone(), table))
    }

    /// This read table with its generations.
    pub fn read_table(&self, table: &str) -> Arc<dyn ReadTable> {
        Arc::new(DynamoReadTable::new(self.dynamodb.clone(), table))
    }

    /// The same with rows that are listed by this index.
    pub fn listed_read_table(&self, table: &str, index: &str) -> Arc<dyn ReadTable> {
        Arc::new(DynamoReadTable::new(self.dynamodb.clone(), table).listed_by(index))
    }

    /// This read table, for a function that only reads it.
    pub fn read_view(&self, table: &str) -> Arc<dyn ReadView> {
        self.read_table(table)
    }

    /// The same with rows that are listed by this index.
    pub fn listed_read_view(&self, table: &str, index: &str) -> Arc<dyn ReadView> {
        self.listed_read_table(table, index)
    }

    /// Which generations projections have, in this table, for a function that only reads the records.
    pub fn generation_reader(&self, table: &str) -> Arc<dyn GenerationReader> {
        self.generations(table)
    }

    /// Which generations projections have, in this table.
    pub fn generations(&self, table: &str) -> Arc<dyn GenerationStore> {
        Arc::new(DynamoGenerationStore::new(self.dynamodb.clone(), table))
    }

    /// The deadlines of this table, found through its index `by-due`.
    pub fn deadlines(&self, table: &str) -> Arc<dyn DeadlineStore> {
        Arc::new(DynamoDeadlineStore::new(self.dynamodb.clone(), table, "by-due"))
    }

    /// The parked streams of this scope, a projection or a generation of it, in this table.
    pub fn quarantine(&self, table: &str, scope: &str) -> Arc<dyn Quarantine> {
        Arc::new(DynamoQuarantine::new(self.dynamodb.clone(), table, scope))
    }

    /// The events that operators have skipped for this projection, in the same table.
    pub fn skips(&self, table: &str, projection: &str) -> Arc<dyn Skips> {
        Arc::new(DynamoSkips::new(self.dynamodb.clone(), table, projection))
    }

    /// The publisher of a context's events to this bus; it can be given a store for payloads too.
    pub fn publisher(&self, bus: &str, context: &str) -> EventBridgePublisher {
        EventBridgePublisher::new(self.eventbridge.clone(), bus, context)
    }

    /// The system's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// The system's randomness.
    pub fn random(&self) -> Arc<dyn Random> {
        Arc::new(SystemRandom)
    }
}

async fn sdk_config() -> SdkConfig {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(50)),
        )
        .timeout_config(timeouts.build())
        .load()
        .await
}

/// A variable that the function's template must set, and does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set, or not UTF-8")]
pub struct MissingVariable(&'static str);

/// A variable that the function's template sets.
///
/// # Errors
/// [`MissingVariable`].
pub fn variable(name: &'static str) -> Result<String, MissingVariable> {
    std::env::var(name).map_err(|_| MissingVariable(name))
}
