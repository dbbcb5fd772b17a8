//! The parts of proofs: RFC 6962, sections 2.1.1 and 2.1.2. A proof is a list of subtrees, so this module needs no
//! hashes; a reader of tiles then finds the hash of each.

/// A part of the leaves: `from..to`.
pub(crate) type Range = (u64, u64);

/// The subtrees of the proof that a leaf is in a tree of this size, from the leaf's sibling to the root's child.
pub(crate) fn inclusion(index: u64, size: u64) -> Vec<Range> {
    let (mut low, mut high) = (0, size);
    let mut parts = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            parts.push((middle, high));
            high = middle;
        } else {
            parts.push((low, middle));
            low = middle;
        }
    }
    parts.reverse();
    parts
}

/// The subtrees of the proof that a tree continues the tree of its first `old` leaves. Empty if `old` is 0 or the size.
pub(crate) fn consistency(old: u64, size: u64) -> Vec<Range> {
    let (mut low, mut high) = (0, size);
    let mut parts = Vec::new();
    if old == 0 || old >= size {
        return parts;
    }
    // Descends to the subtree that ends where the old tree ends.
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            parts.push((middle, high));
            high = middle;
        } else {
            parts.push((low, middle));
            low = middle;
        }
    }
    // If it is the whole old tree, the verifier already has its hash.
    if low > 0 {
        parts.push((low, high));
    }
    parts.reverse();
    parts
}

/// The complete subtrees of a part, from left to right, as level and index.
pub(crate) fn complete((mut from, to): Range) -> Vec<(u32, u64)> {
    let mut subtrees = Vec::new();
    while from < to {
        let aligned = if from == 0 { u64::BITS - 1 } else { from.trailing_zeros() };
        let level = aligned.min((to - from).ilog2());
        subtrees.push((level, from >> level));
        from += 1 << level;
    }
    subtrees
}

/// The largest power of two that is less than this number, which is two or more.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
