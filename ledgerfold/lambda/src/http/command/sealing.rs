//! Commands of one stream of a domain that seals.

use std::sync::Arc;

use async_trait::async_trait;
use ledgerfold::{
    Category, Command, DecideSealing, Decider, StreamId,
    command::CommandHandler,
    keyring::{existing_keys, provide_keys},
    ports::{EventStore, Keyring, Random, Span},
    sealed::{DataSubject, Keyed, SealingKeys},
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
/// If the keys cannot be fetched, the answer is 503, and nothing was decided or stored. A command to a stream that does not
/// exist makes no key. A refused creation may leave one, which the repeated command uses.
pub struct DecidedSealing<D: Decider> {
    handler: CommandHandler<D>,
    keyring: Arc<dyn Keyring>,
    random: Arc<dyn Random>,
    log: Arc<dyn EventStore>,
}

impl<D: Decider> DecidedSealing<D> {
    /// The keys of a command. A command to a stream that does not exist makes no key, because it would stay although the
    /// command is refused.
    async fn keys(
        &self,
        stream: &StreamId,
        subjects: &[DataSubject],
        creates: bool,
    ) -> Result<SealingKeys, Problem> {
        let Self { keyring, random, .. } = self;
        if !creates {
            let tenant = stream.tenant();
            let (keys, are_complete) =
                existing_keys(&**keyring, &**random, tenant, subjects).await?;
            if are_complete || !self.exists(stream).await? {
                return Ok(keys);
            }
        }
        Ok(provide_keys(&**keyring, &**random, stream.tenant(), subjects).await?)
    }

    async fn exists(&self, stream: &StreamId) -> Result<bool, Problem> {
        let page = self.log.read_back(stream, Span::ALL, 1).await?;
        Ok(!page.commits.is_empty())
    }
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
        let log = side.ports.log.clone();
        Self { handler: side.handler(), keyring, random, log }
    }

    async fn handle(&self, command: C, call: CommandCall<'_>) -> Result<Response, Problem> {
        let addressed = Addressed::of::<D>(call)?;
        let stream = addressed.stream();
        let subjects = command.subjects(stream);
        let keys = self.keys(stream, &subjects, call.id.is_none()).await?;
        let command = D::Command::keyed(command.into(), keys);
        addressed.handle(&self.handler, command, C::ADDS.is_some()).await
    }
}
