//! Ranges of sequence numbers.

/// The numbers from the first to the second, both included: `[101, 105]`.
pub type Range = [u64; 2];

/// The ranges of these numbers, in ascending order. A number that occurs twice begins a new range.
///
/// ```
/// # use devices_events::{numbers, ranges_of};
/// assert_eq!(ranges_of([3, 1, 2, 7]), [[1, 3], [7, 7]]);
/// assert_eq!(numbers(&[[1, 3], [7, 7]]).collect::<Vec<_>>(), [1, 2, 3, 7]);
/// ```
pub fn ranges_of(numbers: impl IntoIterator<Item = u64>) -> Vec<Range> {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_unstable();
    let mut ranges: Vec<Range> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some([_, last]) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push([number, number]),
        }
    }
    ranges
}

/// The numbers of these ranges.
pub fn numbers(ranges: &[Range]) -> impl Iterator<Item = u64> {
    ranges.iter().flat_map(|[first, last]| *first..=*last)
}
