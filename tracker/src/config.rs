//! How the tracker is told what to do: flags over `FARMOPS_*` variables over a file over the defaults.

use std::{net::IpAddr, net::Ipv4Addr, net::SocketAddr, path::PathBuf};

use farmops_federation::{OpenError, Reach, check_public_url};
use farmops_service::{
    rate_limit::{ClientAddresses, PerMinute},
    telemetry::Format,
    tls,
};
use serde::Deserialize;
use url::Url;

use crate::domain::{BufferBounds, Founding};

/// Everything that can be set. Each member's comment is its documentation.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Where the database is: `sqlite://PATH`, or `postgres://USER@HOST/NAME` with libpq's parameters
    /// (`sslmode`, `sslrootcert`, …). A password belongs into the file that `PGPASSFILE` names, or into one
    /// that `db_file` names, with the whole URL.
    #[serde(default = "default_db")]
    pub db: String,
    /// The file that the owner's token is written to at the first start. Without it, `owner.token` beside the
    /// SQLite file, or in the folder that the tracker runs in.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub owner_token_path: Option<PathBuf>,
    /// The address to listen on.
    #[serde(default = "default_listen")]
    pub listen: IpAddr,
    /// The port for HTTP and gRPC.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Where the world reaches this tracker: scheme and host, without a path.
    pub public_url: Url,
    /// The name before the `@`; used, and required, when the farm is founded.
    #[serde(default)]
    pub handle: Option<String>,
    /// The farm's name; used when the farm is founded.
    #[serde(default)]
    pub name: Option<String>,
    /// The farmer's IANA time zone; used when the farm is founded.
    #[serde(default = "default_time_zone")]
    pub time_zone: String,
    /// The days that count towards a streak, as `mon,tue,…`; used when the farm is founded.
    #[serde(default = "default_working_days")]
    pub working_days: Vec<Weekday>,
    /// Development: talk to loopback addresses over plain HTTP.
    #[serde(default)]
    pub allow_loopback: bool,
    /// A file with further certificate authorities for outgoing HTTPS.
    #[serde(default, deserialize_with = "farmops_service::config::path")]
    pub ca_file: Option<PathBuf>,
    /// TLS on the port, and client certificates; plain HTTP without it.
    #[serde(default)]
    pub tls: tls::Settings,
    /// Networks of proxies whose `Forwarded` and `X-Forwarded-For` are believed.
    #[serde(default)]
    pub trusted_proxies: ClientAddresses,
    /// How often one client may ask.
    #[serde(default)]
    pub rate_limits: RateLimits,
    /// Where Prometheus metrics are served; not at all without it.
    #[serde(default)]
    pub metrics: Option<SocketAddr>,
    /// How much is logged, in the syntax of `env_logger`.
    #[serde(default = "default_log")]
    pub log: String,
    /// `text` or `json`.
    #[serde(default)]
    pub log_format: Format,
    /// What is told to the world, and when.
    #[serde(default)]
    pub publish: Publish,
    /// What is kept for agents that wait for approval.
    #[serde(default)]
    pub buffer: Buffer,
}

/// How often one client may ask, in requests a minute.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct RateLimits {
    /// Everyone and everything but agents.
    pub requests_per_minute: PerMinute,
    /// What agents ask; a stream of proofs is one request.
    pub agents_per_minute: PerMinute,
}

/// What is told to the world, and when.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Publish {
    /// Seconds from a change to the snapshot that shows it.
    pub snapshot_delay_seconds: u64,
    /// Seconds between two updates of the weekly card.
    pub card_update_seconds: u64,
    /// Whether followers that are no village of the farmer are let in unasked.
    pub accept_followers: bool,
}

