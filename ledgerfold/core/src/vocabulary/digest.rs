use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A UUID (version 8) that is derived from these parts. The same parts give the same id on every machine.
///
/// A repeated creation finds its own stream by such an id, without a lookup. The ends of the parts count, so
/// `["ab", "c"]` and `["a", "bc"]` give different ids.
pub fn derive_uuid(parts: &[&str]) -> Uuid {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    Uuid::new_v8(digest(&parts))
}

/// The first 128 bits of SHA-256 over the parts, each preceded by its length.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_depend_on_every_part_and_its_end() {
        let id = derive_uuid(&["order", "anonymous", "key-1"]);
        assert_eq!(id, derive_uuid(&["order", "anonymous", "key-1"]));
        for other in [["order", "anonymous", "key-2"], ["order", "anonymousk", "ey-1"]] {
            assert_ne!(id, derive_uuid(&other));
        }
    }
}
