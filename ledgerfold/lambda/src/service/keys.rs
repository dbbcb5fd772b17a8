//! The keys of a context that seals, for the functions that need them.

use std::sync::Arc;

use ledgerfold::context::{CommandPorts, Context, QueryPorts};

use super::StartError;
use crate::World;

/// The ports of commands, with the keys of a context that seals.
pub(super) fn for_commands(
    ports: CommandPorts,
    context: &Context,
    world: &World,
) -> Result<CommandPorts, StartError> {
    if context.seals() { Ok(ports.with_keyring(keyring(context, world)?)) } else { Ok(ports) }
}

/// The ports of queries, with the keys of a context that seals.
pub(super) fn for_queries<'a>(
    ports: QueryPorts<'a>,
    context: &Context,
    world: &World,
) -> Result<QueryPorts<'a>, StartError> {
    if context.seals() { Ok(ports.with_keys(keyring(context, world)?)) } else { Ok(ports) }
}

#[cfg(feature = "kms")]
type Keys = ledgerfold::keyring::CachedKeys<ledgerfold_kms::KmsKeyring>;
#[cfg(not(feature = "kms"))]
type Keys = ledgerfold::context::MissingKeyring;

#[cfg(feature = "kms")]
fn keyring(_: &Context, world: &World) -> Result<Arc<Keys>, StartError> {
    use ledgerfold::context::variables::{KEY_TABLE, WRAPPING_KEY};

    use super::variables::required;

    Ok(world.keyring(&required(KEY_TABLE)?, &required(WRAPPING_KEY)?))
}

#[cfg(not(feature = "kms"))]
fn keyring(context: &Context, _: &World) -> Result<Arc<Keys>, StartError> {
    Err(StartError::NoKms(context.name()))
}
