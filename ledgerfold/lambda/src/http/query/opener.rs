//! The keys behind queries that show sealed fields.

use std::sync::Arc;

use ledgerfold::{
    context::{QueryPorts, Undeclared},
    keyring::keys_to_open,
    ports::KeyReader,
    sealed::OpenKeys,
};
use serde::Serialize;

use super::{Models, QueryCall};
use crate::http::Problem;

/// Fetches the keys that open sealed fields, always of the caller's tenant. A query names it beside its read models:
/// `type Models = (Rows<Directory>, Opener)`.
///
/// An answer that shows the content of a field must not have a version, unless the query answers an erased field with
/// [`Problem::erased`]: an erasure changes no version, so a client that has the content would be told that it is current.
/// [`Unversioned`](super::Unversioned) is right for all others.
pub struct Opener(Arc<dyn KeyReader>);

impl Models for Opener {
    const OPENS: bool = true;

    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self(ports.keys()))
    }
}

impl Opener {
    /// The keys that open every sealed value in this row, event or page. A remembered key costs no request.
    ///
    /// # Errors
    /// 503 if the keys cannot be fetched at the moment.
    pub async fn keys(
        &self,
        sealed: &(impl Serialize + Sync + ?Sized),
        call: QueryCall<'_>,
    ) -> Result<OpenKeys, Problem> {
        Ok(keys_to_open(&*self.0, &call.caller().tenant, sealed).await?)
    }
}
