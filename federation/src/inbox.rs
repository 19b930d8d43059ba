//! The way in. The order of the checks is the design: cheap before dear, and nothing with an
//! effect before the sender is verified.
//!
//! 1. body cap ([`crate::http`])
//! 2. media type, head of the signature, the activity's form
//! 3. blocked hosts: 403
//! 4. a Delete by someone never met: dropped
//! 5. seen before: 202
//! 6. key, from memory or its actor's document, with one refetch
//! 7. signature: 401
//! 8. proof of a snapshot by its author: 422
//! 9. kept on disk: 202
//!
//! The rest happens in [`worker`].

pub mod receive;
mod verify;
pub mod worker;

pub use self::verify::Verified;
