//! Windows of time.

use std::str::FromStr;

use jiff::SignedDuration;
use ledgerfold::Timestamp;

const DAY_MINUTES: u32 = 1_440;

/// The length of the windows. They begin at midnight UTC, so every window lies in one day.
///
/// ```
/// # use ledgerfold_export::WindowLength;
/// let hour: WindowLength = "60".parse()?;
/// let at = "2026-11-29T13:47:00Z".parse().expect("a time");
/// assert_eq!(hour.start_of(at).to_string(), "2026-11-29T13:00:00Z");
/// assert_eq!(hour.end_of(at).to_string(), "2026-11-29T14:00:00Z");
/// assert!("7".parse::<WindowLength>().is_err());
/// # Ok::<(), ledgerfold_export::InvalidWindow>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowLength(u32);

/// A text is not the length of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window has 1 to 1440 minutes, and a day must be a whole number of windows")]
pub struct InvalidWindow;

impl WindowLength {
    /// An hour.
    pub const HOUR: Self = Self(60);

    /// Windows of this many minutes.
    ///
    /// # Errors
    /// [`InvalidWindow`].
    pub fn minutes(minutes: u32) -> Result<Self, InvalidWindow> {
        let fits = minutes > 0 && DAY_MINUTES.is_multiple_of(minutes);
        fits.then_some(Self(minutes)).ok_or(InvalidWindow)
    }

    /// The start of the window with this instant.
    pub fn start_of(self, at: Timestamp) -> Timestamp {
        let seconds = i64::from(self.0) * 60;
        let start = at.as_second().div_euclid(seconds).saturating_mul(seconds);
        // Seconds are cut towards zero, so before 1970 they may be one too high.
        let start = Timestamp::from_second(start).unwrap_or(Timestamp::MIN);
        if start > at { self.back_from(start) } else { start }
    }

    /// The end of the window with this instant. It is the start of the next one.
    pub fn end_of(self, at: Timestamp) -> Timestamp {
        let start = self.start_of(at);
        start.checked_add(self.duration()).unwrap_or(Timestamp::MAX)
    }

    /// The start of a window that ends at this instant.
    pub(crate) fn back_from(self, end: Timestamp) -> Timestamp {
        end.checked_sub(self.duration()).unwrap_or(Timestamp::MIN)
    }

    fn duration(self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.0))
    }
}

impl FromStr for WindowLength {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        Self::minutes(text.parse().map_err(|_| InvalidWindow)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_meet_without_gap_or_overlap_also_before_1970() {
        for minutes in [1, 15, 60, 1_440] {
            let window = WindowLength::minutes(minutes).expect("it divides a day");
            for millis in [-86_400_001, -86_400_000, -1, 0, 1, 59_999, 3_600_000, 1_790_000_000_123]
            {
                let at = Timestamp::from_millisecond(millis).expect("a time");
                let (start, end) = (window.start_of(at), window.end_of(at));
                assert!(start <= at && at < end, "{at} is not in {start} to {end}");
                assert_eq!(window.start_of(end), end);
                assert_eq!(window.back_from(end), start);
            }
        }
    }
}