/// What is kept for agents that wait for approval.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub struct Buffer {
    /// Proofs for each agent.
    pub proofs_max: u64,
    /// Bytes of proofs for each agent.
    pub bytes_max: u64,
    /// Days from an agent's first buffered proof.
    pub days_max: u32,
    /// Agents that may wait at once.
    pub agents_max: usize,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is the day of its name")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            requests_per_minute: PerMinute::new(6_000),
            agents_per_minute: PerMinute::new(60_000),
        }
    }
}

impl Default for Publish {
    fn default() -> Self {
        Self {
            snapshot_delay_seconds: 30,
            card_update_seconds: 6 * 3600,
            accept_followers: true,
        }
    }
}

impl Default for Buffer {
    fn default() -> Self {
        let bounds = BufferBounds::default();
        Self {
            proofs_max: bounds.proofs_max,
            bytes_max: bounds.bytes_max,
            days_max: bounds.days_max,
            agents_max: bounds.agents_max,
        }
    }
}

impl From<Buffer> for BufferBounds {
    fn from(buffer: Buffer) -> Self {
        Self {
            proofs_max: buffer.proofs_max,
            bytes_max: buffer.bytes_max,
            days_max: buffer.days_max,
            agents_max: buffer.agents_max,
        }
    }
}

/// Longer, nobody would hear of the farm.
const PUBLISH_SECONDS_MAX: u64 = 30 * 86_400;

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("`{setting}`: {reason}")]
pub struct Unfit {
    setting: String,
    reason: String,
}

impl Unfit {
    /// Of the public URL, with what to set instead.
    pub fn public_url(url: &Url, wrong: &OpenError) -> Self {
        Self {
            setting: "public_url".to_owned(),
            reason: format!(
                "{wrong}, and this is {url}: set `--public-url` to a name such as https://farm.example, or to \
                 http://localhost:8443 for a trial"
            ),
        }
    }
}

impl Config {
    /// What the farm is founded with at the first start; nothing without a handle.
    pub fn founding(&self) -> Option<Founding> {
        let handle = self.handle.clone()?;
        let mut working_days = [false; 7];
        for day in &self.working_days {
            working_days[*day as usize] = true;
        }
        let name = self.name.clone();
        Some(Founding {
            name: name.unwrap_or_else(|| format!("{}'s farm", capitalised(&handle))),
            handle,
            time_zone: self.time_zone.clone(),
            working_days,
        })
    }

    /// Looks at what one setting alone can have wrong, before anything is made.
    ///
    /// # Errors
    /// [`Unfit`] naming the first one.
    pub fn check(&self) -> Result<(), Unfit> {
        check_public_url(&self.public_url)
            .map_err(|wrong| Unfit::public_url(&self.public_url, &wrong))?;
        if let Some(founding) = self.founding() {
            founding.check().map_err(|refusal| Unfit {
                setting: refusal.field().to_owned(),
                reason: refusal.to_string(),
            })?;
        }
        for (setting, seconds) in [
            (
                "snapshot_delay_seconds",
                self.publish.snapshot_delay_seconds,
            ),
            ("card_update_seconds", self.publish.card_update_seconds),
        ] {
            if seconds > PUBLISH_SECONDS_MAX {
                return Err(Unfit {
                    setting: format!("publish.{setting}"),
                    reason: format!(
                        "{seconds} is more than {PUBLISH_SECONDS_MAX}, which are 30 days"
                    ),
                });
            }
        }
        Ok(())
    }

    /// Whom the federation may talk to.
    pub fn reach(&self) -> Reach {
        if self.allow_loopback {
            Reach::Loopback
        } else {
            Reach::Public
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

fn default_db() -> String {
    "sqlite://farmops-tracker.db".to_owned()
}

const fn default_listen() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

const fn default_port() -> u16 {
    8443
}

fn default_time_zone() -> String {
    "UTC".to_owned()
}

fn default_working_days() -> Vec<Weekday> {
    use Weekday::{Fri, Mon, Thu, Tue, Wed};
    vec![Mon, Tue, Wed, Thu, Fri]
}

fn default_log() -> String {
    "info".to_owned()
}
