//! The leagues that the village's people run: read once, at the start, from files in the form in
//! which they are served (`LGE-FORM-001`).

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use farmops_protocol::{
    league::{League, LeagueList},
    limits::{LEAGUE_BYTES_MAX, LEAGUES_MAX},
};

use crate::config::Unfit;

/// The setting that names the files.
const KEY: &str = "leagues";

/// The leagues by their slugs. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Leagues(Arc<BTreeMap<String, League>>);

impl Leagues {
    /// Reads the files, one league each.
    ///
    /// # Errors
    /// [`Unfit`], with the file, the member that breaks a rule, and what would be right.
    pub fn read(files: &[PathBuf]) -> Result<Self, Unfit> {
        if files.len() > LEAGUES_MAX {
            let reason = format!("a village has at most {LEAGUES_MAX} leagues; leave some out");
            return Err(Unfit::new(KEY, reason));
        }
        let mut leagues = BTreeMap::new();
        for file in files {
            let unfit = |reason: String| Unfit::new(KEY, format!("{}: {reason}", file.display()));
            let league = read_one(file).map_err(unfit)?;
            match leagues.entry(league.league.clone()) {
                Entry::Vacant(place) => {
                    place.insert(league);
                }
                Entry::Occupied(taken) => {
                    let slug = taken.key();
                    return Err(unfit(format!(
                        "`league`: another file has the league {slug} already; give each a slug of its own"
                    )));
                }
            }
        }
        Ok(Self(Arc::new(leagues)))
    }

    /// The league of this slug.
    pub fn named(&self, slug: &str) -> Option<&League> {
        self.0.get(slug)
    }

    /// All of them, as they are listed.
    pub fn list(&self) -> LeagueList {
        LeagueList {
            items: self.0.values().map(League::listed).collect(),
        }
    }
}

fn read_one(path: &Path) -> Result<League, String> {
    let mut bytes = Vec::new();
    // One more than is allowed tells that there is more.
    let bound = LEAGUE_BYTES_MAX as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(bound).read_to_end(&mut bytes))
        .map_err(|error| format!("it cannot be read: {error}"))?;
    League::parse(&bytes).map_err(|error| match error.field.as_str() {
        "$" => format!("this is no league: {}", error.reason),
        field => format!("`{field}`: {}", error.reason),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use farmops_protocol::scoring::RuleSet;
    use serde_json::{Value, json};
    use tempfile::TempDir;

    use super::*;

    fn league(slug: &str) -> Value {
        json!({ "league": slug, "name": "Harvest league", "rules": RuleSet::default() })
    }

    fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn each_file_is_a_league() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["harvest", "autumn"]
            .map(|slug| written(&folder, slug, &format!("{:#}", league(slug))));
        let leagues = Leagues::read(&files).unwrap();
        let list = leagues.list().items;
        assert_eq!(list[0].league, "autumn");
        assert_eq!(list[1].rules_digest, RuleSet::default().digest());
        assert_eq!(leagues.named("harvest").unwrap().name, "Harvest league");
        assert!(leagues.named("spring").is_none());
        assert!(Leagues::read(&[]).unwrap().list().items.is_empty());
    }

    #[test]
    fn what_is_wrong_names_setting_file_and_member() {
        let folder = tempfile::tempdir().unwrap();
        let dear = league("harvest").to_string().replace(":15,", ":2000000,");
        let nameless = league("harvest").to_string().replace("Harvest league", "");
        let long = format!("{}{}", league("harvest"), " ".repeat(LEAGUE_BYTES_MAX));
        for (name, text, said) in [
            (
                "dear",
                dear.as_str(),
                "`rules.base_coins.toil`: a base rate is at most",
            ),
            (
                "nameless",
                &nameless,
                "`name`: expected one line of 1 to 80",
            ),
            ("text", "toil = 15", "this is no league: "),
            (
                "long",
                &long,
                "this is no league: expected at most 65536 bytes",
            ),
        ] {
            let file = written(&folder, name, text);
            let error = Leagues::read(&[file]).unwrap_err().to_string();
            let place = format!("`leagues`: {}: ", folder.path().join(name).display());
            let found = error.strip_prefix(&place);
            assert!(found.is_some_and(|rest| rest.starts_with(said)), "{error}");
        }
        let absent = folder.path().join("absent");
        let error = Leagues::read(&[absent]).unwrap_err().to_string();
        assert!(error.contains("absent: it cannot be read: "), "{error}");
    }

    #[test]
    fn a_slug_belongs_to_one_file_and_there_are_not_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let text = league("harvest").to_string();
        let files = ["one", "two"].map(|name| written(&folder, name, &text));
        let error = Leagues::read(&files).unwrap_err().to_string();
        assert!(error.contains("two: `league`: another file has"), "{error}");
        let many = vec![files[0].clone(); LEAGUES_MAX + 1];
        let error = Leagues::read(&many).unwrap_err().to_string();
        assert!(error.contains("at most 16 leagues"), "{error}");
    }
}
