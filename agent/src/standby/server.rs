//! The lease as the API server keeps it.

use k8s_openapi::api::coordination::v1::{Lease as LeaseObject, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, PostParams};

use super::StandbyConfig;
use super::election::Lease;
use super::mandate::{Succession, Term};

/// `spec.leaseDurationSeconds`, for whoever reads the lease; our candidates use their own timing.
const LEASE_SECONDS: i32 = 15;

/// No way to the API server.
#[derive(Debug, thiserror::Error)]
#[error("`standby`: no way to the Kubernetes API server: {0}")]
pub struct StandbyError(String);

pub(super) struct LeaseServer {
    api: Api<LeaseObject>,
    lease: String,
    holder: String,
    /// As last read or written.
    object: LeaseObject,
    /// Whose term ours follows, if we have claimed any.
    before: Option<Term>,
}

impl LeaseServer {
    pub(super) async fn connect(
        config: &StandbyConfig,
        holder: String,
    ) -> Result<Self, StandbyError> {
        let failed = |error: &dyn std::fmt::Display| StandbyError(error.to_string());
        let mut way = match kube::Config::incluster() {
            Ok(way) => way,
            Err(_) => kube::Config::from_kubeconfig(&kube::config::KubeConfigOptions::default())
                .await
                .map_err(|error| failed(&error))?,
        };
        // Each try has a deadline, and the election decides when to try again.
        way.default_retry = false;
        let namespace = config.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| way.default_namespace.clone());
        let client = kube::Client::try_from(way).map_err(|error| failed(&error))?;
        Ok(Self::new(client, &namespace, &config.lease, holder))
    }

    pub(super) fn new(client: kube::Client, namespace: &str, lease: &str, holder: String) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            lease: lease.to_owned(),
            holder,
            object: LeaseObject::default(),
            before: None,
        }
    }

    /// From now on it is somebody else who claims.
    pub(super) fn rename(&mut self, holder: String) {
        self.holder = holder;
    }

    /// The term that was claimed, and whose it follows.
    pub(super) fn succession(&self) -> Succession {
        Succession {
            before: self.before.clone(),
            now: term(&self.object),
        }
    }

    /// The lease, if there is one.
    pub(super) async fn read(&mut self) -> Result<Option<Lease>, String> {
        let read = self.api.get_opt(&self.lease).await.map_err(reason)?;
        self.object = read.clone().unwrap_or_default();
        Ok(read.as_ref().map(seen))
    }

    /// Writes the holder in place of `version`, or into a new lease.
    pub(super) async fn claim(&mut self, version: Option<&str>) -> Result<Lease, String> {
        let mut object = self.object.clone();
        object.metadata.name = Some(self.lease.clone());
        object.metadata.resource_version = version.map(str::to_owned);
        let spec = object.spec.get_or_insert_default();
        let now = MicroTime(crate::clock::precise());
        if spec.holder_identity.as_ref() != Some(&self.holder) {
            // Noted before it is written: the answer may be lost.
            self.before = version.map(|_| term(&self.object));
            spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |count| count + 1));
            spec.acquire_time = Some(now.clone());
        }
        spec.holder_identity = Some(self.holder.clone());
        spec.lease_duration_seconds = Some(LEASE_SECONDS);
        spec.renew_time = Some(now);
        self.write(object).await
    }

    /// Takes the holder's name out of the lease.
    pub(super) async fn give_up(&mut self) -> Result<(), String> {
        let mut object = self.object.clone();
        let spec: &mut LeaseSpec = object.spec.get_or_insert_default();
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        self.write(object).await.map(|_| ())
    }

    async fn write(&mut self, object: LeaseObject) -> Result<Lease, String> {
        let parameters = PostParams::default();
        let written = if object.metadata.resource_version.is_some() {
            self.api.replace(&self.lease, &parameters, &object).await
        } else {
            self.api.create(&parameters, &object).await
        };
        self.object = written.map_err(reason)?;
        Ok(seen(&self.object))
    }
}

fn seen(object: &LeaseObject) -> Lease {
    let holder = object
        .spec
        .as_ref()
        .and_then(|spec| spec.holder_identity.clone());
    Lease {
        version: object.metadata.resource_version.clone().unwrap_or_default(),
        holder: holder.unwrap_or_default(),
    }
}

fn term(object: &LeaseObject) -> Term {
    let spec = object.spec.as_ref();
    Term {
        lease: object.metadata.uid.clone().unwrap_or_default(),
        number: spec.and_then(|spec| spec.lease_transitions).unwrap_or(0),
        holder: seen(object).holder,
    }
}

fn reason(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} ({})", status.message, status.code),
        other => other.to_string(),
    }
}
