//! HTTP message signatures: who sent this request.
//!
//! Spoken now: draft-cavage with RSA-SHA256, which every server reads. The seam for RFC 9421 is
//! [`verify::Claim`]: whatever the wire form, a claim says which key signed which bytes, and the
//! inbox asks nothing more.

pub mod cavage;
pub mod digest;
pub mod sign;
pub mod verify;
