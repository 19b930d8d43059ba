//! The faults, and which check must find each.

use crate::sign::Forgery;

/// Something that the server does wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// WebFinger has a media type of its own.
    WebfingerAsText,
    /// The village says another subject of the farmer than her tracker.
    HostsDisagree,
    /// The actor's URL is unknown to WebFinger.
    NoNameForActor,
    /// Every account exists.
    KnowsEveryone,
    /// NodeInfo names no protocol.
    NodeinfoSilent,
    /// The shared inbox is on another server.
    InboxElsewhere,
    /// The actor is served as plain JSON.
    ActorAsJson,
    /// The RSA key belongs to someone else.
    KeyOfAnother,
    /// The farm key is controlled by someone else.
    FarmKeyOfAnother,
    /// A context of its own must be fetched.
    RemoteContext,
    /// The instance actor is only shown to signed requests.
    InstanceHidden,
    /// Answers are signed by another key.
    AnswersByOtherKey,
    /// A Follow is never answered.
    NeverAnswers,
    /// Activities are not remembered.
    ForgetsActivities,
    /// Whatever has an object is taken for a Follow.
    AllAreFollows,
    /// The key of a stranger is fetched even for his own Delete.
    FetchesTheGone,
    /// Ids of other servers are taken.
    TakesForeignIds,
    /// Blocked hosts are listened to.
    HeedsTheBlocked,
    /// Any media type is taken.
    TakesAnyMediaType,
    /// Of two members the last one counts, and nesting has no bound.
    ParsesLaxly,
    /// Lists have no bound.
    TakesLongLists,
    /// Bodies have no bound.
    NoBodyCap,
    /// The document of an actor is taken whatever its id.
    FetchesOtherIds,
    /// The document of an actor is taken as any media type.
    FetchesAnyMediaType,
    /// The document of an actor has no bound.
    FetchesWithoutBound,
    /// Of types nobody thought of comes a 500.
    TripsOverTypes,
    /// A wrong signature is overlooked.
    Overlooks(Forgery),
    /// An unsigned Follow is refused, and answered all the same.
    RefusesYetHeeds,
    /// A false snapshot is refused, and shown all the same.
    RefusesYetShows,
    /// The published snapshot is not what was signed.
    PublishesChanged,
    /// The checkpoint of the published snapshot is signed by another key.
    CheckpointOfAnother,
    /// The served checkpoint is signed by another key.
    HeadOfAnother,
    /// The tiles are not those that the checkpoint is made of.
    ChangesTiles,
    /// The entry bundles are not those under the tiles.
    ChangesBundles,
    /// Any spelling of a tile's path finds one.
    LaxTilePaths,
    /// The published snapshot tells of a log that the served one does not extend.
    TellsOfAnotherLog,
    /// Snapshots are taken unverified.
    TakesAnySnapshot,
    /// A context longer than what was signed is let pass.
    TakesLongerContext,
    /// Whoever sends a snapshot is shown.
    ShowsStrangers,
    /// Proofs are read by any JSON reader.
    LaxProofs,
    /// Refusals carry no problem document.
    PlainRefusals,
    /// Proofs have no size.
    NoProofCap,
    /// Proofs are taken by any method.
    TakesAnyMethod,
    /// Proofs are taken as any media type.
    TakesProofsAsText,
    /// A key that was replaced still signs.
    TakesFormerKeys,
    /// Rotations are not verified.
    TakesAnyRotation,
    /// A rotation counts wherever it was made.
    RotatesAnywhere,
    /// A rotation that is in force is refused when it comes again.
    ForgetsRotations,
    /// A pending agent has one key.
    KeepsPendingKeys,
    /// A second successor is taken.
    TakesForks,
    /// A refusal does not say where the chain ends.
    HidesTheHead,
    /// A proof that is known is refused when it comes again.
    ForgetsProofs,
    /// A proof is taken under its agent's own id.
    TakesAgentsId,
    /// Requests for a reset are not verified.
    TakesAnyReset,
    /// A reset does not wait for the owner.
    ResetsUnasked,
    /// After a reset the proofs of the branch before are forgotten.
    DropsTheOldBranch,
    /// A reset at the end of the chain is not done.
    IgnoresResetAtTheEnd,
    /// Enrolments are not verified.
    LaxEnrolment,
    /// Registrations are not verified.
    LaxRegistration,
    /// A registration by any key is taken.
    TakesAnyFarmerKey,
    /// Members are never followed.
    NeverFollows,
    /// The snapshot that came last is shown, whatever its sequence.
    OlderReplacesNewer,
    /// Who left is still shown.
    KeepsTheDeparted,
    /// Who left is still followed.
    KeepsFollowing,
    /// A league has other rules than its line in the list says.
    OtherRulesThanListed,
    /// A league has rules that no rule set may have.
    RulesBeyondBounds,
    /// Every league is there.
    HasEveryLeague,
}

