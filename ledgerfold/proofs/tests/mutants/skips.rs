//! Faulty registers of skipped events. They prove that the rules of their suite can fail.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{
        Parked, Quarantine, QuarantineError, Signature, Skip, SkipError, SkipReason, SkipRecord,
        SkipRegister, Skips,
    },
};
use ledgerfold_proofs::conformance::skips::Desk;
use ledgerfold_testkit::MemoryQuarantine;

use crate::{
    suite::{examine, named_rules},
    wrong::are_twins,
};

/// A defect of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    SkipsWhatIsNotParked,
    SkipsAnyVersionOfAParkedStream,
    HidesWhatIsParked,
    MakesUpSkips,
    IgnoresTheVersion,
    IgnoresTheStream,
    IgnoresTheTenant,
    ForgetsTheReason,
    RoundsTime,
    ForgetsWithTheEntry,
    ReleasesTheStream,
    LastOneWins,
    BothAreTold,
    WithdrawsNothing,
    WithdrawsForEver,
}

/// The defects with the rules that they fail.
const MUTANTS: &[(Defect, &[&str])] = &[
    (Defect::None, &[]),
    (
        Defect::SkipsWhatIsNotParked,
        &["only_the_event_that_parks_its_stream_can_be_skipped", "skips_of_tenants_do_not_mix"],
    ),
    (
        Defect::SkipsAnyVersionOfAParkedStream,
        &["only_the_event_that_parks_its_stream_can_be_skipped"],
    ),
    (Defect::HidesWhatIsParked, &["only_the_event_that_parks_its_stream_can_be_skipped"]),
    (
        Defect::MakesUpSkips,
        &["a_withdrawn_skip_has_no_effect", "an_event_that_was_never_skipped_has_no_skip"],
    ),
    (Defect::IgnoresTheVersion, &["a_skip_is_of_one_version_of_one_stream"]),
    (
        Defect::IgnoresTheStream,
        &["a_skip_is_of_one_version_of_one_stream", "skips_of_tenants_do_not_mix"],
    ),
    (Defect::IgnoresTheTenant, &["skips_of_tenants_do_not_mix"]),
    (Defect::ForgetsTheReason, SHOWN),
    (Defect::RoundsTime, SHOWN),
    (
        Defect::ForgetsWithTheEntry,
        &[
            "a_skip_stays_when_its_stream_is_released",
            "a_withdrawn_skip_can_be_recorded_again",
            "the_first_skip_of_an_event_stays",
        ],
    ),
    (Defect::ReleasesTheStream, &["skips_and_parked_streams_do_not_mix"]),
    (Defect::LastOneWins, FIRST),
    (Defect::BothAreTold, FIRST),
    (
        Defect::WithdrawsNothing,
        &["a_withdrawn_skip_can_be_recorded_again", "a_withdrawn_skip_has_no_effect"],
    ),
    (Defect::WithdrawsForEver, &["a_withdrawn_skip_can_be_recorded_again"]),
];

/// The rules that compare all fields of a skip.
const SHOWN: &[&str] = &[
    "a_skip_comes_back_as_it_was_recorded",
    "a_skip_stays_when_its_stream_is_released",
    "a_withdrawn_skip_can_be_recorded_again",
    "of_several_operators_at_once_one_skips",
    "skips_of_tenants_do_not_mix",
    "the_first_skip_of_an_event_stays",
];
/// The rules with a second operator.
const FIRST: &[&str] =
    &["of_several_operators_at_once_one_skips", "the_first_skip_of_an_event_stays"];

/// A register with one defect, over a quarantine in memory.
struct Wrong {
    quarantine: Arc<MemoryQuarantine>,
    kept: MemoryQuarantine,
    defect: Defect,
}

impl Wrong {
    fn desk(defect: Defect) -> Desk {
        let quarantine = Arc::<MemoryQuarantine>::default();
        let kept = MemoryQuarantine::default();
        let register = Self { quarantine: quarantine.clone(), kept, defect };
        Desk { quarantine, register: Arc::new(register) }
    }

    /// The entry of a stream, changed by the defect.
    async fn entry(&self, skip: &Skip) -> Result<Option<Parked>, QuarantineError> {
        let entry = self.quarantine.get(&skip.stream).await?;
        let here = Some(skip.version);
        Ok(match (self.defect, entry) {
            (Defect::SkipsWhatIsNotParked, None) => Some(parked(skip)),
            (Defect::SkipsAnyVersionOfAParkedStream, Some(entry)) => {
                Some(Parked { version: here, ..entry })
            }
            (Defect::HidesWhatIsParked, entry) => entry.filter(|entry| entry.version == here),
            (_, entry) => entry,
        })
    }

