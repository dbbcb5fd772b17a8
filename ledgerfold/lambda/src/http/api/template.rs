//! Paths with parameters.

use std::cmp::Reverse;

/// A path of the contract, for example `/orders/{id}/pay`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Template(Vec<Segment>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
}

/// A path that matches a template.
#[derive(Debug)]
pub(in crate::http) struct Matched<'a> {
    /// The matching end of the path.
    pub(in crate::http) path: String,
    values: Vec<(&'static str, &'a str)>,
}

impl<'a> Matched<'a> {
    /// The value of a parameter.
    pub(in crate::http) fn value(&self, name: &str) -> Option<&'a str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// All parameters with their values.
    pub(in crate::http) fn values(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.values.iter().copied()
    }
}

impl Template {
    pub(in crate::http) fn parse(path: &'static str) -> Self {
        let segments = path.trim_start_matches('/').split('/').map(|segment| {
            let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            name.map_or(Segment::Literal(segment), Segment::Parameter)
        });
        Self(segments.collect())
    }

    /// The names of all parameters.
    pub(in crate::http) fn parameters(&self) -> Vec<&'static str> {
        let name = |segment: &Segment| match segment {
            Segment::Parameter(name) => Some(*name),
            Segment::Literal(_) => None,
        };
        self.0.iter().filter_map(name).collect()
    }

    /// The names of the parameters that are fields of a command: all but `{id}`, which is the stream.
    pub(in crate::http) fn fields(&self) -> Vec<&'static str> {
        self.parameters().into_iter().filter(|name| *name != "id").collect()
    }

    /// Matches the end of a path.
    pub(in crate::http) fn find<'a>(&self, path: &[&'a str]) -> Option<Matched<'a>> {
        let end = path.get(path.len().checked_sub(self.0.len())?..)?;
        let mut values = Vec::new();
        for (segment, text) in self.0.iter().zip(end) {
            match segment {
                Segment::Literal(literal) if literal == text => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(name) => values.push((*name, *text)),
            }
        }
        Some(Matched { path: format!("/{}", end.join("/")), values })
    }

    /// The order in which templates are tried: the longest first, and of equally long ones those whose literals come
    /// first. Templates that differ only in the names of parameters have the same place.
    pub(in crate::http) fn place(&self) -> (Reverse<usize>, Vec<(bool, &'static str)>) {
        let segments = self.0.iter().map(|segment| match segment {
            Segment::Literal(literal) => (false, *literal),
            Segment::Parameter(_) => (true, ""),
        });
        (Reverse(self.0.len()), segments.collect())
    }

    /// The path with these values for its parameters.
    pub(in crate::http) fn filled(&self, value: impl Fn(&str) -> String) -> String {
        let fill = |segment: &Segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Parameter(name) => format!("/{}", value(name)),
        };
        self.0.iter().map(fill).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn the_longest_template_is_tried_first_and_literals_before_parameters() {
        let sorted = ["/a/{id}/c", "/{id}/b/c", "/{id}/b/{other}", "/a/{id}", "/a"];
        let mut templates = sorted.map(Template::parse).to_vec();
        templates.reverse();
        templates.sort_by_key(Template::place);
        assert_eq!(templates, sorted.map(Template::parse));
    }
}
