//! Iterates over the streams that a command works on: named ones, a sample, or all of them page by page.

use std::sync::Arc;

use clap::Args;
use ledgerfold::{
    StreamId,
    ports::{Resume, Segment, Streams},
    reconcile::Sample,
};

use super::Context;
use crate::{
    error::CliError,
    stream_name::{StreamName, TenantChoice},
};
use ledgerfold_aws::SystemRandom;

/// Commits per page of the event table. A page is the unit of progress: an interrupted command repeats at
/// most one.
pub(super) const COMMITS_PER_PAGE: u16 = 500;

/// The streams and projections that a command works on.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Only this stream; may be repeated
    #[arg(long, value_name = "STREAM")]
    stream: Vec<StreamName>,
    /// Only this projection; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) projection: Vec<String>,
    /// Continue at the place that an interrupted run printed
    #[arg(long, value_name = "PLACE", conflicts_with = "stream")]
    from: Option<String>,
}

/// The position of a command among its streams.
pub(super) struct Walk<'a> {
    context: &'a Context,
    next: Next,
}

enum Next {
    These(Vec<StreamId>),
    Page(Option<Resume>),
    End,
}

impl Choice {
    /// Whether the command covers every stream.
    pub(super) const fn is_everything(&self, tenant: &TenantChoice) -> bool {
        self.stream.is_empty() && self.from.is_none() && tenant.chosen().is_none()
    }

    /// The streams that are named.
    pub(super) fn streams(&self, tenant: &TenantChoice) -> Vec<StreamId> {
        tenant.streams(&self.stream)
    }

    pub(super) fn walk<'a>(&self, context: &'a Context) -> Walk<'a> {
        let next = if self.stream.is_empty() {
            Next::Page(self.from.clone().map(Resume))
        } else {
            Next::These(self.streams(&context.target.tenant))
        };
        Walk { context, next }
    }
}

impl<'a> Walk<'a> {
    /// A random sample of streams.
    pub(super) async fn of_sample(context: &'a Context, most: usize) -> Result<Self, CliError> {
        let sample = Sample::new(Arc::new(context.included()), Arc::new(SystemRandom));
        let sample = sample.only(context.only_category().cloned());
        let streams = sample.draw(most).await?;
        Ok(Self { context, next: Next::These(streams) })
    }

    /// The next streams, with the place to continue at if the command cannot finish them.
    pub(super) async fn next(
        &mut self,
    ) -> Result<Option<(Vec<StreamId>, Option<Resume>)>, CliError> {
        let place = match std::mem::replace(&mut self.next, Next::End) {
            Next::End => return Ok(None),
            Next::These(streams) => return Ok(Some((streams, None))),
            Next::Page(place) => place,
        };
        let page = self
            .context
            .included()
            .list(Segment::WHOLE, place.as_ref())
            .await
            .map_err(|error| interrupted(error.into(), place.as_ref()))?;
        if page.next.is_some() {
            self.next = Next::Page(page.next);
        }
        let of_ours = |stream: &StreamId| self.context.has(stream);
        Ok(Some((page.items.into_iter().filter(of_ours).collect(), place)))
    }
}

/// Adds the place to continue at to an error.
pub(super) fn interrupted(cause: CliError, place: Option<&Resume>) -> CliError {
    match place {
        Some(Resume(place)) => {
            CliError::Interrupted { cause: Box::new(cause), place: place.clone() }
        }
        None => cause,
    }
}
