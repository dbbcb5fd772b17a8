//! The names of tiles and entry bundles: C2SP tlog-tiles.

use std::fmt;

/// The hashes of a full tile.
pub(crate) const WIDTH: u64 = 256;
/// The levels of the tree between two levels of tiles.
pub(crate) const HEIGHT: u32 = 8;

/// The name of a tile or of an entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileName {
    /// The level of tiles, 0 for the leaves; `None` for a bundle of entries.
    pub level: Option<u32>,
    /// The place within the level.
    pub index: u64,
    /// The number of hashes or entries: 1 to 256.
    pub width: u64,
}

impl TileName {
    /// The tile with this place in a tree of this size: full, partial, or `None` if the tree does not reach it.
    pub fn in_tree(level: Option<u32>, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(HEIGHT * level.unwrap_or(0)).unwrap_or(0);
        let width = hashes.saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH);
        (width > 0).then_some(Self { level, index, width })
    }
}

/// `tile/0/x001/x234/067` or `tile/0/x001/x234/067.p/12`.
impl fmt::Display for TileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % 1_000];
        let mut rest = self.index / 1_000;
        while rest > 0 {
            groups.push(rest % 1_000);
            rest /= 1_000;
        }
        while let Some(group) = groups.pop() {
            let sign = if groups.is_empty() { "" } else { "x" };
            let end = if groups.is_empty() { "" } else { "/" };
            write!(f, "{sign}{group:03}{end}")?;
        }
        if self.width < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_have_the_names_of_tlog_tiles() {
        let named =
            |level, index, size| TileName::in_tree(level, index, size).map(|name| name.to_string());
        assert_eq!(named(Some(0), 1_234_067, u64::MAX).as_deref(), Some("tile/0/x001/x234/067"));
        assert_eq!(named(None, 0, 256).as_deref(), Some("tile/entries/000"));
        // The example of the specification: a tree of size 70,000.
        assert_eq!(named(Some(0), 272, 70_000).as_deref(), Some("tile/0/272"));
        assert_eq!(named(Some(0), 273, 70_000).as_deref(), Some("tile/0/273.p/112"));
        assert_eq!(named(Some(1), 0, 70_000).as_deref(), Some("tile/1/000"));
        assert_eq!(named(Some(1), 1, 70_000).as_deref(), Some("tile/1/001.p/17"));
        assert_eq!(named(Some(2), 0, 70_000).as_deref(), Some("tile/2/000.p/1"));
        assert_eq!(named(Some(3), 0, 70_000), None);
        assert_eq!(named(Some(0), 274, 70_000), None);
        assert_eq!(named(Some(63), 0, u64::MAX), None);
    }
}
