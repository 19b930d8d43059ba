//! What several pages show.

use farmops_farm::{alt_text, state::FarmState};
use farmops_federation::Account;

use crate::{farmer::path_of, village::Village};

/// The frame around every page.
pub(super) struct Shell {
    pub(super) village: String,
    pub(super) handle: String,
    pub(super) here: &'static str,
    pub(super) live: bool,
    pub(super) version: &'static str,
    pub(super) source: String,
}

impl Shell {
    /// The frame of the page `here`.
    pub(super) fn of(village: &Village, here: &'static str) -> Self {
        Self {
            village: village.record().name.clone(),
            handle: village
                .account()
                .map(|account| account.to_handle())
                .unwrap_or_default(),
            here,
            live: false,
            version: env!("CARGO_PKG_VERSION"),
            source: village.source_url().to_string(),
        }
    }

    /// The frame of a page that keeps itself up to date.
    pub(super) fn live(village: &Village, here: &'static str) -> Self {
        Self {
            live: true,
            ..Self::of(village, here)
        }
    }
}

/// A farm's picture: by day, by night, and in words.
#[derive(Clone)]
pub(super) struct FarmPicture {
    pub(super) day: String,
    pub(super) night: String,
    pub(super) alt: String,
    pub(super) lazy: bool,
}

impl FarmPicture {
    /// The picture of a farm whose state is at hand.
    pub(super) fn of(account: &Account, home: &str, farm: &FarmState, sequence: u64) -> Self {
        Self {
            alt: alt_text(farm),
            lazy: false,
            ..Self::small(account, home, "", sequence)
        }
    }

    /// A small picture in a list, with a short text. The sequence makes the address new when
    /// the farm changed.
    pub(super) fn small(account: &Account, home: &str, name: &str, sequence: u64) -> Self {
        let path = path_of(account, home);
        Self {
            day: format!("{path}/farm.svg?v={sequence}"),
            night: format!("{path}/farm.svg?theme=night&v={sequence}"),
            alt: format!("The farm of {name}"),
            lazy: true,
        }
    }
}

/// Something to choose: a tab, a chip.
pub(super) struct Choice {
    pub(super) label: String,
    pub(super) href: String,
    pub(super) here: bool,
}

/// A handle as its own village writes it: without the village.
pub(super) fn short_handle(account: &Account, home: &str) -> String {
    if account.host() == home {
        format!("@{}", account.name())
    } else {
        account.to_handle()
    }
}

/// The tagline, or one for villages that have written none.
pub(super) fn tagline(village: &Village) -> String {
    match village.record().description.as_str() {
        "" => "Finished operations work, grown into farms.".to_owned(),
        description => description.to_owned(),
    }
}
