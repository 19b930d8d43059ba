//! The object of a Create, an Update or an Announce: a farm snapshot with its proof, or a note.

use farmops_protocol::{
    field::FieldError,
    snapshot::{SnapshotDocument, VerifiedSnapshot, is_snapshot},
};
use serde_json::Value;
use url::Url;

use crate::{
    activities::{HandleError, Handled, Incoming},
    actor::RemoteActor,
    federation::{Federation, FederationError},
    fetch::Cause,
    host::{ReceivedNote, ReceivedSnapshot, Via},
    http::Problem,
    inbox::Verified,
    policy::{Act, Verdict, decide},
    protocol::tolerant,
};

/// How old an actor's document may be when a key that it lacks is looked for again, in seconds.
const REFETCH_S: i64 = 300;

impl HandleError {
    /// The answer at the door.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Refused(error) => {
                Problem::field(error).with_status(http::StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::Failed(error) => error.into(),
        }
    }
}

/// Checks, at the door, the proof of a snapshot that its author sends: whoever sends a false one
/// hears it at once.
pub(crate) async fn check_own_snapshot(
    federation: &Federation,
    verified: &Verified<Incoming>,
    cause: &Cause,
) -> Result<(), HandleError> {
    let object = match verified.value() {
        Incoming::Create(create) => &create.object,
        Incoming::Update(update) => &update.object,
        _ => return Ok(()),
    };
    if is_snapshot(object) {
        proven(federation, object, verified.sender(), cause).await?;
    }
    Ok(())
}

/// The snapshot in `object`, its proof checked against the author's pinned farm key.
pub(super) async fn proven(
    federation: &Federation,
    object: &Value,
    author: &RemoteActor,
    cause: &Cause,
) -> Result<VerifiedSnapshot, HandleError> {
    let within = |error: FieldError| error.within("object");
    let document = SnapshotDocument::from_value(object.clone()).map_err(within)?;
    let post = document.post();
    if post.attributed_to != author.id.as_str() {
        return Err(FieldError::new("object.attributedTo", "must be the author").into());
    }
    let id = tolerant::url(&Value::from(post.id.as_str()), "object.id")?;
    if id.origin() != author.id.origin() {
        return Err(FieldError::new("object.id", "must be on the author's own server").into());
    }
    let key = match &author.farm_key {
        Some(key) => key.clone(),
        None => late_key(federation, author, cause).await?,
    };
    let method = object
        .pointer("/proof/verificationMethod")
        .and_then(Value::as_str);
    if method != Some(key.id.as_str()) {
        let reason = "is not the assertionMethod known of the author";
        return Err(FieldError::new("object.proof.verificationMethod", reason).into());
    }
    Ok(document.verify(&key.key).map_err(within)?)
}

/// The farm key of an actor that had none when it was last fetched.
async fn late_key(
    federation: &Federation,
    author: &RemoteActor,
    cause: &Cause,
) -> Result<crate::FarmKey, HandleError> {
    let missing = || FieldError::new("object.proof", "the author's actor shows no Ed25519 key");
    if federation.now().seconds_since(author.fetched_at) < REFETCH_S {
        return Err(missing().into());
    }
    let fresh = federation.refresh_within(&author.id, cause).await?;
    Ok(fresh.farm_key.ok_or_else(missing)?)
}

/// A followed actor's own object goes to the service.
pub(super) async fn take_own(
    federation: &Federation,
    sender: &RemoteActor,
    id: &Url,
    object: &Value,
    update: bool,
) -> Result<Handled, HandleError> {
    match decide(Act::Show, federation.standing(&sender.id, &[id]).await?) {
        Verdict::Allow => {}
        Verdict::Hold => return Ok(Handled::Held("our follow is not answered yet")),
        Verdict::Deny(reason) => return Ok(Handled::Done(reason)),
    }
    let cause = federation.fetcher().cause();
    if is_snapshot(object) {
        let snapshot = proven(federation, object, sender, &cause).await?;
        let received = ReceivedSnapshot {
            snapshot,
            author: sender.clone(),
            via: Via::Author,
        };
        federation
            .host()
            .snapshot_received(received)
            .await
            .map_err(FederationError::Host)?;
        return Ok(Handled::Done("a snapshot from its author"));
    }
    let note = ReceivedNote {
        id: id.clone(),
        author: sender.clone(),
        document: object.clone(),
        update,
    };
    federation
        .host()
        .note_received(note)
        .await
        .map_err(FederationError::Host)?;
    Ok(Handled::Done("a note"))
}
