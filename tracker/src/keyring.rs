//! Who may do what: the owner by her token and her sessions, and whoever has a token that she made.
//!
//! All of it is in memory, so a request is let in or refused without asking the store. Whoever changes it
//! waits for her turn, and the change counts once it is durable. It is seen to its end also when whoever asked
//! for it has gone away: what the store has and what is in memory stay the same.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use clap::ValueEnum;
use farmops_protocol::time::Timestamp;
use farmops_service::token::{
    Holder, Label, NotALabel, ScopedToken, Scopes, Token, TokenHash, TokenId,
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::{
    app::to_the_end,
    session::{Closed, Session, SessionKey},
    store::{Access, AccessChange},
    writer::{Outgoing, WriteError, WriterHandle},
};

/// Tokens that there may be at once, expired ones too.
pub const TOKENS_MAX: usize = 100;

/// Who may do what.
pub struct Keyring {
    held: RwLock<Access>,
    turn: Mutex<()>,
    closed: RwLock<Closed>,
    farm_secret: Vec<u8>,
    encrypted: bool,
}

/// What a token may do. There is no hierarchy: none of them stands for another.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// See everything that the owner sees, but for the tokens.
    Read,
    /// Approve, dismiss and revoke agents, and reset their chains.
    Agents,
    /// Buy, arrange, and change the farm's name, calendar, rules and leagues.
    Farm,
    /// Join and leave villages, follow, and let followers in.
    Social,
    /// Make and revoke tokens, and end sessions.
    Admin,
}

impl TokenScope {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Agents,
        Self::Farm,
        Self::Social,
        Self::Admin,
    ];

    /// Its name in a token's row.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Agents => "agents",
            Self::Farm => "farm",
            Self::Social => "social",
            Self::Admin => "admin",
        }
    }

    /// What it opens, for people.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Read => "see everything that you see, but for the tokens",
            Self::Agents => "approve, dismiss and revoke agents, and reset their chains",
            Self::Farm => "buy, arrange, and change the farm's name, calendar, rules and leagues",
            Self::Social => "join and leave villages, follow, and let followers in",
            Self::Admin => "make and revoke tokens, and end sessions",
        }
    }
}

/// What a token may do.
pub fn scopes_of(token: &ScopedToken) -> impl Iterator<Item = TokenScope> {
    let scopes = TokenScope::ALL.into_iter();
    scopes.filter(|scope| token.scopes.contains(scope.as_str()))
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    label: Label,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
}

impl Wanted {
    /// A token that no other is called like.
    ///
    /// # Errors
    /// [`KeyringError::Label`], [`KeyringError::NoScope`]
    pub fn new(
        label: &str,
        scopes: impl IntoIterator<Item = TokenScope>,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, KeyringError> {
        let scopes: Vec<&str> = scopes.into_iter().map(TokenScope::as_str).collect();
        Ok(Self {
            label: label.parse()?,
            scopes: scopes
                .join(" ")
                .parse()
                .map_err(|_| KeyringError::NoScope)?,
            expires_at,
        })
    }
}

/// A token was not made or not revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// It cannot be called that.
    #[error(transparent)]
    Label(#[from] NotALabel),
    /// It may do nothing.
    #[error("a token needs at least one scope")]
    NoScope,
    /// Another token is called that.
    #[error("there is a token of that label already")]
    LabelTaken,
    /// There are too many.
    #[error("there are {TOKENS_MAX} tokens already; revoke one that is not needed")]
    Full,
    /// It would be over at once.
    #[error("that time is past")]
    Past,
    /// It would outlive the token by which it is made.
    #[error("it would outlive the token that makes it")]
    Outlives,
    /// It may do what the token by which it is made may not.
    #[error("a token without the scope `{0}` cannot give it")]
    Beyond(String),
    /// No token is called that.
    #[error("no such token")]
    Unknown,
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl KeyringError {
    /// The member of the request that is at fault; empty if none is.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Label(_) | Self::LabelTaken => "label",
            Self::NoScope | Self::Beyond(_) => "scopes",
            Self::Past | Self::Outlives => "expires_at",
            Self::Full | Self::Unknown | Self::Write(_) => "",
        }
    }
}

impl Keyring {
    /// What the store holds; sessions come from the farm's secret, and their cookies go over HTTPS only if
    /// `encrypted`.
    pub fn new(access: Access, farm_secret: Vec<u8>, encrypted: bool) -> Self {
        Self {
            held: RwLock::new(access),
            turn: Mutex::new(()),
            closed: RwLock::default(),
            farm_secret,
            encrypted,
        }
    }

    /// Whether this is the owner's token.
    pub fn is_owner(&self, presented: &str) -> bool {
        self.read().owner.matches(presented)
    }

    /// The key of the owner's sessions. Another one after her token was replaced or all sessions ended.
    pub fn sessions(&self) -> SessionKey {
        let held = self.read();
        let generation = format!("{} {}", held.owner, held.sessions);
        SessionKey::new(&self.farm_secret, &generation, self.encrypted)
    }

    /// The owner's session of a request, if it carries one that is open.
    pub fn session(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let session = self.sessions().read(headers, now)?;
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        (!closed.has(&session)).then_some(session)
    }

    /// Ends one session of the owner, until the tracker starts again: a copy of its cookie opens nothing.
    pub fn close(&self, session: &Session, now: Timestamp) {
        let mut closed = self.closed.write().unwrap_or_else(PoisonError::into_inner);
        closed.add(session, now);
    }

    /// The token with this id.
    pub fn token(&self, id: TokenId) -> Option<ScopedToken> {
        let held = self.read();
        held.tokens.iter().find(|token| token.id == id).cloned()
    }

