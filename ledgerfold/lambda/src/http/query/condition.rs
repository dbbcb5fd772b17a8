//! Conditional queries: `If-None-Match` (RFC 9110, section 13.1.2), and `Prefer: wait` with it (RFC 7240, section 4.3).
//!
//! A client that asks with the tag of its last answer gets 304 while nothing has changed. With `Prefer: wait=10` the query
//! waits up to ten seconds for a change before it answers 304, so that a client sees changes soon and asks seldom.

use std::{fmt, time::Duration};

use ledgerfold::{Timestamp, Version, derive_uuid, ports::Clock, waiting::ExponentialWait};

use crate::http::{Request, Response, StatusCode, query::number};

/// The longest wait. API Gateway ends a request after 29 seconds, and the last attempt needs time too.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The waits between attempts. Each attempt reads the read model, so a wait of 20 seconds costs at most 24 attempts.
const BETWEEN_ATTEMPTS: ExponentialWait =
    ExponentialWait::new(Duration::from_millis(100), Duration::from_secs(1));

/// The tag of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    /// The version of the stream that the answer shows.
    Version(Version),
    /// A digest of the body. An answer about many streams has no version, and two bodies are the same answer if they are
    /// equal byte by byte.
    Content([u8; 16]),
}

impl Tag {
    pub(super) fn of_content(body: &str) -> Self {
        Self::Content(derive_uuid(&["answer", body]).into_bytes())
    }
}

/// As in `ETag`.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "\"{version}\""),
            Self::Content(digest) => {
                f.write_str("\"")?;
                digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("\"")
            }
        }
    }
}

/// What the client knows already, and how long the query may wait for news.
#[derive(Debug)]
pub(super) struct Condition<'a> {
    /// The tags in `If-None-Match`. All comparisons are weak, so `W/` is left out.
    tags: Vec<&'a str>,
    /// The wait that the client prefers and gets, at most [`LONGEST_WAIT`].
    wait: Option<Duration>,
}

/// An answer, compared with what the client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The client has it.
    Known,
    /// The client has a later version, because a read model lags behind.
    Older,
    /// The client does not have it.
    New,
}

impl<'a> Condition<'a> {
    pub(super) fn read(request: &'a Request) -> Self {
        let tags = request.header_values("if-none-match").flat_map(|tags| tags.split(','));
        let tags = tags.map(|tag| tag.trim_matches([' ', '\t']));
        let tags: Vec<_> = tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).collect();
        // `*` names no version, so there is no newer one to wait for.
        let can_wait = !tags.is_empty() && !tags.contains(&"*");
        let wait = can_wait.then(|| preferred_wait(request)).flatten();
        Self { tags, wait }
    }

    pub(super) fn compare(&self, shown: Tag) -> News {
        let text = shown.to_string();
        if self.tags.iter().any(|tag| *tag == "*" || *tag == text) {
            return News::Known;
        }
        let version_of = |tag: &&str| {
            let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
            number(digits).map(Version::new)
        };
        match shown {
            Tag::Version(version)
                if self.tags.iter().filter_map(version_of).max() > Some(version) =>
            {
                News::Older
            }
            _ => News::New,
        }
    }

    /// The attempts of a query that waits for news.
    pub(super) fn attempts<'c>(&self, clock: &'c dyn Clock) -> Attempts<'c> {
        let limit = self.wait.unwrap_or_default();
        Attempts { clock, limit, begun: clock.now(), slept: Duration::ZERO, done: 0 }
    }

    /// The response with this body and tag, or 304.
    pub(super) fn response(&self, shown: Response, tag: Tag) -> Response {
        let response = match self.compare(tag) {
            News::Known => Response::empty(StatusCode::NOT_MODIFIED),
            News::Older | News::New => shown,
        };
        let response = response.with_header("ETag", tag.to_string());
        match self.wait {
            Some(wait) => {
                response.with_header("Preference-Applied", format!("wait={}", wait.as_secs()))
            }
            None => response,
        }
    }
}

