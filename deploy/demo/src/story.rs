//! The story: a farmer's finished work, on its way to the page of another village.
//!
//! Each step does one thing and then asks the public HTTP interfaces until it is true, up to a
//! deadline. Every step can be played again on an older folder.

mod league;
mod leaving;
pub mod neighbours;
mod settling;
pub mod work;

use std::time::Duration;

use anyhow::Result;

use crate::journal::Journal;
use crate::world::World;

/// How long the slowest step may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Plays the whole story.
///
/// # Errors
/// The first step that did not come true.
pub async fn play(world: &mut World, journal: &mut Journal) -> Result<()> {
    journal
        .step("villages open", settling::open_villages(world))
        .await?;
    journal
        .step("trackers start", settling::start_trackers(world))
        .await?;
    journal
        .step("alertmanager starts", settling::start_alertmanager(world))
        .await?;
    journal
        .step("agents enrol", settling::start_agents(world))
        .await?;
    journal
        .step("fingerprints match", settling::approve_agents(world))
        .await?;
    journal
        .step("farms join villages", settling::join_villages(world))
        .await?;
    journal
        .step("alice takes a league", league::take(world))
        .await?;
    journal
        .step("alerts resolved", work::resolve_alerts(world))
        .await?;
    journal.step("reviews done", work::review(world)).await?;
    journal
        .step("books agree", work::count_books(world))
        .await?;
    journal
        .step("boards show farms", neighbours::boards_show(world))
        .await?;
    journal
        .step("the league counts apart", league::counts(world))
        .await?;
    journal
        .step("villages connect", neighbours::connect(world))
        .await?;
    journal
        .step("harbour follows alice", neighbours::follow(world))
        .await?;
    journal
        .step("new work travels", neighbours::new_work_travels(world))
        .await?;
    journal
        .step("one board for both", neighbours::federated_board(world))
        .await?;
    journal
        .step("pages show farms", neighbours::pages_show(world))
        .await?;
    journal
        .step("bob is sent away and taken back", leaving::sent_away(world))
        .await
}

/// Where to look, for people.
#[must_use]
pub fn addresses(world: &World) -> String {
    let cast = &world.cast;
    let alice = cast.handle_of(&cast.alice, &cast.orchard);
    format!(
        "
  Orchard                    {orchard}
  Alice's farm at home       {orchard}farmers/@{name}
  Harbour, both villages     {harbour}?scope=federated
  Alice's farm from afar     {harbour}farmers/{alice}
  Alice's tracker            {tracker}   (log in with the token in {token})
  Alertmanager               {alertmanager}
  logs                       {logs}
",
        orchard = cast.orchard.url,
        harbour = cast.harbour.url,
        name = cast.alice.handle,
        tracker = cast.alice.tracker,
        token = world.tracker(&cast.alice).token_file().display(),
        alertmanager = cast.alertmanager,
        logs = world.folder.logs().display(),
    )
}
