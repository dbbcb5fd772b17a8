//! The ports of a Lambda function, from its environment.

mod sdk;
#[cfg(feature = "transparency")]
mod transparency;
mod trust;

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
#[cfg(feature = "kms")]
use ledgerfold::keyring::{CachedKeys, MAX_CACHED_KEYS};
use ledgerfold::{
    generations::RecordReader,
    ports::{
        Clock, DeadlineQueue, DeadlineStore, EventReader, GenerationStore, Quarantine, Random,
        ReadTable, ReadView, Skips, Streams,
    },
};
use ledgerfold_aws::{HttpKeySource, SystemClock, SystemRandom};
use ledgerfold_dynamodb::{
    DynamoDeadlineStore, DynamoEventStore, DynamoGenerationStore, DynamoQuarantine,
    DynamoReadTable, DynamoSkips, DynamoStreams,
};
use ledgerfold_eventbridge::EventBridgePublisher;
#[cfg(feature = "kms")]
use ledgerfold_kms::KmsKeyring;
use ledgerfold_sqs::SqsDeadlineQueue;
use ledgerfold_tokens::{KeySetUrl, KeySource};

#[cfg(feature = "transparency")]
pub use transparency::TransparencyLog;
pub use trust::InvalidTrustStore;
use trust::Servers;

/// Creates the ports of a Lambda function: clients of AWS from the environment's configuration, the system's clock and
/// its random numbers.
#[derive(Clone)]
pub struct World {
    sdk: SdkConfig,
    // Made when they are first needed, because each takes time to make and no role needs all.
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    eventbridge: OnceLock<aws_sdk_eventbridge::Client>,
    #[cfg(any(feature = "kms", feature = "transparency"))]
    kms: OnceLock<aws_sdk_kms::Client>,
    #[cfg(feature = "export")]
    s3: OnceLock<aws_sdk_s3::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
}

