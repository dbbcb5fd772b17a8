use serde::{Deserialize, Serialize};

use super::{Segment, SegmentPlace, SegmentProgress};

/// The progress of building the reservations of a category's streams. Every change makes a new record with the next
/// number. A store accepts it only if the stored record is still the one that was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRecord {
    number: u64,
    state: ClaimsState,
}

/// The states of a [`ClaimsRecord`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimsState {
    /// Streams may own keys that are not reserved for them.
    #[default]
    Incomplete,
    /// A build has begun and has not ended yet. The reservations are incomplete until it ends.
    Building(ClaimsBuild),
    /// Every key that a stream owns is reserved for it.
    Complete {
        /// The revision of the claims for which this is true.
        revision: u32,
    },
}

/// A build that has begun and has not ended yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsBuild {
    /// The build's number: the number of the record that began it.
    pub run: u64,
    /// The revision of the claims.
    pub revision: u32,
    /// The current walk.
    pub walk: Walk,
    /// The progress of each segment.
    pub segments: Vec<SegmentProgress>,
    /// The number of faults that earlier walks of this build could not correct.
    pub failed: u64,
}

/// The walks of a build, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Walk {
    /// All streams, for the keys that they own.
    Streams,
    /// All reservations, for the streams that hold them.
    Reservations,
}

impl ClaimsBuild {
    /// Whether the build has this number and is in this walk.
    pub fn is_at(&self, run: u64, walk: Walk) -> bool {
        (self.run, self.walk) == (run, walk)
    }

    fn is_walked(&self) -> bool {
        self.segments.iter().all(|segment| segment.at == SegmentPlace::End)
    }

    /// The number of faults that the build could not correct so far.
    pub fn left(&self) -> u64 {
        self.segments.iter().fold(self.failed, |sum, it| sum.saturating_add(it.failed))
    }
}

impl ClaimsRecord {
    /// The record's number, from 1; 0 for the default record.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The state.
    pub const fn state(&self) -> &ClaimsState {
        &self.state
    }

    /// The revision of the claims for which the reservations are complete; `None` if they are incomplete.
    pub const fn complete(&self) -> Option<u32> {
        match self.state {
            ClaimsState::Complete { revision } => Some(revision),
            _ => None,
        }
    }

    /// The build that has begun and has not ended yet.
    pub const fn build(&self) -> Option<&ClaimsBuild> {
        match &self.state {
            ClaimsState::Building(build) => Some(build),
            _ => None,
        }
    }

    /// The record after a build has begun at the first stream. Completeness of an earlier build no longer counts.
    #[must_use]
    pub fn begun(&self, revision: u32, segments: u32) -> Self {
        let (run, walk) = (self.number + 1, Walk::Streams);
        let segments = Segment::split(segments).map(SegmentProgress::start).collect();
        self.with(ClaimsState::Building(ClaimsBuild { run, revision, walk, segments, failed: 0 }))
    }

    /// The record with this progress of a segment; `None` if the build is no longer in this walk.
    pub fn progressed(&self, run: u64, walk: Walk, progress: &SegmentProgress) -> Option<Self> {
        let mut build = self.build().filter(|build| build.is_at(run, walk))?.clone();
        let segment = build.segments.iter_mut().find(|it| it.index == progress.index)?;
        segment.clone_from(progress);
        Some(self.with(ClaimsState::Building(build)))
    }

    /// The record after this walk has ended. After the first walk the next one begins. After the last walk the build
    /// ends, and it is complete only if no fault is left. `None` if a segment is not done, or if the build is no longer
    /// in this walk.
    pub fn walked(&self, run: u64, walk: Walk) -> Option<Self> {
        let build = self.build().filter(|build| build.is_at(run, walk) && build.is_walked())?;
        let (revision, failed) = (build.revision, build.left());
        Some(self.with(match walk {
            Walk::Streams => {
                let of = u32::try_from(build.segments.len()).unwrap_or(u32::MAX);
                let segments = Segment::split(of).map(SegmentProgress::start).collect();
                let walk = Walk::Reservations;
                ClaimsState::Building(ClaimsBuild { run, revision, walk, segments, failed })
            }
            Walk::Reservations if failed == 0 => ClaimsState::Complete { revision },
            Walk::Reservations => ClaimsState::Incomplete,
        }))
    }

    const fn with(&self, state: ClaimsState) -> Self {
        Self { number: self.number + 1, state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(index: u32, failed: u64) -> SegmentProgress {
        SegmentProgress { index, of: 2, streams: 1, failed, at: SegmentPlace::End }
    }

    /// The record after a build whose first walk left this many faults.
    fn ended(left: u64) -> ClaimsRecord {
        let mut record = ClaimsRecord::default().begun(3, 2);
        for (walk, failed) in [(Walk::Streams, left), (Walk::Reservations, 0)] {
            assert_eq!(record.walked(1, walk), None, "no segment is done");
            for progress in [end(0, failed), end(1, 0)] {
                record = record.progressed(1, walk, &progress).expect("it is in this walk");
            }
            record = record.walked(1, walk).expect("all segments are done");
        }
        record
    }

    #[test]
    fn a_build_is_complete_only_if_it_had_nothing_to_leave() {
        assert_eq!(ended(0).complete(), Some(3));
        assert_eq!(ended(1).complete(), None, "what the first walk left was forgotten");
        assert_eq!(ended(1).state(), &ClaimsState::Incomplete);
    }

    #[test]
    fn what_was_complete_is_not_while_it_is_built_again() {
        let again = ended(0).begun(3, 2);
        assert_eq!(
            (again.complete(), again.build().map(|it| it.run)),
            (None, Some(again.number()))
        );
    }

    #[test]
    fn progress_of_a_build_that_has_ended_is_not_taken() {
        let again = ended(0).begun(3, 2);
        assert_eq!(again.progressed(1, Walk::Streams, &end(0, 0)), None);
        assert_eq!(again.progressed(again.number(), Walk::Reservations, &end(0, 0)), None);
        assert!(again.progressed(again.number(), Walk::Streams, &end(0, 0)).is_some());
    }
}
