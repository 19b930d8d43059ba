//! `tokens`, `owner-token`, `sessions`: who may do what.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, str::FromStr};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use farmops_federation::system_clock;
use farmops_protocol::time::Timestamp;
use farmops_service::token::Token;
use serde_json::{Value, json};

use super::{
    client::Client,
    output::{Output, text},
    remote::Remote,
    serve::ServeArgs,
};
use crate::{
    keyring::TokenScope,
    serve::token_path,
    store::{Database, Place},
};

#[derive(Debug, Subcommand)]
pub(super) enum TokensCommand {
    /// List the tokens that you made.
    List,
    /// Make a token, which is printed this once.
    Create {
        /// What it is for.
        label: String,
        /// What it may do; once for each.
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<TokenScope>,
        /// When it ends: after some days or hours (`90d`, `12h`), or a time like `2027-01-01T00:00:00Z`.
        #[arg(long, value_name = "WHEN")]
        expires: Option<End>,
    },
    /// Make a token count no longer.
    Revoke {
        /// Its label.
        label: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum OwnerTokenCommand {
    /// Put a new token in the place of yours, on a running tracker and in the file. All sessions end.
    Rotate,
    /// Make a new token when yours is lost, on a database that no tracker runs on. All sessions end.
    Reset {
        /// The database; without it, the one of the settings.
        #[arg(long = "db", value_name = "URL")]
        of: Option<String>,
        /// The file to write it to, in place of what is there; without it, the one of the settings.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// Log out in every browser.
    End,
}

/// The end of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    After(i64),
    At(Timestamp),
}

impl End {
    fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::After(seconds) => now.saturating_add(seconds),
            Self::At(time) => time,
        }
    }
}

impl FromStr for End {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let units = [('d', 86_400), ('h', 3600)];
        let span = units.into_iter().find_map(|(unit, seconds)| {
            let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
            Some(Self::After(i64::from(number) * seconds))
        });
        span.or_else(|| text.parse().ok().map(Self::At))
            .ok_or_else(|| "expected `90d`, `12h` or a time like `2027-01-01T00:00:00Z`".to_owned())
    }
}

impl TokensCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => {
                let answer: Value = client.get("tokens").await?;
                Ok(output.list(&answer, "tokens", "You have made no token.", row))
            }
            Self::Create {
                label,
                scopes,
                expires,
            } => {
                let expires = expires.map(|end| end.at(system_clock()()));
                let body = json!({ "label": label, "scopes": scopes, "expires_at": expires });
                let answer: Value = client.post("tokens", &body).await?;
                Ok(output.show(&answer, |answer| text(&answer["token"])))
            }
            Self::Revoke { label } => {
                let answer = client
                    .delete(&format!("tokens/{}", segment(&label)))
                    .await?;
                Ok(output.say(&answer, &format!("{label} opens nothing any more.")))
            }
        }
    }
}

fn row(token: &Value) -> [String; 4] {
    let scopes = token["scopes"].as_array().into_iter().flatten();
    let scopes: Vec<String> = scopes.map(text).collect();
    let end = match (token["expired"].as_bool(), text(&token["expires_at"])) {
        (Some(true), end) => format!("expired {end}"),
        (_, end) if end.is_empty() => "does not end".to_owned(),
        (_, end) => format!("ends {end}"),
    };
    let used = match text(&token["last_used"]) {
        used if used.is_empty() => "never used".to_owned(),
        used => format!("used last {used}"),
    };
    [text(&token["label"]), scopes.join(" "), end, used]
}

impl OwnerTokenCommand {
    pub(super) async fn run(self, serve: &ServeArgs, remote: &Remote) -> anyhow::Result<ExitCode> {
        match self {
            Self::Rotate => rotate(remote).await,
            Self::Reset { of, to } => reset(serve, of, to, remote.output()).await,
        }
    }
}

/// The new token is beside the old one before the tracker hears of it, so that one of both always opens.
async fn rotate(remote: &Remote) -> anyhow::Result<ExitCode> {
    let client = remote.client()?;
    let file = &remote.token_file;
    let mut name = file.clone().into_os_string();
    name.push(".new");
    let beside = PathBuf::from(name);
    let token = Token::generate_file(&beside, &mut rand::rng()).with_context(|| {
        let beside = beside.display();
        format!("an earlier try may have left {beside}: try it as --token-file, then remove it")
    })?;
    let body = json!({ "token": token.expose() });
    client
        .put("owner-token", &body)
        .await
        .with_context(|| format!("the new token is in {}", beside.display()))?;
    std::fs::rename(&beside, file)
        .with_context(|| format!("the new token counts; it is in {}", beside.display()))?;
    let answer = json!({ "token_file": file });
    let sentence = format!("The owner's new token is in {}.", file.display());
    Ok(remote.output().say(&answer, &sentence))
}

async fn reset(
    serve: &ServeArgs,
    of: Option<String>,
    to: Option<PathBuf>,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let (url, settings) = if let Some(url) = of {
        (url, None)
    } else {
        let config = serve.of_database().context("finding the database")?;
        (config.db.clone(), Some(config))
    };
    let place = Place::of(&url)?;
    // Only what is there: opening would make an empty one of a mistyped name.
    if !Database::is_there(&url).await? {
        bail!("there is no farm at {place}");
    }
    let database = Database::open(&url).await?;
    let mut journal = database.journal().await?;
    let file = to.unwrap_or_else(|| token_path(settings.as_ref(), database.folder()));
    let token = Token::generate(&mut rand::rng());
    // The file first: a token that nobody has would be no use.
    token.replace_file(&file)?;
    journal
        .keep_owner_token(&token.hash(), system_clock()())
        .await
        .with_context(|| format!("the token in {} does not count", file.display()))?;
    drop(journal);
    database.close().await?;
    let answer = json!({ "token_file": file });
    let sentence = format!("The owner's new token is in {}.", file.display());
    Ok(output.say(&answer, &sentence))
}

impl SessionsCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        let Self::End = self;
        let answer = client.delete("sessions").await?;
        Ok(output.say(&answer, "All sessions have ended."))
    }
}

/// A label as a part of a path.
fn segment(label: &str) -> String {
    let mut escaped = String::new();
    for byte in label.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_span_or_a_time() {
        assert_eq!("90d".parse(), Ok(End::After(90 * 86_400)));
        assert_eq!("12h".parse(), Ok(End::After(12 * 3600)));
        let time = "2027-01-01T00:00:00Z";
        assert_eq!(time.parse(), Ok(End::At(time.parse().unwrap())));
        for wrong in ["", "d", "-1d", "90", "1.5d", "tomorrow"] {
            assert!(wrong.parse::<End>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_label_stays_one_part_of_a_path() {
        assert_eq!(segment("a/b?c%ä"), "a%2Fb%3Fc%25%C3%A4");
    }
}
