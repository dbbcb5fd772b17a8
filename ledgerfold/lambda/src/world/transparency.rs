//! The sealer and its ports.

use std::sync::Arc;

use ledgerfold_transparency::Sealer;
use ledgerfold_transparency_aws::{DynamoSize, KmsSigner, S3Log};

use super::World;

/// The places of a transparency log.
#[derive(Clone, Debug)]
pub struct TransparencyLog {
    /// The name of the log in its checkpoints.
    pub origin: String,
    /// The bucket.
    pub bucket: String,
    /// The KMS key that signs.
    pub key: String,
    /// The table of projection states.
    pub states: String,
}

impl World {
    /// The sealer of the events in this table.
    pub fn sealer(&self, events: &str, log: &TransparencyLog) -> Sealer {
        let objects = Arc::new(S3Log::new(aws_sdk_s3::Client::new(&self.sdk), &log.bucket, ""));
        let signer = Arc::new(KmsSigner::new(self.kms(), &log.key));
        let size = Arc::new(DynamoSize::new(self.dynamodb(), &log.states));
        Sealer::new(
            &log.origin,
            (self.event_reader(events), self.clock()),
            (objects.clone(), objects),
            (signer, size),
        )
    }
}
