//! The state of a development server in a file, so that it survives a restart.
//!
//! Each line is one write of the log, or a note of how many commits projections and processes are done with. The file only
//! grows. Rows are projected again from the commits, and deadlines follow from them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ledgerfold::{
    CommandId, ReservedKey, StreamId,
    ports::{KeyChange, Transaction},
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_dynamodb::{CommandItem, CommitItem};
use ledgerfold_memory::MemoryEventStore;
use serde::{Deserialize, Serialize};

/// A file that cannot keep the state.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Another process uses it.
    #[error("{} is in use: end the other development server, or choose another file", .0.display())]
    InUse(PathBuf),
    /// A line is no state of this program.
    #[error("{}, line {line}: {reason}. Remove the file to begin anew", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// The reason.
        reason: String,
    },
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Stored {
        commits: Vec<CommitItem>,
        /// The new holder of each changed key; none if it is free.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<(String, Option<String>)>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        strict: Option<(String, CommandItem)>,
    },
    /// Projections and processes are done with so many commits.
    Handled(usize),
    /// All keys of a context that seals follow from this seed. It is no secret, because the file has everything that it
    /// protects.
    KeySeed(KeySeed),
}

/// The seed of the keys of a context that seals.
pub(crate) type KeySeed = [u8; 32];

/// The file.
pub(crate) struct Journal {
    path: PathBuf,
    /// A mutex, so that no line is written into another one.
    file: Mutex<File>,
}

/// The content of the file at the start.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    /// All commits, in the order of their appends.
    pub(crate) commits: Vec<Commit>,
    /// How many of them projections and processes are done with.
    pub(crate) handled: usize,
    pub(crate) key_seed: Option<KeySeed>,
}

impl Journal {
    /// Opens the file, or creates it, and puts its content into the log.
    pub(crate) fn open(
        path: &Path,
        log: &MemoryEventStore,
    ) -> Result<(Self, Restored), JournalError> {
        let failed = |source| JournalError::File { path: path.to_owned(), source };
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let mut file = file.map_err(failed)?;
        file.try_lock().map_err(|_| JournalError::InUse(path.to_owned()))?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(failed)?;
        // A process that ended while it wrote leaves a part of a line. Nobody got an answer to that command.
        let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < content.len() {
            content.truncate(whole);
            file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(failed)?;
        }
        let mut restored = Restored::default();
        for (at, text) in content.split(|byte| *byte == b'\n').enumerate() {
            if text.is_empty() {
                continue;
            }
            let line = serde_json::from_slice(text).map_err(|error| error.to_string());
            line.and_then(|line| restored.take(line, log)).map_err(|reason| {
                JournalError::Damaged { path: path.to_owned(), line: at + 1, reason }
            })?;
        }
        Ok((Self { path: path.to_owned(), file: Mutex::new(file) }, restored))
    }

    /// Keeps a commit.
    pub(crate) fn append(&self, new: &NewCommit) {
        let commits = vec![CommitItem::from(new.as_commit())];
        self.write(&Line::Stored { commits, keys: Vec::new(), strict: None });
    }

    /// Keeps a transaction.
    pub(crate) fn transact(&self, transaction: &Transaction) {
        let commits = transaction.commits().iter().map(|new| CommitItem::from(new.as_commit()));
        let keys = transaction.claims().iter().filter_map(|(key, change)| {
            let holder = match change {
                KeyChange::Forgo(_) => return None,
                KeyChange::Release(_) => None,
                KeyChange::Reserve(to) | KeyChange::Pass { to, .. } => Some(to.to_string()),
            };
            Some((key.to_string(), holder))
        });
        let record = transaction.strict().zip(transaction.record());
        let strict = record
            .map(|(strict, record)| (strict.id.to_string(), CommandItem::new(&strict.id, &record)));
        self.write(&Line::Stored { commits: commits.collect(), keys: keys.collect(), strict });
    }

    /// Notes that projections and processes are done with so many commits.
    pub(crate) fn handled(&self, commits: usize) {
        self.write(&Line::Handled(commits));
    }

    /// Keeps the seed of the keys.
    pub(crate) fn key_seed(&self, seed: KeySeed) {
        self.write(&Line::KeySeed(seed));
    }

    /// A line that cannot be written is lost at the next start, which the developer must know.
    fn write(&self, line: &Line) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            file.write_all(&text)
        });
        if let Err(error) = written {
            crate::tell(&format!("{} cannot be written: {error}", self.path.display()));
        }
    }
}

impl Restored {
    fn take(&mut self, line: Line, log: &MemoryEventStore) -> Result<(), String> {
        match line {
            Line::Handled(commits) => self.handled = commits,
            Line::KeySeed(seed) => self.key_seed = Some(seed),
            Line::Stored { commits, keys, strict } => {
                for item in commits {
                    let commit = item.into_commit().map_err(|error| error.to_string())?;
                    log.overwrite(&commit);
                    self.commits.push(commit);
                }
                let of_text = |error: ledgerfold::InvalidId| error.to_string();
                for (key, holder) in keys {
                    let key: ReservedKey = key.parse().map_err(of_text)?;
                    let holder = holder.map(|it| it.parse::<StreamId>()).transpose();
                    log.restore_key(key, holder.map_err(of_text)?);
                }
                if let Some((id, item)) = strict {
                    let id = CommandId::new(id).map_err(of_text)?;
                    log.restore_record(id, item.read().map_err(of_text)?);
                }
            }
        }
        Ok(())
    }
}
