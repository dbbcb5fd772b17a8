//! Objects on S3: payloads that are too large for the log or the bus, and the files of an export.
//!
//! This is a separate crate, so that functions without large payloads do not include the SDK of S3.

mod export;

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use ledgerfold::{
    ports::{PayloadError, PayloadStore, PortError},
    vocabulary::ContentId,
};
use ledgerfold_aws::Failure;

pub use export::S3ExportFiles;

/// Payloads in a bucket. The key of each is a prefix and the payload's digest.
///
/// An object is only written if it does not exist, so functions need no permission to overwrite or delete. Set no
/// lifecycle rule: objects must live as long as the log and the archive point to them.
///
/// ```no_run
/// # async fn example(sdk: &aws_sdk_s3::Client) {
/// use ledgerfold_s3::S3PayloadStore;
/// let payloads = S3PayloadStore::new(sdk.clone(), "the-bucket", "orders/");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct S3PayloadStore {
    client: Client,
    bucket: String,
    prefix: String,
}

impl S3PayloadStore {
    /// The payloads in this bucket under this prefix. The prefix is empty or ends with `/`.
    pub fn new(client: Client, bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into(), prefix: prefix.into() }
    }

    fn key(&self, id: &ContentId) -> String {
        format!("{}{id}", self.prefix)
    }
}

#[async_trait]
impl PayloadStore for S3PayloadStore {
    async fn put(&self, id: &ContentId, content: String) -> Result<(), PayloadError> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(id))
            .content_type("application/json")
            .if_none_match("*")
            .body(ByteStream::from(content.into_bytes()));
        match put.send().await {
            Ok(_) => Ok(()),
            // The name is a digest: this content exists already, or another call is writing it.
            Err(error) if matches!(code(&error), Some("PreconditionFailed")) => Ok(()),
            Err(error) => Err(Failure::of(error).into()),
        }
    }

    async fn get(&self, id: &ContentId) -> Result<Vec<u8>, PayloadError> {
        let get = self.client.get_object().bucket(&self.bucket).key(self.key(id));
        let answer = get.send().await.map_err(|error| match code(&error) {
            Some("NoSuchKey") => PayloadError::Missing(id.clone()),
            _ => Failure::of(error).into(),
        })?;
        let content = answer.body.collect().await;
        let content =
            content.map_err(|error| PayloadError::Port(PortError::Unavailable(error.into())))?;
        Ok(content.to_vec())
    }

    fn uri(&self, id: &ContentId) -> String {
        format!("s3://{}/{}", self.bucket, self.key(id))
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
