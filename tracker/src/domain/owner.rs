//! What the owner decides about the farm: its name, calendar, days of rest, rules and leagues.

use farmops_ledger::{CalendarChanged, DayMarked, Event, FarmRenamed, LeagueJoined, LeagueLeft};
use farmops_protocol::{
    field::FieldError, league::check_slug, registration::check_display_name, scoring::RuleSet,
    streak::Calendar, time::Timestamp,
};
use jiff::civil::Date;
use url::Url;

use super::{refusal::Refusal, state::State};

/// How far from today a day of rest may be marked, in days: holidays are planned a year or two ahead, and
/// what was forgotten is seen within the month.
const REST_AHEAD_DAYS_MAX: i32 = 731;
/// How many days back a day of rest may be marked.
const REST_BACK_DAYS_MAX: i32 = 31;
/// Leagues that a farm may be in at once.
const LEAGUES_MAX: usize = 8;

/// Decides another name for the farm; the same name changes nothing.
pub fn decide_rename(state: &State, name: &str) -> Result<Option<Event>, Refusal> {
    check_name(name)?;
    let same = state
        .farm
        .as_ref()
        .is_some_and(|farm| farm.profile.name == name);
    let name = name.to_owned();
    Ok((!same).then_some(Event::FarmRenamed(FarmRenamed { name })))
}

/// A name that people read, by the rule of registrations.
fn check_name(name: &str) -> Result<(), FieldError> {
    check_display_name(name).map_err(|error| FieldError::new("name", error.reason))
}

/// Decides another calendar, from tomorrow on; the same one changes nothing.
pub fn decide_calendar(
    state: &State,
    time_zone: &str,
    working_days: [bool; 7],
    now: Timestamp,
) -> Result<Option<Event>, Refusal> {
    Calendar::new(time_zone, working_days)?;
    let Some(schedule) = state.farm.as_ref().map(|farm| &farm.profile.schedule) else {
        return Ok(None);
    };
    let latest = schedule.latest();
    let same = latest.time_zone == time_zone && latest.working_days == working_days;
    Ok((!same).then(|| {
        Event::CalendarChanged(CalendarChanged {
            from: schedule.day(now).tomorrow().unwrap_or(Date::MAX),
            time_zone: time_zone.to_owned(),
            working_days,
        })
    }))
}

/// Decides that `day` is one of rest, or no longer; what is so already changes nothing.
pub fn decide_rest(
    state: &State,
    day: Date,
    rest: bool,
    now: Timestamp,
) -> Result<Option<Event>, Refusal> {
    if state.known.rest_days.contains(&day) == rest {
        return Ok(None);
    }
    let today = state.farm.as_ref();
    let today = today.map(|farm| farm.profile.schedule.day(now));
    let away = today.and_then(|today| today.until(day).ok());
    let away = away.map_or(0, |span| span.get_days());
    if !(-REST_BACK_DAYS_MAX..=REST_AHEAD_DAYS_MAX).contains(&away) {
        let reason = format!(
            "a day of rest is at most {REST_BACK_DAYS_MAX} days past and {REST_AHEAD_DAYS_MAX} days ahead"
        );
        return Err(FieldError::new("date", reason).into());
    }
    Ok(Some(Event::DayMarked(DayMarked { day, rest })))
}

/// Decides other rules; they count for later proofs. The same ones change nothing.
pub fn decide_rules(state: &State, rules: RuleSet) -> Option<Event> {
    (state.rules.digest != rules.digest()).then_some(Event::RulesAdopted(rules))
}

/// A league as it is to be joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeagueOffer {
    /// Its slug.
    pub league: String,
    /// Its name for people.
    pub name: String,
    /// Its rules.
    pub rules: RuleSet,
    /// The village that runs it.
    pub village: Option<Url>,
}

/// Decides to join a league, or to take over its changed rules; joining it as it is changes nothing.
pub fn decide_join_league(state: &State, offer: LeagueOffer) -> Result<Option<Event>, Refusal> {
    check_slug(&offer.league)?;
    check_name(&offer.name)?;
    let active = |league: &&super::state::League| league.left_at.is_none();
    let joined = state.leagues.get(&offer.league).filter(active);
    if joined.is_some_and(|league| {
        league.rules.digest == offer.rules.digest()
            && league.name == offer.name
            && league.village == offer.village
    }) {
        return Ok(None);
    }
    if joined.is_none() && state.leagues.values().filter(active).count() >= LEAGUES_MAX {
        let reason = format!("the farm is in {LEAGUES_MAX} leagues; leave one first");
        return Err(FieldError::new("league", reason).into());
    }
    Ok(Some(Event::LeagueJoined(LeagueJoined {
        league: offer.league,
        name: offer.name,
        rules: offer.rules,
        village: offer.village,
    })))
}

/// Decides to take a league that a village supplies. One of the same slug that the farm is in from
/// elsewhere is another league, and stays (`LGE-TAKE-004`).
pub fn decide_take_league(state: &State, offer: LeagueOffer) -> Result<Option<Event>, Refusal> {
    let joined = state.leagues.get(&offer.league);
    let theirs = |village: &Url| joined.is_none_or(|league| league.is_free_for(village));
    if !offer.village.as_ref().is_none_or(theirs) {
        return Err(Refusal::OtherLeague);
    }
    decide_join_league(state, offer)
}

/// Decides to leave a league; what was earned in it stays.
pub fn decide_leave_league(state: &State, league: &str) -> Result<Option<Event>, Refusal> {
    match state.leagues.get(league) {
        None => Err(Refusal::NoSuchLeague),
        Some(left) if left.left_at.is_some() => Ok(None),
        Some(_) => Ok(Some(Event::LeagueLeft(LeagueLeft {
            league: league.to_owned(),
        }))),
    }
}
