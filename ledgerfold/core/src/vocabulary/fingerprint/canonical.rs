//! A serializer that writes the same bytes for all requests with the same meaning, see
//! [`Fingerprint`](super::Fingerprint).
//!
//! A default value has no bytes. Every other value has a byte for its kind, and then its content. A value with parts
//! writes the length of each part before it.

use std::collections::BTreeMap;

use serde::{
    Serialize, Serializer,
    ser::{
        Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};
use serde_json::Error as Failure;

type Form = Result<Vec<u8>, Failure>;

/// Kinds of values. A map and a struct are the same kind, as in JSON.
const TRUE: &[u8] = b"t";
const NUMBER: u8 = b'n';
const TEXT: u8 = b's';
const BYTES: u8 = b'b';
const LIST: u8 = b'l';
const TUPLE: u8 = b'u';
const MEMBERS: u8 = b'm';
const VARIANT: u8 = b'v';

/// Writes a value in its canonical form.
pub(super) struct Canonical;

/// The elements of a list or a tuple.
pub(super) struct Elements {
    kind: u8,
    variant: Option<&'static str>,
    forms: Vec<Vec<u8>>,
}

/// The fields of a struct, the entries of a map.
pub(super) struct Members {
    variant: Option<&'static str>,
    key: Option<Vec<u8>>,
    forms: BTreeMap<Vec<u8>, Vec<u8>>,
}

fn of(value: &(impl Serialize + ?Sized)) -> Form {
    value.serialize(Canonical)
}

fn content(kind: u8, bytes: &[u8]) -> Vec<u8> {
    if bytes.is_empty() { Vec::new() } else { [&[kind], bytes].concat() }
}

fn number(text: &str) -> Vec<u8> {
    let is_zero = text.trim_start_matches('-') == "0";
    content(NUMBER, if is_zero { b"" } else { text.as_bytes() })
}

fn parts<'a>(kind: u8, parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut form = vec![kind];
    for part in parts {
        form.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        form.extend(part);
    }
    form
}

/// A variant is never a default value, because its name is information.
fn in_variant(variant: Option<&'static str>, form: Vec<u8>) -> Vec<u8> {
    match variant {
        Some(name) => parts(VARIANT, [name.as_bytes(), &form]),
        None => form,
    }
}

impl Elements {
    const fn new(kind: u8, variant: Option<&'static str>) -> Self {
        Self { kind, variant, forms: Vec::new() }
    }

    fn push(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Failure> {
        self.forms.push(of(value)?);
        Ok(())
    }

    fn form(mut self) -> Vec<u8> {
        if self.kind == LIST {
            self.forms.sort();
        }
        let is_default = self.forms.is_empty();
        let form = parts(self.kind, self.forms.iter().map(Vec::as_slice));
        in_variant(self.variant, if is_default { Vec::new() } else { form })
    }
}

impl Members {
    const fn new(variant: Option<&'static str>) -> Self {
        Self { variant, key: None, forms: BTreeMap::new() }
    }

    fn push(&mut self, key: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), Failure> {
        let form = of(value)?;
        if !form.is_empty() {
            self.forms.insert(key, form);
        }
        Ok(())
    }

    fn field(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        self.push(content(TEXT, name.as_bytes()), value)
    }

    fn form(self) -> Vec<u8> {
        let members = self.forms.iter().flat_map(|(key, form)| [key.as_slice(), form.as_slice()]);
        let form = if self.forms.is_empty() { Vec::new() } else { parts(MEMBERS, members) };
        in_variant(self.variant, form)
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),+) => {
        $(fn $method(self, value: $number) -> Form {
            // `Display` writes a whole float as an integer, so that a type may change.
            Ok(number(&value.to_string()))
        })+
    };
}

impl Serializer for Canonical {
    type Ok = Vec<u8>;
    type Error = Failure;
    type SerializeSeq = Elements;
    type SerializeTuple = Elements;
    type SerializeTupleStruct = Elements;
    type SerializeTupleVariant = Elements;
    type SerializeMap = Members;
    type SerializeStruct = Members;
    type SerializeStructVariant = Members;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128, serialize_f32: f32, serialize_f64: f64
    }

    fn serialize_bool(self, value: bool) -> Form {
        Ok(if value { TRUE.to_vec() } else { Vec::new() })
    }

    fn serialize_char(self, value: char) -> Form {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Form {
        Ok(content(TEXT, value.as_bytes()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Form {
        Ok(content(BYTES, value))
    }

    fn serialize_none(self) -> Form {
        Ok(Vec::new())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Form {
        of(value)
    }

    fn serialize_unit(self) -> Form {
        Ok(Vec::new())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Form {
        Ok(Vec::new())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Form {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Form {
        of(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Form {
        Ok(in_variant(Some(variant), of(value)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements, Failure> {
        Ok(Elements::new(LIST, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements, Failure> {
        Ok(Elements::new(TUPLE, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements, Failure> {
        Ok(Elements::new(TUPLE, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements, Failure> {
        Ok(Elements::new(TUPLE, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members, Failure> {
        Ok(Members::new(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members, Failure> {
        Ok(Members::new(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members, Failure> {
        Ok(Members::new(Some(variant)))
    }
}

macro_rules! elements {
    ($($kind:ident: $method:ident),+) => {
        $(impl $kind for Elements {
            type Ok = Vec<u8>;
            type Error = Failure;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
                self.push(value)
            }

            fn end(self) -> Form {
                Ok(self.form())
            }
        })+
    };
}

elements! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field
}

macro_rules! members {
    ($($kind:ident),+) => {
        $(impl $kind for Members {
            type Ok = Vec<u8>;
            type Error = Failure;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Failure> {
                self.field(name, value)
            }

            fn end(self) -> Form {
                Ok(self.form())
            }
        })+
    };
}

members! { SerializeStruct, SerializeStructVariant }

impl SerializeMap for Members {
    type Ok = Vec<u8>;
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failure> {
        self.key = Some(of(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failure> {
        let key =
            self.key.take().ok_or_else(|| Failure::custom("a map has a value without key"))?;
        self.push(key, value)
    }

    fn end(self) -> Form {
        Ok(self.form())
    }
}
