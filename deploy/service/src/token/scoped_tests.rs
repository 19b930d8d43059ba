//! Scoped tokens at a handler's door.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::middleware::from_extractor_with_state;
use axum::routing::get;
use http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::{Granted, Label, Scope, ScopedToken, Scopes, Token, TokenHash, TokenId, TokenStore};

struct Read;
impl Scope for Read {
    const NAME: &'static str = "read";
}

struct Farm;
impl Scope for Farm {
    const NAME: &'static str = "farm";
}

const NOW: i64 = 1_795_444_201;

#[derive(Clone)]
struct Shelf {
    master: TokenHash,
    rows: Arc<Mutex<BTreeMap<TokenId, ScopedToken>>>,
    notes: Arc<Mutex<Vec<i64>>>,
}

impl TokenStore for Shelf {
    type Error = Infallible;

    fn is_master(&self, presented: &str) -> bool {
        self.master.matches(presented)
    }

    async fn token(&self, id: TokenId) -> Result<Option<ScopedToken>, Infallible> {
        Ok(self.rows.lock().unwrap().get(&id).cloned())
    }

    async fn note_use(&self, id: TokenId, at: i64) -> Result<(), Infallible> {
        self.notes.lock().unwrap().push(at);
        self.rows.lock().unwrap().get_mut(&id).unwrap().last_used = Some(at);
        Ok(())
    }

    fn now(&self) -> i64 {
        NOW
    }
}

impl Shelf {
    fn new() -> (Self, Token) {
        let master = Token::generate(&mut rand::rng());
        let shelf = Self {
            master: master.hash(),
            rows: Arc::default(),
            notes: Arc::default(),
        };
        (shelf, master)
    }

    fn issue(&self, scopes: &str, expires_at: Option<i64>) -> Token {
        let label: Label = "my shell".parse().unwrap();
        let scopes: Scopes = scopes.parse().unwrap();
        let (token, record) = ScopedToken::issue(label, scopes, NOW, expires_at, &mut rand::rng());
        assert!(!format!("{record:?}").contains(token.expose()));
        self.rows.lock().unwrap().insert(record.id, record);
        token
    }

    /// Asks the route: its status, `WWW-Authenticate`, and the problem's code.
    async fn ask(&self, path: &str, token: &str) -> (u16, String, String) {
        let guarded = Router::new()
            .route("/guarded", get(async || "in"))
            .route_layer(from_extractor_with_state::<Granted<Farm>, _>(self.clone()));
        let router = Router::new()
            .route("/read", get(async |_: Granted<Read>| "in"))
            .route("/farm", get(async |_: Granted<Farm>| "in"))
            .merge(guarded)
            .with_state(self.clone());
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let field = answer.headers().get("www-authenticate");
        let field = field.map_or_else(String::new, |f| f.to_str().unwrap().to_owned());
        let body = to_bytes(answer.into_body(), 4096).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        (
            status,
            field,
            problem["code"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

const IN: u16 = StatusCode::OK.as_u16();

#[tokio::test]
async fn a_token_opens_what_its_scopes_say_and_the_master_everything() {
    let (shelf, master) = Shelf::new();
    let reader = shelf.issue("read", None);
    let farmer = shelf.issue("farm read", Some(NOW + 1));
    for (path, token, status) in [
        ("/read", &reader, IN),
        ("/farm", &reader, 403),
        ("/guarded", &reader, 403),
        ("/read", &farmer, IN),
        ("/farm", &farmer, IN),
        ("/guarded", &farmer, IN),
        ("/read", &master, IN),
        ("/guarded", &master, IN),
    ] {
        assert_eq!(shelf.ask(path, token.expose()).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn a_refusal_says_why_as_rfc_6750_has_it() {
    let (shelf, _) = Shelf::new();
    let reader = shelf.issue("read", None);
    let old = shelf.issue("farm", Some(NOW));
    let lacking = r#"Bearer error="insufficient_scope", scope="farm""#;
    let (status, field, code) = shelf.ask("/farm", reader.expose()).await;
    assert_eq!(
        (status, field.as_str(), code.as_str()),
        (403, lacking, "insufficient-scope")
    );
    let (status, field, _) = shelf.ask("/farm", old.expose()).await;
    assert_eq!(status, 401);
    assert!(
        field.contains("invalid_token") && field.contains("expired"),
        "{field}"
    );
    let (status, field, _) = shelf.ask("/farm", "").await;
    assert_eq!((status, field.as_str()), (401, "Bearer"));
}

#[tokio::test]
async fn the_id_alone_or_another_secret_is_nobody() {
    let (shelf, _) = Shelf::new();
    let (one, other) = (shelf.issue("farm", None), shelf.issue("farm", None));
    let (id, _) = one.expose().rsplit_once(&one.expose()[25..]).unwrap();
    let mixed = format!("{id}{}", &other.expose()[25..]);
    let changed = format!("{}x", &one.expose()[..one.expose().len() - 1]);
    for wrong in [
        id,
        &mixed,
        &changed,
        "farmops_",
        "farmops_00_",
        "x",
        &one.expose()[8..],
    ] {
        let (status, field, _) = shelf.ask("/farm", wrong).await;
        assert_eq!(status, 401, "{wrong}");
        assert!(field.contains("invalid_token"), "{field}");
    }
    assert!(shelf.notes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_use_is_noted_to_within_five_minutes_and_once() {
    let (shelf, _) = Shelf::new();
    let token = shelf.issue("read", None);
    for _ in 0..3 {
        shelf.ask("/read", token.expose()).await;
    }
    assert_eq!(*shelf.notes.lock().unwrap(), [NOW - NOW % 300]);
}

#[test]
fn scopes_labels_and_ids_are_read_strictly() {
    assert_eq!(
        "read farm read".parse::<Scopes>().unwrap().to_string(),
        "farm read"
    );
    for wrong in ["", " ", "read  farm", "Read", "a\"b", "ä"] {
        assert!(wrong.parse::<Scopes>().is_err(), "{wrong}");
    }
    assert_eq!(
        " my shell ".parse::<Label>().unwrap().to_string(),
        "my shell"
    );
    for wrong in ["", "  ", ".", "..", "two\nlines", &"x".repeat(65)] {
        assert!(wrong.parse::<Label>().is_err(), "{wrong}");
    }
    for wrong in ["", "00112233445566", "00112233445566AA", "zz11223344556677"] {
        assert!(wrong.parse::<TokenId>().is_err(), "{wrong}");
    }
}
