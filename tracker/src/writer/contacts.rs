//! When agents were last heard of. An agent says hello every few minutes, so a long silence means that it
//! or the way to it was down, and that nobody can say what was done meanwhile.

use std::collections::BTreeMap;

use farmops_ledger::AgentOutage;
use farmops_protocol::time::Timestamp;
use uuid::Uuid;

/// The shortest silence that is recorded, in seconds: half a day, which is what makes a day neutral.
const OUTAGE_S: i64 = 12 * 3600;
/// How often, at most, a contact is written down, in seconds.
const KEEP_EVERY_S: i64 = 300;

/// When each agent was last heard of, and when that was last written down.
#[derive(Debug, Default)]
pub(super) struct Contacts(BTreeMap<Uuid, Contact>);

#[derive(Debug, Clone, Copy)]
struct Contact {
    heard_at: Timestamp,
    kept_at: Timestamp,
}

/// What a contact amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// The silence that it ended.
    pub(super) outage: Option<AgentOutage>,
    /// Whether it is to be written down.
    pub(super) keep: bool,
}

impl Contacts {
    pub(super) fn new(kept: BTreeMap<Uuid, Timestamp>) -> Self {
        let contact = |at| Contact {
            heard_at: at,
            kept_at: at,
        };
        Self(kept.into_iter().map(|(id, at)| (id, contact(at))).collect())
    }

    /// When it was last heard of.
    pub(super) fn heard_at(&self, agent_id: Uuid) -> Option<Timestamp> {
        self.0.get(&agent_id).map(|contact| contact.heard_at)
    }

    pub(super) fn hear(&mut self, agent_id: Uuid, now: Timestamp) -> Heard {
        let before = self.0.get(&agent_id).copied();
        let silence = before.map_or(0, |contact| now.seconds_since(contact.heard_at));
        let outage = before
            .filter(|_| silence > OUTAGE_S)
            .map(|contact| AgentOutage {
                agent_id,
                from: contact.heard_at,
                until: now,
            });
        let age = before.map(|contact| now.seconds_since(contact.kept_at));
        let keep = outage.is_some() || age.is_none_or(|age| age >= KEEP_EVERY_S);
        let kept_at = before
            .filter(|_| !keep)
            .map_or(now, |contact| contact.kept_at);
        let contact = Contact {
            heard_at: now,
            kept_at,
        };
        self.0.insert(agent_id, contact);
        Heard { outage, keep }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn half_a_day_of_silence_is_an_outage_and_what_was_written_down_bounds_it() {
        let start: Timestamp = "2026-02-20T09:00:00Z".parse().unwrap();
        let id = Uuid::nil();
        let mut contacts = Contacts::new(BTreeMap::new());
        let mut hear = |seconds| contacts.hear(id, start.saturating_add(seconds));
        assert_eq!(
            hear(0),
            Heard {
                outage: None,
                keep: true
            }
        );
        assert_eq!(
            hear(299),
            Heard {
                outage: None,
                keep: false
            }
        );
        assert_eq!(
            hear(300),
            Heard {
                outage: None,
                keep: true
            }
        );
        assert_eq!(hear(300 + OUTAGE_S).outage, None);
        let later = 300 + OUTAGE_S + OUTAGE_S + 1;
        let outage = hear(later).outage.unwrap();
        assert_eq!(outage.from, start.saturating_add(300 + OUTAGE_S));
        assert_eq!(outage.until, start.saturating_add(later));
        assert_eq!(
            hear(later + 1),
            Heard {
                outage: None,
                keep: false
            }
        );
    }
}
