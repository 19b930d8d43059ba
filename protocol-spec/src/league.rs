//! Leagues: rules that a village supplies, by which its members' trackers score their proofs once
//! more (`protocol-spec/docs/league.md`).
//!
//! The rules are a rule set like any other and are checked as one; what is added here is the name
//! by which people and snapshots speak of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    canonical,
    digest::Digest,
    field::{self, FieldError},
    limits::{DEPTH_MAX, LEAGUE_BYTES_MAX, LEAGUES_MAX},
    proof::is_slug,
    registration::check_display_name,
    scoring::RuleSet,
};

/// A league as a village supplies it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct League {
    /// Its slug, by which snapshots name it.
    pub league: String,
    /// The name people read; one line of at most 80 characters.
    pub name: String,
    /// By what it scores.
    pub rules: RuleSet,
}

/// The leagues of a village. Further members are allowed, so that the answer can grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeagueList {
    /// One line for each league.
    pub items: Vec<ListedLeague>,
}

/// A league as a village lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedLeague {
    /// Its slug.
    pub league: String,
    /// The name people read.
    pub name: String,
    /// The name of its rules (`SCO-RULES-002`).
    pub rules_digest: Digest,
}

impl League {
    /// Reads a league in JSON.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        let league: Self = read(bytes)?;
        check_slug(&league.league)?;
        check_name(&league.name)?;
        league.rules.check().map_err(|e| e.within("rules"))?;
        Ok(league)
    }

    /// Its line in the village's list.
    pub fn listed(&self) -> ListedLeague {
        ListedLeague {
            league: self.league.clone(),
            name: self.name.clone(),
            rules_digest: self.rules.digest(),
        }
    }
}

impl LeagueList {
    /// Reads a village's list in JSON.
    ///
    /// # Errors
    /// A [`FieldError`] naming the member that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldError> {
        let list: Self = read(bytes)?;
        if list.items.len() > LEAGUES_MAX {
            let reason = format!("a village has at most {LEAGUES_MAX} leagues");
            return Err(FieldError::new("items", reason));
        }
        let mut slugs = BTreeSet::new();
        for (n, item) in list.items.iter().enumerate() {
            let here = |error: FieldError| error.within(&format!("items[{n}]"));
            check_slug(&item.league).map_err(here)?;
            check_name(&item.name).map_err(here)?;
            if !slugs.insert(item.league.as_str()) {
                let twice = FieldError::new("league", "this league stands in the list already");
                return Err(here(twice));
            }
        }
        Ok(list)
    }
}

fn read<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, FieldError> {
    if bytes.len() > LEAGUE_BYTES_MAX {
        let reason = format!("expected at most {LEAGUE_BYTES_MAX} bytes");
        return Err(FieldError::document(reason));
    }
    field::from_value(&canonical::parse_value(bytes, DEPTH_MAX)?)
}

/// Checks a league's slug.
///
/// # Errors
/// A [`FieldError`] naming `league`.
pub fn check_slug(slug: &str) -> Result<(), FieldError> {
    if is_slug(slug) {
        return Ok(());
    }
    let reason = "expected 1 to 64 of a-z, 0-9 and -, the latter not at the ends";
    Err(FieldError::new("league", reason))
}

/// A name that people read, by the rule of registrations.
fn check_name(name: &str) -> Result<(), FieldError> {
    check_display_name(name).map_err(|error| FieldError::new("name", error.reason))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_listed_is_what_is_served() {
        let text = json!({ "league": "harvest", "name": "Harvest", "rules": RuleSet::default() });
        let league = League::parse(text.to_string().as_bytes()).unwrap();
        let list = LeagueList {
            items: vec![league.listed()],
        };
        let read = LeagueList::parse(&serde_json::to_vec(&list).unwrap()).unwrap();
        assert_eq!(read, list);
        assert_eq!(read.items[0].rules_digest, RuleSet::default().digest());
    }

    #[test]
    fn white_space_counts_towards_the_size() {
        let text = json!({ "league": "harvest", "name": "Harvest", "rules": RuleSet::default() });
        let mut bytes = text.to_string().into_bytes();
        bytes.resize(LEAGUE_BYTES_MAX, b' ');
        League::parse(&bytes).unwrap();
        bytes.push(b' ');
        assert_eq!(League::parse(&bytes).unwrap_err().field, "$");
    }
}
