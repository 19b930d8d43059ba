//! An arrangement as one small canonical JSON value, to be published beside a farm's figures.
//!
//! `{"names":{"barn.1":"Old Red"},"places":{"barn.1":[8,1]},"shed":["silo.1"],"version":1}`: places are
//! cells; pieces that nobody mentions are where they usually are.

use std::collections::{BTreeMap, BTreeSet};

use farmops_protocol::{canonical, field::FieldError, limits::DEPTH_MAX};
use serde::{Deserialize, Serialize};

use super::{Arrangement, Instance, NAME_CHARS_MAX, Spot, Wish};
use crate::{catalogue::Owned, grid::Cell};

/// Bytes of an arrangement as JSON.
pub const ARRANGEMENT_BYTES_MAX: usize = 16 * 1024;

/// Members of each part of an arrangement as JSON.
const MEMBERS_MAX: usize = 512;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    places: BTreeMap<String, [u8; 2]>,
    #[serde(default)]
    shed: BTreeSet<String>,
    version: u8,
}

impl Arrangement {
    /// The arrangement in canonical JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let named = |instance: &Instance, name: &Option<String>| {
            name.clone().map(|name| (instance.to_string(), name))
        };
        let standing = self.placed.iter().map(|p| named(&p.instance, &p.name));
        let stored = self.shed.iter().map(|s| named(&s.instance, &s.name));
        let place = |p: &super::Placed| (p.instance.to_string(), [p.cell.x, p.cell.y]);
        let document = Document {
            names: standing.chain(stored).flatten().collect(),
            places: self.placed.iter().map(place).collect(),
            shed: self.shed.iter().map(|s| s.instance.to_string()).collect(),
            version: 1,
        };
        // Texts, small integers and nothing else: the canonical form always exists.
        canonical::to_vec(&document).unwrap_or_default()
    }

    /// Reads an arrangement and makes it one of this farm: what is not owned, overlaps or lies off the
    /// grid is put right, never believed.
    ///
    /// # Errors
    /// A [`FieldError`] when it is not of the form above.
    pub fn from_json(bytes: &[u8], owned: &[Owned], farm_level: u64) -> Result<Self, FieldError> {
        if bytes.len() > ARRANGEMENT_BYTES_MAX {
            return Err(FieldError::document("an arrangement is at most 16 KiB"));
        }
        let value = canonical::parse_value(bytes, DEPTH_MAX)?;
        let document: Document = serde_json::from_value(value)
            .map_err(|_| FieldError::document("not an arrangement"))?;
        if document.version != 1 {
            return Err(FieldError::new("version", "expected 1"));
        }
        check_members("names", document.names.keys())?;
        check_members("places", document.places.keys())?;
        check_members("shed", document.shed.iter())?;
        if document
            .names
            .values()
            .any(|n| n.chars().count() > NAME_CHARS_MAX)
        {
            return Err(FieldError::new("names", "a name is at most 40 characters"));
        }
        Ok(Self::of(owned, farm_level, |instance| {
            let key = instance.to_string();
            let spot = if document.shed.contains(&key) {
                Spot::Shed
            } else {
                match document.places.get(&key) {
                    Some([x, y]) => Spot::At(Cell { x: *x, y: *y }, 0),
                    None => Spot::Usual,
                }
            };
            let name = document.names.get(&key).cloned();
            Wish { spot, name }
        }))
    }
}

fn check_members<'a>(
    part: &str,
    keys: impl ExactSizeIterator<Item = &'a String>,
) -> Result<(), FieldError> {
    if keys.len() > MEMBERS_MAX {
        return Err(FieldError::new(part, "at most 512 pieces"));
    }
    for key in keys {
        key.parse::<Instance>()
            .map_err(|error| FieldError::new(part, error.to_string()))?;
    }
    Ok(())
}
