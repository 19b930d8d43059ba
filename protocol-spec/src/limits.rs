//! Every bound that the protocol puts on foreign input, by name.

/// The largest integer any document may carry: 2^53 − 1, the last that every JSON reader keeps.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Bytes of one proof in canonical form.
pub const PROOF_BYTES_MAX: usize = 4096;
/// Bytes of one enrolment request in canonical form.
pub const ENROLMENT_BYTES_MAX: usize = 1024;
/// Bytes of one key rotation in canonical form.
pub const KEY_ROTATION_BYTES_MAX: usize = 1024;
/// Bytes of one chain reset request in canonical form.
pub const CHAIN_RESET_BYTES_MAX: usize = 1024;
/// Bytes of one snapshot document in canonical form.
pub const SNAPSHOT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one league in JSON, and of a village's list of them.
pub const LEAGUE_BYTES_MAX: usize = 64 * 1024;
/// Leagues of one village.
pub const LEAGUES_MAX: usize = 16;
/// Arrays and objects inside one another in any document.
pub const DEPTH_MAX: usize = 32;
/// Characters of a proof's `description`.
pub const DESCRIPTION_CHARS_MAX: usize = 140;
/// Characters of a `cluster_alias`.
pub const CLUSTER_ALIAS_CHARS_MAX: usize = 32;
/// Characters of a slug: plugin halves, subcategories, upgrades, achievements.
pub const SLUG_CHARS_MAX: usize = 64;
/// The reach of an action: 1 is one artifact, 10 is everything.
pub const IMPACT_RADIUS_MAX: u64 = 10;
/// Seconds a signed document's time may lie ahead of the receiver's clock.
pub const CLOCK_AHEAD_SECONDS_MAX: i64 = 300;
/// Seconds a signed request stays fresh: enrolment, rotation, chain reset, registration, departure.
pub const REQUEST_AGE_SECONDS_MAX: i64 = 3600;
/// Entries of a snapshot's `farm:upgrades` and `farm:achievements`.
pub const SNAPSHOT_LIST_MAX: usize = 256;
/// Bytes of a checkpoint's signed note.
pub const CHECKPOINT_BYTES_MAX: usize = 4096;
/// Bytes of the path of a tile or an entry bundle: the longest that a 64-bit log has takes 46.
pub const TILE_PATH_BYTES_MAX: usize = 64;
/// Bytes of the text of one log proof with its checkpoint and what it opens.
pub const LOG_PROOF_BYTES_MAX: usize = 128 * 1024;
