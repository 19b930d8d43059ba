//! `proofs`: what the agents sent, and whether all of it still holds.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use farmops_protocol::{digest::Digest, time::Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    client::Client,
    output::{Output, line},
    remote::Remote,
    upkeep::ArchivedArgs,
};
use crate::{
    archive::Archives,
    audit::{Audit, Report},
    domain::ProofRow,
    http::{
        ledger::{self, PAGE_MAX, Page},
        proofs,
    },
    store::{Database, LedgerLine, LineBody, ProofFilter},
};

/// Proofs read at once from a database.
const ROWS_MAX: u32 = 1000;

#[derive(Debug, Subcommand)]
pub(super) enum ProofsCommand {
    /// List the latest proofs.
    List(Wanted),
    /// Show one proof.
    Show {
        /// The proof's id.
        id: Uuid,
    },
    /// Check every signature, chain link and score again.
    Verify {
        /// Check this database instead of a running tracker.
        #[arg(long = "db", value_name = "URL")]
        from_db: Option<String>,
        #[command(flatten)]
        archived: ArchivedArgs,
    },
}

/// Which proofs to list.
#[derive(Debug, Args)]
pub(super) struct Wanted {
    /// Only those of this agent.
    #[arg(long)]
    agent: Option<Uuid>,
    /// Only those of this category.
    #[arg(long)]
    category: Option<String>,
    /// Only work finished since then, like 2026-02-21T09:30:00Z.
    #[arg(long)]
    since: Option<String>,
    /// At most this many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl ProofsCommand {
    pub(super) async fn run(self, remote: &Remote) -> anyhow::Result<ExitCode> {
        let output = remote.output();
        match self {
            Self::List(wanted) => list(&remote.client()?, &wanted, output).await,
            Self::Show { id } => show(&remote.client()?, id).await,
            Self::Verify {
                from_db: Some(url),
                archived,
            } => report(&verify_database(&url, &archived).await?, output),
            Self::Verify {
                from_db: None,
                archived,
            } => report(&verify_server(&remote.client()?, &archived).await?, output),
        }
    }
}

impl Wanted {
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string());
        if let Some(agent) = self.agent {
            query.append_pair("agent", &agent.to_string());
        }
        if let Some(category) = &self.category {
            query.append_pair("category", category);
        }
        if let Some(since) = &self.since {
            query.append_pair("since", since);
        }
        query.finish()
    }
}

