//! Checking a whole database against its own ledger, without changing it.
//!
//! The ledger is folded once more into an empty database beside it. Whatever the tracker's database
//! has in its projections has to be there, byte for byte; every head that was ever signed has to be
//! the head that the log had at that size; and every signature has to hold.
//!
//! Not compared, because nothing in the ledger tells of it: cards and milestones, villages, tokens, and
//! the federation's tables.

use farmops_protocol::{key::PublicKey, log::commitment::SaltSource, proof::ParsedProof};
use futures::TryStreamExt as _;

use super::{Audit, Remedy, Report, rows, said::Said};
use crate::{
    domain::Changes,
    ledger::{Event, FullTile},
    store::{Batch, Cell, Growth, Inspect, Journal, LedgerLine, PROJECTIONS, RawRow, StoreError},
};

/// Entries folded before their rows are written beside.
const PAGE: u32 = 2000;

/// Checks `database`; `scratch` is an empty one, with its writing and its looking side.
pub async fn fsck(
    database: &dyn Inspect,
    scratch: (&mut dyn Journal, &dyn Inspect),
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Report, StoreError> {
    let (journal, folded) = scratch;
    let mut early = Report::default();
    let Some(founder) = founder(database, &mut early).await? else {
        return Ok(early);
    };
    let mut audit = Audit::default();
    let secrets = database.secrets().await?;
    match &secrets {
        Some(secrets) => {
            audit = Audit::with_salts(SaltSource::new(secrets.farm_secret.clone()));
            if secrets.public_key() != founder {
                let reason = "the farm's key is not the one it was founded with".to_owned();
                early.find(1, "secret", reason, Remedy::Restore);
            }
        }
        None => {
            let reason = "the farm's secrets cannot be read".to_owned();
            early.find(0, "secret", reason, Remedy::Restore);
        }
    }
    *audit.report_mut() = early;
    let mut said = Said::read(database, &founder, audit.report_mut()).await?;
    let whole = fold(database, journal, &mut audit, &mut said, progress).await?;
    if whole {
        let size = audit.state().position;
        said.finish(size, audit.report_mut());
        // Without the salts the log cannot be followed, and its tables would all seem wrong.
        let log_tables: &[&str] = if secrets.is_some() {
            &[]
        } else {
            &["ledger_head", "tile"]
        };
        for projection in &PROJECTIONS {
            if !log_tables.contains(&projection.table) {
                rows::compare(projection, folded, database, audit.report_mut()).await?;
            }
        }
        buffered(database, &mut audit).await?;
    }
    Ok(audit.into_report())
}

/// The key that the farm was founded with.
async fn founder(
    database: &dyn Inspect,
    report: &mut Report,
) -> Result<Option<PublicKey>, StoreError> {
    let first = database.ledger(0, 1).await?.into_iter().next();
    let Some(first) = first else {
        return Ok(None);
    };
    match Event::read(&first.kind, &first.body) {
        Ok(Event::FarmFounded(founded)) => return Ok(Some(founded.farmer_key)),
        Ok(other) => {
            let reason = format!("the ledger begins with `{}`", other.kind());
            report.find(1, "ledger", reason, Remedy::Restore);
        }
        Err(error) => report.find(1, "ledger", error.to_string(), Remedy::Restore),
    }
    Ok(None)
}

/// Follows the ledger to its end, writing beside what it amounts to; false if it cannot be followed.
async fn fold(
    database: &dyn Inspect,
    journal: &mut dyn Journal,
    audit: &mut Audit,
    said: &mut Said,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<bool, StoreError> {
    loop {
        let lines = database.ledger(audit.state().position, PAGE).await?;
        if lines.is_empty() {
            return Ok(true);
        }
        let from = audit.log().head();
        let (mut changes, mut tiles) = (Changes::default(), Vec::new());
        for line in &lines {
            if !follow(line, audit, said, &mut changes, &mut tiles) {
                return Ok(false);
            }
        }
        let batch = Batch {
            changes: Some((audit.state(), &changes)),
            log: Some(Growth {
                from,
                log: audit.log(),
                tiles: &tiles,
            }),
            ..Batch::default()
        };
        journal.commit(&batch).await?;
        progress(audit.state().position);
    }
}

fn follow(
    line: &LedgerLine,
    audit: &mut Audit,
    said: &mut Said,
    changes: &mut Changes,
    tiles: &mut Vec<FullTile>,
) -> bool {
    let Some(followed) = audit.line(line.position, &line.kind, line.recorded_at, &line.body) else {
        return false;
    };
    changes.note(audit.state(), &followed.entry, followed.entered.applied);
    tiles.extend(followed.entered.tiles);
    let head = audit.log().head();
    said.compare(&head, audit.report_mut());
    true
}

/// Checks the proofs that wait for their agents' approval.
async fn buffered(database: &dyn Inspect, audit: &mut Audit) -> Result<(), StoreError> {
    let mut rows = database.rows("proof_buffer", &[]);
    let mut wrong = Vec::new();
    while let Some(row) = rows.try_next().await? {
        if let Err(reason) = waiting(&row, audit) {
            wrong.push(reason);
        }
    }
    for reason in wrong {
        audit
            .report_mut()
            .find(0, "proof_buffer", reason, Remedy::Restore);
    }
    Ok(())
}

fn waiting(row: &RawRow, audit: &Audit) -> Result<(), String> {
    let Some(Cell::Bytes(body)) = row.get("body") else {
        return Err("a proof is not there".to_owned());
    };
    let parsed = ParsedProof::parse(body).map_err(|e| e.to_string())?;
    let agent = parsed.body().agent.agent_id;
    let known = audit.state().agents.get(&agent);
    let key = known
        .ok_or("a proof of an agent that never enrolled")?
        .public_key;
    let verified = parsed.verify(&key).map_err(|e| e.to_string())?;
    let body = verified.body();
    let follows = body.prev_proof_id.unwrap_or(agent);
    let expected = [
        ("agent_id", Cell::Bytes(agent.as_bytes().to_vec())),
        ("proof_id", Cell::Bytes(body.proof_id.as_bytes().to_vec())),
        ("follows", Cell::Bytes(follows.as_bytes().to_vec())),
        ("hash", Cell::Bytes(verified.hash().as_bytes().to_vec())),
        ("finished_at", Cell::Number(body.timestamp.second())),
    ];
    for (column, cell) in expected {
        if row.get(column) != Some(&cell) {
            return Err(format!("the proof {} differs in {column}", body.proof_id));
        }
    }
    Ok(())
}
