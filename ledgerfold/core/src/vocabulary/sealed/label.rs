use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

/// The name of a type of personal data, for example `patient-name`: 1 to 32 of `a–z 0–9 -`.
///
/// It belongs to the type, and not to an event or a field: a fold may move a value to any other place. It is part of
/// each stored value, so it must never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(&'static str);

impl Label {
    /// A label from the program's source.
    ///
    /// # Panics
    /// If the label breaks the rule above. In a `const` this is a compile error.
    pub const fn from_static(label: &'static str) -> Self {
        assert!(is_label(label), "a label must be 1 to 32 characters of a-z 0-9 -");
        Self(label)
    }

    /// The text.
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether a text is a label.
pub(super) const fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        at += 1;
    }
    1 <= at && at <= 32
}

/// A type of personal data, which is stored only [`Sealed`](super::Sealed).
///
/// Its `Serialize` writes the plaintext that is encrypted, so do not put the type itself into an event, a row or an
/// answer: use `Sealed<T>` where it is stored, and [`Plain<T>`](super::Plain) where it arrives.
///
/// ```
/// use ledgerfold::sealed::{Label, Personal};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, PartialEq, Serialize, Deserialize)]
/// #[serde(transparent)]
/// pub struct PatientName(String);
///
/// impl Personal for PatientName {
///     const LABEL: Label = Label::from_static("patient-name");
/// }
/// ```
pub trait Personal: Serialize + DeserializeOwned {
    /// The label of the type. No other type may have it, and it must never change.
    const LABEL: Label;
}
