//! A prover and a verifier by one hand can contain the same mistake. Each pair here has one, and agrees with itself, so only
//! the vectors of another implementation show it.

use ledgerfold_verifier::Digest;
use serde_json::Value;

use crate::vectors::{digest, entries, list, place, vectors};

/// A mistake of a whole pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    None,
    /// A leaf and a node with the same bytes have one hash, so a node can pass as a leaf.
    NoPrefixOfLeaves,
    NoPrefixOfNodes,
    /// The last node of an odd level is its own sibling, as in Bitcoin, so two lists of leaves have one root.
    LastNodeTwice,
    /// The tree is split in halves instead of at a power of two.
    Halves,
    /// The root of no leaves is zero.
    EmptyIsZero,
    SiblingsSwapped,
}

/// All mistakes that a pair can share.
const MISTAKES: [Mistake; 6] = [
    Mistake::NoPrefixOfLeaves,
    Mistake::NoPrefixOfNodes,
    Mistake::LastNodeTwice,
    Mistake::Halves,
    Mistake::EmptyIsZero,
    Mistake::SiblingsSwapped,
];

impl Mistake {
    fn leaf(self, content: &[u8]) -> Digest {
        match self {
            Self::NoPrefixOfLeaves => Digest::of(&[content]),
            _ => Digest::of(&[&[0], content]),
        }
    }

    fn node(self, left: Digest, right: Digest) -> Digest {
        match self {
            Self::NoPrefixOfNodes => Digest::of(&[&left.0, &right.0]),
            Self::SiblingsSwapped => Digest::of(&[&[1], &right.0, &left.0]),
            _ => Digest::of(&[&[1], &left.0, &right.0]),
        }
    }

    fn split(self, count: usize) -> usize {
        if self == Self::Halves { count / 2 } else { count.next_power_of_two() / 2 }
    }

    fn root(self, leaves: &[Digest]) -> Digest {
        match leaves {
            [] if self == Self::EmptyIsZero => Digest([0; 32]),
            [] => Digest::of(&[]),
            [leaf] => *leaf,
            _ if self == Self::LastNodeTwice => {
                let level = leaves.chunks(2).map(|pair| self.node(pair[0], pair[pair.len() - 1]));
                self.root(&level.collect::<Vec<_>>())
            }
            _ => {
                let (left, right) = leaves.split_at(self.split(leaves.len()));
                self.node(self.root(left), self.root(right))
            }
        }
    }

    /// The prover: the sibling of each step from the leaf to the root, with the side on which it stands.
    fn prove(self, leaves: &[Digest], index: usize) -> Vec<(bool, Digest)> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        if self == Self::LastNodeTwice {
            let pair = &leaves[index & !1..(index | 1).min(leaves.len() - 1) + 1];
            let sibling = if index % 2 == 1 { pair[0] } else { pair[pair.len() - 1] };
            let level = leaves.chunks(2).map(|pair| self.node(pair[0], pair[pair.len() - 1]));
            let level: Vec<_> = level.collect();
            return [vec![(index % 2 == 1, sibling)], self.prove(&level, index / 2)].concat();
        }
        let (left, right) = leaves.split_at(self.split(leaves.len()));
        let (rest, step) = match index.checked_sub(left.len()) {
            None => (self.prove(left, index), (false, self.root(right))),
            Some(index) => (self.prove(right, index), (true, self.root(left))),
        };
        [rest, vec![step]].concat()
    }

    /// The verifier.
    fn verifies(self, leaf: Digest, proof: &[(bool, Digest)], root: Digest) -> bool {
        let climb = |node, (is_left, sibling): &(bool, Digest)| match is_left {
            true => self.node(*sibling, node),
            false => self.node(node, *sibling),
        };
        proof.iter().fold(leaf, climb) == root
    }

    /// Whether the pair accepts all of its own proofs.
    fn agrees_with_itself(self, entries: &[Vec<u8>]) -> bool {
        let leaves: Vec<_> = entries.iter().map(|entry| self.leaf(entry)).collect();
        let root = self.root(&leaves);
        let accepts =
            |(at, leaf): (usize, &Digest)| self.verifies(*leaf, &self.prove(&leaves, at), root);
        leaves.iter().enumerate().all(accepts)
    }

    /// Whether the roots of the pair are those of the vectors.
    fn agrees_with(self, vectors: &Value, entries: &[Vec<u8>]) -> bool {
        let leaves: Vec<_> = entries.iter().map(|entry| self.leaf(entry)).collect();
        list(&vectors["roots"])
            .iter()
            .all(|vector| self.root(&leaves[..place(&vector["size"])]) == digest(&vector["root"]))
    }
}

// Guards: three-implementations-agree-on-the-log
#[test]
fn a_mistake_that_prover_and_verifier_share_does_not_pass_the_vectors() {
    let vectors = vectors();
    let entries = entries(&vectors);
    assert!(Mistake::None.agrees_with_itself(&entries[..37]));
    assert!(Mistake::None.agrees_with(&vectors, &entries));
    for mistake in MISTAKES {
        assert!(mistake.agrees_with_itself(&entries[..37]), "{mistake:?}");
        assert!(!mistake.agrees_with(&vectors, &entries), "{mistake:?}");
    }
}