    /// Every token, by label.
    pub fn tokens(&self) -> Vec<ScopedToken> {
        let held = self.read();
        let by_label: BTreeMap<String, &ScopedToken> = held
            .tokens
            .iter()
            .map(|token| (token.label.to_string(), token))
            .collect();
        by_label.into_values().cloned().collect()
    }

    /// Makes a token for someone to whom `by` gives it. Its text is there once.
    pub async fn issue(
        self: &Arc<Self>,
        writer: &WriterHandle,
        by: &Holder,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<(Token, ScopedToken), KeyringError> {
        let (keyring, writer, by) = (self.clone(), writer.clone(), by.clone());
        let issue = async move {
            let _turn = keyring.turn.lock().await;
            keyring.may_issue(&by, &wanted, now)?;
            let (token, record) = ScopedToken::issue(
                wanted.label,
                wanted.scopes,
                now.second(),
                wanted.expires_at.map(Timestamp::second),
                &mut rand::rng(),
            );
            keep(&writer, AccessChange::Issued(record.clone())).await?;
            keyring.change(|held| held.tokens.push(record.clone()));
            Ok((token, record))
        };
        to_the_end(issue).await.map_err(cut_short)?
    }

    fn may_issue(&self, by: &Holder, wanted: &Wanted, now: Timestamp) -> Result<(), KeyringError> {
        if let Some(beyond) = wanted.scopes.iter().find(|scope| !by.may(scope)) {
            return Err(KeyringError::Beyond(beyond.to_owned()));
        }
        if wanted.expires_at.is_some_and(|end| end <= now) {
            return Err(KeyringError::Past);
        }
        let end = match by {
            Holder::Master => None,
            Holder::Scoped(token) => token.expires_at,
        };
        let outlives = |end: i64| wanted.expires_at.is_none_or(|wish| wish.second() > end);
        if end.is_some_and(outlives) {
            return Err(KeyringError::Outlives);
        }
        let held = self.read();
        if held.tokens.iter().any(|known| known.label == wanted.label) {
            return Err(KeyringError::LabelTaken);
        }
        if held.tokens.len() >= TOKENS_MAX {
            return Err(KeyringError::Full);
        }
        Ok(())
    }

    /// Makes a token count no longer, from now on: whoever has it need not be let in while that is written.
    pub async fn revoke(
        self: &Arc<Self>,
        writer: &WriterHandle,
        label: &str,
    ) -> Result<(), KeyringError> {
        let (keyring, writer, label) = (self.clone(), writer.clone(), label.to_owned());
        let revoke = async move {
            let _turn = keyring.turn.lock().await;
            let token = keyring.take(&label).ok_or(KeyringError::Unknown)?;
            let kept = keep(&writer, AccessChange::Revoked(token.id)).await;
            if kept.is_err() {
                // It is in the store yet, and whoever wants it revoked tries again.
                keyring.change(|held| held.tokens.push(token));
            }
            Ok(kept?)
        };
        to_the_end(revoke).await.map_err(cut_short)?
    }

    fn take(&self, label: &str) -> Option<ScopedToken> {
        let mut taken = None;
        self.change(|held| {
            let mut tokens = held.tokens.iter();
            let at = tokens.position(|token| token.label.to_string() == label);
            taken = at.map(|at| held.tokens.remove(at));
        });
        taken
    }

    /// Makes another token the owner's, in place of the one she has. It ends all her sessions.
    pub async fn replace_owner(
        self: &Arc<Self>,
        writer: &WriterHandle,
        token: &Token,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let hash: TokenHash = token.hash();
        let change = AccessChange::Owner(hash.clone(), now);
        self.durably(writer, change, |held| held.owner = hash).await
    }

    /// Ends all sessions of the owner.
    pub async fn end_sessions(self: &Arc<Self>, writer: &WriterHandle) -> Result<(), WriteError> {
        let change = AccessChange::SessionsEnded;
        self.durably(writer, change, |held| held.sessions += 1)
            .await
    }

    /// Writes a change down, and then makes it.
    async fn durably(
        self: &Arc<Self>,
        writer: &WriterHandle,
        change: AccessChange,
        make: impl FnOnce(&mut Access) + Send + 'static,
    ) -> Result<(), WriteError> {
        let (keyring, writer) = (self.clone(), writer.clone());
        let work = async move {
            let _turn = keyring.turn.lock().await;
            keep(&writer, change).await?;
            keyring.change(make);
            Ok(())
        };
        to_the_end(work).await.map_err(cut_short)?
    }

    /// Notes when a token was used. The note counts at once: whoever comes meanwhile need not write it too.
    pub async fn note_use(
        &self,
        writer: &WriterHandle,
        id: TokenId,
        at: i64,
    ) -> Result<(), WriteError> {
        self.change(|held| {
            for token in held.tokens.iter_mut().filter(|token| token.id == id) {
                token.last_used = Some(at);
            }
        });
        keep(writer, AccessChange::Used(id, at)).await
    }

    fn read(&self) -> RwLockReadGuard<'_, Access> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Access)) {
        change(&mut self.held.write().unwrap_or_else(PoisonError::into_inner));
    }
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn cut_short(error: tokio::task::JoinError) -> WriteError {
    tracing::error!(%error, "a change of who may do what was cut short");
    WriteError::Unavailable
}

async fn keep(writer: &WriterHandle, change: AccessChange) -> Result<(), WriteError> {
    let outgoing = Outgoing {
        access: vec![change],
        ..Outgoing::default()
    };
    writer.say(outgoing).await
}
