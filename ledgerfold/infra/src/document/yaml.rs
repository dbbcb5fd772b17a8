//! Writes a template as YAML, in the form in which people write templates by hand.

use std::fmt::Write;

use super::{Map, Template, Value, value::Entry};

/// The longest line.
const WIDTH: usize = 120;

/// A template as YAML.
pub(super) fn write(template: &Template) -> String {
    let mut page = Page::default();
    for note in &template.note {
        page.comment(0, note);
        page.blank();
    }
    for entry in &template.head().0 {
        page.entry(0, entry);
        page.blank();
    }
    page.line(0, "Resources:");
    for section in &template.sections {
        page.blank();
        let rule = "-".repeat(92_usize.saturating_sub(section.title.len()));
        page.line(2, &format!("# ---- {} {rule}", section.title));
        if let Some(note) = &section.note {
            page.comment(2, note);
        }
        for resource in &section.resources {
            page.blank();
            let (key, note) = (resource.id.clone(), resource.note.clone());
            page.entry(2, &Entry { key, note, value: resource.body().into() });
        }
    }
    page.blank();
    page.entry(
        0,
        &Entry { key: "Outputs".to_owned(), note: None, value: template.outputs().into() },
    );
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "{:indent$}{text}", "");
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, indent: usize, note: &str) {
        for line in wrap(note, WIDTH - indent - 2) {
            self.line(indent, format!("# {line}").trim_end());
        }
    }

    fn map(&mut self, indent: usize, map: &Map) {
        map.0.iter().for_each(|entry| self.entry(indent, entry));
    }

    fn entry(&mut self, indent: usize, Entry { key, note, value }: &Entry) {
        if let Some(note) = note {
            self.comment(indent, note);
        }
        let key = scalar(key);
        if let Some(short) = flow(value, indent + key.len() + 2) {
            return self.line(indent, &format!("{key}: {short}"));
        }
        self.long(indent, &format!("{key}:"), value);
    }

    /// A value that does not fit on the line of its key.
    fn long(&mut self, indent: usize, key: &str, value: &Value) {
        match (value, function(value)) {
            (Value::Text(text), _) => self.folded(indent, &format!("{key} >-"), text),
            (_, Some(("Sub", Value::Text(text)))) => {
                self.folded(indent, &format!("{key} !Sub >-"), text);
            }
            (_, Some((name, Value::List(items)))) => {
                self.line(indent, &format!("{key} !{name}"));
                self.items(indent + 2, items);
            }
            (Value::Map(map), _) => {
                self.line(indent, key);
                self.map(indent + 2, map);
            }
            (Value::List(items), _) => {
                self.line(indent, key);
                self.items(indent + 2, items);
            }
            (other, _) => self.line(indent, &format!("{key} {other:?}")),
        }
    }

    fn folded(&mut self, indent: usize, key: &str, text: &str) {
        self.line(indent, key);
        for line in wrap(text, WIDTH - indent - 2) {
            self.line(indent + 2, &line);
        }
    }

    fn items(&mut self, indent: usize, items: &[(Option<String>, Value)]) {
        for (note, item) in items {
            if let Some(note) = note {
                self.comment(indent, note);
            }
            if let Some(short) = flow(item, indent + 2) {
                self.line(indent, &format!("- {short}"));
                continue;
            }
            let mut block = Page::default();
            match item {
                Value::Map(map) if function(item).is_none() => block.map(indent + 2, map),
                other => block.long(indent, "-", other),
            }
            // The first line begins with the dash instead of its indentation.
            let text = block.0.trim_start();
            let dash = if text.starts_with("- ") { "" } else { "- " };
            let _ = write!(self.0, "{:indent$}{dash}{text}", "");
        }
    }
}

/// A value on one line, if it is short and has no comments.
fn flow(value: &Value, before: usize) -> Option<String> {
    let text = inline(value, 0)?;
    let long = before + text.len() > WIDTH || (text.len() > 80 && matches!(value, Value::Map(_)));
    (!long).then_some(text)
}

fn inline(value: &Value, depth: usize) -> Option<String> {
    let inner = |value| inline(value, depth + 1);
    match (value, function(value)) {
        (_, Some(("GetAtt", Value::List(path)))) => {
            let path: Vec<_> = path.iter().filter_map(|(_, part)| inner(part)).collect();
            Some(format!("!GetAtt {}", path.join(".")))
        }
        (_, Some((name, argument))) => Some(format!("!{name} {}", inner(argument)?)),
        (Value::Bool(value), _) => Some(value.to_string()),
        (Value::Number(value), _) => Some(value.to_string()),
        (Value::Text(text), _) if text.contains('\n') => None,
        (Value::Text(text), _) => Some(if depth == 0 { scalar(text) } else { flow_scalar(text) }),
        (Value::List(items), _) => {
            let items =
                items.iter().map(|(note, item)| if note.is_some() { None } else { inner(item) });
            Some(format!("[{}]", items.collect::<Option<Vec<_>>>()?.join(", ")))
        }
        // Deep maps are easier to read as blocks.
        (Value::Map(_), _) if depth > 2 => None,
        (Value::Map(map), _) => {
            let entries = map.0.iter().map(|Entry { key, note, value }| {
                if note.is_some() || key == "Type" && depth == 0 {
                    return None;
                }
                Some(format!("{}: {}", flow_scalar(key), inner(value)?))
            });
            Some(format!("{{{}}}", entries.collect::<Option<Vec<_>>>()?.join(", ")))
        }
    }
}

/// The short name and the argument of a function, for example `Ref`.
///
/// A function within `ImportValue` must have its long form, and only one of the two can be short.
fn function(value: &Value) -> Option<(&str, &Value)> {
    let Value::Map(map) = value else { return None };
    let [Entry { key, note: None, value }] = map.0.as_slice() else { return None };
    match key.as_str() {
        "Ref" => Some(("Ref", value)),
        "Fn::ImportValue" => None,
        "Condition" if matches!(value, Value::Text(_)) => Some(("Condition", value)),
        other => other.strip_prefix("Fn::").map(|name| (name, value)),
    }
}

/// A text outside of brackets.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// A text within brackets, where commas and brackets have a meaning.
fn flow_scalar(text: &str) -> String {
    let plain = is_plain(text) && !text.contains([',', '[', ']', '{', '}']);
    if plain { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether YAML reads the text without quotes as the same text.
fn is_plain(text: &str) -> bool {
    let special = ["", "true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"];
    let first = text.chars().next().unwrap_or(' ');
    !special.contains(&text.to_ascii_lowercase().as_str())
        && (first.is_ascii_alphabetic() || first == '/' || first == '$' || first == '_')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && !text.contains(['\n', '\'', '"', '|', '*'])
}

/// Breaks a text at spaces. A line break in the text stays.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.len() + 1 + word.len() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
