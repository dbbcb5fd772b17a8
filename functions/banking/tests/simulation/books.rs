//! The state of every stream, folded with the product's own `evolve`. The checker's independent books belong to
//! `checker::facts`.

use std::collections::BTreeMap;

use banking::domain::{
    AccountState, Accounts, HoldState, Holds, SettlementState, Settlements, TransferState,
    Transfers,
};
use ledgerfold::{
    Decider, Event, Recorded, StreamId, TenantId, Version, command::Parts, vocabulary::Commit,
};

/// The states of all streams at one moment.
#[derive(Default)]
pub(crate) struct Books {
    /// The last version of each stream.
    versions: BTreeMap<StreamId, Version>,
    pub(crate) accounts: BTreeMap<StreamId, AccountState>,
    settlements: BTreeMap<StreamId, SettlementState>,
    pub(crate) transfers: BTreeMap<StreamId, TransferState>,
    pub(crate) holds: BTreeMap<StreamId, HoldState>,
}

/// The events of a commit.
///
/// # Errors
/// The event that cannot be read.
pub(crate) fn events<E: Event>(commit: &Commit) -> Result<Vec<Recorded<E>>, String> {
    let mut events = Vec::new();
    for envelope in commit.envelopes() {
        events.extend(envelope.open::<E>().map_err(|error| error.to_string())?);
    }
    Ok(events)
}

/// The events as they would be stored.
pub(crate) fn encoded<E: Event>(events: &[E]) -> Vec<String> {
    let encoded = events.iter().filter_map(|event| event.encode().ok());
    encoded.map(|data| data.as_str().to_owned()).collect()
}

impl Books {
    /// Adds a commit.
    ///
    /// # Errors
    /// The reason why it does not follow.
    pub(crate) fn apply(&mut self, commit: &Commit) -> Result<(), String> {
        let stream = commit.stream();
        let head = self.versions.entry(stream.clone()).or_insert(Version::NONE);
        if commit.from() != head.next() {
            return Err(format!("{stream} got version {} behind {head}", commit.from()));
        }
        *head = commit.to();
        match stream.category().as_str() {
            "account" => fold::<Accounts>(&mut self.accounts, commit),
            "settlement" => fold::<Settlements>(&mut self.settlements, commit),
            "transfer" => fold::<Transfers>(&mut self.transfers, commit),
            "hold" => fold::<Holds>(&mut self.holds, commit),
            _ => Err(format!("{stream} is of no domain")),
        }
    }

    /// The streams of a tenant, in a map of this kind.
    pub(crate) fn of_tenant<'a, S>(
        streams: &'a BTreeMap<StreamId, S>,
        tenant: &TenantId,
    ) -> Vec<(&'a StreamId, &'a S)> {
        streams.iter().filter(|(stream, _)| stream.tenant() == tenant).collect()
    }
}

fn fold<D: Decider>(
    states: &mut BTreeMap<StreamId, D::State>,
    commit: &Commit,
) -> Result<(), String> {
    let mut state = states.remove(commit.stream()).unwrap_or_else(D::initial);
    for recorded in events::<D::Event>(commit)? {
        state = D::evolve(state, &recorded.event);
    }
    states.insert(commit.stream().clone(), state);
    Ok(())
}

/// A domain whose states are in the books.
pub(crate) trait Kept: Decider {
    fn of<'a>(books: &'a Books, stream: &StreamId) -> &'a Self::State;
}

macro_rules! kept {
    ($($domain:ty: $states:ident,)+) => {$(
        impl Kept for $domain {
            fn of<'a>(books: &'a Books, stream: &StreamId) -> &'a Self::State {
                books.$states.get(stream).unwrap_or(&None)
            }
        }
    )+};
}

kept!(Accounts: accounts, Settlements: settlements, Transfers: transfers, Holds: holds,);

/// The domains of a joint decision, whose states are in the books.
pub(crate) trait KeptParts: Parts {
    fn kept<'a>(books: &'a Books, streams: &[StreamId]) -> Self::States<'a>;

    /// The events of each stream as they would be stored.
    fn stored(events: &Self::Events) -> Vec<Vec<String>>;
}

macro_rules! kept_parts {
    ($($part:ident $at:tt),+) => {
        impl<$($part: Kept),+> KeptParts for ($($part,)+) {
            fn kept<'a>(books: &'a Books, streams: &[StreamId]) -> Self::States<'a> {
                ($($part::of(books, &streams[$at]),)+)
            }

            fn stored(events: &Self::Events) -> Vec<Vec<String>> {
                vec![$(encoded(&events.$at)),+]
            }
        }
    };
}

kept_parts!(A 0, B 1);
kept_parts!(A 0, B 1, C 2);
kept_parts!(A 0, B 1, C 2, D 3);
