//! Heads: a log's size and root, bare or with everything a C2SP `tlog-checkpoint` says.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use super::note::{SignedNote, is_key_name};
use crate::{
    checkpoint::Checkpoint,
    digest::Digest,
    field::FieldError,
    key::{PublicKey, SecretKey},
};

/// The size of a log and its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Entries in the log.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Digest,
}

/// A checkpoint with its extension lines, which mean nothing here but are signed like the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Origin, size and root.
    pub checkpoint: Checkpoint,
    /// The lines after the root, without their ends; none is empty.
    pub extensions: Vec<String>,
}

impl From<&Checkpoint> for TreeHead {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            size: checkpoint.size,
            root: checkpoint.root,
        }
    }
}

impl From<Checkpoint> for Head {
    /// A checkpoint without extensions.
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            checkpoint,
            extensions: Vec::new(),
        }
    }
}

impl Head {
    /// Reads the text of a checkpoint (`CHK-NOTE-001`, `CHK-LINES-001`).
    ///
    /// # Errors
    /// A [`FieldError`] when it is not origin, size, root and further lines, none of them empty.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let refuse = |reason| FieldError::document(reason);
        let mut lines = text
            .strip_suffix('\n')
            .ok_or_else(|| refuse("the text's last line has no end"))?
            .split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(refuse("expected the lines origin, size and root"));
        };
        if !is_key_name(origin) {
            return Err(refuse(
                "the origin is not empty and has no white space and no +",
            ));
        }
        let digits = size.bytes().all(|b| b.is_ascii_digit());
        let size = size
            .parse()
            .ok()
            .filter(|_| digits && (size == "0" || !size.starts_with('0')))
            .ok_or_else(|| refuse("the size is a 64-bit number without leading zeros"))?;
        let root = BASE64
            .decode(root)
            .ok()
            .and_then(|root| root.try_into().ok())
            .ok_or_else(|| refuse("the root is not 32 bytes of base64"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(refuse("the text has an empty line"));
        }
        Ok(Self {
            checkpoint: Checkpoint {
                origin: origin.to_owned(),
                size,
                root: Digest::from_bytes(root),
            },
            extensions,
        })
    }

    /// The text, without signatures.
    pub fn text(&self) -> String {
        let Checkpoint { origin, size, root } = &self.checkpoint;
        let mut text = format!("{origin}\n{size}\n{}\n", BASE64.encode(root.as_bytes()));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The checkpoint, signed with the log's key under its origin.
    ///
    /// # Errors
    /// A [`FieldError`] when a reader would refuse it: what would be refused is not signed.
    pub fn sign(&self, key: &SecretKey) -> Result<SignedNote, FieldError> {
        let text = self.text();
        if Self::parse(&text)? != *self {
            return Err(FieldError::new(
                "extensions",
                "an extension is one line that is not empty",
            ));
        }
        SignedNote::sign(text, &self.checkpoint.origin, key)
    }

    /// Reads a signed checkpoint and checks the log's own signature under `key` (`CHK-SIGN-001`). The
    /// note comes along for the witnesses' lines.
    ///
    /// # Errors
    /// A [`FieldError`] when the note is malformed, or no signature of `key` verifies.
    pub fn open(note: &str, key: &PublicKey) -> Result<(Self, SignedNote), FieldError> {
        let note = SignedNote::parse(note)?;
        let head = Self::parse(note.text())?;
        note.verify(&head.checkpoint.origin, key)?;
        Ok((head, note))
    }
}
