//! Paths of requests, and relative references between them.

use percent_encoding::percent_decode_str;

/// The path of a request, as segments between slashes, each percent-decoded.
///
/// This is the API's own path in the gateway's event, without the stage and the base path of a custom domain. A prefix
/// may remain before the service's own path, for example one that a CDN adds. So services match the end of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Splits a path at its slashes. An encoded slash is not a separator.
    pub fn parse(path: &str) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let decode = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        Self(path.split('/').map(decode).collect())
    }

    /// The segments. The last one is empty if the path ends in a slash.
    pub fn segments(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// A relative reference from one path of a service to another, for `Location`: `./orders/1` from `/orders` to
/// `/orders/1`.
///
/// A function cannot know the whole URL: a stage, a base path or a CDN may come before its own path. A client resolves
/// the reference against the request's URL (RFC 3986, section 5.2), which keeps all of these. Both paths must begin
/// with a slash, and `from` must not end in one.
pub fn reference(from: &str, to: &str) -> String {
    let levels = from.matches('/').count().saturating_sub(1);
    let up = if levels == 0 { "./".to_owned() } else { "../".repeat(levels) };
    format!("{up}{}", to.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::{Path, reference};

    #[test]
    fn segments_are_decoded_after_they_are_separated() {
        let cases: [(&str, &[&str]); 7] = [
            ("/orders/a-1", &["orders", "a-1"]),
            ("/%6frders/%61%2D1", &["orders", "a-1"]),
            ("/orders/a%2Fpay", &["orders", "a/pay"]),
            ("/orders/", &["orders", ""]),
            ("/orders//pay", &["orders", "", "pay"]),
            ("/orders/%zz%", &["orders", "%zz%"]),
            ("/orders/%ff", &["orders", "\u{fffd}"]),
        ];
        for (path, segments) in cases {
            assert_eq!(Path::parse(path).segments(), segments, "{path}");
        }
    }

    #[test]
    fn a_reference_resolves_to_its_target_behind_any_prefix() {
        let cases = [
            ("/orders", "/orders/1"),
            ("/accounts/a/holds", "/accounts/a/holds/h"),
            ("/accounts/a/deposit", "/transfers/t"),
        ];
        for before in ["https://host", "https://host/prod", "https://host/base/path/prod"] {
            for (from, to) in cases {
                let request = url::Url::parse(&format!("{before}{from}")).expect("a URL");
                let target = request.join(&reference(from, to)).expect("a reference");
                assert_eq!(target.as_str(), format!("{before}{to}"));
            }
        }
    }
}
