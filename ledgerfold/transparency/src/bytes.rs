//! The binary form of entries: texts and byte strings with their length before them, and numbers of eight bytes, as
//! under the hash of a commit.

/// Writes fields.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Begins with the text that names the format.
    pub(crate) fn of(domain: &str) -> Self {
        Self::default().bytes(domain.as_bytes())
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let mut written = self.count(bytes.len());
        written.0.extend_from_slice(bytes);
        written
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn count(self, count: usize) -> Self {
        self.number(u64::try_from(count).unwrap_or(u64::MAX))
    }

    pub(crate) fn end(self) -> Vec<u8> {
        self.0
    }
}

/// Reads fields; `None` where the bytes do not fit.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins after the text that names the format; `None` if it is another format.
    pub(crate) fn of(domain: &str, bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Self(bytes);
        (reader.bytes()? == domain.as_bytes()).then_some(reader)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    /// The value, if nothing follows it.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

/// Joins entries, each with its length as two bytes before it, as in an entry bundle of tlog-tiles. `None` if one is
/// longer than two bytes can say.
pub(crate) fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bundle = Vec::new();
    for entry in entries {
        bundle.extend_from_slice(&u16::try_from(entry.len()).ok()?.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Some(bundle)
}

/// Splits a bundle; `None` if its end is missing.
pub(crate) fn unbundle(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bundle = rest;
    }
    Some(entries)
}
