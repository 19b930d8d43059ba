//! Signed notes (C2SP `signed-note`): a text and lines of signatures under it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{
    digest::sha256,
    field::FieldError,
    key::{PublicKey, SecretKey, Signature},
    limits::CHECKPOINT_BYTES_MAX,
};

/// What a signature line is, in one byte of its key's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519 over the text.
    Ed25519 = 0x01,
    /// A witness's Ed25519 over the text and a time, see [`super::cosignature`].
    Cosignature = 0x04,
}

/// A note as it was received: nothing in it is true before a signature is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    /// What the key made, as its algorithm writes it; never empty.
    signature: Vec<u8>,
}

/// The id of a key under a name: four bytes of SHA-256(name ‖ newline ‖ algorithm ‖ key).
pub fn key_id(name: &str, algorithm: Algorithm, key: &PublicKey) -> [u8; 4] {
    let id = [name.as_bytes(), b"\n", &[algorithm as u8], key.as_bytes()].concat();
    let [a, b, c, d, ..] = *sha256(&id).as_bytes();
    [a, b, c, d]
}

/// A key as other tools for signed notes take it: `name+id+base64`.
pub fn verifier_key(name: &str, algorithm: Algorithm, key: &PublicKey) -> String {
    let id = hex::encode(key_id(name, algorithm, key));
    let material = [&[algorithm as u8][..], key.as_bytes()].concat();
    format!("{name}+{id}+{}", BASE64.encode(material))
}

/// Whether a key may have this name: not empty, no white space, no `+`.
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

impl NoteSignature {
    /// A line of `name`, whose `key` made `signature`.
    pub(super) fn new(
        name: &str,
        algorithm: Algorithm,
        key: &PublicKey,
        signature: Vec<u8>,
    ) -> Result<Self, FieldError> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key_id: key_id(name, algorithm, key),
            signature,
        })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes that the key made.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether the line claims to be by this key in this role.
    pub(super) fn is_by(&self, name: &str, algorithm: Algorithm, key: &PublicKey) -> bool {
        self.name == name && self.key_id == key_id(name, algorithm, key)
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = BASE64.decode(encoded).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        (is_key_name(name) && !signature.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: *key_id,
            signature: signature.to_owned(),
        })
    }
}

impl SignedNote {
    /// `text`, signed by `key` under `name`.
    ///
    /// # Errors
    /// A [`FieldError`] when the text does not end its last line or has control characters, or the
    /// name is none.
    pub fn sign(text: String, name: &str, key: &SecretKey) -> Result<Self, FieldError> {
        check_text(&text)?;
        check_name(name)?;
        Ok(Self::made(text, name, key))
    }

    /// As [`Self::sign`], of what is known to be a text and a name.
    pub(crate) fn made(text: String, name: &str, key: &SecretKey) -> Self {
        let line = NoteSignature {
            name: name.to_owned(),
            key_id: key_id(name, Algorithm::Ed25519, &key.public()),
            signature: key.sign(text.as_bytes()).as_bytes().to_vec(),
        };
        Self {
            text,
            signatures: vec![line],
        }
    }

    /// Reads a note; no signature is verified.
    ///
    /// # Errors
    /// A [`FieldError`] when it is too long, or is no text followed by an empty line and signature lines.
    pub fn parse(note: &str) -> Result<Self, FieldError> {
        let refuse = |reason: &str| FieldError::document(reason);
        if note.len() > CHECKPOINT_BYTES_MAX {
            return Err(refuse("a signed note has at most 4096 bytes"));
        }
        let (body, lines) = note
            .strip_suffix('\n')
            .and_then(|note| note.rsplit_once("\n\n"))
            .ok_or_else(|| refuse("a signed note has a blank line before its signatures"))?;
        let text = format!("{body}\n");
        check_text(&text)?;
        let signatures = lines
            .split('\n')
            .map(NoteSignature::parse)
            .collect::<Option<_>>()
            .ok_or_else(|| refuse("a signature is a line like — name base64"))?;
        Ok(Self { text, signatures })
    }

    /// The text, up to and including its last line end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line.
    pub fn push(&mut self, signature: NoteSignature) {
        self.signatures.push(signature);
    }

    /// Checks that `key` signed the text under `name`. Lines of other keys neither help nor harm.
    ///
    /// # Errors
    /// A [`FieldError`] when no line of the key verifies.
    pub fn verify(&self, name: &str, key: &PublicKey) -> Result<(), FieldError> {
        let verifies = |line: &&NoteSignature| {
            <[u8; 64]>::try_from(line.signature.as_slice()).is_ok_and(|bytes| {
                let signature = Signature::from_bytes(bytes);
                key.verify(self.text.as_bytes(), &signature).is_ok()
            })
        };
        self.signatures
            .iter()
            .filter(|line| line.is_by(name, Algorithm::Ed25519, key))
            .find(verifies)
            .map(|_| ())
            .ok_or_else(|| FieldError::document("no signature of the key verifies"))
    }
}

fn check_name(name: &str) -> Result<(), FieldError> {
    if is_key_name(name) {
        Ok(())
    } else {
        Err(FieldError::new(
            "name",
            "a key's name is not empty and has no white space and no +",
        ))
    }
}

fn check_text(text: &str) -> Result<(), FieldError> {
    if !text.ends_with('\n') || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(FieldError::document(
            "a note's text consists of whole lines without control characters",
        ));
    }
    Ok(())
}

impl fmt::Display for SignedNote {
    /// The note as it is sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| {
            let bytes = [&line.key_id[..], &line.signature].concat();
            writeln!(f, "\u{2014} {} {}", line.name, BASE64.encode(bytes))
        })
    }
}
