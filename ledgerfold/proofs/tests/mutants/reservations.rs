//! Faulty reservations. Each of them must fail the rules that are listed with it and no others, and each rule must
//! fail for at least one of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ledgerfold::{
    Category, ReservedKey, StreamId, Version,
    ports::{
        AppendError, ClaimsRecord, Correction, EventStore, KeyChange, Page, Reservation,
        Reservations, Resume, Segment, StoreError, StreamsError, Transaction, Written,
    },
    vocabulary::Commit,
};
use ledgerfold_proofs::conformance::{
    history::ModelStore,
    reservations::{Reserving, rules},
};
use ledgerfold_testkit::{Amended, Amendment};
use tokio::task::yield_now;

use crate::{fails, silently, turn};

/// A defect of reservations. All calls without their own implementation behave like the model.
#[async_trait]
trait Defect: Default + Send + Sync + 'static {
    async fn holder(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
    ) -> Result<Option<StreamId>, StoreError> {
        model.holder(key).await
    }

    async fn list(
        &self,
        model: &ModelStore,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        model.list_reservations(segment, from).await
    }

    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        model.correct(key, correction).await
    }

    async fn read_record(
        &self,
        model: &ModelStore,
        category: &Category,
    ) -> Result<ClaimsRecord, StoreError> {
        model.read_record(category).await
    }

    async fn write_record(
        &self,
        model: &ModelStore,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        model.write_record(category, new).await
    }
}

struct Wrong<D> {
    model: Arc<ModelStore>,
    defect: D,
}

#[async_trait]
impl<D: Defect> Reservations for Wrong<D> {
    async fn holder(&self, key: &ReservedKey) -> Result<Option<StreamId>, StoreError> {
        self.defect.holder(&self.model, key).await
    }

    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        self.defect.list(&self.model, segment, from).await
    }

    async fn correct(
        &self,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        self.defect.correct(&self.model, key, correction).await
    }

    async fn read_record(&self, category: &Category) -> Result<ClaimsRecord, StoreError> {
        self.defect.read_record(&self.model, category).await
    }

    async fn write_record(
        &self,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        self.defect.write_record(&self.model, category, new).await
    }
}

fn wrong<D: Defect>() -> Reserving {
    let model = Arc::new(ModelStore::default());
    let log = model.clone();
    Reserving { log, reservations: Arc::new(Wrong { model, defect: D::default() }) }
}

/// Applies a correction without checking its conditions.
fn apply(model: &ModelStore, key: &ReservedKey, correction: &Correction) -> Written {
    model.lock().apply_change(key, &correction.change());
    Written::Done
}

/// Reservations without a defect.
#[derive(Default)]
struct Nothing;

impl Defect for Nothing {}

/// Caches holders, so reads are not strongly consistent.
#[derive(Default)]
struct RemembersHolders(Mutex<BTreeMap<ReservedKey, StreamId>>);

#[async_trait]
impl Defect for RemembersHolders {
    async fn holder(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
    ) -> Result<Option<StreamId>, StoreError> {
        let now = model.holder(key).await?;
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = now {
            remembered.entry(key.clone()).or_insert(now);
        }
        Ok(remembered.get(key).cloned())
    }
}

/// Ignores the tenant when it looks for a holder.
#[derive(Default)]
struct SharesHolders;

#[async_trait]
impl Defect for SharesHolders {
    async fn holder(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
    ) -> Result<Option<StreamId>, StoreError> {
        let holders = model.lock().holders.clone();
        Ok(holders.into_iter().find(|(it, _)| it.key == key.key).map(|(_, holder)| holder))
    }
}

/// Ends the list after the first page.
#[derive(Default)]
struct ListsOnePage;

#[async_trait]
impl Defect for ListsOnePage {
    async fn list(
        &self,
        model: &ModelStore,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        let page = model.list_reservations(segment, from).await?;
        Ok(Page { next: None, ..page })
    }
}

/// Returns all reservations in every segment.
#[derive(Default)]
struct KnowsNoSegments;

#[async_trait]
impl Defect for KnowsNoSegments {
    async fn list(
        &self,
        model: &ModelStore,
        _: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        model.list_reservations(Segment::WHOLE, from).await
    }
}

/// Reports a correction without making it.
#[derive(Default)]
struct OnlySaysSo;

#[async_trait]
impl Defect for OnlySaysSo {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let before = model.lock().holders.clone();
        let written = model.correct(key, correction).await?;
        model.lock().holders = before;
        Ok(written)
    }
}

/// Removes a reservation that should pass to another stream.
#[derive(Default)]
struct DropsWhatPasses;

