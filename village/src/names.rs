//! Names: which handles a village gives away, under which account it shows a farmer of elsewhere,
//! and what of a stranger's display name it shows.

use farmops_federation::{Account, Reach, RemoteActor, account::authority};
use farmops_protocol::{
    digest::sha256,
    registration::{DISPLAY_NAME_CHARS_MAX, check_display_name},
};

/// Handles that a village keeps for itself, beside its own name: they read like offices.
const RESERVED: &[&str] = &[
    "abuse",
    "actor",
    "admin",
    "administrator",
    "all",
    "ap",
    "api",
    "everyone",
    "farmops",
    "help",
    "hostmaster",
    "inbox",
    "info",
    "instance",
    "mod",
    "moderator",
    "noreply",
    "outbox",
    "postmaster",
    "root",
    "security",
    "support",
    "system",
    "village",
    "webmaster",
];

/// Whether the village `slug` at `host` keeps this handle for itself.
pub fn is_reserved(handle: &str, slug: &str, host: &str) -> bool {
    // The server's own actor is called after its host.
    handle == slug || handle == host.replace(':', "-") || RESERVED.contains(&handle)
}

/// The handle of a village called `name`: `DevOps Friends` becomes `devops-friends`.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(32) {
        match c.to_ascii_lowercase() {
            plain if plain.is_ascii_alphanumeric() => slug.push(plain),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "village".to_owned()
    } else {
        slug.to_owned()
    }
}

/// What is shown of a name that a stranger wrote: one line, no control or reordering characters.
/// Escaping is the page's business.
pub fn shown_name(name: &str, username: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|c| check_display_name(&c.to_string()).is_ok() || *c == ' ')
        .take(DISPLAY_NAME_CHARS_MAX)
        .collect();
    let kept = kept.trim();
    if check_display_name(kept).is_ok() {
        kept.to_owned()
    } else {
        username
            .chars()
            .filter(char::is_ascii_graphic)
            .take(64)
            .collect()
    }
}

/// The account under which to show a farmer whom the village at `relay` announced.
///
/// A village speaks for the names at its own host and for no others: a claim to any other host,
/// ours included, falls back to the name at the farmer's own tracker.
pub fn account_of_announced(actor: &RemoteActor, relay: &str, reach: Reach) -> Option<Account> {
    match &actor.account {
        Some(claimed) if claimed.host() == relay => Some(claimed.clone()),
        _ => account_at_tracker(actor, reach),
    }
}

/// The account that an actor's user name and host imply.
pub fn account_at_tracker(actor: &RemoteActor, reach: Reach) -> Option<Account> {
    let host = authority(&actor.id)?;
    Account::parse(&format!("{}@{host}", actor.username), reach).ok()
}

/// A name for an actor whose account another one has already: the same host, a name of its own.
pub fn account_of_last_resort(actor: &RemoteActor, reach: Reach) -> Option<Account> {
    let host = authority(&actor.id)?;
    let mark = sha256(actor.id.as_str().as_bytes()).to_string();
    Account::parse(&format!("farmer-{}@{host}", &mark[..12]), reach).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_village_keeps_its_own_names() {
        assert!(is_reserved("orchard", "orchard", "orchard.example"));
        assert!(is_reserved(
            "orchard.localhost-8080",
            "orchard",
            "orchard.localhost:8080"
        ));
        assert!(is_reserved("admin", "orchard", "orchard.example"));
        assert!(!is_reserved("alice", "orchard", "orchard.example"));
    }

    #[test]
    fn slugs_are_handles() {
        for (name, slug) in [
            ("Orchard", "orchard"),
            ("DevOps Friends!", "devops-friends"),
            ("  Ünder  the hill ", "nder-the-hill"),
            ("果樹園", "village"),
        ] {
            assert_eq!(slug_of(name), slug);
            assert!(farmops_protocol::registration::check_handle(&slug_of(name)).is_ok());
        }
    }

    #[test]
    fn strange_names_become_one_plain_line() {
        assert_eq!(shown_name("Alice\u{202e}\n & Bob ", "alice"), "Alice & Bob");
        assert_eq!(shown_name("\u{0}\n", "alice"), "alice");
        assert_eq!(shown_name(&"x".repeat(500), "alice").len(), 80);
        assert_eq!(shown_name("<script>", "alice"), "<script>");
    }
}
