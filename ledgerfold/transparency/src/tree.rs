//! The tree of commits in tiles.

use crate::{
    Hash, LogError, ObjectStore, TileName,
    bytes::{bundle, unbundle},
    proof::{Range, complete},
    tile::{HEIGHT, WIDTH},
};

/// The right edge of a tree: the partial tile of each level and the partial entry bundle. It is all that an append needs.
pub(crate) struct Edge {
    size: u64,
    /// The hashes of the partial tile of each level.
    tiles: Vec<Vec<Hash>>,
    /// The entries of the partial bundle.
    entries: Vec<Vec<u8>>,
    /// The tiles and bundles to write.
    written: Vec<(TileName, Vec<u8>)>,
}

impl Edge {
    /// Reads the edge of the tree of this size.
    pub(crate) async fn read(objects: &dyn ObjectStore, size: u64) -> Result<Self, LogError> {
        let mut edge = Self { size, tiles: Vec::new(), entries: Vec::new(), written: Vec::new() };
        let mut level = 0;
        while size >> (HEIGHT * level) > 0 {
            let index = size >> (HEIGHT * (level + 1));
            edge.tiles.push(match TileName::in_tree(Some(level), index, size) {
                Some(name) => hashes(objects, name).await?,
                None => Vec::new(),
            });
            level += 1;
            if HEIGHT * (level + 1) >= u64::BITS {
                break;
            }
        }
        if let Some(name) = TileName::in_tree(None, size / WIDTH, size) {
            edge.entries = entries(objects, name).await?;
        }
        Ok(edge)
    }

    /// Adds a leaf.
    pub(crate) fn push(&mut self, entry: Vec<u8>) -> Result<(), LogError> {
        self.push_hash(0, Hash::leaf(&entry));
        self.entries.push(entry);
        self.size += 1;
        if self.size.is_multiple_of(WIDTH) {
            self.write_bundle(TileName {
                level: None,
                index: self.size / WIDTH - 1,
                width: WIDTH,
            })?;
            self.entries.clear();
        }
        Ok(())
    }

    /// Adds a hash to a level. A full tile is written, and its hash is added to the level above.
    fn push_hash(&mut self, mut level: u32, mut hash: Hash) {
        loop {
            // A tree of 2^64 leaves has eight levels.
            let at = usize::try_from(level).unwrap_or(usize::MAX);
            if self.tiles.len() == at {
                self.tiles.push(Vec::new());
            }
            let tile = &mut self.tiles[at];
            tile.push(hash);
            if tile.len() < 256 {
                return;
            }
            let full = std::mem::take(tile);
            let index = self.size >> (HEIGHT * (level + 1));
            self.written
                .push((TileName { level: Some(level), index, width: WIDTH }, joined(&full)));
            hash = Hash::root(&full);
            level += 1;
        }
    }

    /// The tree with its partial tiles, as it is stored for a checkpoint: the tiles and bundles that are new.
    pub(crate) fn finish(mut self) -> Result<Vec<(TileName, Vec<u8>)>, LogError> {
        for (level, tile) in (0_u32..).zip(&self.tiles) {
            let index = self.size >> (HEIGHT * (level + 1));
            if let Some(name) = TileName::in_tree(Some(level), index, self.size) {
                self.written.push((name, joined(tile)));
            }
        }
        if let Some(name) = TileName::in_tree(None, self.size / WIDTH, self.size) {
            self.write_bundle(name)?;
        }
        Ok(self.written)
    }

    fn write_bundle(&mut self, name: TileName) -> Result<(), LogError> {
        let bundle = bundle(self.entries.iter().map(Vec::as_slice))
            .ok_or_else(|| corrupt(name, "has an entry of more than 64 KiB"))?;
        self.written.push((name, bundle));
        Ok(())
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for tile in &self.tiles {
            let mut rest: &[Hash] = tile;
            let mut subtrees = Vec::new();
            while !rest.is_empty() {
                let (left, right) = rest.split_at(1 << rest.len().ilog2());
                subtrees.push(Hash::root(left));
                rest = right;
            }
            for left in subtrees.into_iter().rev() {
                root = Some(root.map_or(left, |right| Hash::node(left, right)));
            }
        }
        root.unwrap_or_else(Hash::of_nothing)
    }
}

/// The hash of each of these parts of a tree of this size.
pub(crate) async fn parts(
    objects: &dyn ObjectStore,
    size: u64,
    parts: Vec<Range>,
) -> Result<Vec<Hash>, LogError> {
    let mut found = Vec::with_capacity(parts.len());
    for part in parts {
        let mut subtrees = Vec::new();
        for (level, index) in complete(part) {
            subtrees.push(subtree(objects, size, level, index).await?);
        }
        let right = subtrees.into_iter().rev().reduce(|right, left| Hash::node(left, right));
        found.push(right.unwrap_or_else(Hash::of_nothing));
    }
    Ok(found)
}

/// The root of a complete subtree of `2^level` leaves.
async fn subtree(
    objects: &dyn ObjectStore,
    size: u64,
    level: u32,
    index: u64,
) -> Result<Hash, LogError> {
    let tile_level = level / HEIGHT;
    let width = 1_u64 << (level % HEIGHT);
    let first = index * width;
    let name =
        TileName::in_tree(Some(tile_level), first / WIDTH, size).ok_or_else(|| beyond(size))?;
    let hashes = hashes(objects, name).await?;
    let start = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let part = hashes.get(start..).and_then(|rest| rest.get(..width));
    Ok(Hash::root(part.ok_or_else(|| corrupt(name, "is too short"))?))
}

/// The entry with this index.
pub(crate) async fn entry(
    objects: &dyn ObjectStore,
    size: u64,
    index: u64,
) -> Result<Vec<u8>, LogError> {
    let name = TileName::in_tree(None, index / WIDTH, size).ok_or_else(|| beyond(size))?;
    let at = usize::try_from(index % WIDTH).unwrap_or(usize::MAX);
    let found = entries(objects, name).await?.into_iter().nth(at);
    found.ok_or_else(|| corrupt(name, "is too short"))
}

/// The entries of a bundle.
pub(crate) async fn entries(
    objects: &dyn ObjectStore,
    name: TileName,
) -> Result<Vec<Vec<u8>>, LogError> {
    let bytes = read(objects, name).await?;
    let entries = unbundle(&bytes).ok_or_else(|| corrupt(name, "is not an entry bundle"))?;
    if u64::try_from(entries.len()) != Ok(name.width) {
        return Err(corrupt(name, "does not have the entries of its name"));
    }
    Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
}

async fn hashes(objects: &dyn ObjectStore, name: TileName) -> Result<Vec<Hash>, LogError> {
    let bytes = read(objects, name).await?;
    let hashes: Option<Vec<_>> = bytes.chunks(Hash::BYTES).map(Hash::restore).collect();
    hashes
        .filter(|hashes| u64::try_from(hashes.len()) == Ok(name.width))
        .ok_or_else(|| corrupt(name, "does not have the hashes of its name"))
}

async fn read(objects: &dyn ObjectStore, name: TileName) -> Result<Vec<u8>, LogError> {
    let found = objects.get(&name.to_string()).await?;
    found.ok_or_else(|| corrupt(name, "is missing"))
}

fn joined(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn corrupt(name: TileName, reason: &'static str) -> LogError {
    LogError::Corrupt { name: name.to_string(), reason }
}

fn beyond(size: u64) -> LogError {
    LogError::Corrupt { name: format!("the tree of size {size}"), reason: "is too small" }
}
