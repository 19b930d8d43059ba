//! How a target type deserialises itself from the tree: the struct names its fields, the tree
//! answers with values, and every fault learns its path and origin on the way up.

use std::collections::BTreeMap;

use serde::de::value::{
    MapAccessDeserializer, MapDeserializer, SeqDeserializer, StringDeserializer,
};
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::fault::{Fault, FaultKind};
use super::path::PATH;
use super::tree::{Kind, Node, Origin, folded};

/// Pairs the keys of a table with the fields of a struct, following `_file` keys.
fn bind(
    table: BTreeMap<String, Node>,
    fields: &'static [&'static str],
) -> Result<BTreeMap<&'static str, Node>, Fault> {
    let mut bound: BTreeMap<&'static str, Node> = BTreeMap::new();
    for (key, node) in table {
        let origin = node.origin.clone();
        let (field, node) = if let Some(field) = find(&key, &origin, fields) {
            (field, node)
        } else if let Some(field) = strip_file(&key).and_then(|key| find(key, &origin, fields)) {
            let value = node.read_file().map_err(|fault| fault.within(&key))?;
            (field, value)
        } else {
            return Err(Fault::unknown(&key, fields).at(&node.deepest_origin()));
        };
        match bound.get(field).map(|other| other.origin.rank()) {
            Some(rank) if rank == origin.rank() => {
                let reason = "is given twice, once as a file";
                return Err(Fault::invalid(reason).within(field).at(&origin));
            }
            Some(rank) if rank > origin.rank() => {}
            _ => {
                bound.insert(field, node);
            }
        }
    }
    Ok(bound)
}

/// Files spell keys exactly; variables and flags are forgiven their dashes and capitals.
fn find(key: &str, origin: &Origin, fields: &'static [&'static str]) -> Option<&'static str> {
    let exact = fields.iter().find(|field| **field == key);
    let alike = || {
        let loose = !matches!(origin, Origin::File(_));
        fields
            .iter()
            .find(|field| loose && folded(field) == folded(key))
    };
    exact.or_else(alike).copied()
}

fn strip_file(key: &str) -> Option<&str> {
    key.strip_suffix("_file")
        .or_else(|| key.strip_suffix("-file"))
}

impl Node {
    /// The value that a `_file` key points to.
    fn read_file(self) -> Result<Self, Fault> {
        let (Kind::Text(path) | Kind::Scalar(Value::String(path))) = self.kind else {
            return Err(Fault::invalid("expected the path of a file").at(&self.origin));
        };
        let path = self.origin.locate(&path);
        match std::fs::read_to_string(&path) {
            Ok(mut text) => {
                if text.ends_with('\n') {
                    text.pop();
                    if text.ends_with('\r') {
                        text.pop();
                    }
                }
                Ok(Self {
                    kind: Kind::Text(text),
                    origin: self.origin,
                })
            }
            Err(reason) => {
                let kind = FaultKind::Unreadable { path, reason };
                Err(Fault::new(kind).at(&self.origin))
            }
        }
    }

    /// Text as the absolute path that it means where it was written.
    fn located(mut self) -> Self {
        if let Kind::Text(path) | Kind::Scalar(Value::String(path)) = &mut self.kind {
            // From text, so it is text.
            *path = self.origin.locate(path).to_string_lossy().into_owned();
        }
        self
    }

    /// For a table made of variables, the first of them.
    fn deepest_origin(&self) -> Origin {
        match &self.kind {
            Kind::Table(members) => members
                .values()
                .next()
                .map_or_else(|| self.origin.clone(), Self::deepest_origin),
            _ => self.origin.clone(),
        }
    }
}

