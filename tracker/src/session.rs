//! The owner's browser session: a signed expiry time in a cookie, and a token for forms.
//!
//! No session is stored, only which were closed, in memory. The key comes from the farm's secret, the owner's token, and how often she has
//! ended all sessions, so a new token ends every one too.

use std::collections::BTreeSet;

use farmops_protocol::{
    digest::{Digest, keyed},
    time::Timestamp,
};
use http::{HeaderMap, HeaderValue, header::COOKIE};
use subtle::ConstantTimeEq as _;

/// The cookie's name.
const NAME: &str = "farmops_session";
/// The cookie that carries a sentence from a form to the page after it.
const TOLD: &str = "farmops_told";
/// How long it waits for that page.
const TOLD_SECONDS: i64 = 60;
/// How long a session lasts.
const SECONDS: i64 = 7 * 86_400;
/// Closed sessions that are remembered. Only the owner closes any.
const CLOSED_MAX: usize = 1024;

/// Makes and checks sessions.
#[derive(Clone)]
pub struct SessionKey {
    key: Digest,
    encrypted: bool,
}

/// A session that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What every form of this session carries.
    pub form_token: String,
    /// The second at which it ends.
    expires: i64,
}

/// The sessions that were closed and would still be open otherwise, by when they end.
#[derive(Debug, Default)]
pub struct Closed(BTreeSet<(i64, String)>);

impl Closed {
    /// Whether a session was closed.
    pub fn has(&self, session: &Session) -> bool {
        self.0.contains(&session.place())
    }

    /// Closes a session. Those that have ended by now are forgotten, and more than so many that end first.
    pub fn add(&mut self, session: &Session, now: Timestamp) {
        self.0.retain(|(expires, _)| now.second() < *expires);
        self.0.insert(session.place());
        if self.0.len() > CLOSED_MAX {
            self.0.pop_first();
        }
    }
}

impl SessionKey {
    /// The key for this farm and whoever `owner` stands for; `encrypted` makes browsers send the cookie over HTTPS only.
    pub fn new(farm_secret: &[u8], owner: &str, encrypted: bool) -> Self {
        Self {
            key: keyed(farm_secret, format!("session {owner}").as_bytes()),
            encrypted,
        }
    }

    /// The `Set-Cookie` of a new session.
    pub fn open(&self, now: Timestamp, rng: &mut impl rand::CryptoRng) -> Option<HeaderValue> {
        let mut nonce = [0; 16];
        rng.fill_bytes(&mut nonce);
        let claim = format!("{}.{}", now.second() + SECONDS, hex::encode(nonce));
        let tag = self.tag("cookie", &claim);
        self.cookie(NAME, &format!("{claim}.{tag}"), SECONDS)
    }

    /// The `Set-Cookie` that ends a session.
    pub fn close(&self) -> Option<HeaderValue> {
        self.cookie(NAME, "", 0)
    }

    /// The `Set-Cookie` that makes the next page tell what was done.
    pub fn tell(&self, sentence: &str) -> Option<HeaderValue> {
        // Hexadecimal, so that every character may be in it.
        let claim = hex::encode(sentence);
        let tag = self.tag(TOLD, &claim);
        self.cookie(TOLD, &format!("{claim}.{tag}"), TOLD_SECONDS)
    }

    /// What the page is to tell, if one of our forms said so.
    pub fn told(&self, headers: &HeaderMap) -> Option<String> {
        let (claim, tag) = value(headers, TOLD)?.rsplit_once('.')?;
        let good: bool = self
            .tag(TOLD, claim)
            .as_bytes()
            .ct_eq(tag.as_bytes())
            .into();
        let sentence = hex::decode(claim).ok().filter(|_| good)?;
        String::from_utf8(sentence).ok()
    }

    /// The `Set-Cookie` after it was told.
    pub fn forget_told(&self) -> Option<HeaderValue> {
        self.cookie(TOLD, "", 0)
    }

