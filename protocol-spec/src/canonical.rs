//! Canonical JSON: RFC 8785 restricted to what every reader agrees on (`protocol-spec/docs/canonical-json.md`).
//!
//! Two things are stricter than RFC 8785: numbers are integers from −(2^53 − 1) to 2^53 − 1, and an
//! object that names a member twice is refused. Both close a gap in which two readers of the same
//! signed bytes see different documents.

use serde::{
    Serialize,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::{
    field::{self, FieldError},
    limits::INTEGER_MAX,
};

/// The canonical bytes of `document`.
///
/// # Errors
/// A [`FieldError`] when it holds a number that is no safe integer, or does not serialise.
pub fn to_vec<T: Serialize + ?Sized>(document: &T) -> Result<Vec<u8>, FieldError> {
    let value = serde_json::to_value(document).map_err(|e| FieldError::document(e.to_string()))?;
    check_numbers(&value).map_err(|number| {
        FieldError::document(format!("{number} is not an integer within ±(2^53 − 1)"))
    })?;
    serde_json_canonicalizer::to_vec(&value).map_err(|e| FieldError::document(e.to_string()))
}

/// Reads any JSON document of ours or of a peer: unique members, safe integers, bounded depth.
///
/// The bytes need not be canonical; see [`parse_canonical`] where they must be.
///
/// # Errors
/// A [`FieldError`] naming the member that is repeated, too deep, or no safe integer.
pub fn parse_value(bytes: &[u8], depth_max: usize) -> Result<Value, FieldError> {
    parse(
        bytes,
        Reader {
            depth_left: depth_max,
            numbers: Numbers::SafeIntegers,
        },
    )
}

/// Reads a document that we do not sign: as [`parse_value`], but any JSON number is taken.
///
/// # Errors
/// A [`FieldError`] naming the member that is repeated or too deep.
pub fn parse_foreign(bytes: &[u8], depth_max: usize) -> Result<Value, FieldError> {
    parse(
        bytes,
        Reader {
            depth_left: depth_max,
            numbers: Numbers::Any,
        },
    )
}

/// As [`parse_value`], and refuses bytes that are not their own canonical form (`CAN-FORM-001`).
///
/// # Errors
/// A [`FieldError`] as for [`parse_value`], or naming the document when the form is not canonical.
pub fn parse_canonical(bytes: &[u8], depth_max: usize) -> Result<Value, FieldError> {
    let value = parse_value(bytes, depth_max)?;
    if to_vec(&value)? == bytes {
        Ok(value)
    } else {
        Err(not_canonical())
    }
}

/// Whether `bytes` are a document in canonical form.
pub fn is_canonical(bytes: &[u8], depth_max: usize) -> bool {
    parse_canonical(bytes, depth_max).is_ok()
}

/// The refusal of bytes that are valid but not in canonical form.
pub(crate) fn not_canonical() -> FieldError {
    FieldError::document("the bytes are not in canonical form (RFC 8785)")
}

fn parse(bytes: &[u8], reader: Reader) -> Result<Value, FieldError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut track = serde_path_to_error::Track::new();
    let value = reader
        .deserialize(serde_path_to_error::Deserializer::new(
            &mut json, &mut track,
        ))
        .map_err(|error| {
            // Text that is no JSON is refused as a whole, as in `field`.
            let place = match error.classify() {
                serde_json::error::Category::Data => field::path_text(&track.path()),
                _ => "$".to_owned(),
            };
            FieldError::new(place, error.to_string())
        })?;
    json.end()
        .map_err(|e| FieldError::document(e.to_string()))?;
    Ok(value)
}

/// The first number in `value` that is no safe integer.
fn check_numbers(value: &Value) -> Result<(), &Number> {
    match value {
        Value::Number(number) if !is_safe(number) => Err(number),
        Value::Array(items) => items.iter().try_for_each(check_numbers),
        Value::Object(members) => members.values().try_for_each(check_numbers),
        _ => Ok(()),
    }
}

fn is_safe(number: &Number) -> bool {
    number.as_u64().is_some_and(|n| n <= INTEGER_MAX)
        || number
            .as_i64()
            .is_some_and(|n| n.unsigned_abs() <= INTEGER_MAX)
}

#[derive(Clone, Copy)]
enum Numbers {
    SafeIntegers,
    Any,
}

/// Builds a [`Value`] while counting depth and watching for repeated members.
#[derive(Clone, Copy)]
struct Reader {
    depth_left: usize,
    numbers: Numbers,
}

impl Reader {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth_left = self
            .depth_left
            .checked_sub(1)
            .ok_or_else(|| E::custom("arrays and objects are nested too deeply"))?;
        Ok(Self { depth_left, ..self })
    }

    fn number<E: serde::de::Error>(self, number: Number) -> Result<Value, E> {
        match self.numbers {
            Numbers::SafeIntegers if !is_safe(&number) => Err(E::custom(format!(
                "{number} is not an integer within ±(2^53 − 1)"
            ))),
            _ => Ok(Value::Number(number)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.number(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("not a finite number"))?;
        self.number(number)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "the member `{name}` stands twice"
                )));
            }
            let value = members.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
