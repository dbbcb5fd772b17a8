//! The record of who read what.

use ledgerfold::{
    CommandId, Decider, EntityId, Version,
    command::{CommandHandler, CommandRequest},
    context::{QueryPorts, Undeclared},
    derive_uuid,
};

use super::{Models, QueryCall};
use crate::http::Problem;

/// Appends to the domain that the context declares with
/// [`records_reads_in`](ledgerfold::context::Context::records_reads_in). A query names it beside its read models.
///
/// A query records a read before it answers, and answers nothing if the record fails. So every answer has a record, and a
/// record may exist for an answer that was lost.
pub struct Recorder<D: Decider>(CommandHandler<D>);

impl<D: Decider> Models for Recorder<D> {
    const RECORDS: bool = true;

    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self(ports.recorder()?))
    }
}

impl<D: Decider> Recorder<D> {
    /// Records this read in the stream with this id, of the caller's tenant, in one write. The result is the version of the
    /// record.
    ///
    /// # Errors
    /// The problem to answer instead of the data.
    pub async fn record(
        &self,
        id: &EntityId,
        read: D::Command,
        call: QueryCall<'_>,
    ) -> Result<Version, Problem> {
        let stream = call.stream(D::CATEGORY, id.clone());
        // Each request is a read of its own, also a repeated one.
        let at = call.now().to_string();
        let command_id = derive_uuid(&["read", &call.request.id, &at, &stream.to_string()]);
        let command_id = CommandId::new(command_id.to_string()).map_err(|_| Problem::internal())?;
        let request = CommandRequest::new(call.caller().clone(), stream, read, command_id);
        Ok(self.0.handle(&request).await?.version)
    }
}
