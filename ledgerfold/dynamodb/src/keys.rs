//! How a read table keeps several generations: each key but those of the first begins with the
//! generation's number, as `2~order#1`, and so does what rows are listed by. The first goes without,
//! so that a table that was never rebuilt reads as if there were no generations.

use ledgerfold::vocabulary::Generation;

const MARK: char = '~';

/// The key under which a generation keeps what is called so.
pub(crate) fn key(generation: Generation, name: &str) -> String {
    // What is called as if it were another generation's, as a list named by who owns it, is told from
    // it by a prefix all the same.
    let plain = generation == Generation::FIRST && prefixed(name).is_none();
    if plain { name.to_owned() } else { format!("{generation}{MARK}{name}") }
}

/// Whose a key is, and what it stands for.
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
    fn a_key_says_whose_it_is_whatever_it_is_called() {
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