/// Every fault with the check that must find it.
pub(super) fn trials() -> Vec<(Fault, &'static str)> {
    use Forgery as F;
    let forgeries = [
        (F::Unsigned, "signature-missing"),
        (F::NoTarget, "signature-without-target"),
        (F::NoHost, "signature-without-host"),
        (F::NoDigest, "signature-without-digest"),
        (F::NoTime, "signature-without-time"),
        (F::OtherBody, "signature-of-other-body"),
        (F::OtherHost, "signature-for-other-host"),
        (F::OtherPath, "signature-for-other-path"),
        (F::Stale, "signature-stale"),
        (F::Ahead, "signature-ahead"),
        (F::ForeignKey, "signature-by-other-actor"),
        (F::StolenKeyId, "signature-by-other-key"),
        (F::Empty, "signature-empty"),
        (F::RepeatedParameter, "signature-repeats-parameter"),
        (F::RepeatedHeader, "signature-repeats-header"),
        (F::AbsentHeader, "signature-of-absent-header"),
    ];
    let others = [
        (Fault::WebfingerAsText, "webfinger"),
        (Fault::HostsDisagree, "webfinger-both-hosts"),
        (Fault::NoNameForActor, "webfinger-by-actor"),
        (Fault::KnowsEveryone, "webfinger-unknown"),
        (Fault::NodeinfoSilent, "nodeinfo"),
        (Fault::InboxElsewhere, "actor-document"),
        (Fault::ActorAsJson, "actor-media-type"),
        (Fault::KeyOfAnother, "actor-key"),
        (Fault::FarmKeyOfAnother, "farm-key"),
        (Fault::RemoteContext, "actor-context"),
        (Fault::InstanceHidden, "instance-actor"),
        (Fault::AnswersByOtherKey, "inbox-follow"),
        (Fault::NeverAnswers, "inbox-follow"),
        (Fault::ForgetsActivities, "inbox-replay"),
        (Fault::AllAreFollows, "inbox-unknown-type"),
        (Fault::FetchesTheGone, "inbox-delete-by-stranger"),
        (Fault::TakesForeignIds, "inbox-foreign-id"),
        (Fault::HeedsTheBlocked, "inbox-blocked"),
        (Fault::TakesAnyMediaType, "inbox-media-type"),
        (Fault::ParsesLaxly, "inbox-malformed"),
        (Fault::TakesLongLists, "inbox-malformed"),
        (Fault::NoBodyCap, "inbox-too-large"),
        (Fault::FetchesOtherIds, "sender-under-other-id"),
        (Fault::FetchesAnyMediaType, "sender-as-text"),
        (Fault::FetchesWithoutBound, "sender-too-large"),
        (Fault::TripsOverTypes, "inbox-no-server-error"),
        (Fault::TripsOverTypes, "no-server-error"),
        (Fault::RefusesYetHeeds, "signature-missing"),
        (Fault::RefusesYetShows, "snapshot-changed"),
        (Fault::PublishesChanged, "snapshot-own"),
        (Fault::CheckpointOfAnother, "snapshot-own"),
        (Fault::HeadOfAnother, "log-head"),
        (Fault::ChangesTiles, "log-head"),
        (Fault::ChangesBundles, "log-bundles"),
        (Fault::LaxTilePaths, "log-paths"),
        (Fault::TellsOfAnotherLog, "log-grows"),
        (Fault::TakesAnySnapshot, "snapshot-changed"),
        (Fault::TakesAnySnapshot, "snapshot-unsigned"),
        (Fault::TakesAnySnapshot, "snapshot-by-other-key"),
        (Fault::TakesAnySnapshot, "snapshot-by-other-method"),
        (Fault::TakesLongerContext, "snapshot-longer-context"),
        (Fault::ShowsStrangers, "snapshot-of-stranger"),
        (Fault::LaxProofs, "proof-form"),
        (Fault::PlainRefusals, "proof-of-unknown-agent"),
        (Fault::NoProofCap, "proof-too-large"),
        (Fault::TakesAnyMethod, "proof-request"),
        (Fault::TakesProofsAsText, "proof-request"),
        (Fault::TakesFormerKeys, "keys-rotation"),
        (Fault::TakesAnyRotation, "keys-rotation-form"),
        (Fault::RotatesAnywhere, "keys-rotation-place"),
        (Fault::ForgetsRotations, "keys-rotation-again"),
        (Fault::KeepsPendingKeys, "keys-rotation-often"),
        (Fault::TakesForks, "chain-links"),
        (Fault::HidesTheHead, "chain-links"),
        (Fault::ForgetsProofs, "chain-repeats"),
        (Fault::TakesAgentsId, "chain-agents-id"),
        (Fault::TakesAnyReset, "chain-reset-form"),
        (Fault::ResetsUnasked, "chain-reset-waits"),
        (Fault::DropsTheOldBranch, "chain-reset"),
        (Fault::IgnoresResetAtTheEnd, "chain-reset-at-the-end"),
        (Fault::LaxEnrolment, "enrolment-form"),
        (Fault::LaxRegistration, "registration-form"),
        (Fault::TakesAnyFarmerKey, "registration-key"),
        (Fault::NeverFollows, "member-snapshots"),
        (Fault::OlderReplacesNewer, "member-snapshots"),
        (Fault::TakesAnySnapshot, "member-snapshots"),
        (Fault::KeepsTheDeparted, "member-snapshots"),
        (Fault::KeepsFollowing, "member-snapshots"),
        (Fault::OtherRulesThanListed, "leagues"),
        (Fault::RulesBeyondBounds, "leagues"),
        (Fault::HasEveryLeague, "league-unknown"),
    ];
    let overlooked = forgeries.map(|(forgery, check)| (Fault::Overlooks(forgery), check));
    overlooked.into_iter().chain(others).collect()
}
