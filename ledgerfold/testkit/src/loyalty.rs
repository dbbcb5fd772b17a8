//! A second context, which reads the public events of the [`bank`](crate::bank): members collect points for the money
//! that comes into their accounts.
//!
//! ```
//! use ledgerfold_testkit::loyalty;
//!
//! let context = loyalty::context();
//! assert_eq!(context.check(), Ok(()));
//! assert!(context.projections().iter().all(|it| it.source() == Some("bank")));
//! ```

use ledgerfold::{
    Category, Command, CommandName, Decider, DecisionContext, Recorded, Rejection,
    context::Context,
    events,
    ports::CounterKey,
    project::{Counts, Projection, Tally},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bank::{MoneyMoved, PublicAccountEvent, PublicAccounts};

/// The declaration.
pub fn context() -> Context {
    Context::new("loyalty")
        .decider::<Members>()
        .rows::<Points>("points")
        .of::<PublicAccounts>()
        .tally::<Activity>("activity")
        .of::<PublicAccounts>()
}

/// Somebody became a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberJoined {}

events! {
    /// The events of a member.
    pub enum MemberEvent {
        MemberJoined: 1,
    }
}

/// Makes somebody a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Join;

impl Command for Join {
    fn name(&self) -> CommandName {
        CommandName::from_static("Join")
    }
}

/// There is a membership already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is a member already")]
pub struct AlreadyJoined;

impl Rejection for AlreadyJoined {
    fn rule(&self) -> &'static str {
        "member-joined"
    }
}

/// The domain of members.
#[derive(Clone, Copy, Debug)]
pub struct Members;

impl Decider for Members {
    type Command = Join;
    type Event = MemberEvent;
    type State = bool;
    type Rejection = AlreadyJoined;

    const CATEGORY: Category = Category::from_static("member");

    fn initial() -> bool {
        false
    }

    fn evolve(_: bool, _: &MemberEvent) -> bool {
        true
    }

    fn decide(
        has_joined: &bool,
        _: &Join,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<MemberEvent>, AlreadyJoined> {
        if *has_joined { Err(AlreadyJoined) } else { Ok(vec![MemberJoined {}.into()]) }
    }
}

/// The points of each account: one for each whole euro that came in while it was open.
#[derive(Clone, Copy, Debug)]
pub struct Points;

impl Projection for Points {
    type Event = PublicAccountEvent;
    type Row = u64;

    fn evolve(
        points: Option<u64>,
        event: &Recorded<PublicAccountEvent>,
    ) -> Result<Option<u64>, String> {
        match &event.event {
            PublicAccountEvent::AccountOpened(_) => Ok(Some(0)),
            PublicAccountEvent::MoneyMoved(MoneyMoved { amount }) => {
                let earned = u64::try_from(amount / 100).unwrap_or(0);
                let points = points.ok_or("money moved in an account that is not open")?;
                Ok(Some(points + earned))
            }
            PublicAccountEvent::AccountClosed(_) => Ok(None),
        }
    }
}

/// The number of public events of all accounts.
#[derive(Clone, Copy, Debug)]
pub struct Activity;

/// The only group of counters of [`Activity`].
///
/// # Panics
/// Never, because the name is a valid key.
pub fn all_accounts() -> CounterKey {
    CounterKey::new("all").expect("a short name is a key")
}

/// The only counter of [`Activity`].
pub const EVENTS: &str = "events";

impl Tally for Activity {
    type Event = PublicAccountEvent;
    type Memo = ();

    fn count(
        (): &mut (),
        _: &Recorded<PublicAccountEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        counts.add(all_accounts(), EVENTS, 1)
    }
}
