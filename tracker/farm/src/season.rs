//! The four seasons of the year, as far as the farm shows them.

/// A season: a calendar quarter. The farm lies in the northern half of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Season {
    /// January to March.
    Winter,
    /// April to June.
    Spring,
    /// July to September.
    #[default]
    Summer,
    /// October to December.
    Autumn,
}

impl Season {
    /// Every season, in the order of the calendar.
    pub const ALL: [Self; 4] = [Self::Winter, Self::Spring, Self::Summer, Self::Autumn];

    /// The season of a calendar quarter from 1 to 4.
    pub fn from_quarter(quarter: u8) -> Option<Self> {
        let index = usize::from(quarter).checked_sub(1)?;
        Self::ALL.get(index).copied()
    }

    /// The season of a snapshot's `farm:season`, like `2026-Q4`.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, quarter) = text.split_once("-Q")?;
        Self::from_quarter(quarter.parse().ok()?)
    }

    /// Its English name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Winter => "winter",
            Self::Spring => "spring",
            Self::Summer => "summer",
            Self::Autumn => "autumn",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Season;

    #[test]
    fn quarters_have_seasons() {
        assert_eq!(Season::parse("2026-Q1"), Some(Season::Winter));
        assert_eq!(Season::parse("2026-Q4"), Some(Season::Autumn));
        for text in ["", "2026", "2026-Q0", "2026-Q5", "2026-Q", "Q", "2026-Qx"] {
            assert_eq!(Season::parse(text), None, "{text}");
        }
    }
}
