//! The reports of `ledgerfold replay`.

use ledgerfold::Timestamp;
use ledgerfold_eventbridge::{ReplayState, ReplayStatus};
use serde::Serialize;

use crate::output::{Report, more_from, table};

/// A replay as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    name: String,
    state: String,
    reason: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    replayed_to: Option<Timestamp>,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
}

impl From<&ReplayStatus> for Shown {
    fn from(status: &ReplayStatus) -> Self {
        Self {
            name: status.name.0.clone(),
            state: status.state.to_string(),
            reason: status.reason.clone(),
            from: status.window.map(|window| window.from()),
            to: status.window.map(|window| window.to()),
            replayed_to: status.replayed_to,
            started: status.started,
            ended: status.ended,
        }
    }
}

impl Shown {
    fn row(&self) -> [String; 6] {
        let time =
            |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |at| at.to_string());
        [
            self.name.clone(),
            self.state.clone(),
            time(self.from),
            time(self.to),
            time(self.replayed_to),
            self.reason.clone().unwrap_or_default(),
        ]
    }
}

fn rows<'a>(replays: impl IntoIterator<Item = &'a Shown>) -> String {
    let header = ["replay", "state", "from", "to", "replayed to", "reason"];
    table(header, replays.into_iter().map(Shown::row))
}

impl Report for Shown {
    fn text(&self) -> String {
        rows([self])
    }
}

/// A replay that was started, and the projections that receive it.
#[derive(Debug, Serialize)]
pub(super) struct Started {
    projections: Vec<String>,
    #[serde(flatten)]
    replay: Shown,
}

impl Started {
    pub(super) const fn new(projections: Vec<String>, replay: Shown) -> Self {
        Self { projections, replay }
    }
}

impl Report for Started {
    fn text(&self) -> String {
        format!("{}to: {}\n", rows([&self.replay]), self.projections.join(", "))
    }
}

/// Replays, and the value for `--from` if there are more.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) replays: Vec<Shown>,
    pub(super) next: Option<String>,
}

impl Report for Listed {
    fn text(&self) -> String {
        rows(&self.replays)
    }

    fn hint(&self) -> Option<String> {
        self.next.as_deref().map(more_from)
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Cancelled {
    name: String,
    state: String,
}

impl Cancelled {
    pub(super) fn of(name: &str, state: ReplayState) -> Self {
        Self { name: name.to_owned(), state: state.to_string() }
    }
}

impl Report for Cancelled {
    fn text(&self) -> String {
        format!(
            "The replay {} is {}. Events already sent are not taken back.\n",
            self.name, self.state
        )
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::{Timestamp, vocabulary::ReplayName};
    use ledgerfold_eventbridge::{ReplayState, ReplayStatus, Window};
    use serde_json::Value;

    use super::{Listed, Shown, Started};
    use crate::output::{Report, rendered};

    fn shown() -> Shown {
        let at = |second| Timestamp::from_second(second).expect("a time");
        Shown::from(&ReplayStatus {
            name: ReplayName("again".to_owned()),
            state: ReplayState::Running,
            reason: None,
            window: Window::new(at(0), at(60)).ok(),
            replayed_to: Some(at(30)),
            started: None,
            ended: None,
        })
    }

    #[test]
    fn replays_are_rendered_in_both_forms() {
        let started = Started::new(vec!["statements".to_owned()], shown());
        let json: Value =
            serde_json::from_str(&rendered(&started, true).expect("JSON")).expect("JSON");
        assert_eq!(json["name"], "again");
        assert_eq!(json["projections"][0], "statements");
        assert_eq!(json["replayedTo"], "1970-01-01T00:00:30Z");
        let text = rendered(&started, false).expect("text");
        assert!(text.ends_with("to: statements\n"), "{text}");

        let listed = Listed { replays: vec![shown(), shown()], next: Some("place".to_owned()) };
        let text = rendered(&listed, false).expect("text");
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(listed.hint().as_deref(), Some("There are more: --from place"));
    }
}
