//! What stands where in a cluster's folder, and what each server is told.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use rand::RngExt as _;
use rcgen::KeyPair;

use crate::Error;

/// Below the ports that the system hands out, so that nobody takes one while the API server is stopped.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Nothing here runs a pod. These controllers would put that right, by deleting pods of unknown nodes and
/// declaring nodes dead that report nothing.
const CONTROLLERS: &str = "*,-node-lifecycle-controller,-taint-eviction-controller,\
    -pod-garbage-collector-controller";

/// The folder of a cluster, and the address of its API server.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    folder: PathBuf,
    port: u16,
    token: String,
}

impl Layout {
    /// Writes the files that the servers read.
    pub(crate) fn write(folder: &Path) -> Result<Self, Error> {
        let layout = Self {
            folder: folder.to_owned(),
            port: free_port()?,
            token: format!("{:032x}", rand::rng().random::<u128>()),
        };
        let key = KeyPair::generate()?;
        fs::write(layout.file("accounts.key"), key.serialize_pem())?;
        fs::write(layout.file("accounts.pub"), key.public_key_pem())?;
        let admin = format!("{},admin,admin,system:masters\n", layout.token);
        fs::write(layout.file("tokens.csv"), admin)?;
        fs::write(layout.kubeconfig(), layout.kubeconfig_with(&layout.token))?;
        Ok(layout)
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of the API server.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The certificates that vouch for the API server; it makes them itself when it first starts.
    pub(crate) fn authority(&self) -> PathBuf {
        self.file("certificates/apiserver.crt")
    }

    /// The kubeconfig of who may do everything.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.file("admin.kubeconfig")
    }

    /// A kubeconfig for the bearer of `token`.
    pub(crate) fn kubeconfig_with(&self, token: &str) -> String {
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             clusters:\n\
             - name: testbed\n  cluster: {{ server: \"{}\", certificate-authority: \"{}\" }}\n\
             users:\n\
             - name: bearer\n  user: {{ token: \"{token}\" }}\n\
             contexts:\n\
             - name: testbed\n  context: {{ cluster: testbed, user: bearer }}\n\
             current-context: testbed\n",
            self.url(),
            self.authority().display(),
        )
    }

    /// A file or folder of the cluster.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A flag with a file.
    fn flag(&self, flag: &str, name: &str) -> String {
        format!("--{flag}={}", self.file(name).display())
    }

    /// Where etcd listens: in the folder only.
    pub(crate) fn store(&self) -> PathBuf {
        self.file("etcd.sock")
    }

    pub(crate) fn etcd(&self) -> Vec<String> {
        let listen =
            |kind, path: PathBuf| format!("--listen-{kind}-urls=unix://{}", path.display());
        vec![
            self.flag("data-dir", "etcd"),
            listen("client", self.store()),
            listen("peer", self.file("etcd-peer.sock")),
            // It insists on something; nobody goes there.
            "--advertise-client-urls=http://localhost:2379".to_owned(),
            "--unsafe-no-fsync".to_owned(),
        ]
    }

    pub(crate) fn api_server(&self) -> Vec<String> {
        vec![
            format!("--etcd-servers=unix://{}", self.store().display()),
            format!("--secure-port={}", self.port),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
            self.flag("cert-dir", "certificates"),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            self.flag("service-account-key-file", "accounts.pub"),
            self.flag("service-account-signing-key-file", "accounts.key"),
            self.flag("token-auth-file", "tokens.csv"),
            "--authorization-mode=RBAC".to_owned(),
            // So that it is Pod Security that refuses a privileged pod, as elsewhere.
            "--allow-privileged=true".to_owned(),
        ]
    }

    pub(crate) fn controller_manager(&self) -> Vec<String> {
        vec![
            self.flag("kubeconfig", "admin.kubeconfig"),
            self.flag("service-account-private-key-file", "accounts.key"),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            format!("--controllers={CONTROLLERS}"),
        ]
    }
}

fn free_port() -> Result<u16, Error> {
    let mut rng = rand::rng();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| rng.random_range(PORTS))
        .take(100)
        .find(free)
        .ok_or_else(|| std::io::Error::from(std::io::ErrorKind::AddrInUse).into())
}
