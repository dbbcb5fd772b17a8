use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use self::canonical::Canonical;
use crate::{
    Command, EncodeError, StreamId,
    vocabulary::{digest::digest, sealed::revealing},
};

mod canonical;

/// The version of the algorithm below. Change it with the algorithm, because fingerprints of different algorithms
/// cannot be compared.
const VERSION: char = '1';
/// The version of the keyed algorithm.
const KEYED: &str = "k1";
/// Between the version, the name of the key, and the digest of a keyed fingerprint.
const SEPARATOR: char = '.';
/// How many characters of the digest a fingerprint has, at six bits each.
const CHARACTERS: usize = 21;

/// A digest of a request, of 126 bits. Two requests with the same command id and different fingerprints are different
/// requests.
///
/// The fingerprint covers the command's name, its content and its streams. It must be the same for every repetition
/// of a request, also in a later release. So it ignores two differences:
///
/// - the order of fields, of entries in a map, and of elements in a list, because a `HashSet` is serialized as a list
///   in any order;
/// - a field with its default value (`None`, `false`, 0, an empty text or list), because the release that accepted
///   the first request may not have had this field yet.
///
/// Two requests with only these differences count as the same. That is safe: the second request has no effect, and
/// gets the answer of the first.
///
/// # Personal data
/// A fingerprint is stored with the commit for ever. Whoever reads an unkeyed one can confirm guesses, for example of a
/// birth date. So the fingerprint of a command that [seals](Command::SEALS) is an HMAC under
/// [`Command::fingerprint_key`], and its text names the key. A command with [`Plain`](crate::sealed::Plain) data has no
/// unkeyed fingerprint.
///
/// ```
/// # use ledgerfold::{Command, CommandName, StreamId, vocabulary::Fingerprint};
/// # use serde::Serialize;
/// #[derive(Clone, Debug, Serialize)]
/// struct Pay { cents: u64, note: Option<String> }
/// # #[derive(Clone, Debug, Serialize)]
/// # struct Before { cents: u64 }
/// # impl Command for Pay {
/// #     fn name(&self) -> CommandName { CommandName::from_static("Pay") }
/// # }
/// # impl Command for Before {
/// #     fn name(&self) -> CommandName { CommandName::from_static("Pay") }
/// # }
/// let (one, other): ([StreamId; 1], [StreamId; 1]) = (["default/order#1".parse()?], ["default/order#2".parse()?]);
/// let pay = Fingerprint::of(&Pay { cents: 900, note: None }, &one)?;
/// assert!(pay.agrees_with(&Fingerprint::of(&Before { cents: 900 }, &one)?));
/// assert!(!pay.agrees_with(&Fingerprint::of(&Before { cents: 901 }, &one)?));
/// assert!(!pay.agrees_with(&Fingerprint::of(&Before { cents: 900 }, &other)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a command for these streams. It is keyed if the command has a key.
    ///
    /// # Errors
    /// [`EncodeError`] if the command's `Serialize` fails, or if the command seals and has no key.
    pub fn of<C: Command>(command: &C, streams: &[StreamId]) -> Result<Self, EncodeError> {
        let name = command.name();
        let streams: Vec<_> = streams.iter().map(ToString::to_string).collect();
        let parts = |content| {
            let parts = [name.as_str().as_bytes(), content];
            parts.into_iter().chain(streams.iter().map(String::as_bytes)).collect::<Vec<_>>()
        };
        match command.fingerprint_key() {
            Some(key) => {
                let content = revealing(|| command.serialize(Canonical))?;
                let digest = text(key.digest(&parts(&content)));
                Ok(Self(format!("{KEYED}{SEPARATOR}{}{SEPARATOR}{digest}", key.name())))
            }
            None if C::SEALS => Err(EncodeError::Unkeyed),
            None => {
                let content = command.serialize(Canonical)?;
                Ok(Self(format!("{VERSION}{}", text(digest(&parts(&content))))))
            }
        }
    }

    /// Takes a fingerprint from a store.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The stored text: the version of the algorithm and 21 characters, or `k1.<key>.` and 21 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both may belong to the same request. Fingerprints of different versions or keys cannot be compared, so
    /// they agree: a repetition must never count as another request, and the command id is the same. The key differs for
    /// a request that is repeated after the erasure of its subject.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self == other || self.scheme() != other.scheme()
    }

    /// The text without the digest: the version of the algorithm, and the key if there is one.
    fn scheme(&self) -> &str {
        let unkeyed = || self.0.chars().next().map_or(0, char::len_utf8);
        &self.0[..self.0.rfind(SEPARATOR).unwrap_or_else(unkeyed)]
    }
}

