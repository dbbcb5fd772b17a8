//! The start of the role `export`.

use ledgerfold::context::Context;

use super::StartError;
use crate::World;

#[cfg(feature = "export")]
pub(super) async fn serve(context: &Context, world: &World) -> Result<(), StartError> {
    use ledgerfold::context::variables::{EVENT_TABLE, EXPORT_BUCKET, EXPORT_TABLE, EXPORT_WINDOW};
    use ledgerfold_export::{ExportPorts, Exporter, Tables};

    use ledgerfold_eventbridge::SigningKey;

    use super::{
        roles::ended,
        variables::{parse, required},
    };

    /// An export believes no message, so it needs no key of the bus.
    const NO_KEY: &str = "an export does not verify signatures";

    if context.exported().is_empty() {
        return Err(StartError::NoExport(context.name()));
    }
    let window = parse(EXPORT_WINDOW, required(EXPORT_WINDOW)?)?;
    let ports = ExportPorts {
        log: world.event_reader(&required(EVENT_TABLE)?),
        files: world.export_files(&required(EXPORT_BUCKET)?),
        progress: world.export_progress(&required(EXPORT_TABLE)?),
        clock: world.clock(),
    };
    let exporter = Exporter::new(ports, Tables::of(context.exported()), window);
    ended(crate::bus_queue::serve_export(exporter, SigningKey::new(NO_KEY)?).await)
}

#[cfg(not(feature = "export"))]
#[expect(clippy::unused_async, reason = "the other variant waits")]
pub(super) async fn serve(context: &Context, _: &World) -> Result<(), StartError> {
    Err(StartError::NoExport(context.name()))
}
