//! The erasures behind a query.

use std::sync::Arc;

use ledgerfold::{
    StreamId, Timestamp,
    context::{CertificatePorts, QueryPorts, Undeclared},
    erasure::{Certificate, Erasable, SignedCertificate, inspect},
    ports::{EventReader, KeyReader},
    sealed::DataSubject,
    vocabulary::ErasureState,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Models, QueryCall};
use crate::http::{Problem, problem::defect};

/// Shows erasures, and makes their certificates. A query names it beside its read models.
pub struct Erasures {
    ports: CertificatePorts,
    keys: Arc<dyn KeyReader>,
    log: Arc<dyn EventReader>,
    context: &'static str,
}

impl Models for Erasures {
    const OPENS: bool = true;

    fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self {
            ports: ports.certificates()?,
            keys: ports.keys(),
            log: ports.log(),
            context: ports.context_name(),
        })
    }
}

/// How far an erasure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureStatus {
    /// The key is destroyed. Some functions may still cache it.
    Fenced,
    /// No function has the key, and the certificate says so.
    Certified,
}

/// An erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Erasure")]
pub struct ErasureAnswer {
    /// How far it is.
    pub status: ErasureStatus,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// The time from which no running function can read the data.
    pub unreadable_since: Timestamp,
    /// The time from which no backup has the key, once it has come.
    pub irrecoverable_since: Option<Timestamp>,
    /// The certificate, once no function has the key.
    pub certificate: Option<SignedCertificate>,
}

impl Erasures {
    /// The erasure of the person that this stream is about, with its certificate. `None` if it was not erased.
    ///
    /// A certificate is made with each call, because the mark in the table of keys and the log have everything that it
    /// says. It is signed once no function has the key any more.
    ///
    /// # Errors
    /// 503 if a store, the keyring or the signer is unavailable.
    pub async fn of<D: Erasable>(
        &self,
        stream: &StreamId,
        call: QueryCall<'_>,
    ) -> Result<Option<ErasureAnswer>, Problem> {
        let tenant = stream.tenant();
        let Some(key) = self.keys.tenant_key(tenant).await? else { return Ok(None) };
        let subject = key.pseudonym(&DataSubject::from(stream.id()));
        let state = self.ports.states.erasure_state(tenant, &subject).await?;
        let ErasureState::Erased(mark) = state else { return Ok(None) };
        let certificate = Certificate::of(self.context, tenant, &subject, &mark, self.ports.terms);
        let now = call.now();
        let inspection = inspect::<D>(&*self.log, stream, &subject, mark.through).await?;
        let unreadable_since = certificate.unreadable_since;
        let irrecoverable_since = certificate.irrecoverable_since;
        // Before the commit that records the erasure, unique keys are reserved.
        let is_certain = now >= unreadable_since && inspection.is_clean();
        let certificate = match is_certain {
            true => {
                let certificate = certificate.with_checks(now, inspection.checked());
                let signed = certificate.sign(&*self.ports.signer).await;
                Some(signed.map_err(|error| unsigned(&error))?)
            }
            false => None,
        };
        Ok(Some(ErasureAnswer {
            status: if is_certain { ErasureStatus::Certified } else { ErasureStatus::Fenced },
            requested_at: mark.request.at,
            unreadable_since,
            irrecoverable_since: Some(irrecoverable_since).filter(|it| *it <= now),
            certificate,
        }))
    }
}

fn unsigned(error: &ledgerfold::ports::SignerError) -> Problem {
    match error.0 {
        ledgerfold::ports::PortError::Refused(_) => defect(error),
        _ => Problem::unavailable(),
    }
}
