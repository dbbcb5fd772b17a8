use serde::{Deserialize, Serialize};

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, N = Resume> {
    /// The items. A page may be empty and yet have a next one.
    pub items: Vec<T>,
    /// The place of the next page; `None` on the last one.
    pub next: Option<N>,
}

/// The place of a page in a list. Only the store that made this text can read it, for the same list or the same segment
/// of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resume(pub String);

/// A walk through all pages of a list.
///
/// ```
/// # use ledgerfold::{StreamId, ports::{PageWalk, Segment, Streams, StreamsError}};
/// async fn all(streams: &dyn Streams) -> Result<Vec<StreamId>, StreamsError> {
///     let mut all = Vec::new();
///     let mut walk = PageWalk::start();
///     while let Some(from) = walk.next_place() {
///         all.extend(walk.turn(streams.list(Segment::WHOLE, from.as_ref()).await?));
///     }
///     Ok(all)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PageWalk<N = Resume> {
    state: State<N>,
}

#[derive(Clone, Debug)]
enum State<N> {
    Start,
    Page(N),
    End,
}

impl<T, N> Page<T, N> {
    /// The last page of a list.
    pub const fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<T, N> Default for Page<T, N> {
    /// An empty list.
    fn default() -> Self {
        Self::last(Vec::new())
    }
}

impl<N> PageWalk<N> {
    /// A walk from the beginning of a list.
    pub const fn start() -> Self {
        Self { state: State::Start }
    }

    /// The place of the page to read now: `Some(None)` for the first page, `None` at the end of the walk. Until
    /// [`PageWalk::turn`] the walk counts as ended, so a failed read ends it.
    pub fn next_place(&mut self) -> Option<Option<N>> {
        match std::mem::replace(&mut self.state, State::End) {
            State::Start => Some(None),
            State::Page(place) => Some(Some(place)),
            State::End => None,
        }
    }

    /// Moves to the next page, and returns the items of this one.
    pub fn turn<T>(&mut self, page: Page<T, N>) -> Vec<T> {
        self.go_to(page.next);
        page.items
    }

    /// Continues at this place, or ends.
    pub fn go_to(&mut self, next: Option<N>) {
        self.state = next.map_or(State::End, State::Page);
    }
}
