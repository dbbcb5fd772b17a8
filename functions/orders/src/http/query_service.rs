//! The query side of the HTTP service.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::{Date, DateTime};
use ledgerfold::{
    Decider, EntityId, StreamId, Timestamp, Version,
    context::{QueryPorts, Readable, Undeclared},
    ports::{EventReader, Listing, RowReader, TallyReader},
    project::Projection,
    query::{
        AuditPage, AuditPosition, Fresh, Until, as_of, audit, fresh_counts, fresh_list, fresh_row,
    },
    vocabulary::{ConsistencyToken, Cursor, DamagedToken},
};
use ledgerfold_lambda::{
    http::{
        ListPosition, Page, Problem, QueryParameters, Request, Response, StatusCode,
        consistency_token, number,
    },
    service::Answers,
};
use serde::Serialize;

use super::{
    routes::{OF_COMMANDS, QueryRoute, Route},
    views::{AuditedEvent, DashboardView, List, ListedOrder, Versioned},
};
use crate::{
    domain::Orders,
    read_models::{CustomerOrders, Dashboard, OrderViews, PlaceInList, Shipments, day_key},
};

impl ListPosition for PlaceInList {}

/// The most days of a dashboard.
const MAX_DAYS: i32 = 366;

/// Answers the queries of the contract.
#[derive(Clone)]
pub struct QueryService {
    /// The log. All fields are shared by the clones of the service, and never change.
    log: Arc<dyn EventReader>,
    order_views: Arc<Readable<dyn RowReader>>,
    customer_orders: Arc<Readable<dyn RowReader>>,
    shipments: Arc<Readable<dyn RowReader>>,
    dashboard: Arc<Readable<dyn TallyReader>>,
}

type Answer = Result<Response, Problem>;

#[async_trait]
impl Answers for QueryService {
    async fn answer(&self, request: &Request) -> Answer {
        match Route::find(request)? {
            Route::Query(QueryRoute::Order(id)) => self.order(request, id).await,
            Route::Query(QueryRoute::Events(id)) => self.events(request, id).await,
            Route::Query(QueryRoute::Shipment(id)) => self.shipment(request, id).await,
            Route::Query(QueryRoute::CustomerOrders(id)) => {
                self.customer_orders(request, &id).await
            }
            Route::Query(QueryRoute::Dashboard) => self.dashboard(request).await,
            Route::Command(_) => Err(Problem::method_not_allowed(OF_COMMANDS)),
        }
    }
}

impl QueryService {
    /// Opens the service over these ports.
    ///
    /// # Errors
    /// [`Undeclared`] if the context lacks a read model.
    pub fn open(ports: &QueryPorts<'_>) -> Result<Self, Undeclared> {
        Ok(Self {
            log: ports.log(),
            order_views: Arc::new(ports.rows::<OrderViews>()?),
            customer_orders: Arc::new(ports.rows::<CustomerOrders>()?),
            shipments: Arc::new(ports.rows::<Shipments>()?),
            dashboard: Arc::new(ports.tallies::<Dashboard>()?),
        })
    }

    async fn order(&self, request: &Request, id: EntityId) -> Answer {
        let parameters = QueryParameters::read(request, &["version", "at"])?;
        let token = consistency_token(request, &Orders::CATEGORY)?;
        let stream = stream(id);
        let shown = match until(&parameters)? {
            Some(until) => {
                let skips = &*self.order_views.skips;
                as_of::<OrderViews>(&*self.log, skips, &stream, until).await?
            }
            None => self.row::<OrderViews>(&self.order_views, &stream, token).await?,
        };
        versioned(shown.as_ref())
    }

    async fn shipment(&self, request: &Request, id: EntityId) -> Answer {
        QueryParameters::read(request, &[])?;
        let token = consistency_token(request, &Orders::CATEGORY)?;
        let shown = self.row::<Shipments>(&self.shipments, &stream(id), token).await?;
        versioned(shown.as_ref())
    }

    async fn row<P: Projection>(
        &self,
        of: &Readable<dyn RowReader>,
        stream: &StreamId,
        token: Option<ConsistencyToken>,
    ) -> Result<Option<Fresh<P::Row>>, Problem> {
        let rows = &*of.table;
        let log = &*self.log;
        let skips = &*of.skips;
        Ok(fresh_row::<P>(rows, log, skips, stream, token.as_ref()).await?)
    }

    /// Reads the audit log from the event table itself, so it is always current.
    async fn events(&self, request: &Request, id: EntityId) -> Answer {
        let parameters = QueryParameters::read(request, &["limit", "cursor"])?;
        consistency_token(request, &Orders::CATEGORY)?;
        let list = format!("events of {id}");
        let Page { limit, from } = parameters.page::<AuditPosition>(&list)?;
        let begin = from.unwrap_or(AuditPosition::START);
        let AuditPage { events, next } = audit(&*self.log, &stream(id), begin, limit).await?;
        let Some(last) = events.last().map(|event| event.version) else {
            // We only issue a cursor if there are more events, and events are never removed.
            return Err(if from.is_some() { foreign_cursor() } else { no_such_order() });
        };
        let items = events.into_iter().map(AuditedEvent::from).collect();
        let next_cursor = next.map(|position| Cursor(position).to_text(&list));
        let response = Response::json(StatusCode::OK, &List { items, next_cursor });
        Ok(response.with_header("ETag", etag(last)))
    }