fn text(digest: [u8; 16]) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(digest);
    text.truncate(CHARACTERS);
    text
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::CommandName;

    #[derive(Clone, Debug, Serialize)]
    #[serde(transparent)]
    struct Asked<T>(T);

    impl<T: Clone + fmt::Debug + Serialize + Send + Sync + 'static> Command for Asked<T> {
        fn name(&self) -> CommandName {
            CommandName::from_static("Ask")
        }
    }

    fn of<T>(content: T) -> Fingerprint
    where
        T: Clone + fmt::Debug + Serialize + Send + Sync + 'static,
    {
        let stream = "default/order#1".parse().expect("a stream");
        Fingerprint::of(&Asked(content), &[stream]).expect("the command can be serialized")
    }

    #[derive(Clone, Debug, Serialize)]
    struct Before {
        text: &'static str,
        count: u32,
    }

    #[derive(Clone, Debug, Default, Serialize)]
    struct Details {
        lines: Vec<u8>,
        gift: bool,
    }

    #[derive(Clone, Debug, Default, Serialize)]
    struct After {
        count: u64,
        note: Option<String>,
        tags: HashSet<u8>,
        details: Details,
        text: &'static str,
    }

    #[test]
    fn a_later_release_with_more_optional_fields_makes_the_same_fingerprint() {
        let before = of(Before { text: "a", count: 1 });
        let after = After { text: "a", count: 1, ..After::default() };
        assert_eq!(before, of(after.clone()));
        let used = After { details: Details { gift: true, ..Details::default() }, ..after };
        assert_ne!(before, of(used));
    }

    #[test]
    fn the_order_of_unordered_types_makes_no_difference() {
        let words = ["ant", "bee", "cat", "dog", "eel", "fox"];
        for _ in 0..20 {
            let set: HashSet<_> = words.into_iter().collect();
            let map: HashMap<_, _> = words.into_iter().map(|word| (word, word.len())).collect();
            let backwards: Vec<_> = words.into_iter().rev().collect();
            assert_eq!(of(set), of(backwards));
            let sorted: std::collections::BTreeMap<_, _> = map.clone().into_iter().collect();
            assert_eq!(of(map), of(sorted));
        }
    }

    #[derive(Clone, Debug, Serialize)]
    enum Direction {
        In(u32),
        Out(u32),
        Both { amount: u32 },
        Neither,
    }

    #[test]
    fn different_content_makes_different_fingerprints() {
        let directions = [Direction::In(0), Direction::Out(0), Direction::In(1)];
        let others = [Direction::Both { amount: 0 }, Direction::Both { amount: 1 }];
        let mut seen: HashSet<_> =
            directions.into_iter().chain(others).chain([Direction::Neither]).map(of).collect();
        let texts = [("a", "bc"), ("ab", "c"), ("c", "ab")];
        seen.extend(texts.map(of));
        seen.extend([of(1), of(-1)]);
        seen.extend([of(1.5), of("1")]);
        seen.extend([of(vec![1, 2]), of(vec![1, 2, 2]), of(vec![12])]);
        seen.extend([of(Some(f64::NAN)), of(true)]);
        assert_eq!(seen.len(), 18);
        assert_eq!(of(1_u8), of(1.0), "a number is a number");
    }

    #[test]
    fn a_fingerprint_of_another_version_agrees_with_every_other() {
        let today = of(1);
        assert!(!today.agrees_with(&of(2)));
        assert!(today.agrees_with(&Fingerprint::restore("2AAAAAAAAAAAAAAAAAAAAA")));
        assert!(today.agrees_with(&Fingerprint::restore("")));
    }
}
