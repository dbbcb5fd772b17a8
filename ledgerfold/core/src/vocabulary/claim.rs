use std::{fmt, str::FromStr};

use crate::{Category, InvalidId};

/// A value that only one stream may own, for example an e-mail address: `email#ada@example.org`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueKey {
    kind: Category,
    value: String,
}

impl UniqueKey {
    /// The key of this kind and value. Values are compared byte by byte, so normalise them first, for
    /// example to lower case.
    ///
    /// # Errors
    /// [`InvalidId`] if the value does not have 1 to 512 bytes.
    pub fn new(kind: Category, value: impl Into<String>) -> Result<Self, InvalidId> {
        let value = value.into();
        if (1..=512).contains(&value.len()) {
            Ok(Self { kind, value })
        } else {
            Err(InvalidId::new("the value of a unique key", "of 1 to 512 bytes"))
        }
    }

    /// The kind of value, for example `email`.
    pub const fn kind(&self) -> &Category {
        &self.kind
    }

    /// The value, for example `ada@example.org`.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind.as_str(), self.value)
    }
}

/// Parses `<kind>#<value>`, the format of `Display`.
impl FromStr for UniqueKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (kind, value) = text.split_once('#').unwrap_or((text, ""));
        Self::new(kind.parse()?, value)
    }
}

/// The effect of an event on a unique key, in the transaction that commits the event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// The event's stream takes the key, which must be free.
    Reserve(UniqueKey),
    /// The event's stream gives the key back. It must own the key.
    Release(UniqueKey),
}

impl Claim {
    /// The key that is reserved or released.
    pub const fn key(&self) -> &UniqueKey {
        match self {
            Self::Reserve(key) | Self::Release(key) => key,
        }
    }
}