    /// The session of a request, if it carries a good one.
    pub fn read(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let (claim, tag) = value(headers, NAME)?.rsplit_once('.')?;
        let (expires, _) = claim.split_once('.')?;
        let good = bool::from(self.tag("cookie", claim).as_bytes().ct_eq(tag.as_bytes()));
        let expires: i64 = expires.parse().ok().filter(|_| good)?;
        (now.second() < expires).then(|| Session {
            form_token: self.tag("form", claim),
            expires,
        })
    }

    fn tag(&self, purpose: &str, claim: &str) -> String {
        keyed(self.key.as_bytes(), format!("{purpose} {claim}").as_bytes()).to_string()
    }

    fn cookie(&self, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
        let secure = if self.encrypted { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::from_str(&text).ok()
    }
}

impl Session {
    fn place(&self) -> (i64, String) {
        (self.expires, self.form_token.clone())
    }

    /// Whether a form came from a page of this session.
    pub fn made(&self, form_token: &str) -> bool {
        self.form_token
            .as_bytes()
            .ct_eq(form_token.as_bytes())
            .into()
    }
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    cookies(headers).find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(';').map(str::trim))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn request(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        HeaderMap::from_iter([(COOKIE, pair.parse().unwrap())])
    }

    #[test]
    fn a_session_is_good_until_it_expires_and_for_its_own_key() {
        let now: Timestamp = "2026-02-21T09:30:00Z".parse().unwrap();
        let key = SessionKey::new(b"secret", "owner", false);
        let headers = request(&key.open(now, &mut rand::rng()).unwrap());
        let session = key.read(&headers, now).unwrap();
        assert!(session.made(&session.form_token) && !session.made(""));
        assert_eq!(key.read(&headers, now.saturating_add(SECONDS)), None);
        let rotated = SessionKey::new(b"secret", "another", false);
        assert_eq!(rotated.read(&headers, now), None);
        assert_eq!(key.read(&request(&key.close().unwrap()), now), None);
    }

    #[test]
    fn closed_sessions_are_remembered_as_long_as_they_would_last() {
        let now: Timestamp = "2026-02-21T09:30:00Z".parse().unwrap();
        let key = SessionKey::new(b"secret", "owner", false);
        let open = |at| {
            let headers = request(&key.open(at, &mut rand::rng()).unwrap());
            key.read(&headers, at).unwrap()
        };
        let (one, other) = (open(now), open(now));
        let mut closed = Closed::default();
        closed.add(&one, now);
        assert!(closed.has(&one) && !closed.has(&other));
        let later = now.saturating_add(SECONDS);
        for _ in 0..=CLOSED_MAX {
            closed.add(&open(later), later);
        }
        assert!(!closed.has(&one), "it has ended by itself");
        assert_eq!(closed.0.len(), CLOSED_MAX);
    }

    #[test]
    fn what_is_told_is_what_a_form_said() {
        let key = SessionKey::new(b"secret", "owner", false);
        let cookie = key.tell("“Barn” was bought; well done.").unwrap();
        let told = key.told(&request(&cookie));
        assert_eq!(told.as_deref(), Some("“Barn” was bought; well done."));
        let another = SessionKey::new(b"secret", "another", false);
        assert_eq!(another.told(&request(&cookie)), None);
        assert_eq!(key.told(&request(&key.forget_told().unwrap())), None);
    }

    #[test]
    fn a_changed_expiry_is_noticed() {
        let now: Timestamp = "2026-02-21T09:30:00Z".parse().unwrap();
        let key = SessionKey::new(b"secret", "owner", true);
        let cookie = key.open(now, &mut rand::rng()).unwrap();
        let text = cookie.to_str().unwrap();
        assert!(text.ends_with("; HttpOnly; SameSite=Strict; Secure"));
        let later = text.replacen("farmops_session=1", "farmops_session=2", 1);
        assert_eq!(key.read(&request(&later.parse().unwrap()), now), None);
    }
}
