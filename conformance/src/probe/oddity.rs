//! What can be odd about the document of a probe actor.

/// A reason to take no actor from a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Its id is another actor's.
    UnderOtherId,
    /// It is served as plain text, as something that a user uploaded would be.
    AsText,
    /// It is longer than documents may be.
    TooLarge,
}

impl Oddity {
    const ALL: [Self; 3] = [Self::UnderOtherId, Self::AsText, Self::TooLarge];

    /// How the names of such actors begin.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::UnderOtherId => "under-other-id",
            Self::AsText => "as-text",
            Self::TooLarge => "too-large",
        }
    }

    /// What is odd about the actor of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|oddity| name.starts_with(oddity.as_str()))
    }
}
