//! The objects of an export in a bucket.

use async_trait::async_trait;
use aws_sdk_s3::{Client, primitives::ByteStream};
use ledgerfold::ports::{ExportError, ExportFiles, ExportStored, PortError};
use ledgerfold_aws::Failure;

use crate::code;

/// How often a write is tried while another one writes the same key.
const ATTEMPTS: u32 = 5;

/// The objects of an export in a bucket, under a prefix.
///
/// An object is only written if it does not exist, so writers need no permission to overwrite or delete.
#[derive(Clone, Debug)]
pub struct S3ExportFiles {
    client: Client,
    bucket: String,
    prefix: String,
}

impl S3ExportFiles {
    /// The export in this bucket under this prefix. The prefix is empty or ends with `/`.
    pub fn new(client: Client, bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into(), prefix: prefix.into() }
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

#[async_trait]
impl ExportFiles for S3ExportFiles {
    async fn put_new(&self, key: &str, content: Vec<u8>) -> Result<ExportStored, ExportError> {
        let mut attempt = 1;
        loop {
            let put = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(self.key(key))
                .if_none_match("*")
                .body(ByteStream::from(content.clone()));
            match put.send().await {
                Ok(_) => return Ok(ExportStored::New),
                Err(error) if matches!(code(&error), Some("PreconditionFailed")) => {
                    return Ok(ExportStored::Taken);
                }
                // Another write of this key is not finished yet. One of the two takes effect.
                Err(error)
                    if matches!(code(&error), Some("ConditionalRequestConflict"))
                        && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(Failure::of(error).into()),
            }
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ExportError> {
        let get = self.client.get_object().bucket(&self.bucket).key(self.key(key));
        let answer = match get.send().await {
            Ok(answer) => answer,
            Err(error) if matches!(code(&error), Some("NoSuchKey")) => return Ok(None),
            Err(error) => return Err(Failure::of(error).into()),
        };
        let content = answer.body.collect().await;
        let content = content.map_err(|error| PortError::Unavailable(error.into()))?;
        Ok(Some(content.to_vec()))
    }

    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>, ExportError> {
        let after = (!after.is_empty()).then(|| self.key(after));
        let list = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(self.key(prefix))
            .set_start_after(after);
        let answer = list.send().await.map_err(Failure::of)?;
        let keys = answer.contents().iter().filter_map(|object| object.key());
        let keys = keys.filter_map(|key| key.strip_prefix(&self.prefix));
        Ok(keys.map(str::to_owned).collect())
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(key))
    }
}