async fn list(client: &Client, wanted: &Wanted, output: Output) -> anyhow::Result<ExitCode> {
    let answer: Box<RawValue> = client.get(&format!("proofs?{}", wanted.query())).await?;
    if output.json {
        line(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    let answer: Value = serde_json::from_str(answer.get())?;
    let proofs = answer["proofs"].as_array().map_or(&[][..], Vec::as_slice);
    if proofs.is_empty() {
        line("No proof is like that.");
    }
    for proof in proofs {
        let text = |name: &str| proof[name].as_str().unwrap_or_default();
        line(format_args!(
            "{}  {}  {:11} {:>6}  {}",
            text("timestamp"),
            text("proof_id"),
            text("category"),
            proof["coins"],
            proof["proof"]["action"]["description"]
                .as_str()
                .unwrap_or("(archived)"),
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(client: &Client, id: Uuid) -> anyhow::Result<ExitCode> {
    let answer: Box<RawValue> = client.get(&format!("proofs/{id}")).await?;
    line(&answer);
    Ok(ExitCode::SUCCESS)
}

#[derive(Deserialize)]
struct Farm {
    total_coins: u64,
    ledger_size: u64,
}

/// An entry on its way into an audit.
struct Line<'a> {
    position: u64,
    kind: &'a str,
    recorded_at: Timestamp,
    body: Option<&'a [u8]>,
    /// Of an archived body.
    commitment: Option<Digest>,
}

impl Line<'_> {
    /// Follows the entry by what it says, here or in an archive, or else by its row.
    fn follow(&self, audit: &mut Audit, archives: &Archives) -> anyhow::Result<()> {
        let (position, kind, at) = (self.position, self.kind, self.recorded_at);
        let archived = match self.body {
            Some(_) => None,
            None => archives.find(position)?,
        };
        match (self.body.or(archived.as_deref()), self.commitment) {
            (None, Some(commitment)) => drop(audit.archived(position, kind, at, commitment)),
            (body, _) => drop(audit.line(position, kind, at, body.unwrap_or_default())),
        }
        Ok(())
    }
}

/// Checks what a running tracker holds, up to the entry it had when the check began.
async fn verify_server(client: &Client, archived: &ArchivedArgs) -> anyhow::Result<Report> {
    let farm: Farm = client.get("farm").await?;
    let mut audit = Audit::default();
    let mut archives = Archives::default();
    let mut after = 0;
    while after < farm.ledger_size {
        let limit = u64::from(PAGE_MAX).min(farm.ledger_size - after);
        let page: Page = client
            .get(&format!("ledger?after={after}&limit={limit}"))
            .await?;
        let Some(last) = page.entries.last().map(|line| line.position) else {
            break;
        };
        let lines: Vec<_> = page.entries.iter().map(Line::from).collect();
        if let Some(first) = lines.first().filter(|first| first.position == 1) {
            archives = archived.open_of(first.kind, first.body)?;
        }
        if audit.needs_rows() || lines.iter().any(|line| line.body.is_none()) {
            audit.know_rows(rows_between(client, after, last).await?);
        }
        for line in &lines {
            line.follow(&mut audit, &archives)?;
        }
        after = last;
    }
    let mut cursor = None;
    loop {
        let query = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page: proofs::Page = client.get(&format!("proofs?limit=200{query}")).await?;
        for proof in page
            .proofs
            .iter()
            .filter(|proof| proof.position <= farm.ledger_size)
        {
            audit.awarded(proof.position, proof.proof_id, proof.coins);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(audit.finish(farm.total_coins, farm.ledger_size))
}

/// The rows of the proofs after `after`, up to `last`: the pages from there back.
async fn rows_between(client: &Client, after: u64, last: u64) -> anyhow::Result<Vec<ProofRow>> {
    let (mut rows, mut cursor) = (Vec::new(), Some(proofs::write_cursor(last + 1)));
    while let Some(at) = cursor {
        let page: proofs::Page = client.get(&format!("proofs?limit=200&cursor={at}")).await?;
        let wanted = page.proofs.iter().filter(|proof| proof.position > after);
        let before = rows.len();
        rows.extend(wanted.map(proofs::Shown::row));
        let whole = rows.len() - before == page.proofs.len();
        cursor = page.next.filter(|_| whole);
    }
    Ok(rows)
}

impl<'a> From<&'a ledger::Line> for Line<'a> {
    fn from(line: &'a ledger::Line) -> Self {
        Self {
            position: line.position,
            kind: &line.kind,
            recorded_at: line.recorded_at,
            body: line.body.as_ref().map(|body| body.get().as_bytes()),
            commitment: line.commitment,
        }
    }
}

impl<'a> From<&'a LedgerLine> for Line<'a> {
    fn from(line: &'a LedgerLine) -> Self {
        Self {
            position: line.position,
            kind: &line.kind,
            recorded_at: line.recorded_at,
            body: line.body.bytes(),
            commitment: match &line.body {
                LineBody::Here(_) => None,
                LineBody::Archived(commitment) => Some(*commitment),
            },
        }
    }
}

/// Checks a database that no tracker needs to be running on.
async fn verify_database(url: &str, archived: &ArchivedArgs) -> anyhow::Result<Report> {
    let reads = Database::inspect(url).await?;
    let archives = archived.open(&*reads).await?;
    let farm = reads.farm().await?;
    let (coins, size) = farm.map_or((0, 0), |farm| (farm.coins.earned, farm.ledger_size));
    let mut audit = Audit::default();
    let mut after = 0;
    while after < size {
        let lines = reads.ledger(after, ROWS_MAX).await?;
        let Some(last) = lines.last().map(|line| line.position) else {
            break;
        };
        if audit.needs_rows() || lines.iter().any(|line| line.body.bytes().is_none()) {
            audit.know_rows(reads.proof_rows(after, last).await?);
        }
        for line in lines.iter().filter(|line| line.position <= size) {
            Line::from(line).follow(&mut audit, &archives)?;
        }
        after = last;
    }
    let mut filter = ProofFilter::default();
    loop {
        let records = reads.proofs(&filter, ROWS_MAX).await?;
        for record in records.iter().filter(|record| record.row.position <= size) {
            audit.awarded(
                record.row.position,
                record.row.proof_id,
                record.row.score.coins,
            );
        }
        match records.last() {
            Some(last) => filter.before = Some(last.row.position),
            None => break,
        }
    }
    Ok(audit.finish(coins, size))
}

/// Prints what was found; fails if anything was.
fn report(report: &Report, output: Output) -> anyhow::Result<ExitCode> {
    if output.json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        println!(
            "{} entries, {} proofs, {} coins",
            report.entries, report.proofs, report.coins
        );
        for finding in &report.findings {
            println!("position {}: {}", finding.position, finding.reason);
        }
        for sentence in report.unopened() {
            println!("{sentence}");
        }
        match (report.findings.is_empty(), report.archived.is_empty()) {
            (true, true) => println!("every signature, chain link and score holds"),
            (true, false) => println!("every signature, chain link and score that is here holds"),
            (false, _) => {}
        }
    }
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
