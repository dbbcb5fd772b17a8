//! The role of the sealer.

use ledgerfold::context::Context;

use super::StartError;
use crate::World;

/// Runs the sealer.
#[cfg(feature = "transparency")]
pub(super) async fn run(_: &Context, world: &World) -> Result<(), StartError> {
    use ledgerfold::context::variables::{
        EVENT_TABLE, LOG_BUCKET, LOG_ORIGIN, PROJECTION_STATES, SIGNING_KEY,
    };

    use super::variables::required;

    let log = crate::world::TransparencyLog {
        origin: required(LOG_ORIGIN)?,
        bucket: required(LOG_BUCKET)?,
        key: required(SIGNING_KEY)?,
        states: required(PROJECTION_STATES)?,
    };
    let sealer = world.sealer(&required(EVENT_TABLE)?, &log);
    crate::serve_sealer(sealer).await.map_err(StartError::Runtime)
}

/// The program has no sealer.
#[cfg(not(feature = "transparency"))]
pub(super) async fn run(context: &Context, _: &World) -> Result<(), StartError> {
    Err(StartError::NoSealer(context.name()))
}
