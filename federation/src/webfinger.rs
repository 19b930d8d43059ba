//! WebFinger: from a name to an actor and back.
//!
//! A name is believed only when both sides agree: the name's host says who the actor is, and the
//! actor's own host says the same name (advisories 6, 13 and 14: a host can say anything about
//! names of others).

use farmops_protocol::field::FieldError;
use url::Url;

use crate::{
    account::{Account, Reach, authority},
    actor::RemoteActor,
    fetch::{Cause, FetchError, Fetcher},
    protocol::jrd::{self, Jrd},
};

/// A handle could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A document could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A JRD breaks a rule.
    #[error("WebFinger of {host} is not acceptable: {source}")]
    Jrd {
        /// Whose answer.
        host: String,
        /// The member that is wrong.
        #[source]
        source: FieldError,
    },
    /// The handle's host and the actor's host do not say the same.
    #[error("{handle} is not confirmed: {reason}")]
    Unconfirmed {
        /// The handle.
        handle: String,
        /// Who disagrees.
        reason: &'static str,
    },
}

/// What the name's host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The account.
    pub account: Account,
    /// The actor's id.
    pub actor: Url,
}

/// Asks the account's own host. If it names another account of another host as the subject, that
/// host must say the same of itself.
pub(crate) async fn look_up(
    fetcher: &Fetcher,
    account: &Account,
    cause: &Cause,
) -> Result<Link, ResolveError> {
    let first = ask(fetcher, account.host(), account, cause).await?;
    if first.subject == *account {
        return Ok(Link {
            account: first.subject,
            actor: first.actor,
        });
    }
    let second = ask(fetcher, first.subject.host(), &first.subject, cause).await?;
    if second == first {
        Ok(Link {
            account: second.subject,
            actor: second.actor,
        })
    } else {
        Err(unconfirmed(
            account,
            "the host it points to says something else",
        ))
    }
}

/// Checks that the actor's side says the same as the name's side.
pub(crate) async fn confirm(
    fetcher: &Fetcher,
    link: &Link,
    actor: &RemoteActor,
    cause: &Cause,
) -> Result<(), ResolveError> {
    if actor.id != link.actor {
        return Err(unconfirmed(&link.account, "the actor has another id"));
    }
    let home = authority(&actor.id).unwrap_or_default();
    if home == link.account.host() {
        // The host that answered for the name is the host of the actor. Its document must not
        // claim another name.
        let same = actor
            .account
            .as_ref()
            .is_none_or(|declared| *declared == link.account);
        return if same {
            Ok(())
        } else {
            Err(unconfirmed(&link.account, "the actor claims another name"))
        };
    }
    let own = ask(fetcher, &home, &link.account, cause).await?;
    if own.subject == link.account && own.actor == link.actor {
        Ok(())
    } else {
        Err(unconfirmed(
            &link.account,
            "the actor's own host says something else",
        ))
    }
}

/// Asks the server at `address` which actor stands for that address.
pub(crate) async fn look_up_url(
    fetcher: &Fetcher,
    address: &Url,
    cause: &Cause,
) -> Result<Url, ResolveError> {
    let document = fetch(fetcher, address, address.as_str(), cause).await?;
    let host = authority(address).unwrap_or_default();
    let actor = jrd::actor_link(&document).map_err(|source| ResolveError::Jrd { host, source })?;
    if actor.origin() == address.origin() {
        Ok(actor)
    } else {
        Err(ResolveError::Unconfirmed {
            handle: address.to_string(),
            reason: "it points to another server",
        })
    }
}

async fn ask(
    fetcher: &Fetcher,
    host: &str,
    account: &Account,
    cause: &Cause,
) -> Result<Jrd, ResolveError> {
    let refuse = |source| ResolveError::Jrd {
        host: host.to_owned(),
        source,
    };
    let loopback = fetcher.gate().allows_loopback();
    let scheme = if loopback { "http" } else { "https" };
    let base = Url::parse(&format!("{scheme}://{host}"))
        .map_err(|_| refuse(FieldError::new("host", "is not a host")))?;
    let document = fetch(fetcher, &base, &account.to_acct(), cause).await?;
    let reach = if loopback {
        Reach::Loopback
    } else {
        Reach::Public
    };
    Jrd::parse(&document, reach).map_err(refuse)
}

async fn fetch(
    fetcher: &Fetcher,
    base: &Url,
    resource: &str,
    cause: &Cause,
) -> Result<serde_json::Value, FetchError> {
    let mut url = base.clone();
    url.set_path("/.well-known/webfinger");
    url.set_fragment(None);
    url.query_pairs_mut()
        .clear()
        .append_pair("resource", resource);
    fetcher.json(&url, &jrd::MEDIA_TYPES, cause).await
}

fn unconfirmed(account: &Account, reason: &'static str) -> ResolveError {
    ResolveError::Unconfirmed {
        handle: account.to_handle(),
        reason,
    }
}
