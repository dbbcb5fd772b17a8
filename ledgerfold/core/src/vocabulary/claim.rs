use std::{fmt, str::FromStr};

use crate::{Category, InvalidId, sealed::KeyedHash};

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

    /// The key of a value that is personal data, by its keyed hash. The event contains the hash, so that reservations can
    /// be rebuilt without opening anything. The hash must be of this kind.
    ///
    /// ```
    /// # use ledgerfold::{Category, UniqueKey, sealed::KeyedHash};
    /// const EMAIL: Category = Category::from_static("email");
    /// let hash: KeyedHash = "h1.t1.AAAAAAAAAAAAAAAAAAAAAA".parse()?;
    /// let key = UniqueKey::keyed(EMAIL, &hash);
    /// assert_eq!(key.to_string(), "email#h1.t1.AAAAAAAAAAAAAAAAAAAAAA");
    /// assert!(key.is_keyed());
    /// # Ok::<(), ledgerfold::InvalidId>(())
    /// ```
    pub fn keyed(kind: Category, hash: &KeyedHash) -> Self {
        Self { kind, value: hash.as_str().to_owned() }
    }

    /// Whether the value is a keyed hash. A domain that seals must use no other keys.
    pub fn is_keyed(&self) -> bool {
        KeyedHash::new(&*self.value).is_ok()
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