/// Hands the fields of a struct to its visitor and adds the key to whatever goes wrong inside.
struct Fields {
    rest: std::collections::btree_map::IntoIter<&'static str, Node>,
    current: Option<(&'static str, Node)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        self.current = self.rest.next();
        match &self.current {
            Some((key, _)) => seed.deserialize((*key).into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((key, node)) = self.current.take() else {
            return Err(Fault::invalid("a value was asked for before its key"));
        };
        let origin = node.origin.clone();
        seed.deserialize(node)
            .map_err(|fault| fault.within(key).at(&origin))
    }
}

/// A value under a key that the target does not fix: a member of a map or an item of a list.
struct Named {
    key: String,
    node: Node,
}

impl IntoDeserializer<'_, Fault> for Named {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! delegate_with_key {
    ($($method:ident($($arg:ident: $ty:ty),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, Fault> {
            let origin = self.node.origin.clone();
            de::Deserializer::$method(self.node, $($arg,)* visitor)
                .map_err(|fault| fault.within(&self.key).at(&origin))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Named {
    type Error = Fault;

    delegate_with_key! {
        deserialize_any(); deserialize_bool(); deserialize_option(); deserialize_seq();
        deserialize_map(); deserialize_str(); deserialize_string(); deserialize_identifier();
        deserialize_char(); deserialize_bytes(); deserialize_byte_buf(); deserialize_unit();
        deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64();
        deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64();
        deserialize_i128(); deserialize_u128(); deserialize_f32(); deserialize_f64();
        deserialize_ignored_any();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
    }
}

impl IntoDeserializer<'_, Fault> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Numbers and booleans: typed from the file, parsed from a variable.
macro_rules! parse_text {
    ($($method:ident: $ty:ty => $visit:ident, $what:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match &self.kind {
                Kind::Text(text) => match text.trim().parse::<$ty>() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(Fault::invalid(concat!("expected ", $what))),
                },
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Node {
    type Error = Fault;

    parse_text! {
        deserialize_bool: bool => visit_bool, "true or false";
        deserialize_i8: i64 => visit_i64, "a whole number";
        deserialize_i16: i64 => visit_i64, "a whole number";
        deserialize_i32: i64 => visit_i64, "a whole number";
        deserialize_i64: i64 => visit_i64, "a whole number";
        deserialize_u8: u64 => visit_u64, "a whole number, zero or more";
        deserialize_u16: u64 => visit_u64, "a whole number, zero or more";
        deserialize_u32: u64 => visit_u64, "a whole number, zero or more";
        deserialize_u64: u64 => visit_u64, "a whole number, zero or more";
        deserialize_f32: f64 => visit_f64, "a number";
        deserialize_f64: f64 => visit_f64, "a number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.kind {
            Kind::Table(members) => {
                let members = members
                    .into_iter()
                    .map(|(key, node)| (key.clone(), Named { key, node }));
                MapDeserializer::new(members).deserialize_any(visitor)
            }
            Kind::List(items) => {
                let items = items.into_iter().enumerate().map(|(index, node)| Named {
                    key: index.to_string(),
                    node,
                });
                SeqDeserializer::new(items).deserialize_any(visitor)
            }
            Kind::Scalar(Value::Bool(value)) => visitor.visit_bool(value),
            Kind::Text(text) | Kind::Scalar(Value::String(text)) => visitor.visit_string(text),
            Kind::Scalar(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            // `from_json` makes scalars of nothing else.
            Kind::Scalar(_) => visitor.visit_unit(),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let node = if name == PATH { self.located() } else { self };
        visitor.visit_newtype_struct(node)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let Kind::Text(text) = &self.kind else {
            return self.deserialize_any(visitor);
        };
        let items = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        let items = items
            .map(|item| Node {
                kind: Kind::Text(item.to_owned()),
                origin: self.origin.clone(),
            })
            .collect();
        let list = Node {
            kind: Kind::List(items),
            origin: self.origin.clone(),
        };
        list.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Kind::Table(members) = self.kind else {
            return self.deserialize_any(visitor);
        };
        visitor.visit_map(Fields {
            rest: bind(members, fields)?.into_iter(),
            current: None,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.kind {
            Kind::Text(chosen) | Kind::Scalar(Value::String(chosen)) => {
                if !variants.contains(&chosen.as_str()) {
                    return Err(expected_one_of(variants));
                }
                let name: StringDeserializer<Fault> = chosen.into_deserializer();
                visitor.visit_enum(name)
            }
            Kind::Table(members) if members.len() == 1 => {
                let members = members
                    .into_iter()
                    .map(|(key, node)| (key.clone(), Named { key, node }));
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(members)))
            }
            _ => Err(expected_one_of(variants)),
        }
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map
        identifier ignored_any
    }
}

fn expected_one_of(variants: &[&str]) -> Fault {
    Fault::invalid(format!("expected one of: {}", variants.join(", ")))
}