    fn on_record(&self, stream: &StreamId, version: Version) -> Option<SkipRecord> {
        let is_it = |record: &SkipRecord| {
            let Skip { stream: of, version: at, .. } = &record.skip;
            let is_of_it = match self.defect {
                Defect::IgnoresTheStream => true,
                Defect::IgnoresTheTenant => are_twins(of, stream),
                _ => of == stream,
            };
            is_of_it && (*at == version || self.defect == Defect::IgnoresTheVersion)
        };
        self.kept.skips().into_iter().find(is_it)
    }
}

fn parked(skip: &Skip) -> Parked {
    Parked {
        stream: skip.stream.clone(),
        position: None,
        version: Some(skip.version),
        owed_version: Version::new(u64::MAX),
        reason: "made up".to_owned(),
        since: Timestamp::UNIX_EPOCH,
        attempts: 0,
        tried: Timestamp::UNIX_EPOCH,
    }
}

#[async_trait]
impl Skips for Wrong {
    async fn find(
        &self,
        stream: &StreamId,
        version: Version,
    ) -> Result<Option<Skip>, QuarantineError> {
        let entry = self.quarantine.get(stream).await?;
        let record = self.on_record(stream, version);
        let found = record.filter(|it| it.withdrawn.is_none()).map(|it| it.skip);
        Ok(match (self.defect, found) {
            (Defect::MakesUpSkips, None) => {
                let is_here = entry.is_some_and(|entry| entry.version == Some(version));
                is_here.then(|| made_up(stream, version))
            }
            (Defect::ForgetsWithTheEntry, found) => found.filter(|_| entry.is_some()),
            (Defect::ForgetsTheReason, Some(found)) => Some(Skip { reason: reason("?"), ..found }),
            (Defect::RoundsTime, Some(found)) => Some(rounded(found)),
            (_, found) => found,
        })
    }
}

fn reason(text: &str) -> SkipReason {
    SkipReason::new(text).expect("one line")
}

fn made_up(stream: &StreamId, version: Version) -> Skip {
    let actor = "nobody".parse().expect("visible ASCII");
    let by = Signature { actor, at: Timestamp::UNIX_EPOCH };
    Skip { stream: stream.clone(), version, reason: reason("made up"), by }
}

fn rounded(skip: Skip) -> Skip {
    let at = Timestamp::from_second(skip.by.at.as_second()).expect("a valid time");
    Skip { by: Signature { at, ..skip.by }, ..skip }
}

#[async_trait]
impl SkipRegister for Wrong {
    async fn record(&self, skip: &Skip) -> Result<(), SkipError> {
        self.kept.release(&skip.stream, Version::new(u64::MAX)).await?;
        if let Some(entry) = self.entry(skip).await? {
            self.kept.park(&entry).await?;
        }
        let before = self.on_record(&skip.stream, skip.version);
        if self.defect == Defect::WithdrawsForEver
            && before.is_some_and(|it| it.withdrawn.is_some())
        {
            let (stream, version) = (skip.stream.clone(), skip.version);
            return Err(SkipError::NotParked { stream, version });
        }
        if self.defect == Defect::LastOneWins {
            self.kept.withdraw(&skip.stream, skip.version, &skip.by).await?;
        }
        let recorded = self.kept.record(skip).await;
        match (self.defect, &recorded) {
            (Defect::ReleasesTheStream, Ok(())) => {
                self.quarantine.release(&skip.stream, Version::new(u64::MAX)).await?;
                recorded
            }
            (Defect::BothAreTold, Err(SkipError::AlreadySkipped(_))) => Ok(()),
            _ => recorded,
        }
    }

    async fn withdraw(
        &self,
        stream: &StreamId,
        version: Version,
        by: &Signature,
    ) -> Result<Option<Skip>, QuarantineError> {
        match self.defect {
            Defect::WithdrawsNothing => self.kept.find(stream, version).await,
            _ => self.kept.withdraw(stream, version, by).await,
        }
    }
}

type Subject = Desk;

#[test]
fn every_wrong_register_of_skips_fails_its_rules_and_no_others_and_every_rule_is_failed() {
    let rules = ledgerfold_proofs::skip_rules!([named_rules] skips);
    examine(&rules, MUTANTS, |defect| Arc::new(Wrong::desk(defect)));
}