/// The attempts of a query to find news.
pub(super) struct Attempts<'c> {
    clock: &'c dyn Clock,
    limit: Duration,
    begun: Timestamp,
    /// The sum of all waits. It bounds the attempts even if the clock is set back.
    slept: Duration,
    done: u32,
}

impl Attempts<'_> {
    /// Waits before the next attempt, and returns whether there is one.
    pub(super) async fn next(&mut self) -> bool {
        let passed = self.clock.now().duration_since(self.begun);
        let passed = Duration::try_from(passed).unwrap_or_default().max(self.slept);
        let left = self.limit.saturating_sub(passed);
        if left.is_zero() {
            return false;
        }
        self.done += 1;
        let pause = BETWEEN_ATTEMPTS.after(self.done).min(left);
        self.clock.sleep(pause).await;
        self.slept += pause;
        true
    }
}

/// The first `wait` among the client's preferences. A preference that cannot be understood is ignored, as RFC 7240
/// demands.
fn preferred_wait(request: &Request) -> Option<Duration> {
    let preferences = request.header_values("prefer").flat_map(|values| values.split(','));
    let mut waits = preferences.filter_map(|preference| {
        let preference = preference.split(';').next().unwrap_or_default();
        let (name, value) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim())
    });
    let text = waits.next()?;
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    Some(Duration::from_secs(number(text)?).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use ledgerfold::Caller;

    use super::*;
    use crate::http::{Method, Path};

    fn request(headers: &[(&str, &str)]) -> Request {
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Request {
            method: Method::GET,
            path: Path::parse("/"),
            query: Vec::new(),
            headers: headers.iter().map(header).collect(),
            body: Vec::new(),
            id: String::new(),
            caller: Caller::anonymous(),
        }
    }

    fn wait(prefer: &[&str]) -> Option<u64> {
        let tag = [("if-none-match", "\"1\"")].into_iter();
        let headers: Vec<_> = tag.chain(prefer.iter().map(|value| ("prefer", *value))).collect();
        Condition::read(&request(&headers)).wait.map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_preference_counts_and_a_strange_one_is_ignored() {
        for (prefer, seconds) in [
            (&["wait=10"][..], Some(10)),
            (&["respond-async, WAIT = 7; foo=1"], Some(7)),
            (&["return=minimal", "wait=\"5\""], Some(5)),
            (&["wait=3, wait=9"], Some(3)),
            (&["wait=0"], Some(0)),
            (&["wait=20"], Some(20)),
            (&["wait=21"], Some(20)),
            (&["wait=999999999999999"], Some(20)),
            (&[], None),
            (&["wait"], None),
            (&["wait="], None),
            (&["wait=-1"], None),
            (&["wait=1.5"], None),
            (&["wait=ten, wait=10"], None),
            (&["waiting=10"], None),
        ] {
            assert_eq!(wait(prefer), seconds, "{prefer:?}");
        }
    }

    #[test]
    fn without_a_tag_there_is_nothing_to_wait_for() {
        for tags in [&[][..], &[("if-none-match", "*")]] {
            let headers: Vec<_> = tags.iter().chain(&[("prefer", "wait=10")]).copied().collect();
            assert_eq!(Condition::read(&request(&headers)).wait, None, "{tags:?}");
        }
    }

    #[test]
    fn an_answer_is_news_if_no_tag_names_it_and_none_is_later() {
        let news = |tags: &str, version| {
            let request = request(&[("if-none-match", tags)]);
            Condition::read(&request).compare(Tag::Version(Version::new(version)))
        };
        for tags in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "\"1\",\"3\"", "*", "\"x\", \"3\""] {
            assert_eq!(news(tags, 3), News::Known, "{tags}");
        }
        for tags in ["", "3", "\"2\"", "\"3", "w/\"3\"", "W/W/\"3\"", "\"03\"", "\"x\""] {
            assert_eq!(news(tags, 3), News::New, "{tags}");
        }
        for tags in ["\"4\"", "\"2\", W/\"4\""] {
            assert_eq!(news(tags, 3), News::Older, "{tags}");
        }
    }
}
