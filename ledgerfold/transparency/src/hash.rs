//! The hashes of a Merkle tree: RFC 6962, section 2.1.

use std::fmt;

use sha2::{Digest, Sha256};

/// A node of a tree: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The size of a hash.
    pub const BYTES: usize = 32;

    /// The root of the tree without leaves: SHA-256 of nothing.
    pub fn of_nothing() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// The hash of a leaf with this content.
    pub fn leaf(content: &[u8]) -> Self {
        Self(Sha256::new_with_prefix([0]).chain_update(content).finalize().into())
    }

    /// The hash of the node above two nodes.
    #[must_use]
    pub fn node(left: Self, right: Self) -> Self {
        Self(
            Sha256::new_with_prefix([1])
                .chain_update(left.0)
                .chain_update(right.0)
                .finalize()
                .into(),
        )
    }

    /// Takes a hash from a store; `None` if it does not have 32 bytes.
    pub fn restore(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The root of the tree with these leaves.
    pub fn root(leaves: &[Self]) -> Self {
        match leaves {
            [] => Self::of_nothing(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
                Self::node(Self::root(left), Self::root(right))
            }
        }
    }
}

/// The largest power of two that is less than this number, which is two or more.
fn largest_power_below(count: usize) -> usize {
    count.next_power_of_two() / 2
}

/// 64 hexadecimal digits.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}
