use std::{fmt, str::FromStr};

use crate::{Category, InvalidId};

/// Something that only one stream may have, as an e-mail address: `email#ada@example.org`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueKey {
    kind: Category,
    value: String,
}

impl UniqueKey {
    /// The key of this kind and value. Two values are the same key if they are the same bytes: bring
    /// them into one form first.
    ///
    /// # Errors
    /// [`InvalidId`] if the value is not of 1 to 512 bytes.
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

    /// The value that is.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.kind.as_str(), self.value)
    }
}

/// From the form that it is displayed in.
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
    /// Its stream takes the key, which must be free.
    Reserve(UniqueKey),
    /// Its stream gives the key back, which must be its own.
    Release(UniqueKey),
}

impl Claim {
    /// The key in question.
    pub const fn key(&self) -> &UniqueKey {
        match self {
            Self::Reserve(key) | Self::Release(key) => key,
        }
    }
}
