//! The changes of a template that break rules.

use serde_json::{Value, json};

/// A change of a template that breaks a rule.
pub(crate) enum Break {
    /// Sets a value.
    Set(&'static str, Value),
    /// Removes a value.
    Drop(&'static str),
}

impl Break {
    /// What it changes.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Set(path, _) | Self::Drop(path) => path,
        }
    }

    /// Changes the template. A path names a resource and a place in its properties; a path that begins with `/` names a
    /// place in the template.
    pub(crate) fn apply(&self, template: &mut Value) {
        let path = self.path();
        let pointer = match path.strip_prefix('/') {
            Some(rest) => format!("/{rest}"),
            None => match path.split_once('/') {
                Some((id, rest)) => format!("/Resources/{id}/Properties/{rest}"),
                None => format!("/Resources/{path}"),
            },
        };
        let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
        let last = last.replace("~1", "/");
        let parent = template.pointer_mut(parent);
        let parent = parent.expect("a break changes something that exists");
        match (self, parent) {
            (Self::Set(_, value), parent) => match last.parse::<usize>() {
                Ok(place) => parent[place] = value.clone(),
                Err(_) => parent[&last] = value.clone(),
            },
            (Self::Drop(_), Value::Object(map)) => {
                assert!(map.remove(&last).is_some(), "{path} does not exist");
            }
            (Self::Drop(_), Value::Array(items)) => {
                items.remove(last.parse().expect("a place in a list"));
            }
            (Self::Drop(_), other) => unreachable!("{path} is part of {other}"),
        }
    }
}

/// A statement of a role's policy.
macro_rules! statement {
    ($role:literal, $number:literal, $rest:literal) => {
        concat!($role, "/Policies/0/PolicyDocument/Statement/", $number, $rest)
    };
}

pub(crate) fn arn(id: &str) -> Value {
    json!({"Fn::GetAtt": [id, "Arn"]})
}

mod access;
mod keys;
mod pipeline;
mod transparency;

/// The changes that a rule must refuse.
pub(crate) fn breaks(rule: &str) -> Vec<Break> {
    let mut all = pipeline::breaks(rule);
    all.extend(access::breaks(rule));
    all.extend(keys::breaks(rule));
    all.extend(transparency::breaks(rule));
    all
}
