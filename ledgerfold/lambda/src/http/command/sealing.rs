//! Commands of one stream of a domain that seals.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Category, Command, DecideSealing, Decider,
    command::CommandHandler,
    keyring::provide_keys,
    ports::{Keyring, Random},
    sealed::{Keyed, SealingKeys},
};

use super::{
    CommandCall, CommandSide, Handles, HttpCommand, Success,
    decided::{Addressed, creates, successes},
};
use crate::http::{Problem, Response};

/// The [`Decider::Command`] of a domain that seals: [`Keyed`].
pub trait SealingCommand: Command {
    /// The command without its keys.
    type Content: Command;

    /// The command with these keys.
    fn keyed(content: Self::Content, keys: SealingKeys) -> Self;
}

impl<C: Command> SealingCommand for Keyed<C> {
    type Content = C;

    fn keyed(content: C, keys: SealingKeys) -> Self {
        Self::new(content, keys)
    }
}

/// Fetches the keys of a command, and hands both to its decider. It differs from [`Decided`](super::Decided) in nothing
/// else. The keys of a person who was there a moment ago are remembered and cost no request.
///
/// If the keys cannot be fetched, the answer is 503, and nothing was decided or stored. A new key may have been made: the
/// repeated command uses it.
pub struct DecidedSealing<D: Decider> {
    handler: CommandHandler<D>,
    keyring: Arc<dyn Keyring>,
    random: Arc<dyn Random>,
}

#[async_trait]
impl<C, D> Handles<C> for DecidedSealing<D>
where
    C: HttpCommand + DecideSealing<Decider = D> + Into<<D::Command as SealingCommand>::Content>,
    D: Decider<Command: SealingCommand>,
{
    const SEALS: bool = true;

    fn successes() -> Vec<Success> {
        successes::<C>()
    }

    fn creates() -> Option<Category> {
        creates::<C, D>()
    }

    fn open(side: &mut CommandSide<'_>) -> Self {
        let keyring = side.ports.keyring.clone();
        let random = side.ports.random.clone();
        Self { handler: side.handler(), keyring, random }
    }

    async fn handle(&self, command: C, call: CommandCall<'_>) -> Result<Response, Problem> {
        let addressed = Addressed::of::<D>(call)?;
        let stream = addressed.stream();
        let subjects = command.subjects(stream);
        let keys = provide_keys(&*self.keyring, &*self.random, stream.tenant(), &subjects).await?;
        addressed.handle(&self.handler, D::Command::keyed(command.into(), keys)).await
    }
}
