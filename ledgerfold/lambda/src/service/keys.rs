//! The keys of a context that seals, for the functions that need them.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "kms")]
use ledgerfold::context::variables::{CERTIFICATE_KEY, KEY_TABLE, WRAPPING_KEY};
use ledgerfold::{
    context::{
        CertificatePorts, CommandPorts, Context, QueryPorts,
        variables::{KEY_BACKUP_DAYS, KEY_CACHE_SECONDS},
    },
    erasure::Terms,
    keyring::CACHED_FOR,
    ports::CertificateSigner,
};

use super::{
    StartError,
    variables::{optional, parse, required},
};
use crate::World;

/// The ports of commands, with the keys of a context that seals.
pub(super) fn for_commands(
    ports: CommandPorts,
    context: &Context,
    world: &World,
) -> Result<CommandPorts, StartError> {
    if !context.seals() {
        return Ok(ports);
    }
    let keys = keyring(context, world)?;
    let ports = if context.erases() { ports.with_eraser(keys.clone()) } else { ports };
    Ok(ports.with_keyring(keys))
}

/// The ports of queries, with the keys of a context that seals.
pub(super) fn for_queries<'a>(
    ports: QueryPorts<'a>,
    context: &Context,
    world: &World,
) -> Result<QueryPorts<'a>, StartError> {
    if !context.seals() {
        return Ok(ports);
    }
    let keys = keyring(context, world)?;
    let ports = match context.erases() {
        true => ports.with_certificates(CertificatePorts {
            states: keys.clone(),
            signer: signer(context, world)?,
            terms: terms()?,
        }),
        false => ports,
    };
    Ok(ports.with_keys(keys))
}

/// How long keys outlive their erasure in this deployment.
fn terms() -> Result<Terms, StartError> {
    let days: u64 = parse(KEY_BACKUP_DAYS, required(KEY_BACKUP_DAYS)?)?;
    let backups = Duration::from_secs(days * 24 * 60 * 60);
    Ok(Terms { cached_for: cached_for()?, backups })
}

/// How long keys are cached. Only a context that erases promises a time of its own.
fn cached_for() -> Result<Duration, StartError> {
    match optional(KEY_CACHE_SECONDS) {
        Some(seconds) => Ok(Duration::from_secs(parse(KEY_CACHE_SECONDS, seconds)?)),
        None => Ok(CACHED_FOR),
    }
}

#[cfg(feature = "kms")]
type Keys = ledgerfold::keyring::CachedKeys<ledgerfold_kms::KmsKeyring>;
#[cfg(not(feature = "kms"))]
type Keys = ledgerfold::context::MissingKeyring;

#[cfg(feature = "kms")]
fn keyring(_: &Context, world: &World) -> Result<Arc<Keys>, StartError> {
    let table = required(KEY_TABLE)?;
    Ok(world.keyring(&table, &required(WRAPPING_KEY)?, cached_for()?))
}

#[cfg(feature = "kms")]
fn signer(_: &Context, world: &World) -> Result<Arc<dyn CertificateSigner>, StartError> {
    Ok(world.certificate_signer(&required(CERTIFICATE_KEY)?))
}

#[cfg(not(feature = "kms"))]
fn signer(context: &Context, _: &World) -> Result<Arc<dyn CertificateSigner>, StartError> {
    Err(StartError::NoKms(context.name()))
}

#[cfg(not(feature = "kms"))]
fn keyring(context: &Context, _: &World) -> Result<Arc<Keys>, StartError> {
    Err(StartError::NoKms(context.name()))
}
