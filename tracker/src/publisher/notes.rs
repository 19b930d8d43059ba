//! What followers that are no village read: the week's card and milestones, as plain notes.

use askama::Template;
use farmops_farm::achievements::Achievement;
use farmops_protocol::{
    field::FieldError,
    snapshot::{SnapshotDocument, context},
    time::Timestamp,
};
use serde_json::{Value, json};

use super::{
    Publisher,
    snapshot::{PUBLIC, followers, picture},
};
use crate::{domain::FarmView, site::NOTES, store::Notice, writer::Glimpse};

/// A note, ready to be written and sent.
pub(super) struct Note {
    pub(super) notice: Notice,
    pub(super) value: Value,
}

#[derive(Template)]
#[template(path = "post_card.html")]
struct Card<'a> {
    farm: &'a FarmView,
    level: u64,
    streak: u32,
}

#[derive(Template)]
#[template(path = "post_milestone.html")]
struct Milestone<'a> {
    farm: &'a FarmView,
    level_reached: Option<u64>,
    badges: Vec<&'static Achievement>,
}

/// The key of the card for the farmer's week that `now` lies in: `card-2026-W47`.
pub(super) fn card_key(farm: &FarmView, now: Timestamp) -> String {
    let week = farm.profile.schedule.day(now).iso_week_date();
    format!("card-{:04}-W{:02}", week.year(), week.week())
}

pub(super) fn card(
    publisher: &Publisher,
    farm: &FarmView,
    key: &str,
    earlier: Option<&Notice>,
    now: Timestamp,
) -> Result<Note, FieldError> {
    let text = Card {
        farm,
        level: farm.level(),
        streak: farm.streak_days(now),
    };
    let content = text.render().map_err(broken)?;
    note(publisher, farm, key, &content, earlier, now)
}

/// A note about what was reached since the last snapshot, if anything was. Comparing with what was
/// published makes each milestone one note, whatever happens in between.
pub(super) fn milestone(
    publisher: &Publisher,
    glimpse: &Glimpse,
    farm: &FarmView,
    sequence: u64,
    now: Timestamp,
) -> Result<Option<Note>, FieldError> {
    let last = glimpse
        .published
        .as_ref()
        .map(|p| SnapshotDocument::parse(&p.document))
        .transpose()?;
    let (level_before, had) = last.as_ref().map_or((1, &[][..]), |last| {
        (
            last.snapshot().level.value(),
            &last.snapshot().achievements[..],
        )
    });
    let text = Milestone {
        farm,
        level_reached: (farm.level() > level_before).then(|| farm.level()),
        badges: farm
            .achievements()
            .into_iter()
            .filter(|badge| !had.iter().any(|slug| slug == badge.slug))
            .collect(),
    };
    if text.level_reached.is_none() && text.badges.is_empty() {
        return Ok(None);
    }
    let content = text.render().map_err(broken)?;
    note(
        publisher,
        farm,
        &format!("milestone-{sequence}"),
        &content,
        None,
        now,
    )
    .map(Some)
}

fn note(
    publisher: &Publisher,
    farm: &FarmView,
    key: &str,
    content: &str,
    earlier: Option<&Notice>,
    now: Timestamp,
) -> Result<Note, FieldError> {
    let id = publisher.federation.object_id(NOTES, key).to_string();
    let published_at = earlier.map_or(now, |notice| notice.published_at);
    let picture = picture(publisher, farm, now);
    let mut value = json!({
        "@context": context(),
        "id": id,
        "type": "Note",
        "attributedTo": publisher.site.actor().as_str(),
        "published": published_at.to_string(),
        "to": [PUBLIC],
        "cc": [followers(publisher)],
        "url": publisher.site.page().as_str(),
        "content": content,
        "attachment": [picture],
    });
    if let (Some(_), Some(members)) = (earlier, value.as_object_mut()) {
        members.insert("updated".to_owned(), json!(now.to_string()));
    }
    Ok(Note {
        notice: Notice {
            key: key.to_owned(),
            object_id: id,
            revision: earlier.map_or(0, |notice| notice.revision) + 1,
            published_at,
            updated_at: now,
            document: farmops_protocol::canonical::to_vec(&value)?,
        },
        value,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn broken(error: askama::Error) -> FieldError {
    FieldError::new("content", error.to_string())
}
