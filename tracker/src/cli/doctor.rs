//! `doctor`: looks for what is wrong, and says what would put it right.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use farmops_ledger::counted;
use farmops_service::{
    outbound::{Bounds, Outbound},
    secret_file,
    storage_guard::refuse_network_filesystem,
};
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::{client::Client, output::told, remote::Remote, serve::ServeArgs};
use crate::{
    config::Config,
    store::{Database, Place, StoreError},
};

const BOUNDS: Bounds = Bounds {
    deadline: Duration::from_secs(10),
    body_bytes_max: 1024 * 1024,
};

/// What was looked at, and how it is.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    detail: String,
    /// What to do about it; nothing when it is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Look,
    Wrong,
}

impl Finding {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Ok,
            detail: detail.into(),
            fix: None,
        }
    }

    fn look(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Look,
            detail: detail.into(),
            fix: Some(fix.into()),
        }
    }

    fn wrong(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            state: State::Wrong,
            ..Self::look(check, detail, fix)
        }
    }
}

/// Looks at everything within reach; fails if anything is wrong.
pub(super) async fn run(
    serve: &ServeArgs,
    of: Option<String>,
    remote: &Remote,
) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    let config = settings(serve, &mut findings);
    if let Ok(url) = serve.database(of) {
        findings.push(database(&url).await);
    }
    findings.push(token_file(remote));
    let outbound = remote.outbound("farmops-tracker-doctor")?;
    findings.push(ready(&outbound, &remote.url).await);
    // If there is none, `token_file` has said so.
    if let Ok(client) = remote.client() {
        with_token(&client, &mut findings).await;
    }
    if let Some(config) = &config {
        findings.push(from_outside(&outbound, config, &remote.url).await);
        if let Some(handle) = &config.handle {
            findings.push(found_by_handle(&outbound, config, handle).await);
        }
    }
    Ok(report(&findings, remote.output().json))
}

fn settings(serve: &ServeArgs, findings: &mut Vec<Finding>) -> Option<Config> {
    match serve.load() {
        Ok(config) => {
            findings.push(match config.check() {
                Ok(()) => Finding::ok("settings", "every setting is understood"),
                Err(unfit) => Finding::wrong("settings", unfit.to_string(), "correct it"),
            });
            Some(config)
        }
        Err(error) => {
            let fix = "give the settings that the tracker runs with (--config FILE or FARMOPS_* \
                       variables) to have them looked at as well, and the public address";
            findings.push(Finding::look("settings", error.to_string(), fix));
            None
        }
    }
}

async fn database(url: &str) -> Finding {
    const CHECK: &str = "database";
    let place = match Place::of(url) {
        Ok(place) => place,
        Err(error) => return Finding::wrong(CHECK, error.to_string(), "correct `db`"),
    };
    let mut name = place.to_string();
    let mut reach =
        "start the server, make the database and its user, and give the password by PGPASSFILE";
    if let Place::File(path) = &place {
        if let Err(error) = refuse_network_filesystem(path) {
            return Finding::wrong(
                CHECK,
                error.to_string(),
                "keep the database on a local disk, and copy backups elsewhere",
            );
        }
        let Ok(found) = path.metadata() else {
            return Finding::look(
                CHECK,
                format!("{name} is not there yet"),
                "the first start makes it; if there was one, `db` points elsewhere",
            );
        };
        name = format!("{name} ({} bytes{})", found.len(), log_beside(path));
        reach = "let the one who runs this command read the file";
    }
    match glance(url).await {
        Ok(Some(entries)) => Finding::ok(CHECK, format!("{name}, {entries} entries")),
        Ok(None) => Finding::look(
            CHECK,
            format!("{name} holds no farm"),
            "the next start founds a new one in it; if there was one, restore a backup, or correct `db`",
        ),
        Err(error) if error.is_damage() => Finding::wrong(
            CHECK,
            format!("{name} is damaged: {}", told(&error.into())),
            "`farmops-tracker fsck` says where; `farmops-tracker restore` makes a new one of a backup",
        ),
        Err(error) => Finding::wrong(CHECK, format!("{name}: {}", told(&error.into())), reach),
    }
}

/// How many bytes of the database at `path` are not in its file yet.
fn log_beside(path: &Path) -> String {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    match PathBuf::from(log).metadata() {
        Ok(found) if found.len() > 0 => format!(" and {} in its -wal", found.len()),
        _ => String::new(),
    }
}

/// As much of the database as can be looked at while a tracker may run on it.
async fn glance(url: &str) -> Result<Option<u64>, StoreError> {
    Database::frozen(url).await?.glance().await
}

fn token_file(remote: &Remote) -> Finding {
    const CHECK: &str = "token file";
    match secret_file::read(&remote.token_file) {
        Ok(_) => Finding::ok(CHECK, remote.token_file.display().to_string()),
        Err(error) => Finding::wrong(
            CHECK,
            error.to_string(),
            "name the file with --token-file; the tracker wrote it beside its database at its first start",
        ),
    }
}

async fn ready(outbound: &Outbound, base: &Url) -> Finding {
    const CHECK: &str = "tracker";
    match get(outbound, base, "/readyz").await {
        Ok((200, _)) => Finding::ok(CHECK, format!("{base} is ready")),
        Ok((status, body)) => Finding::wrong(
            CHECK,
            format!("{base} answers {status}: {body}"),
            "its log says why it is not ready",
        ),
        Err(error) => Finding::wrong(
            CHECK,
            format!("{base} does not answer: {error}"),
            "start the tracker, or name its address with --url",
        ),
    }
}