#[async_trait]
impl Defect for DropsWhatPasses {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let written = model.correct(key, correction).await?;
        if written == Written::Done && matches!(correction, Correction::Pass { .. }) {
            model.lock().holders.remove(key);
        }
        Ok(written)
    }
}

/// Does not check the holder of the key.
#[derive(Default)]
struct CorrectsFromAnything;

#[async_trait]
impl Defect for CorrectsFromAnything {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let disproved = correction.proof().any(|seen| model.lock().has_moved(seen));
        Ok(if disproved { Written::Superseded } else { apply(model, key, correction) })
    }
}

/// Does not check the versions of the streams.
#[derive(Default)]
struct NeedsNoProof;

#[async_trait]
impl Defect for NeedsNoProof {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let objection = model.lock().key_objection(key, &correction.change());
        Ok(if objection.is_some() { Written::Superseded } else { apply(model, key, correction) })
    }
}

/// Checks the version of the first of two streams only.
#[derive(Default)]
struct LooksAtTheFirst;

#[async_trait]
impl Defect for LooksAtTheFirst {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let objection = model.lock().key_objection(key, &correction.change());
        let moved = correction.proof().next().is_some_and(|seen| model.lock().has_moved(seen));
        let refused = moved || objection.is_some();
        Ok(if refused { Written::Superseded } else { apply(model, key, correction) })
    }
}

/// Checks the conditions before the write instead of in it.
#[derive(Default)]
struct LooksThenCorrects;

#[async_trait]
impl Defect for LooksThenCorrects {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let before = model.lock().holders.clone();
        let written = model.correct(key, correction).await?;
        if written == Written::Superseded {
            return Ok(written);
        }
        model.lock().holders = before;
        yield_now().await;
        Ok(apply(model, key, correction))
    }
}

/// Uses a marker at the place of the next commit as the condition, and does not remove it.
#[derive(Default)]
struct LeavesMarkers;

#[async_trait]
impl Defect for LeavesMarkers {
    async fn correct(
        &self,
        model: &ModelStore,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        let written = model.correct(key, correction).await?;
        if written == Written::Done {
            let mut model = model.lock();
            for seen in correction.proof() {
                let like = model.at(seen.stream(), Version::new(1)).expect("a commit").clone();
                let next = seen.version().next();
                let events = like.events().map(|(_, event)| event.clone()).collect();
                let (stream, command) = (like.stream().clone(), like.command().clone());
                let metadata = like.metadata().clone();
                let hash = like.hash();
                let marker = Commit::restore(stream, (next, next), events, command, metadata, hash);
                model.commits.push(marker.expect("the marker has one event"));
            }
        }
        Ok(written)
    }
}

/// Has one record for all categories.
#[derive(Default)]
struct HasOneRecord;

fn of_all() -> Category {
    Category::from_static("all")
}

#[async_trait]
impl Defect for HasOneRecord {
    async fn read_record(
        &self,
        model: &ModelStore,
        _: &Category,
    ) -> Result<ClaimsRecord, StoreError> {
        model.read_record(&of_all()).await
    }

    async fn write_record(
        &self,
        model: &ModelStore,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        model.write_record(category, new).await?;
        model.write_record(&of_all(), new).await
    }
}

/// Writes a record without a condition.
#[derive(Default)]
struct WritesRecordsOver;

#[async_trait]
impl Defect for WritesRecordsOver {
    async fn write_record(
        &self,
        model: &ModelStore,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        model.lock().records.insert(category.clone(), new.clone());
        Ok(Written::Done)
    }
}

/// Checks the record before the write instead of in it.
#[derive(Default)]
struct LooksThenWrites;

#[async_trait]
impl Defect for LooksThenWrites {
    async fn write_record(
        &self,
        model: &ModelStore,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        if model.read_record(category).await?.number() + 1 != new.number() {
            return Ok(Written::Superseded);
        }
        yield_now().await;
        model.lock().records.insert(category.clone(), new.clone());
        Ok(Written::Done)
    }
}

/// Does not return the complete revision in a refusal.
struct TellsNothing;

#[async_trait]
impl Amendment for TellsNothing {
    async fn transact(
        &self,
        log: &dyn EventStore,
        transaction: &Transaction,
    ) -> Result<(), AppendError> {
        log.transact(transaction).await.map_err(|error| match error {
            AppendError::NotReserved { key, stream, .. } => {
                AppendError::NotReserved { key, stream, complete: None }
            }
            other => other,
        })
    }
}

fn tells_nothing() -> Reserving {
    let good = wrong::<Nothing>();
    Reserving { log: Amended::of(good.log, TellsNothing), ..good }
}

