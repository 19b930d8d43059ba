//! Every bound that the village puts on what it takes, keeps and answers, by name.

/// Bytes of a request body of the village's own API.
pub const BODY_BYTES_MAX: usize = 16 * 1024;
/// Rows of one page of a list.
pub const PAGE_ROWS_MAX: u32 = 100;
/// Rows of one page of a list when nobody says how many.
pub const PAGE_ROWS: u32 = 50;
/// Farmers on the roster, members and known ones together.
pub const FARMERS_MAX: u32 = 100_000;
/// Other villages that asked, were asked or are blocked.
pub const PEERS_MAX: u32 = 1_000;
/// Farmers that one peer may announce.
pub const FARMERS_PER_PEER_MAX: u32 = 10_000;
/// Snapshots kept of one farmer; the oldest go first.
pub const SNAPSHOTS_PER_FARMER_MAX: u32 = 1_000;
/// Points of a history.
pub const HISTORY_POINTS_MAX: u32 = 200;
/// Registrations that wait for a tracker to answer at the same time.
pub const REGISTRATIONS_AT_ONCE_MAX: usize = 8;
/// Browsers that listen to live updates at the same time.
pub const LISTENERS_MAX: usize = 512;
/// Bytes of a village's name.
pub const VILLAGE_NAME_CHARS_MAX: usize = 80;
/// Days that an invite is good for.
pub const INVITE_DAYS: i64 = 14;
/// Uses of one invite.
pub const INVITE_USES_MAX: u32 = 1_000;
/// Characters of a cursor.
pub const CURSOR_CHARS_MAX: usize = 512;
/// Characters of an `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
