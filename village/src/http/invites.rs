//! `POST /api/v1/invites {"uses": 1, "days": 14}`

use axum::{Json, extract::State};
use farmops_service::problem::{Problem, StrictJson};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{admin::Admin, problems};
use crate::{
    limits::{BODY_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX, INVITE_DAYS, INVITE_USES_MAX},
    store::Invite,
    village::Village,
};

const DAY_S: i64 = 86_400;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    uses: Option<u32>,
    days: Option<u32>,
}

/// Makes an invite and answers its code, which is shown this once: the village keeps its hash.
///
/// With an `Idempotency-Key` the code is derived from the key, so that the same request again
/// gives the same invite and not a second one.
pub(super) async fn create(
    _: Admin,
    State(village): State<Village>,
    headers: HeaderMap,
    StrictJson(wish): StrictJson<Wish, BODY_BYTES_MAX>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let uses = wish.uses.unwrap_or(1);
    if !(1..=INVITE_USES_MAX).contains(&uses) {
        return Err(Problem::unprocessable(
            "uses",
            format!("expected 1 to {INVITE_USES_MAX}"),
        ));
    }
    let days = i64::from(wish.days.unwrap_or(0));
    let days = if wish.days.is_none() {
        INVITE_DAYS
    } else {
        days
    };
    if !(1..=365).contains(&days) {
        return Err(Problem::unprocessable("days", "expected 1 to 365"));
    }
    let seed = match headers.get("idempotency-key").map(|value| value.to_str()) {
        None => uuid::Uuid::new_v4().to_string(),
        Some(Ok(key)) if !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_CHARS_MAX => {
            format!("invite {key}")
        }
        Some(_) => {
            let reason = format!("expected 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible characters");
            return Err(Problem::bad_request("Idempotency-Key", reason));
        }
    };
    let now = village.now();
    let invite = Invite {
        code: village.derived_code(&seed),
        uses,
        expires_at: now.saturating_add(days * DAY_S),
    };
    village
        .store()
        .keep_invite(&invite, now)
        .await
        .map_err(problems::store)?;
    let answer = json!({
        "code": invite.code,
        "uses": invite.uses,
        "expires_at": invite.expires_at,
        "join": format!("farmops-tracker join {} --invite {}", village.url(), invite.code),
    });
    Ok((StatusCode::CREATED, Json(answer)))
}