/// Does not check whether the forgoing stream holds the key.
struct ForgoesAnything(Arc<ModelStore>);

#[async_trait]
impl Amendment for ForgoesAnything {
    async fn transact(
        &self,
        log: &dyn EventStore,
        transaction: &Transaction,
    ) -> Result<(), AppendError> {
        let forgoes = |change: &KeyChange| matches!(change, KeyChange::Forgo(_));
        match log.transact(transaction).await {
            Err(AppendError::Reserved { .. }) if transaction.claims().values().all(forgoes) => {
                self.0.lock().apply(transaction);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

fn forgoes_anything() -> Reserving {
    let model = Arc::new(ModelStore::default());
    let log = Amended::of(model.clone(), ForgoesAnything(model.clone()));
    Reserving { log, reservations: model }
}

type Mutant = (&'static str, fn() -> Reserving, &'static [&'static str]);

/// The faulty reservations with the rules that they fail.
const MUTANTS: [Mutant; 16] = [
    ("SharesHolders", wrong::<SharesHolders>, &["reservations_of_tenants_do_not_mix"]),
    ("RemembersHolders", wrong::<RemembersHolders>, &["the_holder_of_a_key_is_shown"]),
    ("ListsOnePage", wrong::<ListsOnePage>, &["every_reservation_is_listed_once_and_nothing_else"]),
    (
        "KnowsNoSegments",
        wrong::<KnowsNoSegments>,
        &["every_reservation_is_listed_once_and_nothing_else"],
    ),
    (
        "OnlySaysSo",
        wrong::<OnlySaysSo>,
        &[
            "a_misplaced_reservation_passes_to_its_owner",
            "a_missing_reservation_is_made",
            "a_superfluous_reservation_is_removed",
            "of_a_correction_and_a_command_at_once_one_is_refused",
            "reservations_of_tenants_do_not_mix",
        ],
    ),
    ("DropsWhatPasses", wrong::<DropsWhatPasses>, &["a_misplaced_reservation_passes_to_its_owner"]),
    (
        "CorrectsFromAnything",
        wrong::<CorrectsFromAnything>,
        &["a_reservation_is_corrected_only_from_what_it_was_seen_to_be"],
    ),
    (
        "NeedsNoProof",
        wrong::<NeedsNoProof>,
        &["a_reservation_is_corrected_only_while_its_streams_are_as_they_were_seen"],
    ),
    (
        "LooksAtTheFirst",
        wrong::<LooksAtTheFirst>,
        &["a_reservation_is_corrected_only_while_its_streams_are_as_they_were_seen"],
    ),
    (
        "LooksThenCorrects",
        wrong::<LooksThenCorrects>,
        &["of_a_correction_and_a_command_at_once_one_is_refused"],
    ),
    ("LeavesMarkers", wrong::<LeavesMarkers>, &["a_correction_leaves_the_log_as_it_was"]),
    ("HasOneRecord", wrong::<HasOneRecord>, &["a_record_comes_back_as_it_was_written"]),
    (
        "WritesRecordsOver",
        wrong::<WritesRecordsOver>,
        &[
            "a_record_is_written_only_in_the_place_of_the_one_it_was_made_from",
            "of_racing_records_one_takes_effect",
        ],
    ),
    ("LooksThenWrites", wrong::<LooksThenWrites>, &["of_racing_records_one_takes_effect"]),
    (
        "TellsNothing",
        tells_nothing,
        &["a_refusal_tells_for_which_claims_reservations_are_complete"],
    ),
    (
        "ForgoesAnything",
        forgoes_anything,
        &["of_a_correction_and_a_command_at_once_one_is_refused"],
    ),
];

fn failed(store: fn() -> Reserving) -> BTreeSet<&'static str> {
    let failing = rules().into_iter().filter(|(_, rule)| fails(rule(store())));
    failing.map(|(name, _)| name).collect()
}

#[test]
fn wrong_reservations_fail_their_rules_and_no_others_and_every_rule_is_failed() {
    let _turn = turn();
    let mut unproven: BTreeSet<_> = rules().into_iter().map(|(name, _)| name).collect();
    let mut surprises = Vec::new();
    for (name, store, expected) in MUTANTS {
        let failed = silently(|| failed(store));
        unproven.retain(|rule| !failed.contains(rule));
        if failed != expected.iter().copied().collect() {
            surprises.push(format!("{name} fails {failed:#?}"));
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert!(unproven.is_empty(), "no faulty reservations fail {unproven:#?}");
}

#[test]
fn reservations_without_a_defect_fail_nothing() {
    let _turn = turn();
    assert_eq!(failed(wrong::<Nothing>), BTreeSet::new());
}
