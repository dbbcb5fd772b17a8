//! The transparency log on AWS.
//!
//! | port | service | operations | permission on |
//! | --- | --- | --- | --- |
//! | objects | S3 | `GetObject`, `PutObject` with `If-None-Match: *` | `<prefix>*` |
//! | checkpoints | S3 | the same, and `PutObject` with `If-Match` for the published one | `<prefix>*` |
//! | signer | KMS | `GetPublicKey`, `Sign` | the key |
//! | size | DynamoDB | `GetItem`, `PutItem` with a condition | the item `log#size` |
//!
//! The bucket needs versioning and Object Lock with a default retention: GOVERNANCE, which a special permission can lift,
//! or COMPLIANCE, which nobody can. Then no version of an object can be removed while it is retained. The adapters
//! never delete.
//!
//! S3 answers 403 instead of 404 for a missing object to a caller without `s3:ListBucket`, so the sealer needs this
//! permission on the bucket.

mod kms;
mod s3;
mod size;

pub use kms::KmsSigner;
pub use s3::S3Log;
pub use size::DynamoSize;
