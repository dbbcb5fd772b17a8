//! The vectors that transparency-dev/merkle publishes, if `MERKLE_VECTORS` names a copy of its folder `testdata`.

use std::path::{Path, PathBuf};

use ledgerfold_verifier::{Digest, verify_consistency, verify_inclusion};
use serde_json::Value;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found
}

/// A hash, or `None` if it is empty. Some vectors have placeholders of another length, which are equal or not: they become
/// hashes too.
fn digest(value: &Value) -> Option<Digest> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    if bytes.is_empty() {
        return None;
    }
    Some(bytes.as_slice().try_into().map_or_else(|_| Digest::of(&[&bytes]), Digest))
}

fn proof(vector: &Value) -> Option<Vec<Digest>> {
    match &vector["proof"] {
        Value::Array(hashes) => hashes.iter().map(digest).collect(),
        _ => Some(Vec::new()),
    }
}

fn inclusion(vector: &Value) -> Option<bool> {
    let (index, size) = (vector["leafIdx"].as_u64()?, vector["treeSize"].as_u64()?);
    let (leaf, root) = (digest(&vector["leafHash"])?, digest(&vector["root"])?);
    Some(verify_inclusion(leaf, index, size, &proof(vector)?, root))
}

fn consistency(vector: &Value) -> Option<bool> {
    let old = (vector["size1"].as_u64()?, digest(&vector["root1"])?);
    let new = (vector["size2"].as_u64()?, digest(&vector["root2"])?);
    Some(verify_consistency(old, new, &proof(vector)?))
}

/// Whether the proof of a vector verifies; `None` if it cannot be read.
type Verify = fn(&Value) -> Option<bool>;

#[test]
fn the_published_vectors_verify() {
    let Some(folder) = std::env::var_os("MERKLE_VECTORS").map(PathBuf::from) else { return };
    let kinds: [(&str, Verify); 2] = [("inclusion", inclusion), ("consistency", consistency)];
    for (kind, verify) in kinds {
        let files = files(&folder.join(kind));
        assert!(files.len() > 90, "{kind}: only {} vectors", files.len());
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a text");
            let vector: Value = serde_json::from_str(&text).expect("JSON");
            let is_wrong = vector["wantErr"].as_bool().expect("a boolean");
            assert_eq!(verify(&vector).unwrap_or(false), !is_wrong, "{}", file.display());
        }
    }
}