impl World {
    /// Loads the AWS configuration. Call it once per environment.
    ///
    /// # Errors
    /// [`InvalidTrustStore`] if `SSL_CERT_FILE` names an unusable file.
    pub fn from_environment() -> Result<Self, InvalidTrustStore> {
        Ok(Self {
            sdk: sdk::sdk_config()?,
            dynamodb: OnceLock::new(),
            eventbridge: OnceLock::new(),
            #[cfg(any(feature = "kms", feature = "transparency"))]
            kms: OnceLock::new(),
            #[cfg(feature = "export")]
            s3: OnceLock::new(),
            sqs: OnceLock::new(),
        })
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.sdk)).clone()
    }

    fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        self.eventbridge.get_or_init(|| aws_sdk_eventbridge::Client::new(&self.sdk)).clone()
    }

    #[cfg(any(feature = "kms", feature = "transparency"))]
    fn kms(&self) -> aws_sdk_kms::Client {
        self.kms.get_or_init(|| aws_sdk_kms::Client::new(&self.sdk)).clone()
    }

    #[cfg(feature = "export")]
    fn s3(&self) -> aws_sdk_s3::Client {
        let make = || {
            // A local cloud has one host name for all buckets.
            let is_local = sdk::endpoint_of("S3").is_some();
            let config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(is_local);
            aws_sdk_s3::Client::from_conf(config.build())
        };
        self.s3.get_or_init(make).clone()
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.sdk)).clone()
    }

    /// The key set of an issuer at this address. Its client trusts the authorities of all servers, or those in
    /// `SSL_CERT_FILE`, and takes time to make: make it when a role first needs it.
    ///
    /// # Errors
    /// [`InvalidTrustStore`] if `SSL_CERT_FILE` names an unusable file.
    pub fn key_source(url: KeySetUrl) -> Result<Arc<dyn KeySource>, InvalidTrustStore> {
        Ok(Arc::new(HttpKeySource::new(sdk::http_client(Servers::Any)?, url)))
    }

    /// The AWS configuration, for clients that you create yourself, for example of S3 for payloads.
    pub const fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// Whether connections to DynamoDB use TLS, as on AWS. Local clouds have an endpoint without it.
    pub(crate) fn is_encrypted(&self) -> bool {
        sdk::endpoint_of("DYNAMODB").is_none_or(|endpoint| !endpoint.starts_with("http://"))
    }

    /// The log in this table. You can add a table for reservations, and a store for large payloads.
    pub fn event_store(&self, table: &str) -> DynamoEventStore {
        DynamoEventStore::new(self.dynamodb(), table)
    }

    /// The log in this table, for a function that only reads it.
    pub fn event_reader(&self, table: &str) -> Arc<dyn EventReader> {
        Arc::new(self.event_store(table))
    }

    /// The list of streams of the log in this table.
    pub fn streams(&self, table: &str) -> Arc<dyn Streams> {
        Arc::new(DynamoStreams::new(self.dynamodb(), table))
    }

    /// A read table with its generations.
    pub fn read_table(&self, table: &str) -> Arc<dyn ReadTable> {
        Arc::new(DynamoReadTable::new(self.dynamodb(), table))
    }

    /// A read table whose rows are listed through this index.
    pub fn listed_read_table(&self, table: &str, index: &str) -> Arc<dyn ReadTable> {
        Arc::new(DynamoReadTable::new(self.dynamodb(), table).listed_by(index))
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
    pub fn generation_reader(&self, table: &str) -> RecordReader {
        RecordReader::new(
            Arc::new(DynamoGenerationStore::new(self.dynamodb(), table)),
            self.random(),
        )
    }

    /// The generations of projections, in this table.
    pub fn generations(&self, table: &str) -> Arc<dyn GenerationStore> {
        Arc::new(DynamoGenerationStore::new(self.dynamodb(), table))
    }

    /// The deadlines in this table, found through its index `by-due`.
    pub fn deadlines(&self, table: &str) -> Arc<dyn DeadlineStore> {
        Arc::new(DynamoDeadlineStore::new(self.dynamodb(), table, "by-due"))
    }

    /// The queue of due deadlines with this URL, to which a sweep sends.
    pub fn deadline_queue(&self, url: &str) -> Arc<dyn DeadlineQueue> {
        Arc::new(SqsDeadlineQueue::new(self.sqs(), url))
    }

    /// The quarantine of a scope, a projection or one of its generations, in this table.
    pub fn quarantine(&self, table: &str, scope: &str) -> Arc<dyn Quarantine> {
        Arc::new(DynamoQuarantine::new(self.dynamodb(), table, scope))
    }

    /// The skips of a projection, in the same table.
    pub fn skips(&self, table: &str, projection: &str) -> Arc<dyn Skips> {
        Arc::new(DynamoSkips::new(self.dynamodb(), table, projection))
    }

    /// The keys in this table, which this KMS key wraps. It remembers them for this time, so make one keyring for all
    /// requests.
    #[cfg(feature = "kms")]
    pub fn keyring(
        &self,
        table: &str,
        wrapping_key: &str,
        cached_for: std::time::Duration,
    ) -> Arc<CachedKeys<KmsKeyring>> {
        let keyring = KmsKeyring::new(self.kms(), wrapping_key, self.dynamodb(), table);
        let keyring = Arc::new(keyring);
        Arc::new(CachedKeys::with_limits(keyring, self.clock(), cached_for, MAX_CACHED_KEYS))
    }

    /// A signer of certificates with this KMS key.
    #[cfg(feature = "kms")]
    pub fn certificate_signer(&self, key: &str) -> Arc<dyn ledgerfold::ports::CertificateSigner> {
        Arc::new(ledgerfold_kms::KmsSigner::new(self.kms(), key))
    }

    /// The objects of an export in this bucket.
    #[cfg(feature = "export")]
    pub fn export_files(&self, bucket: &str) -> Arc<dyn ledgerfold::ports::ExportFiles> {
        Arc::new(ledgerfold_s3::S3ExportFiles::new(self.s3(), bucket, ""))
    }

    /// The progress of an export, in this table.
    #[cfg(feature = "export")]
    pub fn export_progress(&self, table: &str) -> Arc<dyn ledgerfold::ports::ExportProgress> {
        Arc::new(ledgerfold_dynamodb::DynamoExportProgress::new(self.dynamodb(), table))
    }

    /// A publisher of a context's events to this bus. You can add a store for large payloads.
    pub fn publisher(&self, bus: &str, context: &str) -> EventBridgePublisher {
        EventBridgePublisher::new(self.eventbridge(), bus, context)
    }

    /// The system's clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }

    /// The system's random numbers.
    pub fn random(&self) -> Arc<dyn Random> {
        Arc::new(SystemRandom)
    }
}