    async fn customer_orders(&self, request: &Request, customer: &EntityId) -> Answer {
        let parameters = QueryParameters::read(request, &["limit", "cursor"])?;
        let token = consistency_token(request, &Orders::CATEGORY)?;
        let list = format!("orders of {customer}");
        let Page { limit, from } = parameters.page::<PlaceInList>(&list)?;
        let before = from.as_ref().map(PlaceInList::order);
        // One extra item shows whether there is another page.
        let listing = Listing { partition: customer.into(), before, limit: limit + 1 };
        let Readable { table, skips, log } = &*self.customer_orders;
        let page =
            fresh_list::<CustomerOrders>(&**table, &**log, &**skips, &listing, token.as_ref());
        let mut page = page.await?;
        let more = page.len() > limit;
        page.truncate(limit);
        let last = page.last().filter(|_| more).map(|listed| PlaceInList::of(&listed.fresh.row));
        let next_cursor = last.map(|place| Cursor(place).to_text(&list));
        let items = page.into_iter().map(|listed| ListedOrder::from(listed.fresh)).collect();
        Ok(Response::json(StatusCode::OK, &List { items, next_cursor }))
    }

    async fn dashboard(&self, request: &Request) -> Answer {
        let parameters = QueryParameters::read(request, &["from", "to"])?;
        let token = consistency_token(request, &Orders::CATEGORY)?;
        let (from, to) = days(&parameters)?;
        // Currency codes are capital letters: the empty text sorts before them, and `~` after them.
        let first = day_key(from, "");
        let last = day_key(to, "~");
        let Readable { table, skips, log } = &*self.dashboard;
        let counters =
            fresh_counts::<Dashboard>(&**table, &**log, &**skips, (&first, &last), token.as_ref());
        let view = DashboardView::from(&counters.await?[..]);
        Ok(Response::json(StatusCode::OK, &view))
    }
}

fn stream(id: EntityId) -> StreamId {
    StreamId::new(Orders::CATEGORY, id)
}

fn versioned<R: Serialize>(shown: Option<&Fresh<R>>) -> Answer {
    let shown = shown.ok_or_else(no_such_order)?;
    let response = Response::json(StatusCode::OK, &Versioned::from(shown));
    Ok(response.with_header("ETag", etag(shown.version)))
}

fn etag(version: Version) -> String {
    format!("\"{version}\"")
}

fn foreign_cursor() -> Problem {
    Problem::bad_request(format!("cursor {DamagedToken}."))
}

fn no_such_order() -> Problem {
    Problem::not_found("The order does not exist, or it did not exist at that time.")
}

/// The point in the past that the query asks for, if any.
fn until(parameters: &QueryParameters<'_>) -> Result<Option<Until>, Problem> {
    let version =
        parameters.parsed("version", "a version, from 1, of up to 15 digits", |text| {
            number(text).filter(|number| *number > 0).map(Version::new)
        })?;
    let at = parameters.parsed(
        "at",
        "an RFC 3339 instant in UTC, for example 2026-11-23T09:00:00Z",
        instant,
    )?;
    match (version, at) {
        (Some(_), Some(_)) => Err(Problem::bad_request("Use either version or at, not both.")),
        (Some(version), None) => Ok(Some(Until::Version(version))),
        (None, at) => Ok(at.map(Until::Instant)),
    }
}

/// Parses an instant in the contract's form, which is stricter than the parser's.
fn instant(text: &str) -> Option<Timestamp> {
    let local = text.strip_suffix('Z')?;
    let (seconds, fraction) = local.split_once('.').unwrap_or((local, "0"));
    let whole = has_shape(seconds, "0000-00-00T00:00:00");
    let fine =
        (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let _in_the_calendar: DateTime = (whole && fine).then(|| local.parse().ok()).flatten()?;
    // The last day of the calendar ends after the last instant that can be represented. No event is recorded later.
    Some(text.parse().unwrap_or(Timestamp::MAX))
}

/// Whether a text has the form of the model, with any digit in place of each digit.
fn has_shape(text: &str, model: &str) -> bool {
    let fits =
        |(text, model): (u8, u8)| if model == b'0' { text.is_ascii_digit() } else { text == model };
    text.len() == model.len() && text.bytes().zip(model.bytes()).all(fits)
}

fn days(parameters: &QueryParameters<'_>) -> Result<(Date, Date), Problem> {
    let day = |name| {
        let parsed = parameters.parsed(name, "a date, for example 2026-11-23", |text| {
            has_shape(text, "0000-00-00").then(|| text.parse::<Date>().ok()).flatten()
        })?;
        parsed.ok_or_else(|| {
            Problem::bad_request("from and to are required, for example 2026-11-23.")
        })
    };
    let from = day("from")?;
    let to = day("to")?;
    if to < from {
        return Err(Problem::bad_request("from must not be after to."));
    }
    let span = from.until(to).map(|span| span.get_days()).unwrap_or(MAX_DAYS);
    if span >= MAX_DAYS {
        return Err(Problem::bad_request(format!("The dashboard covers at most {MAX_DAYS} days.")));
    }
    Ok((from, to))
}
