use std::{fmt, sync::Arc};

use crate::{
    CommandId, MAX_EVENTS_PER_COMMIT, StreamId, Version,
    ports::{CommitPage, EventReader, Span, StoreError},
    vocabulary::{Commit, CommitHash},
};

/// Verifies the hash chains of a log's streams. It only reads.
pub struct ChainVerifier {
    log: Arc<dyn EventReader>,
}

/// A walk through one stream from its first commit, page by page.
pub struct ChainWalk {
    log: Arc<dyn EventReader>,
    stream: StreamId,
    /// The version of the last event so far.
    version: Version,
    previous: Previous,
    commits: u64,
    ended: bool,
}

/// A commit that does not fit the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stream.
    pub stream: StreamId,
    /// The version of the first event of the commit.
    pub version: Version,
    /// The command of the commit; `None` if the commit cannot be read.
    pub command: Option<CommandId>,
    /// The fault.
    pub fault: Fault,
}

/// The reason why a commit does not fit the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The commit does not have the hash of its content at this place. Its content or its hash was changed, or it was
    /// moved here from another place or another stream. If its own content is right, then the commit before it was
    /// replaced together with its hash.
    Edited,
    /// The commits before this one were removed, from this version on. This commit itself cannot be verified, because
    /// the hash before it is lost.
    Missing {
        /// The first version that is missing.
        from: Version,
    },
    /// The store cannot read the commit, for this reason.
    Unreadable(String),
}

/// The hash of the commit before the next one.
enum Previous {
    /// There is none: the next commit is the first.
    Start,
    /// This one, and the commit has no fault.
    Intact(CommitHash),
    /// The commit has a fault. If only its hash was changed, the next commit fits the computed one.
    Edited { stored: CommitHash, computed: CommitHash },
    /// It cannot be read.
    Unknown,
}

impl ChainVerifier {
    /// A verifier of the streams of this log.
    pub const fn new(log: Arc<dyn EventReader>) -> Self {
        Self { log }
    }

    /// Begins to verify a stream.
    pub fn walk(&self, stream: StreamId) -> ChainWalk {
        ChainWalk {
            log: self.log.clone(),
            stream,
            version: Version::NONE,
            previous: Previous::Start,
            commits: 0,
            ended: false,
        }
    }
}

