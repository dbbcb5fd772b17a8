//! Objects and checkpoints in a bucket.

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_object::builders::PutObjectFluentBuilder,
    primitives::ByteStream,
};
use ledgerfold::ports::PortError;
use ledgerfold_aws::Failure;
use ledgerfold_transparency::{Checkpoint, CheckpointStore, LogError, ObjectStore};

/// The name of the published checkpoint, by C2SP tlog-tiles.
const PUBLISHED: &str = "checkpoint";
/// How often the published checkpoint is read again after another sealer has replaced it.
const MAX_ATTEMPTS: usize = 8;

/// The objects and checkpoints of one log in a bucket with Object Lock, under a prefix.
#[derive(Clone, Debug)]
pub struct S3Log {
    client: Client,
    bucket: String,
    prefix: String,
}

/// An object with the tag of its version.
struct Found {
    content: Vec<u8>,
    tag: String,
}

impl S3Log {
    /// The log in this bucket under this prefix. The prefix is empty or ends with `/`.
    pub fn new(client: Client, bucket: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into(), prefix: prefix.into() }
    }

    async fn find(&self, name: &str) -> Result<Option<Found>, LogError> {
        let get = self.client.get_object().bucket(&self.bucket).key(self.key(name));
        let answer = match get.send().await {
            Ok(answer) => answer,
            Err(error) if code(&error) == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(failed(Failure::of(error))),
        };
        let tag = answer.e_tag.unwrap_or_default();
        let content = answer.body.collect().await;
        let content = content.map_err(|error| PortError::Unavailable(error.into()))?.to_vec();
        Ok(Some(Found { content, tag }))
    }

    fn put(&self, name: &str, content: Vec<u8>) -> PutObjectFluentBuilder {
        let put = self.client.put_object().bucket(&self.bucket).key(self.key(name));
        put.body(ByteStream::from(content))
    }

    async fn put_new(&self, put: PutObjectFluentBuilder) -> Result<bool, LogError> {
        stored(put.if_none_match("*")).await
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

#[async_trait]
impl ObjectStore for S3Log {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.find(name).await?.map(|found| found.content))
    }

    async fn create(&self, name: &str, content: Vec<u8>) -> Result<bool, LogError> {
        let put = self.put(name, content).content_type("application/octet-stream");
        self.put_new(put).await
    }
}

#[async_trait]
impl CheckpointStore for S3Log {
    async fn get(&self, size: u64) -> Result<Option<String>, LogError> {
        let name = of_size(size);
        let found = self.find(&name).await?;
        found.map(|found| text(name, found.content)).transpose()
    }

    async fn create(&self, size: u64, note: &str) -> Result<bool, LogError> {
        self.put_new(of_note(self.put(&of_size(size), note.into()))).await
    }

    async fn publish(&self, size: u64, note: &str) -> Result<(), LogError> {
        for _ in 0..MAX_ATTEMPTS {
            let put = of_note(self.put(PUBLISHED, note.into()));
            let is_stored = match self.find(PUBLISHED).await? {
                None => self.put_new(put).await?,
                Some(found) => {
                    let published = text(PUBLISHED.to_owned(), found.content)?;
                    let published = Checkpoint::restore(&published);
                    if published.is_some_and(|published| published.size >= size) {
                        return Ok(());
                    }
                    stored(put.if_match(found.tag)).await?
                }
            };
            if is_stored {
                return Ok(());
            }
        }
        Err(PortError::Unavailable("other sealers replace the published checkpoint".into()).into())
    }
}

/// Sends a conditional write; `false` if its condition is not met.
async fn stored(put: PutObjectFluentBuilder) -> Result<bool, LogError> {
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) if code(&error) == Some("PreconditionFailed") => Ok(false),
        Err(error) => Err(failed(Failure::of(error))),
    }
}

fn of_note(put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
    put.content_type("text/plain; charset=utf-8").cache_control("max-age=5")
}

/// The name of the checkpoint of one size. It does not begin with the name of the published one and a slash, so that a copy
/// of the bucket in a file system can hold both.
fn of_size(size: u64) -> String {
    format!("checkpoints/{size}")
}

fn text(name: String, content: Vec<u8>) -> Result<String, LogError> {
    String::from_utf8(content).map_err(|_| LogError::Corrupt { name, reason: "is not text" })
}

fn failed(failure: Failure) -> LogError {
    PortError::from(failure).into()
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
