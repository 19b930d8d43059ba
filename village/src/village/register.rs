//! Taking in a new member.

use farmops_federation::{FederationError, RemoteActor, fetch::FetchError};
use farmops_protocol::{field::FieldError, registration::RegistrationRequest};
use url::Url;

use super::{VILLAGE, Village};
use crate::{
    farmer::{Farmer, FarmerId, Membership},
    limits::FARMERS_MAX,
    names,
    roster::{self, Decision, Denial, Facts},
    store::{Saved, StoreError},
};

/// A member, or one who waits to be one.
#[derive(Debug, Clone)]
pub struct Registered {
    /// She.
    pub farmer: Farmer,
    /// Her membership.
    pub membership: Membership,
    /// Whether this request made it.
    pub new: bool,
}

/// Why a registration is refused.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The request breaks a rule of form, freshness or signature, or its actor does not fit it.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The roster's rule refuses it.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Too many registrations wait for their trackers just now.
    #[error("too many registrations at the same time")]
    Busy,
    /// The engine failed.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Village {
    /// Takes in the farmer whose tracker signed `bytes`.
    ///
    /// What is cheap to refuse is refused before anyone else's server is asked; the decision is
    /// then made again under the roster's lock.
    pub async fn register(&self, bytes: &[u8]) -> Result<Registered, RegisterError> {
        let request = RegistrationRequest::verify(bytes, &self.url(), self.now())?;
        let actor: Url = request
            .actor
            .parse()
            .map_err(|_| FieldError::new("actor", "is not a URL"))?;
        if let Decision::Already(membership) = self.decide(&request, &actor).await? {
            return self.known(&actor, membership).await;
        }
        let remote = {
            let _place = self
                .inner
                .registrations
                .try_acquire()
                .map_err(|_| RegisterError::Busy)?;
            self.registered_actor(&request, &actor).await?
        };
        let (farmer, membership) = {
            let _roster = self.inner.roster.lock().await;
            match self.decide(&request, &actor).await? {
                Decision::Already(membership) => return self.known(&actor, membership).await,
                Decision::Admit {
                    membership,
                    spend_invite,
                } => {
                    let farmer = self.new_member(&request, &remote, membership).await?;
                    let invite = request.invite.as_deref().filter(|_| spend_invite);
                    match self
                        .store()
                        .save_farmer(&farmer, invite, self.now())
                        .await?
                    {
                        Saved::Yes => (farmer, membership),
                        Saved::Taken => return Err(Denial::HandleTaken.into()),
                        Saved::InviteSpent => return Err(Denial::InviteRefused.into()),
                    }
                }
            }
        };
        if membership == Membership::Active {
            self.welcome(&farmer).await?;
        }
        tracing::info!(farmer = %farmer.account, status = %membership, "a farmer registered");
        Ok(Registered {
            farmer,
            membership,
            new: true,
        })
    }

    /// Begins to hear from a member. Repeating it is harmless.
    pub(super) async fn welcome(&self, farmer: &Farmer) -> Result<(), FederationError> {
        self.federation().follow(VILLAGE, &farmer.actor).await?;
        self.changed();
        Ok(())
    }

    async fn known(
        &self,
        actor: &Url,
        membership: Membership,
    ) -> Result<Registered, RegisterError> {
        let farmer = self
            .store()
            .farmer_by_actor(actor)
            .await?
            .ok_or(Denial::OtherActor)?;
        if membership == Membership::Active {
            // Her tracker asks again because it may have missed our Follow.
            self.welcome(&farmer).await?;
        }
        Ok(Registered {
            farmer,
            membership,
            new: false,
        })
    }

    async fn decide(
        &self,
        request: &RegistrationRequest,
        actor: &Url,
    ) -> Result<Decision, RegisterError> {
        let account = self
            .account_of(&request.handle)
            .ok_or_else(|| FieldError::new("handle", "makes no account at this village"))?;
        let handle_holder = self.store().farmer_by_account(&account).await?;
        let actor_holder = self.store().farmer_by_actor(actor).await?;
        let standing = self
            .standing_of(actor_holder.as_ref(), actor, self.host_name())
            .await?;
        let invite_is_good = match &request.invite {
            Some(code) => self.store().invite_is_good(code, self.now()).await?,
            None => false,
        };
        let facts = Facts {
            handle_holder: handle_holder.as_ref(),
            actor_holder: actor_holder.as_ref(),
            standing,
            reserved: names::is_reserved(&request.handle, &self.record().slug, self.host_name()),
            invite_is_good,
            full: self.store().count_farmers().await? >= u64::from(FARMERS_MAX),
        };
        Ok(roster::decide(self.registration(), request, facts)?)
    }

    /// Asks the tracker whether the actor really has the key that signed the request.
    async fn registered_actor(
        &self,
        request: &RegistrationRequest,
        actor: &Url,
    ) -> Result<RemoteActor, RegisterError> {
        let remote = match self.federation().refresh_actor(actor).await {
            Ok(remote) => remote,
            Err(error @ (FederationError::Store(_) | FederationError::Host(_))) => {
                return Err(error.into());
            }
            Err(error) => {
                tracing::debug!(%actor, %error, "a registering actor could not be read");
                return Err(FieldError::new("actor", unreadable(&error)).into());
            }
        };
        if remote.id != *actor {
            return Err(FieldError::new("actor", "is not the id of the actor found there").into());
        }
        match &remote.farm_key {
            Some(farm_key) if farm_key.key == request.farmer_key => Ok(remote),
            Some(_) => {
                Err(FieldError::new("farmer_key", "is not the key that the actor shows").into())
            }
            None => Err(FieldError::new("actor", "shows no Ed25519 key to verify farms by").into()),
        }
    }

    async fn new_member(
        &self,
        request: &RegistrationRequest,
        remote: &RemoteActor,
        membership: Membership,
    ) -> Result<Farmer, RegisterError> {
        let known = self.store().farmer_by_actor(&remote.id).await?;
        let account = self
            .account_of(&request.handle)
            .ok_or_else(|| FieldError::new("handle", "makes no account at this village"))?;
        Ok(Farmer {
            id: known.as_ref().map_or_else(FarmerId::fresh, |k| k.id),
            actor: remote.id.clone(),
            account,
            display_name: request.display_name.clone(),
            tracker_url: request.tracker_url.clone(),
            farmer_key: request.farmer_key,
            page: remote.page.clone(),
            membership: Some(membership),
            following: known.as_ref().and_then(|k| k.following),
            registered_at: self.now(),
            asked_at: Some(request.requested_at),
            last_sync_at: known.and_then(|k| k.last_sync_at),
        })
    }
}

/// What a stranger is told of an actor that could not be read. Anyone may ask here, so the answer
/// never says what a name resolves to inside our network.
fn unreadable(error: &FederationError) -> String {
    match error {
        FederationError::Fetch(FetchError::Unreachable { .. }) => {
            "could not be reached from here".to_owned()
        }
        other => format!("could not be read: {other}"),
    }
}
