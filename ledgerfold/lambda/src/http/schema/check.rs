//! Checks a value against a shape.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Number, Value};

use super::{Format, Kind, Object, Range, Shape, Text};
use crate::http::FieldError;

/// The most errors of one value. A function's answer has at most 6 MB, and a body can have a hundred thousand errors.
const MAX_ERRORS: usize = 1_000;

impl Shape {
    /// Names every error of a value, up to a limit. Whole numbers in the notation of fractions or powers become integers.
    pub(in crate::http) fn check(&self, value: &mut Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        self.check_at("", value, &mut errors);
        errors.truncate(MAX_ERRORS);
        errors
    }

    fn check_at(&self, pointer: &str, value: &mut Value, errors: &mut Vec<FieldError>) {
        if errors.len() >= MAX_ERRORS {
            return;
        }
        let is_right = match (&self.kind, &mut *value) {
            (Kind::Any, _) | (Kind::Null, Value::Null) | (Kind::Boolean, Value::Bool(_)) => true,
            (Kind::Integer(range), Value::Number(number)) => to_integer(number, *range),
            (Kind::Number(range), Value::Number(number)) => {
                number.as_f64().is_some_and(|number| range.has(&number))
            }
            (Kind::Text(text), Value::String(value)) => text.allows(value),
            (Kind::Listed(values), value) => values.contains(value),
            (Kind::List { items, count, unique }, Value::Array(list)) => {
                for (nth, item) in list.iter_mut().enumerate() {
                    items.check_at(&format!("{pointer}/{nth}"), item, errors);
                }
                count.has(&list.len()) && !(*unique && has_repetition(list))
            }
            (Kind::Object(object), Value::Object(fields)) => {
                object.check_at(pointer, fields, errors);
                true
            }
            (Kind::Nullable(_), Value::Null) => true,
            (Kind::Nullable(shape), value) => {
                let others = errors.len();
                shape.check_at(pointer, value, errors);
                for error in errors[others..].iter_mut().filter(|it| it.pointer == pointer) {
                    *error = self.wrong(pointer);
                }
                return;
            }
            (Kind::Either(shapes), value) => return either(shapes, pointer, value, errors),
            _ => false,
        };
        if !is_right {
            errors.push(self.wrong(pointer));
        }
    }

    fn wrong(&self, pointer: &str) -> FieldError {
        FieldError { pointer: pointer.to_owned(), detail: format!("must be {}", self.rule()) }
    }
}

/// Adds the errors of the alternative that the value fits best.
fn either(shapes: &[Shape], pointer: &str, value: &mut Value, errors: &mut Vec<FieldError>) {
    let attempts = shapes.iter().map(|shape| {
        let mut attempt = value.clone();
        let mut errors = Vec::new();
        shape.check_at(pointer, &mut attempt, &mut errors);
        (attempt, errors)
    });
    if let Some((best, found)) = attempts.min_by_key(|(_, errors)| errors.len()) {
        *value = best;
        errors.extend(found);
    }
}

impl Object {
    fn check_at(
        &self,
        pointer: &str,
        fields: &mut Map<String, Value>,
        errors: &mut Vec<FieldError>,
    ) {
        for (name, shape) in &self.fields {
            let place = pointer_to(pointer, name);
            match fields.get_mut(name) {
                Some(value) => shape.check_at(&place, value, errors),
                None if self.required.contains(name) => {
                    let detail = format!("is missing; must be {}", shape.rule());
                    errors.push(FieldError { pointer: place, detail });
                }
                None => {}
            }
        }
        for (name, value) in fields.iter_mut().filter(|(name, _)| !self.fields.contains_key(*name))
        {
            let place = pointer_to(pointer, name);
            match &self.others {
                Some(shape) => shape.check_at(&place, value, errors),
                None => errors.push(FieldError { pointer: place, detail: self.unknown() }),
            }
        }
    }

    fn unknown(&self) -> String {
        let known: Vec<_> = self.fields.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("is not known; known fields are: {known}")
    }
}

/// The JSON pointer to a field of the object at a pointer (RFC 6901).
pub(in crate::http) fn pointer_to(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

impl<T: PartialOrd> Range<T> {
    fn has(&self, value: &T) -> bool {
        self.min.as_ref().is_none_or(|min| min <= value)
            && self.max.as_ref().is_none_or(|max| value <= max)
    }
}

/// Whether a number is an integer of the range. It then has the notation of an integer.
fn to_integer(number: &mut Number, range: Range<i128>) -> bool {
    match whole(number) {
        Some(integer) if range.has(&integer) => {
            let integer = i64::try_from(integer).map(Number::from);
            if let Ok(integer) = integer {
                *number = integer;
            }
            true
        }
        _ => false,
    }
}

/// A number without a fraction. As in JSON Schema, `2.0` and `2e0` are 2.
fn whole(number: &Number) -> Option<i128> {
    // Above 2^53 a double no longer represents every integer.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let double = || number.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < EXACT);
    let integer = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    integer.or_else(|| format!("{:.0}", double()?).parse().ok())
}

fn has_repetition(list: &[Value]) -> bool {
    let mut seen = BTreeSet::new();
    !list.iter().all(|item| seen.insert(item.to_string()))
}

impl Text {
    fn allows(&self, text: &str) -> bool {
        self.length.has(&text.chars().count())
            && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            && self.format.allows(text)
    }
}

impl Format {
    fn allows(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Date => is_date(text),
            Self::DateTime => is_date_time(text),
        }
    }
}

/// `full-date` of RFC 3339, which is stricter than the parser.
fn is_date(text: &str) -> bool {
    has_shape(text, "0000-00-00") && text.parse::<Date>().is_ok()
}

/// `date-time` of RFC 3339, which is stricter than the parser.
fn is_date_time(text: &str) -> bool {
    let Some((local, offset)) = text.split_at_checked(19) else { return false };
    let offset = match offset.strip_prefix('.') {
        Some(fraction) => {
            let rest = fraction.trim_start_matches(|it: char| it.is_ascii_digit());
            if rest.len() == fraction.len() {
                return false;
            }
            rest
        }
        None => offset,
    };
    let is_offset = offset == "Z" || has_shape(offset, "+00:00") || has_shape(offset, "-00:00");
    is_offset && has_shape(local, "0000-00-00T00:00:00") && local.parse::<DateTime>().is_ok()
}

/// Whether a text has the form of the model, with any digit in place of each 0.
fn has_shape(text: &str, model: &str) -> bool {
    let fits =
        |(text, model): (u8, u8)| if model == b'0' { text.is_ascii_digit() } else { text == model };
    text.len() == model.len() && text.bytes().zip(model.bytes()).all(fits)
}
