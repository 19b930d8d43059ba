//! Commands: each is one request to a running village, with the admin's token.

use anyhow::{Context as _, bail};
use farmops_service::{
    outbound::{Bounds, Outbound, Reach},
    token::Token,
};
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};
use url::Url;

use super::{ClientArgs, Command, Farmers, Invites, Peers};

const USER_AGENT: &str = concat!("farmops-village-cli/", env!("CARGO_PKG_VERSION"));

/// Asks a running village and prints its answer.
pub async fn run(command: Command, args: ClientArgs) -> anyhow::Result<()> {
    let token = Token::read_file(&args.token_file)
        .context("the admin's token cannot be read (see --token-file)")?;
    let client = Client {
        outbound: Outbound::new(Reach::Operator, USER_AGENT)?,
        token,
        url: args.url,
    };
    let answer = client.perform(&command).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print(&command, &answer);
    }
    Ok(())
}

struct Client {
    outbound: Outbound,
    token: Token,
    url: Url,
}

impl Client {
    async fn perform(&self, command: &Command) -> anyhow::Result<Value> {
        match command {
            Command::Follow { handle } => {
                self.post(&["following"], json!({ "handle": handle })).await
            }
            Command::Unfollow { farmer } => {
                self.ask(Method::DELETE, &["following", farmer], &[], None)
                    .await
            }
            Command::Connect { village } => {
                self.post(&["federation", "connect"], json!({ "url": village }))
                    .await
            }
            Command::Peers(Peers::List) => self.get(&["federation", "peers"], &[]).await,
            Command::Peers(Peers::Accept { peer }) => self.to_peer(peer, "accept").await,
            Command::Peers(Peers::Disconnect { peer }) => {
                let id = self.peer_id(peer).await?;
                self.ask(Method::DELETE, &["federation", "peers", &id], &[], None)
                    .await
            }
            Command::Peers(Peers::Block { peer }) => self.to_peer(peer, "block").await,
            Command::Peers(Peers::Unblock { peer }) => self.to_peer(peer, "unblock").await,
            Command::Farmers(Farmers::List { status }) => {
                self.get(&["farmers"], &[("status", status), ("limit", "100")])
                    .await
            }
            Command::Farmers(Farmers::Approve { farmer }) => {
                self.post(&["farmers", farmer, "approve"], json!({})).await
            }
            Command::Farmers(Farmers::Remove { farmer }) => {
                self.ask(Method::DELETE, &["farmers", farmer], &[], None)
                    .await
            }
            Command::Invites(Invites::Create { uses, days }) => {
                self.post(&["invites"], json!({ "uses": uses, "days": days }))
                    .await
            }
        }
    }

    /// People know a peer by its host; the API by its id.
    async fn to_peer(&self, peer: &str, deed: &str) -> anyhow::Result<Value> {
        let id = self.peer_id(peer).await?;
        self.post(&["federation", "peers", &id, deed], json!({}))
            .await
    }

    async fn peer_id(&self, peer: &str) -> anyhow::Result<String> {
        let peers = self.get(&["federation", "peers"], &[]).await?;
        let known = peers["items"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        known
            .iter()
            .find(|entry| entry["id"] == peer || entry["host"] == peer || entry["url"] == peer)
            .and_then(|entry| entry["id"].as_str())
            .map(str::to_owned)
            .with_context(|| format!("no village called {peer} asked or was asked"))
    }

    async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, query, None).await
    }

    async fn post(&self, path: &[&str], body: Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut url = self.url.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => segments.clear().extend(["api", "v1"]).extend(path),
            Err(()) => bail!("{} is no address of a village", self.url),
        };
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))?;
        authorization.set_sensitive(true);
        let mut request = self
            .outbound
            .request(method, url)
            .header(header::AUTHORIZATION, authorization);
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        let answer = self
            .outbound
            .execute(request.build()?, Bounds::default())
            .await?;
        let document = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status.is_success() {
            return Ok(document);
        }
        let reason = document["detail"].as_str().unwrap_or("no reason given");
        match document["field"].as_str() {
            Some(field) => bail!("{}: {field}: {reason}", answer.status),
            None => bail!("{}: {reason}", answer.status),
        }
    }
}

/// The answer for people: a line for each thing.
fn print(command: &Command, answer: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    match command {
        Command::Peers(Peers::List) => {
            for peer in answer["items"].as_array().into_iter().flatten() {
                let columns = [&peer["status"], &peer["host"], &peer["name"], &peer["id"]];
                println!("{}", columns.map(text).join("\t"));
            }
        }
        Command::Farmers(Farmers::List { .. }) => {
            for farmer in answer["items"].as_array().into_iter().flatten() {
                let columns = [
                    &farmer["handle"],
                    &farmer["display_name"],
                    &farmer["membership"],
                    &farmer["id"],
                ];
                println!("{}", columns.map(text).join("\t"));
            }
        }
        Command::Follow { .. } => {
            println!(
                "{}\t{}",
                text(&answer["handle"]),
                text(&answer["following"])
            );
        }
        Command::Connect { .. }
        | Command::Peers(Peers::Accept { .. } | Peers::Block { .. } | Peers::Unblock { .. }) => {
            println!("{}\t{}", text(&answer["host"]), text(&answer["status"]));
        }
        Command::Farmers(Farmers::Approve { .. }) => {
            println!(
                "{}\t{}",
                text(&answer["handle"]),
                text(&answer["membership"])
            );
        }
        Command::Invites(Invites::Create { .. }) => {
            println!("{}\n{}", text(&answer["code"]), text(&answer["join"]));
        }
        Command::Unfollow { .. }
        | Command::Peers(Peers::Disconnect { .. })
        | Command::Farmers(Farmers::Remove { .. }) => println!("done"),
    }
}
