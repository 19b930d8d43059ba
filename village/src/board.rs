//! Leaderboards: what they are sorted by, who stands on them, and where a page of one continues.

use std::{fmt, str::FromStr};

use farmops_federation::{Account, Timestamp};
use farmops_protocol::{field::FieldError, proof::Category};
use serde::{Deserialize, Serialize};

use crate::{
    farmer::{FarmerId, words},
    limits::CURSOR_CHARS_MAX,
};

words! {
    /// Which farmers a board ranks.
    Scope {
        /// The village's members.
        Local = "local",
        /// Members, followed farmers and those of peers.
        Federated = "federated",
    }
}

/// What a board is sorted by; always the highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Coins earned in all.
    Coins,
    /// Days of the current streak.
    Streak,
    /// The farm's level.
    Level,
    /// Coins earned in one category.
    Category(Category),
}

impl Sort {
    /// The word without the category, for SQL.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Coins => "coins",
            Self::Streak => "streak",
            Self::Level => "level",
            Self::Category(_) => "category",
        }
    }

    /// The category, or an empty word.
    pub(crate) fn category(self) -> &'static str {
        match self {
            Self::Category(category) => category.as_str(),
            _ => "",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Category(category) => write!(f, "category:{category}"),
            other => f.write_str(other.kind()),
        }
    }
}

impl FromStr for Sort {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let known = match text {
            "coins" => Some(Self::Coins),
            "streak" => Some(Self::Streak),
            "level" => Some(Self::Level),
            other => other
                .strip_prefix("category:")
                .and_then(|name| name.parse().ok())
                .map(Self::Category),
        };
        known.ok_or_else(|| {
            FieldError::new("sort", "expected coins, streak, level or category:<name>")
        })
    }
}

/// Checks the name of a season, like `2026-Q4`.
pub fn check_season(text: &str) -> Result<(), FieldError> {
    match text.as_bytes() {
        [year @ .., b'-', b'Q', b'1'..=b'4']
            if year.len() == 4 && year.iter().all(u8::is_ascii_digit) =>
        {
            Ok(())
        }
        _ => Err(FieldError::new(
            "season",
            "expected a year and quarter like 2026-Q4",
        )),
    }
}

/// Which board is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// Which farmers.
    pub scope: Scope,
    /// In which order.
    pub sort: Sort,
    /// Only what counted towards this season; otherwise the newest of each farm.
    pub season: Option<String>,
}

/// One line of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardEntry {
    /// 1 for the best; equals share a rank and the next ranks are left out.
    pub rank: u64,
    /// What the board is sorted by.
    pub value: u64,
    /// Who.
    pub farmer: FarmerId,
    /// Her handle.
    pub account: Account,
    /// Her name.
    pub display_name: String,
    /// Whether she is a member of this village.
    pub member: bool,
    /// The village that announces her, where one does.
    pub origin: Option<String>,
    /// Coins earned in all.
    pub total_coins: u64,
    /// Days of the current streak.
    pub streak_days: u64,
    /// The farm's level.
    pub level: u64,
    /// The season it counts towards.
    pub season: String,
    /// The snapshot's sequence.
    pub sequence: u64,
    /// When the snapshot was made.
    pub published_at: Timestamp,
}

/// Where a page of a board begins: after this line of this board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardCursor {
    /// The board it belongs to, so that it is not used on another.
    board: String,
    pub(crate) value: u64,
    pub(crate) coins: u64,
    pub(crate) handle: String,
}

impl BoardCursor {
    /// The cursor after `entry` of `board`.
    pub fn after(board: &Board, entry: &BoardEntry) -> Self {
        Self {
            board: label(board),
            value: entry.value,
            coins: entry.total_coins,
            handle: entry.account.to_string(),
        }
    }

    /// Reads a cursor made for this very board.
    pub fn read(text: &str, board: &Board) -> Result<Self, FieldError> {
        let cursor: Self = read_cursor(text)?;
        // SQL holds integers up to 2^63 - 1; ours end at 2^53 - 1.
        let safe = |n: u64| n <= farmops_protocol::limits::INTEGER_MAX;
        if cursor.board == label(board) && safe(cursor.value) && safe(cursor.coins) {
            Ok(cursor)
        } else {
            Err(FieldError::new("cursor", "belongs to another board"))
        }
    }
}

fn label(board: &Board) -> String {
    format!(
        "{} {} {}",
        board.scope,
        board.sort,
        board.season.as_deref().unwrap_or("newest")
    )
}

/// The opaque text of a cursor.
pub fn write_cursor(cursor: &impl Serialize) -> String {
    // Structs of text and integers always serialise.
    hex::encode(serde_json::to_vec(cursor).unwrap_or_default())
}

/// Reads what [`write_cursor`] wrote.
pub fn read_cursor<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, FieldError> {
    let refuse = || FieldError::new("cursor", "is not one that this server gave out");
    if text.len() > CURSOR_CHARS_MAX * 2 {
        return Err(refuse());
    }
    let bytes = hex::decode(text).map_err(|_| refuse())?;
    serde_json::from_slice(&bytes).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn sorts_have_one_spelling() {
        for text in ["coins", "streak", "level", "category:security"] {
            assert_eq!(text.parse::<Sort>().unwrap().to_string(), text);
        }
        for text in ["", "Coins", "category:", "category:Coins", "coins desc"] {
            assert_eq!(text.parse::<Sort>().unwrap_err().field, "sort", "{text}");
        }
    }

    #[test]
    fn seasons_are_quarters() {
        assert!(check_season("2026-Q4").is_ok());
        for text in ["", "2026", "2026-Q5", "26-Q1", "2026-q1", "2026-Q1 "] {
            assert!(check_season(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cursor_works_on_its_own_board_only() {
        let board = Board {
            scope: Scope::Local,
            sort: Sort::Coins,
            season: None,
        };
        let cursor = BoardCursor {
            board: label(&board),
            value: 7,
            coins: 7,
            handle: "alice@orchard.example".to_owned(),
        };
        let text = write_cursor(&cursor);
        assert_eq!(BoardCursor::read(&text, &board).unwrap(), cursor);
        let other = Board {
            scope: Scope::Federated,
            ..board.clone()
        };
        assert!(BoardCursor::read(&text, &other).is_err());
        for text in ["", "zz", "7b7d", &"00".repeat(2000)] {
            assert_eq!(BoardCursor::read(text, &board).unwrap_err().field, "cursor");
        }
    }
}
