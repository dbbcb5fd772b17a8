//! The choice of files to merge.

use jiff::tz::TimeZone;

use crate::{live::Live, manifest::UnitId};

/// The size of merged files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The most rows of a unit.
    pub rows: u64,
    /// The most bytes of all files of a unit.
    pub bytes: u64,
}

impl Default for Size {
    /// 50,000 rows and 8 MiB, so that a small function merges them in seconds.
    fn default() -> Self {
        Self { rows: 50_000, bytes: 8 * 1024 * 1024 }
    }
}

/// The next units to merge, all of one day that is over; `None` if there is nothing to merge. The same state always gives
/// the same group.
pub(crate) fn plan(live: &Live, size: Size) -> Option<Vec<UnitId>> {
    let closed = live.closed?.to_zoned(TimeZone::UTC).date();
    let mut group = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    let mut units: Vec<_> = live.units().iter().filter(|(id, _)| id.day < closed).collect();
    units.sort_by_key(|(id, _)| (id.day, id.number));
    for (id, unit) in units {
        // To merge a large file again and again would cost more than one more file does.
        if unit.rows > size.rows / 2 || unit.bytes() > size.bytes / 2 {
            continue;
        }
        let is_other_day = group.first().is_some_and(|first: &UnitId| first.day != id.day);
        if is_other_day || rows + unit.rows > size.rows || bytes + unit.bytes() > size.bytes {
            if group.len() > 1 {
                break;
            }
            group.clear();
            (rows, bytes) = (0, 0);
        }
        group.push(*id);
        rows += unit.rows;
        bytes += unit.bytes();
    }
    (group.len() > 1).then_some(group)
}
