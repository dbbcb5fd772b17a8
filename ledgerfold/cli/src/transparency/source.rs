//! The objects of a log: in a bucket, or in a folder with a copy of it.

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use async_trait::async_trait;
use ledgerfold::ports::PortError;
use ledgerfold_transparency::{CheckpointStore, LogError, ObjectStore};
use ledgerfold_transparency_aws::S3Log;
use ledgerfold_verifier::{LogSource, SourceError};

use crate::target::Target;

/// A place as an operator writes it: `s3://bucket/prefix`, or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Bucket { bucket: String, prefix: String },
    Folder(PathBuf),
}

/// The log at a place. It is only read.
#[derive(Clone, Debug)]
pub(crate) enum LogAt {
    Bucket(S3Log),
    Folder(PathBuf),
}

impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let Some(place) = text.strip_prefix("s3://") else {
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix })
    }
}

impl LogAt {
    pub(crate) async fn open(place: &Place, target: &Target) -> Self {
        match place {
            Place::Bucket { bucket, prefix } => {
                Self::Bucket(S3Log::new(target.connection.s3().await, bucket, prefix))
            }
            Place::Folder(folder) => Self::Folder(folder.clone()),
        }
    }

    async fn find(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        match self {
            Self::Bucket(log) => ObjectStore::get(log, name).await,
            Self::Folder(folder) => file(folder, name),
        }
    }
}

/// The file of an object. The names of objects come from the programs of the log, never from its content.
fn file(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, LogError> {
    match std::fs::read(folder.join(name)) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PortError::Unavailable(error.into()).into()),
    }
}

fn only_read() -> LogError {
    PortError::Refused("the command line only reads the log".into()).into()
}

#[async_trait]
impl ObjectStore for LogAt {
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        self.find(name).await
    }

    async fn create(&self, _: &str, _: Vec<u8>) -> Result<bool, LogError> {
        Err(only_read())
    }
}

#[async_trait]
impl CheckpointStore for LogAt {
    async fn get(&self, size: u64) -> Result<Option<String>, LogError> {
        let name = format!("checkpoints/{size}");
        let found = self.find(&name).await?;
        let corrupt = |_| LogError::Corrupt { name, reason: "is not text" };
        found.map(|note| String::from_utf8(note).map_err(corrupt)).transpose()
    }

    async fn create(&self, _: u64, _: &str) -> Result<bool, LogError> {
        Err(only_read())
    }

    async fn publish(&self, _: u64, _: &str) -> Result<(), LogError> {
        Err(only_read())
    }
}

#[async_trait]
impl LogSource for LogAt {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
        self.find(name).await.map_err(|error| SourceError(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_a_bucket_or_a_folder() {
        let bucket =
            |prefix: &str| Place::Bucket { bucket: "b".to_owned(), prefix: prefix.to_owned() };
        assert_eq!("s3://b".parse(), Ok(bucket("")));
        assert_eq!("s3://b/".parse(), Ok(bucket("")));
        assert_eq!("s3://b/a/c/".parse(), Ok(bucket("a/c/")));
        assert_eq!("copy/of".parse(), Ok(Place::Folder("copy/of".into())));
    }
}
