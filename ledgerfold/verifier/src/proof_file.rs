//! Proofs that stand alone: C2SP tlog-proof, and the proof of a head.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Checkpoint, Digest, NoteError, PublicKey,
    fields::{take, take_digest, take_number, take_text},
    log::Leaf,
    merkle::root_from_inclusion,
    verify_inclusion,
};

/// What a proof file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The stream of the commit.
    pub stream: String,
    /// The version of its first event.
    pub from: u64,
    /// The version of its last event.
    pub to: u64,
    /// Its hash.
    pub hash: Digest,
    /// The index of its entry.
    pub index: u64,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
}

/// The reason why a proof does not show anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The file is no proof.
    #[error("the file is not a proof of a commit: {0}")]
    Form(&'static str),
    /// The checkpoint.
    #[error("the checkpoint is refused: {0}")]
    Checkpoint(#[from] NoteError),
    /// The commit is not in the tree of the checkpoint.
    #[error("the commit is not in the tree of the checkpoint")]
    NotIncluded,
}

/// Verifies a proof file. Its line `extra` contains the entry.
///
/// # Errors
/// [`ProofError`].
pub fn verify_proof(file: &str, keys: &[PublicKey]) -> Result<Proven, ProofError> {
    let (proof, note) = file.split_once("\n\n").ok_or(ProofError::Form("no checkpoint"))?;
    let mut lines = proof.lines();
    if lines.next() != Some("c2sp.org/tlog-proof@v1") {
        return Err(ProofError::Form("another first line"));
    }
    let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
    let entry = extra.and_then(|text| STANDARD.decode(text).ok());
    let entry = entry.ok_or(ProofError::Form("no entry"))?;
    let index = lines.next().and_then(|line| line.strip_prefix("index "));
    let index =
        index.and_then(|text| text.parse().ok().filter(|index: &u64| index.to_string() == text));
    let index = index.ok_or(ProofError::Form("no index"))?;
    let hashes: Option<Vec<_>> = lines.map(digest).collect();
    let hashes = hashes.ok_or(ProofError::Form("a line is no hash"))?;
    let checkpoint = Checkpoint::verify(note, keys)?;
    let leaf = Digest::leaf(&entry);
    if !verify_inclusion(leaf, index, checkpoint.size, &hashes, checkpoint.root) {
        return Err(ProofError::NotIncluded);
    }
    match Leaf::parse(&entry) {
        Some(Leaf::Commit { stream, from, to, hash }) => {
            Ok(Proven { stream, from, to, hash, index, checkpoint })
        }
        _ => Err(ProofError::Form("the entry is no commit")),
    }
}

fn digest(line: &str) -> Option<Digest> {
    let bytes = STANDARD.decode(line).ok()?;
    Some(Digest(bytes.as_slice().try_into().ok()?))
}

/// Verifies the proof of a stream's head against the root of the heads. Returns its version and hash, or `None` if the
/// proof shows that the log has no commit of the stream.
///
/// # Errors
/// [`ProofError`].
pub fn verify_head(
    proof: &[u8],
    stream: &str,
    root: Digest,
) -> Result<Option<(u64, Digest)>, ProofError> {
    let read = HeadProof::parse(proof).ok_or(ProofError::Form("it is no proof of a head"))?;
    read.verify(stream, root)
}

struct HeadProof {
    place: u64,
    size: u64,
    leaves: Vec<(Vec<u8>, Vec<Digest>)>,
    directory: Vec<Digest>,
}

impl HeadProof {
    fn parse(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        if take_text(rest)? != "ledgerfold head proof 1" {
            return None;
        }
        let (place, size, count) = (take_number(rest)?, take_number(rest)?, take_number(rest)?);
        let mut leaves = Vec::new();
        for _ in 0..count.min(3) {
            leaves.push((take(rest)?.to_vec(), digests(rest)?));
        }
        let directory = digests(rest)?;
        rest.is_empty().then_some(Self { place, size, leaves, directory })
    }

    fn verify(&self, stream: &str, root: Digest) -> Result<Option<(u64, Digest)>, ProofError> {
        let sought = Digest::of(&[stream.as_bytes()]);
        let shard = self.shard_root()?;
        let number = u64::from(sought.0[0]);
        let leaf = Digest::leaf(&shard.0);
        if !verify_inclusion(leaf, number, 256, &self.directory, root) {
            return Err(ProofError::NotIncluded);
        }
        let mut before = None;
        let mut after = None;
        for ((leaf, _), place) in self.leaves.iter().zip(self.place..) {
            let (name, version, hash) = head(leaf).ok_or(ProofError::Form("a leaf is no head"))?;
            if name == stream {
                return Ok(Some((version, hash)));
            }
            if Digest::of(&[name.as_bytes()]) < sought {
                before = Some(place);
            } else if after.is_none() {
                after = Some(place);
            }
        }
        // The stream would be between two neighbours, or at an end of the shard.
        let is_absent = match (before, after) {
            (None, None) => self.size == 0,
            (Some(place), None) => place + 1 == self.size,
            (None, Some(place)) => place == 0,
            (Some(left), Some(right)) => left + 1 == right,
        };
        if is_absent { Ok(None) } else { Err(ProofError::NotIncluded) }
    }

    /// The root of the shard that all leaves of the proof have.
    fn shard_root(&self) -> Result<Digest, ProofError> {
        if self.size == 0 && self.leaves.is_empty() {
            return Ok(Digest::of(&[]));
        }
        let mut root = None;
        for ((leaf, path), place) in self.leaves.iter().zip(self.place..) {
            let computed = root_from_inclusion(Digest::leaf(leaf), place, self.size, path);
            let computed = computed.ok_or(ProofError::NotIncluded)?;
            if *root.get_or_insert(computed) != computed {
                return Err(ProofError::NotIncluded);
            }
        }
        root.ok_or(ProofError::NotIncluded)
    }
}

fn digests(rest: &mut &[u8]) -> Option<Vec<Digest>> {
    let count = take_number(rest)?;
    // A path has at most one hash for each bit of the size.
    if count > 64 {
        return None;
    }
    (0..count).map(|_| take_digest(rest)).collect()
}

fn head(mut leaf: &[u8]) -> Option<(String, u64, Digest)> {
    let rest = &mut leaf;
    if take_text(rest)? != "ledgerfold head 1" {
        return None;
    }
    let head = (take_text(rest)?, take_number(rest)?, take_digest(rest)?);
    rest.is_empty().then_some(head)
}
