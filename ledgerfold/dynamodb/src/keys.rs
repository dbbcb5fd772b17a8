//! Keys of a read table with several generations. Keys of rows and lists begin with the number of their generation,
//! for example `2~order#1`. Keys of the first generation have no prefix, so a table that was never rebuilt looks as if
//! there were no generations.

use ledgerfold::vocabulary::Generation;

const MARK: char = '~';

/// The key of a name in a generation.
pub(crate) fn key(generation: Generation, name: &str) -> String {
    // A name that looks like another generation's key gets a prefix even in the first generation. Such a name
    // may come from a caller, for example as the owner of a list.
    let plain = generation == Generation::FIRST && prefixed(name).is_none();
    if plain { name.to_owned() } else { format!("{generation}{MARK}{name}") }
}

/// The generation of a key, and its name.
pub(crate) fn split(key: &str) -> (Generation, &str) {
    prefixed(key).unwrap_or((Generation::FIRST, key))
}

fn prefixed(key: &str) -> Option<(Generation, &str)> {
    let (number, name) = key.split_once(MARK)?;
    Some((Generation::new(number.parse().ok()?), name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ledgerfold::vocabulary::Generation;

    use super::{key, split};

    #[test]
    fn a_key_identifies_its_generation_for_every_name() {
        let second = Generation::FIRST.next();
        let mut keys = BTreeSet::new();
        for generation in [Generation::FIRST, second] {
            for name in ["order#1", "1~order#1", "2~order#1", "1~2~x", "~", "a~b", ""] {
                let key = key(generation, name);
                assert_eq!(split(&key), (generation, name));
                assert!(keys.insert(key), "{name} of {generation} has a key of its own");
            }
        }
        assert_eq!(key(Generation::FIRST, "order#1"), "order#1");
        assert_eq!(key(second, "order#1"), "2~order#1");
    }
}
