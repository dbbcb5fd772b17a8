//! Parses a JSON body and reports all invalid fields at once.

use serde_json::{Map, Value};

use super::{FieldError, Problem, json};

/// A JSON object while its fields are read. Errors are collected, and reading continues.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    pointer: String,
    known: Vec<&'static str>,
    errors: &'a mut Vec<FieldError>,
}

/// Parses a body that must be a JSON object.
///
/// # Errors
/// A problem that names every invalid, missing or unknown field, or the place of a JSON syntax error.
pub fn parse_body<T>(
    body: &[u8],
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Result<T, Problem> {
    let body = json::parse(body)
        .map_err(|error| Problem::bad_request(format!("The body is not valid JSON: {error}.")))?;
    let mut errors = Vec::new();
    let value = read_object(&body, String::new(), &mut errors, read);
    match value {
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(Problem::invalid_body(errors)),
    }
}

fn read_object<T>(
    value: &Value,
    pointer: String,
    errors: &mut Vec<FieldError>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let Value::Object(object) = value else {
        errors.push(FieldError { pointer, detail: "must be an object".to_owned() });
        return None;
    };
    let mut fields = Fields { object, pointer, known: Vec::new(), errors };
    let value = read(&mut fields);
    fields.refuse_unknown();
    value
}

impl<'a> Fields<'a> {
    /// A required field that passes `read`. `rule` describes the allowed values, for example `must be an
    /// integer from 1 to 10000`.
    pub fn required<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.present(name, rule)?;
        let read = read(value);
        if read.is_none() {
            self.refuse(name, rule);
        }
        read
    }

    /// A required string that passes `read`.
    pub fn text<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.required(name, rule, |value| value.as_str().and_then(read))
    }

    /// A required string of 1 to `max` characters.
    pub fn short_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        self.text(name, &format!("must be a text of 1 to {max} characters"), |text| {
            (1..=max).contains(&text.chars().count()).then(|| text.to_owned())
        })
    }

    /// A required integer from `least` to `most`.
    pub fn integer(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        let rule = format!("must be an integer from {least} to {most}");
        self.required(name, &rule, |value| {
            whole(value).filter(|number| (least..=most).contains(number))
        })
    }

    /// A required object with fields of its own.
    pub fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.present(name, "must be an object")?;
        let pointer = self.pointer_to(name);
        read_object(value, pointer, self.errors, read)
    }

    /// A required list of `least` to `most` objects.
    pub fn objects<T>(
        &mut self,
        name: &'static str,
        (least, most): (usize, usize),
        mut read: impl FnMut(&mut Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let rule = format!("must be a list of {least} to {most} objects");
        let list = self.present(name, &rule)?.as_array();
        let Some(list) = list.filter(|list| (least..=most).contains(&list.len())) else {
            self.refuse(name, &rule);
            return None;
        };
        let pointer = self.pointer_to(name);
        let objects: Vec<_> = list
            .iter()
            .enumerate()
            .map(|(at, value)| {
                read_object(value, format!("{pointer}/{at}"), self.errors, &mut read)
            })
            .collect();
        objects.into_iter().collect()
    }

    /// Records an error of a field.
    pub fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = self.pointer_to(name);
        let detail = detail.into();
        self.errors.push(FieldError { pointer, detail });
    }

    fn present(&mut self, name: &'static str, rule: &str) -> Option<&'a Value> {
        self.known.push(name);
        let value = self.object.get(name);
        if value.is_none() {
            self.refuse(name, format!("is missing; {rule}"));
        }
        value
    }

    fn refuse_unknown(&mut self) {
        let unknown: Vec<_> =
            self.object.keys().filter(|key| !self.known.contains(&key.as_str())).collect();
        let known = if self.known.is_empty() { "none".to_owned() } else { self.known.join(", ") };
        for name in unknown {
            self.refuse(name, format!("is not known; known fields are: {known}"));
        }
    }

    /// The JSON pointer of a field (RFC 6901).
    fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// Converts a JSON number to an integer. As in JSON Schema, `2.0` and `2e0` are 2.
fn whole(number: &Value) -> Option<i64> {
    // Above 2^53 a double no longer represents every integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let double = || number.as_f64().filter(|double| double.fract() == 0.0 && double.abs() < EXACT);
    number.as_i64().or_else(|| format!("{:.0}", double()?).parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::whole;

    #[test]
    fn an_integer_may_be_written_as_a_fraction_or_a_power() {
        let integers = [(json!(2), 2), (json!(2.0), 2), (json!(-0.0), 0), (json!(2e3), 2_000)];
        for (number, integer) in integers {
            assert_eq!(whole(&number), Some(integer), "{number}");
        }
        for other in [json!(2.5), json!(1e300), json!(u64::MAX), json!("2"), json!(null)] {
            assert_eq!(whole(&other), None, "{other}");
        }
    }
}
