//! Paths that an operator writes.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// The name by which a field tells the tree that it wants a path.
pub(super) const PATH: &str = "$farmops_service::config::path";

/// For `#[serde(deserialize_with = "farmops_service::config::path")]` at a field of type `PathBuf` or
/// `Option<PathBuf>`: a relative path in the configuration file is looked for beside that file; one in a
/// variable or a flag, in the working directory. What comes out is absolute.
///
/// # Errors
/// The deserialiser's, if it is no text.
pub fn path<'de, D: Deserializer<'de>, P: From<PathBuf>>(deserializer: D) -> Result<P, D::Error> {
    deserializer.deserialize_newtype_struct(PATH, PathVisitor(PhantomData))
}

struct PathVisitor<P>(PhantomData<P>);

impl<'de, P: From<PathBuf>> Visitor<'de> for PathVisitor<P> {
    type Value = P;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a file or folder")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<P, D::Error> {
        deserializer.deserialize_string(self)
    }

    fn visit_str<E: Error>(self, path: &str) -> Result<P, E> {
        Ok(PathBuf::from(path).into())
    }
}
