//! The events of streams that are not in the files yet, read from the log.

use futures::{StreamExt as _, stream};
use ledgerfold::{
    StreamId, Timestamp, Version,
    ports::{EventReader, ExportError, StoreError},
};

use crate::{
    manifest::{Range, Withheld},
    row::Row,
};

/// How many streams are read concurrently.
const CONCURRENT_STREAMS: usize = 16;

/// The most that one step adds. The rest follows in the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The number of streams.
    pub streams: usize,
    /// The size of the content, in bytes. The last read may exceed it by one page of the log.
    pub bytes: usize,
}

impl Default for Limits {
    /// 1,000 streams and 4 MiB, so that a small function finishes a step in seconds.
    fn default() -> Self {
        Self { streams: 1_000, bytes: 4 * 1024 * 1024 }
    }
}

/// The instants that decide which commits belong to a window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Border {
    /// The end of the window.
    pub(crate) until: Timestamp,
    /// The present. A commit with a later time was recorded by a clock that is fast. It does not wait for that time,
    /// because its stream would wait too.
    pub(crate) now: Timestamp,
}

impl Border {
    /// Whether a commit that was recorded at this time waits for a later window.
    fn is_later(self, recorded_at: Timestamp) -> bool {
        recorded_at >= self.until && recorded_at <= self.now
    }
}

/// Events for one step.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) rows: Vec<Row>,
    pub(crate) ranges: Vec<Range>,
    bytes: usize,
}

impl Gathered {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn is_full(&self, limits: Limits) -> bool {
        self.ranges.len() >= limits.streams || self.bytes >= limits.bytes
    }

    /// Adds the events of a stream, and returns how the read has ended.
    pub(crate) fn add(&mut self, news: News) -> End {
        self.bytes += news.bytes;
        self.rows.extend(news.rows);
        self.ranges.extend(news.range);
        news.end
    }
}

/// The next events of one stream.
#[derive(Debug)]
pub(crate) struct News {
    rows: Vec<Row>,
    range: Option<Range>,
    bytes: usize,
    end: End,
}

/// Why no more events of a stream were read.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// The log has no more.
    OfStream,
    /// The next commit, whose last version this is, belongs to a later window.
    OfWindow(Version),
    /// The stream may have more for this window. Read on after these events are in the files.
    OfPage,
    /// The next events cannot be read.
    Unreadable(Withheld),
}

/// The next events of streams after their positions, in the same order.
pub(crate) fn news<'a>(
    log: &'a dyn EventReader,
    streams: impl IntoIterator<Item = (StreamId, Version)> + 'a,
    border: Border,
) -> impl futures::Stream<Item = (StreamId, Result<News, ExportError>)> + 'a {
    let read = move |(stream, after)| async move {
        let news = of_stream(log, &stream, after, border).await;
        (stream, news)
    };
    stream::iter(streams).map(read).buffered(CONCURRENT_STREAMS)
}

/// The next events of one stream: one page of the log, which bounds the memory.
pub(crate) async fn of_stream(
    log: &dyn EventReader,
    stream: &StreamId,
    after: Version,
    border: Border,
) -> Result<News, ExportError> {
    let page = match log.read(stream, after).await {
        Ok(page) => page,
        Err(StoreError::Port(error)) => return Err(error.into()),
        // It waits for a new program or a repair, and keeps nobody else from going on.
        Err(error @ (StoreError::Newer { .. } | StoreError::Corrupt { .. })) => {
            let withheld = Withheld { stream: stream.clone(), reason: error.to_string() };
            let end = End::Unreadable(withheld);
            return Ok(News { rows: Vec::new(), range: None, bytes: 0, end });
        }
    };
    let mut end = if page.more { End::OfPage } else { End::OfStream };
    let mut rows = Vec::new();
    let mut bytes = 0;
    let mut to = after;
    for commit in &page.commits {
        if border.is_later(commit.metadata().recorded_at) {
            end = End::OfWindow(commit.to());
            break;
        }
        bytes += commit.payload_bytes();
        to = commit.to();
        rows.extend(commit.envelopes().map(|envelope| Row::of(&envelope)));
    }
    let range = Range { stream: stream.clone(), from: after.next().get(), to: to.get() };
    let range = (to > after).then_some(range);
    Ok(News { rows, range, bytes, end })
}
