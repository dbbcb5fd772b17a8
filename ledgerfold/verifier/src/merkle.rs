//! Merkle trees as a verifier sees them: RFC 9162, sections 2.1.3.2 and 2.1.4.2.

use std::fmt;

use ring::digest::{Context, SHA256};

/// A node of a tree: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// SHA-256 over the parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Self(digest)
    }

    /// The hash of a leaf.
    pub fn leaf(content: &[u8]) -> Self {
        Self::of(&[&[0], content])
    }

    fn parent(left: Self, right: Self) -> Self {
        Self::of(&[&[1], &left.0, &right.0])
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Computes the root of a tree from its leaves, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Accumulator {
    size: u64,
    /// The roots of the complete subtrees from left to right, one for each bit of the size.
    peaks: Vec<Digest>,
}

impl Accumulator {
    /// Adds a leaf.
    pub fn add(&mut self, leaf: Digest) {
        let mut node = leaf;
        let mut carry = self.size;
        while carry & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            node = Digest::parent(left, node);
            carry >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(last) = peaks.next() else { return Digest::of(&[]) };
        peaks.fold(last, |right, left| Digest::parent(left, right))
    }
}

impl FromIterator<Digest> for Accumulator {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.add(leaf));
        tree
    }
}

/// Whether the proof shows that the leaf with this index is in the tree with this size and root.
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: Digest,
) -> bool {
    root_from_inclusion(leaf, index, size, proof) == Some(root)
}

/// The root that the proof leads to; `None` if it does not have the length of a proof in a tree of this size.
pub(crate) fn root_from_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let mut node = leaf;
    let (mut place, mut last) = (index, size - 1);
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            node = Digest::parent(*sibling, node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = Digest::parent(node, *sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

/// Whether the proof shows that the second tree continues the first one. Each tree is its size and its root. Every tree
/// continues the empty one, so a proof of that shows nothing, and is refused.
pub fn verify_consistency(
    (old_size, old_root): (u64, Digest),
    (size, root): (u64, Digest),
    proof: &[Digest],
) -> bool {
    if old_size == 0 || old_size > size {
        return false;
    }
    if old_size == size {
        return proof.is_empty() && old_root == root;
    }
    let mut rest = proof.iter().copied();
    let start = if old_size.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(start) = start else { return false };
    let (mut place, mut last) = (old_size - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_node, mut node) = (start, start);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_node = Digest::parent(sibling, old_node);
            node = Digest::parent(sibling, node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = Digest::parent(node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_node == old_root && node == root
}
