use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use self::canonical::Canonical;
use crate::{Command, EncodeError, StreamId, vocabulary::digest::digest};

mod canonical;

/// The version of the algorithm below. Change it with the algorithm, because fingerprints of different algorithms
/// cannot be compared.
const VERSION: char = '1';
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
/// let (one, other): ([StreamId; 1], [StreamId; 1]) = (["order#1".parse()?], ["order#2".parse()?]);
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
    /// The fingerprint of a command for these streams.
    ///
    /// # Errors
    /// [`EncodeError`] if the command's `Serialize` fails.
    pub fn of(command: &impl Command, streams: &[StreamId]) -> Result<Self, EncodeError> {
        let name = command.name();
        let content = command.serialize(Canonical)?;
        let streams: Vec<_> = streams.iter().map(ToString::to_string).collect();
        let mut parts = vec![name.as_str().as_bytes(), &content];
        parts.extend(streams.iter().map(String::as_bytes));
        let digest = URL_SAFE_NO_PAD.encode(digest(&parts));
        Ok(Self(format!("{VERSION}{}", &digest[..CHARACTERS])))
    }

    /// Takes a fingerprint from a store.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The stored text of 22 characters. The first one is the version.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both may belong to the same request. Fingerprints of different versions cannot be compared, so they
    /// agree: a repetition must never count as another request, and the command id is the same.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self == other || self.version() != other.version()
    }

    fn version(&self) -> Option<char> {
        self.0.chars().next()
    }
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
        let stream = "order#1".parse().expect("a stream");
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
