//! One request at the door.

use farmops_protocol::field::FieldError;
use http::StatusCode;
use url::Url;

use super::verify::{Unverified, verify};
use crate::{
    account::authority,
    activities::{HandleError, Incoming, publishing},
    federation::Federation,
    http::Problem,
    protocol::{activity::Activity, context::ACTIVITY_JSON, tolerant},
    signature::verify::{Claim, Request, SignatureError},
    store::{Enqueued, InboxItem},
};

/// Verified activities waiting to be processed, at most.
const WAITING_MAX: u32 = 10_000;

/// Takes an activity in, or says why not. `Ok` is 202: it is kept, known, or of no concern.
pub(crate) async fn receive(federation: &Federation, request: Request<'_>) -> Result<(), Problem> {
    check_media_type(request)?;
    let local = federation.fetcher().gate().local_authority();
    let claim = Claim::read(request, local, federation.now()).map_err(unsigned)?;
    let activity = Activity::parse(request.body).map_err(Problem::field)?;
    let incoming = Incoming::parse(&activity).map_err(Problem::field)?;

    refuse_blocked(federation, &activity, &claim).await?;
    if federation.fetcher().gate().is_local(&activity.actor) {
        return Err(signature_problem("the actor is on this very server"));
    }
    let stranger = federation
        .store()
        .remote_actor(&activity.actor)
        .await?
        .is_none();
    if stranger && matches!(incoming, Incoming::Delete(_)) {
        // Nothing of a stranger's is kept here, so nothing can be deleted: no need to ask a
        // server, perhaps gone itself, for the key. Such notices come by the thousand.
        return Ok(());
    }
    if federation
        .store()
        .arrived_before(&activity.id, &activity.actor)
        .await?
    {
        return Ok(());
    }

    let cause = federation.fetcher().cause();
    let actor = activity.actor.clone();
    let verified = verify(federation, incoming, &actor, &claim, &cause)
        .await
        .map_err(unverified)?;
    publishing::check_own_snapshot(federation, &verified, &cause)
        .await
        .map_err(HandleError::into_problem)?;
    keep(federation, &activity, request.body).await
}

async fn keep(federation: &Federation, activity: &Activity, body: &[u8]) -> Result<(), Problem> {
    let item = InboxItem {
        position: 0,
        id: activity.id.clone(),
        actor: activity.actor.clone(),
        // It parsed as JSON, so it is UTF-8.
        body: String::from_utf8_lossy(body).into_owned(),
        received_at: federation.now(),
        attempts: 0,
    };
    match federation.store().enqueue(&item, WAITING_MAX).await? {
        Enqueued::New => federation.inner.mail_came.notify_one(),
        Enqueued::Duplicate => {}
        Enqueued::Full => return Err(Problem::unavailable("the inbox is full just now")),
    }
    Ok(())
}

fn check_media_type(request: Request<'_>) -> Result<(), Problem> {
    let given = request.headers.get(http::header::CONTENT_TYPE);
    let given = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (essence, parameters) = given.split_once(';').unwrap_or((given, ""));
    let essence = essence.trim();
    let is_ld = essence.eq_ignore_ascii_case("application/ld+json")
        && parameters.contains("https://www.w3.org/ns/activitystreams");
    if is_ld || essence.eq_ignore_ascii_case(ACTIVITY_JSON) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "the content type must be application/activity+json",
    ))
}

/// Every host that the activity involves counts: whose it is, whose key, whose object.
async fn refuse_blocked(
    federation: &Federation,
    activity: &Activity,
    claim: &Claim,
) -> Result<(), Problem> {
    let object = activity.document.get("object");
    let owner = object.and_then(|object| tolerant::optional(object, "attributedTo").ok().flatten());
    let object = object.and_then(|object| tolerant::reference(object, "object").ok());
    let involved = [
        Some(&activity.actor),
        Some(&claim.key_id),
        object.as_ref(),
        owner.as_ref(),
    ];
    let hosts: Vec<String> = involved
        .into_iter()
        .flatten()
        .filter_map(|u: &Url| authority(u))
        .collect();
    if federation.store().any_blocked(&hosts).await? {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this server does not talk to yours",
        ));
    }
    Ok(())
}

fn unsigned(error: SignatureError) -> Problem {
    let field = FieldError::new(error.field(), error.to_string());
    Problem::field(field).with_status(StatusCode::UNAUTHORIZED)
}

fn signature_problem(reason: &str) -> Problem {
    Problem::field(FieldError::new("signature", reason)).with_status(StatusCode::UNAUTHORIZED)
}

fn unverified(error: Unverified) -> Problem {
    match error {
        Unverified::Internal(error) => error.into(),
        // No fault of the signature: the sender should keep the activity and come again.
        Unverified::NoKey(error) if error.is_transient() => {
            Problem::unavailable("the actor's key could not be fetched just now")
        }
        other => {
            tracing::debug!(reason = %other, "a signature was refused");
            signature_problem(match other {
                Unverified::ForeignKey => "the key is not a key of the actor",
                Unverified::Wrong => "the signature is not by the actor's key",
                _ => "the actor's key could not be fetched",
            })
        }
    }
}