/// What only the owner may see.
async fn with_token(client: &Client, findings: &mut Vec<Finding>) {
    let agents: Value = match client.get("agents").await {
        Ok(agents) => {
            findings.push(Finding::ok("token", "the tracker takes it"));
            agents
        }
        Err(error) => {
            let fix = "use the token that the tracker wrote at its first start";
            findings.push(Finding::wrong("token", error.to_string(), fix));
            return;
        }
    };
    findings.push(waiting_agents(&agents));
    if let Ok(villages) = client.get::<Value>("villages").await {
        let villages = villages["villages"].as_array().map_or(0, Vec::len);
        findings.push(if villages == 0 {
            let fix = "`farmops-tracker join URL` joins one";
            Finding::look("villages", "the farm is in none", fix)
        } else {
            Finding::ok("villages", format!("the farm is in {villages}"))
        });
    }
}

fn waiting_agents(agents: &Value) -> Finding {
    const CHECK: &str = "agents";
    let agents = agents["agents"].as_array().map_or(&[][..], Vec::as_slice);
    let with = |status: &str| agents.iter().filter(|a| a["status"] == status).count();
    let forks: u64 = agents.iter().filter_map(|a| a["forks"].as_u64()).sum();
    if agents.is_empty() {
        let fix = "start one with `farmops-agent --tracker-url URL`";
        return Finding::look(CHECK, "none has enrolled", fix);
    }
    let waiting = with("pending");
    if waiting > 0 {
        let fix = "compare its fingerprint (`farmops-tracker agents list`) and approve it";
        let verb = if waiting == 1 { "waits" } else { "wait" };
        return Finding::look(CHECK, format!("{waiting} {verb} for your approval"), fix);
    }
    if forks > 0 {
        let fix = "someone else may hold an agent's key; `farmops-tracker agents list` says which";
        return Finding::look(CHECK, format!("{} refused", counted(forks, "fork")), fix);
    }
    Finding::ok(
        CHECK,
        format!("{} at work", counted(with("active") as u64, "agent")),
    )
}

/// Whether what answers at the public address is this very tracker.
async fn from_outside(outbound: &Outbound, config: &Config, local: &Url) -> Finding {
    const CHECK: &str = "public address";
    const PROFILE: &str = "/api/v1/public/profile";
    let public = &config.public_url;
    let key = |answer: Result<(u16, String), String>| {
        let (_, body) = answer?;
        let profile: Value = serde_json::from_str(&body).map_err(|e| e.to_string())?;
        let key = profile["farmer_key"].as_str().map(str::to_owned);
        key.ok_or_else(|| "another program answers".to_owned())
    };
    match (
        key(get(outbound, public, PROFILE).await),
        key(get(outbound, local, PROFILE).await),
    ) {
        (Ok(outside), Ok(inside)) if outside == inside => {
            Finding::ok(CHECK, format!("{public} is this tracker"))
        }
        (Ok(_), Ok(_)) => Finding::wrong(
            CHECK,
            format!("{public} is another farm"),
            "correct `public_url` or the reverse proxy",
        ),
        (Err(error), _) => Finding::wrong(
            CHECK,
            format!("{public} does not answer as a tracker: {error}"),
            "point DNS and the reverse proxy at this tracker; without it no village sees the farm",
        ),
        (_, Err(_)) => Finding::ok(CHECK, format!("{public} answers")),
    }
}

/// Whether the handle leads to the actor, as every other server will look it up.
async fn found_by_handle(outbound: &Outbound, config: &Config, handle: &str) -> Finding {
    const CHECK: &str = "handle";
    let host = config.public_url.host_str().unwrap_or_default();
    let port = config.public_url.port().map(|port| format!(":{port}"));
    let handle = format!("{handle}@{host}{}", port.unwrap_or_default());
    let path = format!("/.well-known/webfinger?resource=acct:{handle}");
    match get(outbound, &config.public_url, &path).await {
        Ok((200, body)) if body.contains("application/activity+json") => {
            Finding::ok(CHECK, format!("@{handle} is found"))
        }
        Ok((status, _)) => Finding::wrong(
            CHECK,
            format!("@{handle} is not found (status {status})"),
            "the reverse proxy has to pass /.well-known/webfinger on",
        ),
        Err(error) => Finding::wrong(
            CHECK,
            format!("@{handle} cannot be looked up: {error}"),
            "see the public address",
        ),
    }
}

async fn get(outbound: &Outbound, base: &Url, path: &str) -> Result<(u16, String), String> {
    let url = base.join(path).map_err(|error| error.to_string())?;
    let answer = outbound.get(url, BOUNDS).await.map_err(|e| e.to_string())?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Ok((answer.status.as_u16(), body))
}

fn report(findings: &[Finding], json: bool) -> ExitCode {
    if json {
        let document = serde_json::json!({ "findings": findings });
        println!("{document}");
    } else {
        for finding in findings {
            let word = match finding.state {
                State::Ok => "ok   ",
                State::Look => "look ",
                State::Wrong => "WRONG",
            };
            println!("{word}  {}: {}", finding.check, finding.detail);
            if let Some(fix) = &finding.fix {
                println!("       {fix}");
            }
        }
    }
    if findings.iter().any(|finding| finding.state == State::Wrong) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
