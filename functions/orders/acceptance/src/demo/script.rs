//! The demo's input: commands as clients send them, each with the expected answer.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// The idempotency key. It is unique in the file, except in lines that repeat another or misuse its key.
    pub key: String,
    /// The command.
    pub command: Command,
    /// The file's own name for the order. The service chooses the real id.
    pub order: String,
    /// The version for `If-Match`, if the client sends one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<u64>,
    /// The body, sent unchanged.
    pub body: Value,
    /// The expected answer.
    pub expect: Expect,
}

/// The commands of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    /// `POST /orders`.
    Place,
    /// `POST /orders/{id}/pay`.
    Pay,
    /// `POST /orders/{id}/cancel`.
    Cancel,
    /// `POST /orders/{id}/ship`.
    Ship,
    /// `POST /orders/{id}/deliver`.
    Deliver,
}

impl Command {
    /// The name in the input and at the end of the path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Pay => "pay",
            Self::Cancel => "cancel",
            Self::Ship => "ship",
            Self::Deliver => "deliver",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The expected answer to a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// HTTP status.
    pub status: u16,
    /// The name of the problem, if the contract defines one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Expect {
    /// A success.
    #[must_use]
    pub fn success(status: u16) -> Self {
        Self { status, problem: None }
    }

    /// A rejection by a rule of the domain.
    #[must_use]
    pub fn rule(problem: &str) -> Self {
        Self { status: 409, problem: Some(problem.to_owned()) }
    }

    /// Whether the command takes effect.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self.status, 200 | 201)
    }
}

impl Line {
    /// Whether both lines send the same request, so that the later one must get the earlier one's answer.
    #[must_use]
    pub fn same_request(&self, other: &Self) -> bool {
        (&self.key, self.command, &self.order, self.if_match, &self.body)
            == (&other.key, other.command, &other.order, other.if_match, &other.body)
    }
}

/// All lines of one order, in sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The file's own name for the order.
    pub order: String,
    /// The lines to send.
    pub lines: Vec<Line>,
}

impl Script {
    /// The earlier line that this one repeats.
    #[must_use]
    pub fn repeated_by(&self, index: usize) -> Option<usize> {
        let line = self.lines.get(index)?;
        self.lines[..index].iter().position(|earlier| earlier.same_request(line))
    }

    /// The lines that take effect: successes, without repetitions.
    pub fn effective(&self) -> impl Iterator<Item = &Line> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(index, line)| line.expect.is_success() && self.repeated_by(*index).is_none())
            .map(|(_, line)| line)
    }
}

/// The reason why the input cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line is not a command.
    #[error("line {line}: {reason}")]
    Line {
        /// The line number, counted from 1.
        line: usize,
        /// The error in the line.
        reason: String,
    },
}

/// Reads an input file into one script per order, in the sequence of the orders' first lines.
///
/// # Errors
/// If the file cannot be read, or a line is not a command.
pub fn read(path: &Path) -> Result<Vec<Script>, InputError> {
    let text = fs::read_to_string(path)
        .map_err(|source| InputError::Unreadable { path: path.to_owned(), source })?;
    parse(&text)
}

/// Parses JSON Lines into one script per order. Empty lines are skipped.
///
/// # Errors
/// If a line is not a command, or an order's first line does not place it.
pub fn parse(text: &str) -> Result<Vec<Script>, InputError> {
    let mut lines = Vec::new();
    for (index, json) in text.lines().enumerate().filter(|(_, json)| !json.trim().is_empty()) {
        let wrong = |reason: String| InputError::Line { line: index + 1, reason };
        lines.push(serde_json::from_str::<Line>(json).map_err(|error| wrong(error.to_string()))?);
    }
    by_order(lines).map_err(|(index, reason)| InputError::Line { line: index + 1, reason })
}

/// Groups lines by order.
///
/// # Errors
/// The index of a line for an order that was never placed, with the reason.
pub fn by_order(lines: Vec<Line>) -> Result<Vec<Script>, (usize, String)> {
    let mut scripts: Vec<Script> = Vec::new();
    let mut place_of: HashMap<String, usize> = HashMap::new();
    for (index, line) in lines.into_iter().enumerate() {
        if let Some(&place) = place_of.get(&line.order) {
            scripts[place].lines.push(line);
        } else if line.command == Command::Place {
            place_of.insert(line.order.clone(), scripts.len());
            scripts.push(Script { order: line.order.clone(), lines: vec![line] });
        } else {
            let reason = format!("{} before order {} is placed", line.command, line.order);
            return Err((index, reason));
        }
    }
    Ok(scripts)
}

/// Writes lines in the format of the input file.
#[must_use]
pub fn write(lines: &[Line]) -> String {
    let json = |line| serde_json::to_string(line).expect("a line has only string keys");
    lines.iter().map(json).fold(String::new(), |text, line| text + &line + "\n")
}

#[cfg(test)]
mod tests {
    use super::{InputError, parse, write};

    const PLACE: &str = r#"{"key":"k-1","command":"place","order":"o-1","body":{"customerId":"c"},"expect":{"status":201}}"#;
    const PAY: &str = r#"{"key":"k-2","command":"pay","order":"o-1","body":{},"expect":{"status":409,"problem":"order-already-paid"}}"#;

    #[test]
    fn lines_of_one_order_stay_together_and_in_order() {
        let other = PLACE.replace("o-1", "o-2");
        let scripts = parse(&format!("{PLACE}\n{other}\n\n{PAY}\n")).expect("three commands");

        assert_eq!(scripts.len(), 2);
        assert_eq!(scripts[0].order, "o-1");
        assert_eq!(write(&scripts[0].lines), format!("{PLACE}\n{PAY}\n"));
    }

    #[test]
    fn a_line_repeats_only_the_same_request() {
        let other_body = PLACE.replace("\"c\"", "\"d\"");
        let scripts = parse(&[PLACE, PAY, &other_body, PLACE].join("\n")).expect("four commands");

        let repeats: Vec<_> = (0..4).map(|index| scripts[0].repeated_by(index)).collect();
        assert_eq!(repeats, [None, None, None, Some(0)]);
        assert_eq!(scripts[0].effective().count(), 2, "the place, and the one with another body");
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        for (text, line) in [(format!("{PLACE}\nnonsense"), 2), (PAY.to_owned(), 1)] {
            let error = parse(&text).expect_err("the input is wrong");
            assert!(
                matches!(error, InputError::Line { line: found, .. } if found == line),
                "{error}"
            );
        }
    }
}
