//! Fields with their length before them, to read and to hash.

use crate::Digest;

/// Collects the bytes under a hash.
pub(crate) struct Canonical(Vec<u8>);

impl Canonical {
    pub(crate) fn of(domain: &str) -> Self {
        let mut fields = Self(Vec::new());
        fields.text(domain);
        fields
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.extend(number.to_be_bytes());
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.raw(text.as_bytes());
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend(bytes);
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&[&self.0])
    }

    /// The hash of the leaf with these bytes.
    pub(crate) fn leaf(&self) -> Digest {
        Digest::leaf(&self.0)
    }
}

/// Takes fields from the front of bytes; `None` if they end too early.
pub(crate) fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    if bytes.len() < length {
        return None;
    }
    let (field, rest) = bytes.split_at(length);
    *bytes = rest;
    Some(field)
}

pub(crate) fn take_text(bytes: &mut &[u8]) -> Option<String> {
    String::from_utf8(take(bytes)?.to_vec()).ok()
}

pub(crate) fn take_digest(bytes: &mut &[u8]) -> Option<Digest> {
    Some(Digest(take(bytes)?.try_into().ok()?))
}

pub(crate) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    if bytes.len() < 8 {
        return None;
    }
    let (number, rest) = bytes.split_at(8);
    *bytes = rest;
    Some(u64::from_be_bytes(number.try_into().ok()?))
}
