//! The whole run: the story, the checks, the faults, and staying up for whoever wants to look.

use anyhow::{Context, Result, bail};

use crate::args::Args;
use crate::journal::Journal;
use crate::world::World;
use crate::{faults, story};

/// Runs the demo as `args` says, until it is done or somebody stops it.
///
/// # Errors
/// The first step that did not come true; every program has been stopped by then.
pub fn run(args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stop = farmops_service::stop::on_signal()?;
        let mut world = World::open(args)?;
        let mut journal = Journal::default();
        println!(
            "the demo keeps everything in {}\n",
            world.folder.path.display()
        );
        let result = tokio::select! {
            result = acts(args, &mut world, &mut journal) => result,
            () = stop.cancelled() => Err(anyhow::anyhow!("stopped by a signal")),
        };
        if let Err(error) = &result {
            tell_why(&mut world, error);
        } else if !args.check {
            println!("{}\nCtrl-C stops everything.", story::addresses(&world));
            stop.cancelled().await;
        }
        let forced = world.stop().await;
        if args.check || result.is_err() {
            println!("\n{}", journal.table());
        }
        result?;
        if !forced.is_empty() {
            bail!("these did not stop when asked: {}", forced.join(", "));
        }
        Ok(())
    })
}

async fn acts(args: &Args, world: &mut World, journal: &mut Journal) -> Result<()> {
    story::play(world, journal).await?;
    if args.check {
        journal.step("conformance", conformance(world)).await?;
    }
    if args.kills > 0 {
        let seed = args.seed.unwrap_or_else(rand::random);
        journal
            .step("kill -9 at random", faults::kill(world, args.kills, seed))
            .await?;
        journal
            .step("a tracker that was away", faults::away(world))
            .await?;
    }
    let fallen = world.fallen();
    if !fallen.is_empty() {
        bail!("programs ended by themselves:\n{}", fallen.join("\n"));
    }
    Ok(())
}

/// The suite that third parties prove their servers with, against these servers.
async fn conformance(world: &mut World) -> Result<String> {
    let cast = &world.cast;
    let mut line = vec!["run", "--allow-loopback", "--join", "--json"];
    for (farmer, village) in cast.farmers() {
        line.extend(["--tracker", farmer.tracker.as_str()]);
        line.extend(["--village", village.url.as_str()]);
    }
    let report = world.run("farmops-conformance", &line).await?;
    let targets: Vec<serde_json::Value> =
        serde_json::from_str(&report).context("the report of farmops-conformance")?;
    let lines = targets
        .iter()
        .filter_map(|target| target["lines"].as_array());
    let results: Vec<&str> = lines
        .flatten()
        .filter_map(|line| line["result"].as_str())
        .collect();
    let passed = results.iter().filter(|result| **result == "pass").count();
    let skipped = results.iter().filter(|result| **result == "skip").count();
    Ok(format!(
        "{} servers, {passed} checks passed, {skipped} skipped, {} failed",
        targets.len(),
        results.len() - passed - skipped
    ))
}

/// Shows the programs that fell, or the ends of the logs of those that the error names.
fn tell_why(world: &mut World, error: &anyhow::Error) {
    let mut told = world.fallen();
    if told.is_empty() {
        let said = format!("{error:#}").to_lowercase();
        let cast = ["alice", "bob", "orchard", "harbour", "alertmanager"];
        let named: Vec<&str> = cast
            .into_iter()
            .filter(|name| said.contains(name))
            .collect();
        told = world.tails(&named);
    }
    for log in told {
        println!("\n── {log}");
    }
    println!("\nall logs: {}", world.folder.logs().display());
}
