//! The way in. The order of the checks is the design: cheap before dear, and nothing with an
//! effect before the sender is verified.
//!
//! 1. body cap ([`crate::http`]) 2. head of the signature 3. the activity's form 4. blocked hosts
//! 5. a Delete by someone never met 6. seen before 7. key 8. signature 9. proof of an embedded
//! snapshot 10. kept on disk, 202. The rest happens in [`worker`].

pub mod receive;
mod verify;
pub mod worker;

pub use self::verify::Verified;