impl ChainWalk {
    /// Verifies the next page, and returns its findings; `None` after the last page. After a finding, the walk continues
    /// from the stored hash, so one edit leads to one finding.
    ///
    /// # Errors
    /// [`StoreError`], but not [`StoreError::Corrupt`], which is a finding.
    pub async fn next(&mut self) -> Result<Option<Vec<Finding>>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        match self.log.read(&self.stream, self.version).await {
            Ok(page) => Ok(Some(self.verify_page(&page))),
            // The error does not say which commit of the page it is.
            Err(StoreError::Corrupt { .. }) => self.verify_one().await.map(Some),
            Err(error) => Err(error),
        }
    }

    /// The number of commits that were read so far.
    pub const fn commits(&self) -> u64 {
        self.commits
    }

    /// The version and the stored hash of the last commit so far; `None` before the first one, and after one that cannot
    /// be read.
    pub const fn head(&self) -> Option<(Version, CommitHash)> {
        match self.previous {
            Previous::Intact(hash) | Previous::Edited { stored: hash, .. } => {
                Some((self.version, hash))
            }
            Previous::Start | Previous::Unknown => None,
        }
    }

    fn verify_page(&mut self, page: &CommitPage) -> Vec<Finding> {
        self.ended = !page.more || page.commits.is_empty();
        page.commits.iter().filter_map(|commit| self.verify(commit)).collect()
    }

    /// Verifies a commit, and moves behind it.
    fn verify(&mut self, commit: &Commit) -> Option<Finding> {
        let fits = self.previous.fits(commit);
        let skips = commit.from() > self.version.next();
        let fault = match (&self.previous, skips, fits) {
            // No hash is known before it. Versions may be those of the unreadable commit.
            (Previous::Unknown, ..) => None,
            // A changed commit may have lost events. Its successor fits, so no commit is missing.
            (Previous::Edited { .. }, _, true) | (_, false, true) => None,
            (_, true, _) => Some(Fault::Missing { from: self.version.next() }),
            (_, false, false) => Some(Fault::Edited),
        };
        let stored = commit.hash();
        self.previous = match &fault {
            Some(Fault::Edited) => {
                let computed = CommitHash::of(commit, self.previous.stored());
                Previous::Edited { stored, computed }
            }
            _ => Previous::Intact(stored),
        };
        self.version = commit.to();
        self.commits += 1;
        let command = Some(commit.command().id.clone());
        fault.map(|fault| self.finding(commit.from(), command, fault))
    }

    /// Verifies only the next commit, because the page that begins with it cannot be read.
    async fn verify_one(&mut self) -> Result<Vec<Finding>, StoreError> {
        let from = self.version.next();
        match self.beginning_at(from).await {
            Ok(Some(commit)) => Ok(self.verify(&commit).into_iter().collect()),
            // A commit was removed here, and a later one of the page is unreadable.
            Ok(None) => self.pass_over(from, Fault::Missing { from }).await,
            Err(StoreError::Corrupt { reason, .. }) => {
                self.pass_over(from, Fault::Unreadable(reason)).await
            }
            Err(error) => Err(error),
        }
    }

    /// Reports a commit without its content, and moves to the next commit. It begins soon, because the number of events
    /// in a commit is limited.
    async fn pass_over(&mut self, from: Version, fault: Fault) -> Result<Vec<Finding>, StoreError> {
        let mut findings = vec![self.finding(from, None, fault)];
        self.previous = Previous::Unknown;
        for _ in 0..MAX_EVENTS_PER_COMMIT {
            self.version = self.version.next();
            match self.beginning_at(self.version.next()).await {
                Ok(Some(commit)) => {
                    findings.extend(self.verify(&commit));
                    return Ok(findings);
                }
                Ok(None) => {}
                // The next call reports it.
                Err(StoreError::Corrupt { .. }) => return Ok(findings),
                Err(error) => return Err(error),
            }
        }
        self.ended = true;
        let rest = self.log.read_back(&self.stream, Span::after(self.version), 1).await;
        match rest {
            Ok(page) if page.commits.is_empty() => {}
            Ok(_) | Err(StoreError::Corrupt { .. }) => {
                let reason = "the rest of the stream was not verified, because no commit begins near this one";
                let fault = Fault::Unreadable(reason.to_owned());
                findings.push(self.finding(self.version.next(), None, fault));
            }
            Err(error) => return Err(error),
        }
        Ok(findings)
    }

    /// The commit that begins at this version.
    async fn beginning_at(&self, from: Version) -> Result<Option<Commit>, StoreError> {
        let after = Version::new(from.get().saturating_sub(1));
        let span = Span { after, before: Some(from.next()) };
        Ok(self.log.read_back(&self.stream, span, 1).await?.commits.into_iter().next())
    }

    fn finding(&self, version: Version, command: Option<CommandId>, fault: Fault) -> Finding {
        Finding { stream: self.stream.clone(), version, command, fault }
    }
}

impl Previous {
    const fn stored(&self) -> Option<CommitHash> {
        match self {
            Self::Intact(hash) | Self::Edited { stored: hash, .. } => Some(*hash),
            Self::Start | Self::Unknown => None,
        }
    }

    /// Whether the commit has the hash of its content after this one.
    fn fits(&self, commit: &Commit) -> bool {
        let follows = |previous| CommitHash::of(commit, previous) == commit.hash();
        match self {
            Self::Edited { computed, .. } => follows(self.stored()) || follows(Some(*computed)),
            _ => follows(self.stored()),
        }
    }
}

impl Fault {
    /// Its name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing { .. } => "missing",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => f.write_str("the hash does not fit the commit at this place"),
            Self::Missing { from } => write!(f, "commits from version {from} on are missing"),
            Self::Unreadable(reason) => f.write_str(reason),
        }
    }
}
