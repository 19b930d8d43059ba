//! `villages`, `followers`, `following`: where the farm is seen, and who looks.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use url::Url;

use super::{
    client::Client,
    output::{Output, text},
};

#[derive(Debug, Subcommand)]
pub(super) enum VillagesCommand {
    /// List the villages, the one with your handle first.
    List,
    /// Join a village.
    Join(JoinArgs),
    /// Leave a village.
    Leave {
        /// The village's address, as `villages list` shows it.
        village: String,
        /// Do not tell the village, which may be gone: forget it, and send it nothing more.
        #[arg(long)]
        forget: bool,
    },
}

/// Which village to join, and how.
#[derive(Debug, Args)]
pub(super) struct JoinArgs {
    /// The village's address.
    village: String,
    /// The invite code, if it asks for one.
    #[arg(long)]
    invite: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum FollowersCommand {
    /// List who follows the farm.
    List {
        /// Only those in this state.
        #[arg(long)]
        state: Option<State>,
    },
    /// Let a waiting follower in.
    Accept {
        /// The follower's actor, as `followers list` shows it.
        actor: Url,
    },
    /// Turn a follower away.
    Reject {
        /// The follower's actor, as `followers list` shows it.
        actor: Url,
    },
    /// Turn a follower away for good.
    Block {
        /// The follower's actor, as `followers list` shows it.
        actor: Url,
    },
    /// Let a blocked follower ask again.
    Unblock {
        /// The follower's actor, as `followers list --state blocked` shows it.
        actor: Url,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum FollowingCommand {
    /// List whom the farm follows.
    List {
        /// Only those in this state.
        #[arg(long)]
        state: Option<State>,
    },
    /// Follow a farmer or a village.
    Add(FollowArgs),
    /// Stop following.
    Remove {
        /// The actor, as `following list` shows it.
        actor: Url,
    },
}

/// Whom to follow.
#[derive(Debug, Args)]
pub(super) struct FollowArgs {
    /// Like @bob@harbour.example
    handle: String,
}

/// How far a relation has come.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum State {
    /// Waits for an answer.
    Pending,
    /// Holds.
    Accepted,
    /// Was turned down.
    Rejected,
    /// Was turned down for good.
    Blocked,
}

impl VillagesCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List => {
                let answer: Value = client.get("villages").await?;
                let empty = "The farm is in no village yet; `farmops-tracker join URL` joins one.";
                Ok(output.list(&answer, "villages", empty, |village| {
                    let status = match text(&village["status"]).as_str() {
                        "ended" => "ended by the village".to_owned(),
                        other => other.to_owned(),
                    };
                    let home = if village["home"] == true { "home" } else { "" };
                    [
                        text(&village["url"]),
                        format!("@{}", text(&village["account"])),
                        status,
                        home.to_owned(),
                    ]
                }))
            }
            Self::Join(args) => args.run(client, output).await,
            Self::Leave { village, forget } => {
                let body = json!({ "url": village, "forget": forget });
                let answer: Value = client.post("villages/leave", &body).await?;
                let sentence = format!("The farm is not in {village} any more.");
                Ok(output.say(&answer, &sentence))
            }
        }
    }
}

impl JoinArgs {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        let village = self.village;
        let body = json!({ "url": village, "invite": self.invite });
        let answer: Value = client.post("villages", &body).await?;
        let account = text(&answer["account"]);
        let sentence = if answer["status"] == "active" {
            format!("The farm is a member of {village} as @{account}.")
        } else {
            format!("{village} has the request; its people decide.")
        };
        Ok(output.say(&answer, &sentence))
    }
}

impl FollowersCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { state } => {
                let empty = "Nobody follows the farm.";
                relations(client, "followers", state, empty, output).await
            }
            Self::Accept { actor } => {
                let answer = decide(client, "accept", &actor).await?;
                Ok(output.say(&answer, &format!("{actor} may see the farm's news.")))
            }
            Self::Reject { actor } => {
                let answer = decide(client, "reject", &actor).await?;
                Ok(output.say(&answer, &format!("{actor} is turned away.")))
            }
            Self::Block { actor } => {
                let answer = decide(client, "block", &actor).await?;
                Ok(output.say(&answer, &format!("{actor} is blocked.")))
            }
            Self::Unblock { actor } => {
                let answer = decide(client, "unblock", &actor).await?;
                Ok(output.say(&answer, &format!("{actor} may ask again.")))
            }
        }
    }
}

async fn decide(client: &Client, word: &str, actor: &Url) -> anyhow::Result<Value> {
    let path = format!("followers/{word}");
    client.post(&path, &json!({ "actor": actor })).await
}

impl FollowingCommand {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { state } => {
                let empty = "The farm follows nobody.";
                relations(client, "following", state, empty, output).await
            }
            Self::Add(args) => args.run(client, output).await,
            Self::Remove { actor } => {
                let body = json!({ "actor": actor });
                let answer: Value = client.post("following/remove", &body).await?;
                Ok(output.say(&answer, &format!("The farm follows {actor} no longer.")))
            }
        }
    }
}

impl FollowArgs {
    pub(super) async fn run(self, client: &Client, output: Output) -> anyhow::Result<ExitCode> {
        let handle = self.handle;
        let body = json!({ "handle": handle });
        let answer: Value = client.post("following", &body).await?;
        Ok(output.say(&answer, &format!("Asked to follow {handle}.")))
    }
}

async fn relations(
    client: &Client,
    path: &str,
    state: Option<State>,
    empty: &str,
    output: Output,
) -> anyhow::Result<ExitCode> {
    let state = state.map_or("", |state| match state {
        State::Pending => "?state=pending",
        State::Accepted => "?state=accepted",
        State::Rejected => "?state=rejected",
        State::Blocked => "?state=blocked",
    });
    let answer: Value = client.get(&format!("{path}{state}")).await?;
    Ok(output.list(&answer, "relations", empty, |relation| {
        ["actor", "kind", "state", "changed_at"].map(|member| text(&relation[member]))
    }))
}
