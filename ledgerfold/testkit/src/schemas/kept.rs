use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use ledgerfold::{EventType, Payload, SchemaVersion};
use serde_json::Value;

const SCHEMAS: &str = "schemas";
const GOLDEN: &str = "golden";
const ASYNCAPI: &str = "asyncapi.json";

/// One version of one event type. Its `Display` is part of file names: `OrderPaid.v1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaName {
    /// The type.
    pub event_type: EventType,
    /// The version.
    pub version: SchemaVersion,
}

impl SchemaName {
    /// The name of this version of this type.
    pub fn new(event_type: &EventType, version: SchemaVersion) -> Self {
        Self { event_type: event_type.clone(), version }
    }

    /// The next version of the type.
    pub(super) fn next(&self) -> SchemaVersion {
        SchemaVersion::new(self.version.get().saturating_add(1))
    }

    /// The file of its schema.
    pub(super) fn schema_file(&self) -> String {
        format!("{SCHEMAS}/{self}.json")
    }

    /// Its first golden file.
    pub(super) fn golden_file(&self) -> String {
        format!("{GOLDEN}/{self}.json")
    }

    /// Parses `OrderPaid.v1` or `OrderPaid.v1.<name>`.
    fn parse(stem: &str) -> Option<Self> {
        let mut parts = stem.splitn(3, '.');
        let event_type = EventType::new(parts.next()?).ok()?;
        let version = parts.next()?.strip_prefix('v')?.parse().ok()?;
        Some(Self { event_type, version: SchemaVersion::new(version) })
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.v{}", self.event_type, self.version)
    }
}

/// The content of an event, as it was written at the time of its version.
#[derive(Clone, Debug, PartialEq)]
pub struct Golden {
    /// The file, relative to the contract's folder.
    pub file: String,
    /// The type and version of the event.
    pub name: SchemaName,
    /// The content.
    pub data: Payload,
}

/// The stored files of a contract: schemas, golden files and the AsyncAPI document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kept {
    /// The schema of each version of each type.
    pub schemas: BTreeMap<SchemaName, Value>,
    /// Events of each version of each type.
    pub goldens: Vec<Golden>,
    /// The AsyncAPI document.
    pub asyncapi: Option<Value>,
}

/// A file of a contract is invalid, or cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file system returned an error.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The file is not JSON.
    #[error("{file} is not JSON: {reason}")]
    NotJson {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// The file's name has no type and version.
    #[error(
        "{0} is not named <Type>.v<version>.json, or <Type>.v<version>.<name>.json for a golden file"
    )]
    Name(String),
}

impl Kept {
    /// Reads the files of a folder. A missing folder has no files.
    ///
    /// # Errors
    /// [`KeptError`] if a file cannot be read, or its name or content is invalid.
    pub fn read(folder: &Path) -> Result<Self, KeptError> {
        let mut kept = Self::default();
        for (file, text) in files(folder, SCHEMAS)? {
            let stem = stem(&file).filter(|stem| stem.matches('.').count() == 1);
            let name = stem.and_then(SchemaName::parse).ok_or(KeptError::Name(file.clone()))?;
            kept.schemas.insert(name, json(&file, &text)?);
        }
        for (file, text) in files(folder, GOLDEN)? {
            let name = stem(&file).and_then(SchemaName::parse);
            let name = name.ok_or_else(|| KeptError::Name(file.clone()))?;
            let data = Payload::from_text(text.trim().to_owned()).map_err(|error| {
                KeptError::NotJson { file: file.clone(), reason: error.to_string() }
            })?;
            kept.goldens.push(Golden { file, name, data });
        }
        let path = folder.join(ASYNCAPI);
        if path.exists() {
            kept.asyncapi = Some(json(ASYNCAPI, &read(&path)?)?);
        }
        Ok(kept)
    }

    /// Whether there is a golden file of this version.
    pub(super) fn has_golden(&self, name: &SchemaName) -> bool {
        self.goldens.iter().any(|golden| golden.name == *name)
    }
}

/// The files to write, with their texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update(BTreeMap<String, String>);

impl Update {
    /// Adds a document. Its keys are sorted, so that the text is the same on every machine.
    pub(super) fn document(&mut self, file: String, value: &Value) {
        self.0.insert(file, format!("{:#}\n", sorted(value)));
    }

    /// Adds the AsyncAPI document.
    pub(super) fn asyncapi(&mut self, value: &Value) {
        self.document(ASYNCAPI.to_owned(), value);
    }

    /// Adds a golden file with the unchanged content of an event.
    pub(super) fn golden(&mut self, name: &SchemaName, data: &Payload) {
        self.0.insert(name.golden_file(), format!("{}\n", data.as_str()));
    }

    /// The files with their texts. Paths are relative to the contract's folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// Writes the files.
    ///
    /// # Errors
    /// [`KeptError::Io`] if a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), KeptError> {
        for (file, text) in self.files() {
            let path = folder.join(file);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(|source| io_error(parent, source))?;
            fs::write(&path, text).map_err(|source| io_error(&path, source))?;
        }
        Ok(())
    }
}

/// The files of a subfolder with their texts, by name.
fn files(folder: &Path, name: &str) -> Result<BTreeMap<String, String>, KeptError> {
    let path = folder.join(name);
    let mut files = BTreeMap::new();
    if !path.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(&path).map_err(|source| io_error(&path, source))? {
        let file = entry.map_err(|source| io_error(&path, source))?;
        let place = format!("{name}/{}", file.file_name().to_string_lossy());
        files.insert(place, read(&file.path())?);
    }
    Ok(files)
}

fn stem(file: &str) -> Option<&str> {
    file.rsplit('/').next()?.strip_suffix(".json")
}

fn read(path: &Path) -> Result<String, KeptError> {
    fs::read_to_string(path).map_err(|source| io_error(path, source))
}

fn json(file: &str, text: &str) -> Result<Value, KeptError> {
    serde_json::from_str(text)
        .map_err(|error| KeptError::NotJson { file: file.to_owned(), reason: error.to_string() })
}

fn io_error(path: &Path, source: io::Error) -> KeptError {
    KeptError::Io { path: path.to_owned(), source }
}

/// The value with sorted keys. `serde_json` does not sort them if another crate enables `preserve_order`.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().collect();
            fields.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
