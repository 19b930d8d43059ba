//! One server under test together with what the checks look with.

use std::{sync::Mutex, time::Duration};

use farmops_protocol::time::Timestamp;
use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

use crate::{
    check::{Miss, Verdict, ensure, ensure_success, fail, skip},
    http::{Answer, Client},
    probe::{Actor, Letter, Probe},
    sign::{Draft, Forgery},
    target::Target,
};

/// What a check works with.
pub struct Session {
    /// The client.
    pub client: Client,
    /// The server under test.
    pub target: Target,
    /// The suite's actors, where the server can reach them.
    pub probe: Option<Probe>,
    /// How long to wait for the server to write back.
    pub patience: Duration,
    /// Whether an actor of the suite may register at a village, for as long as a check takes.
    pub may_join: bool,
    answers: OnceCell<bool>,
    follows: Mutex<Vec<(Actor, Value)>>,
    owner_token: Option<String>,
    agents: Mutex<Vec<Uuid>>,
}

impl Session {
    /// A session with `target`.
    pub fn new(client: Client, target: Target, probe: Option<Probe>, patience: Duration) -> Self {
        Self {
            client,
            target,
            probe,
            patience,
            may_join: false,
            answers: OnceCell::new(),
            follows: Mutex::default(),
            owner_token: None,
            agents: Mutex::default(),
        }
    }

    /// Lets checks do what a tracker's owner does, to agents of the suite.
    pub fn lend_owner_token(&mut self, token: String) {
        self.owner_token = Some(token);
    }

    /// The owner's token, or a skip.
    pub fn owner_token(&self) -> Result<&str, Miss> {
        match &self.owner_token {
            Some(token) => Ok(token),
            None => skip("it takes an agent of the suite; see --owner-token-file"),
        }
    }

    /// Notes an agent of the suite, to be sent away at the end.
    pub fn remember_agent(&self, id: Uuid) {
        self.agents
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(id);
    }

    /// Does what a tracker's owner does.
    pub async fn owner(&self, path: &str, body: &Value) -> Result<Answer, Miss> {
        let token = format!("Bearer {}", self.owner_token()?);
        let token = HeaderValue::from_str(&token)
            .or_else(|_| skip("the owner's token is no header's value"))?;
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, token), (CONTENT_TYPE, json)]);
        let body = body.to_string().into_bytes();
        Ok(self.client.post(&self.url(path), headers, body).await?)
    }

    /// The probe, or a skip.
    pub fn probe(&self) -> Result<&Probe, Miss> {
        match &self.probe {
            Some(probe) => Ok(probe),
            None => skip("the server cannot reach the suite; see --probe-url and --allow-loopback"),
        }
    }

    /// The main actor's inbox.
    pub fn inbox(&self) -> Result<Url, Miss> {
        self.target
            .inbox()
            .map_or_else(|| fail("the actor has no inbox"), Ok)
    }

    /// A URL below the server's own.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.target.base.clone();
        url.set_path(path);
        url
    }

    /// Sends `activity` of `actor`, signed, perhaps with a forgery, to the main actor's inbox.
    pub async fn send(
        &self,
        actor: &Actor,
        activity: &Value,
        forgery: Option<Forgery>,
    ) -> Result<Answer, Miss> {
        let body = activity.to_string().into_bytes();
        self.send_bytes(actor, body, forgery, |_| {}).await
    }

    /// As [`Self::send`], with any bytes, and with headers changed after signing.
    pub async fn send_bytes(
        &self,
        actor: &Actor,
        body: Vec<u8>,
        forgery: Option<Forgery>,
        change: impl FnOnce(&mut HeaderMap),
    ) -> Result<Answer, Miss> {
        let inbox = self.inbox()?;
        let keys = Probe::keys();
        let foreign = self.probe()?.fresh_actor();
        let (key_id, key) = match forgery {
            Some(Forgery::ForeignKey) => (foreign.key_id(), &keys.own),
            Some(Forgery::StolenKeyId) => (actor.key_id(), &keys.other),
            _ => (actor.key_id(), &keys.own),
        };
        let now = now().second();
        let draft = Draft {
            url: &inbox,
            body: &body,
            key_id: &key_id,
            key,
            now,
            forgery,
        };
        let mut headers = draft.headers();
        change(&mut headers);
        Ok(self.client.post(&inbox, headers, body).await?)
    }

    /// A Follow of the main actor by `actor`.
    pub fn follow(&self, actor: &Actor) -> Value {
        actor.activity("Follow", &json!(self.target.actor_id))
    }

    /// Sends a good Follow by a fresh actor and waits for the answer. `None`: it is held for a person.
    pub async fn followed(&self) -> Result<Option<Letter>, Miss> {
        let probe = self.probe()?;
        let actor = probe.fresh_actor();
        let follow = self.follow(&actor);
        let answer = self.send(&actor, &follow, None).await?;
        ensure_success("a signed Follow", &answer)?;
        let id = follow["id"].as_str().unwrap_or_default().to_owned();
        self.follows
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push((actor, follow));
        let letter = probe
            .letter(self.patience, |letter| letter.answers(&id))
            .await;
        if letter.is_none() && self.target.actor["manuallyApprovesFollowers"] != true {
            return fail(format!("a Follow had no answer within {:?}", self.patience));
        }
        Ok(letter)
    }

    /// Waits until what was sent so far has had its effect: until a Follow sent now is answered. False
    /// where follows are held, so that nothing can be told.
    pub async fn settled(&self) -> Result<bool, Miss> {
        if self.answers.get() == Some(&false) {
            return Ok(false);
        }
        let answered = self.followed().await?.is_some();
        Ok(*self.answers.get_or_init(async || answered).await && answered)
    }

    /// Fails if the server answered the Follow `id`, which it should not have heeded.
    pub async fn unanswered(&self, id: &str) -> Verdict {
        if !self.settled().await? {
            return Ok(());
        }
        let answered = self.probe()?.count(|letter| letter.answers(id));
        ensure(answered == 0, || {
            "it had an effect: the Follow was answered".to_owned()
        })
    }

    /// Takes back every Follow, and sends the suite's agents away.
    pub async fn farewell(&self) {
        let agents = std::mem::take(
            &mut *self
                .agents
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for agent in agents {
            // One that waits is dismissed, one at work is revoked.
            for act in ["dismiss", "revoke"] {
                let _ = self
                    .owner(&format!("/api/v1/agents/{agent}/{act}"), &json!({}))
                    .await;
            }
        }
        let follows = std::mem::take(
            &mut *self
                .follows
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for (actor, follow) in follows {
            // Politeness only; the checks are over.
            let _ = self
                .send(&actor, &actor.activity("Undo", &follow), None)
                .await;
        }
    }
}

/// The time.
pub fn now() -> Timestamp {
    let second = jiff::Timestamp::now().as_second();
    // Only a clock beyond the year 9999 has no wire form.
    Timestamp::from_second(second).unwrap_or_else(epoch)
}

#[expect(clippy::expect_used, reason = "the epoch has a wire form")]
fn epoch() -> Timestamp {
    Timestamp::from_second(0).expect("the epoch")
}
