use crate::{Timestamp, vocabulary::Generations};

/// A copy of the record of a projection's generations. Readers use copies, because one item cannot answer all of them.
///
/// A copy moves only forward: the mark of number 5, record 5, the mark of a later number. Before a change of the layout
/// writes its record, it marks every copy with the number of that record. So from the moment at which the record takes
/// effect, no copy shows an older layout. [`generations`](crate::generations) has the whole proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordCopy {
    /// The copy shows this record. While it does, the layout is the present one.
    Current(Generations),
    /// The copy shows nothing, because the layout may have changed. Readers read the record itself.
    Marked(Mark),
}

/// The announcement of a record that changes the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of that record. Only this record or a later one replaces the mark.
    pub number: u64,
    /// The time at which the change began.
    pub at: Timestamp,
}

impl RecordCopy {
    /// The number of the record that it shows or announces.
    pub const fn number(&self) -> u64 {
        match self {
            Self::Current(record) => record.number(),
            Self::Marked(mark) => mark.number,
        }
    }

    /// Whether a store may put it in the place of this one: it must have a later number, or the same number if the
    /// stored copy is a mark.
    pub const fn replaces(&self, stored: Option<&Self>) -> bool {
        match stored {
            None => true,
            Some(Self::Current(record)) => self.number() > record.number(),
            Some(Self::Marked(mark)) => self.number() >= mark.number,
        }
    }
}
