//! One cluster: its servers, and the ways to use it.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    Error, Program,
    layout::Layout,
    programs::{folder, printed},
    server::Server,
};

/// A running cluster. When it is dropped, its servers are killed and its folder goes.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    layout: Layout,
    flags: Vec<String>,
    api: Option<Server>,
    _controllers: Server,
    _etcd: Server,
    // Removed last.
    dir: TempDir,
}

impl Cluster {
    /// Starts a cluster and waits until it can be used: on an idle machine less than ten seconds.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start() -> Result<Self, Error> {
        Self::start_with(&[])
    }

    /// Starts a cluster whose API server gets more flags, as `--runtime-config=group/version=true`.
    ///
    /// # Errors
    /// See [`Error`]; a flag that the API server does not know is [`Error::NotUp`].
    pub fn start_with(flags: &[&str]) -> Result<Self, Error> {
        let programs = folder()?;
        let dir = tempfile::Builder::new().prefix("farmops-k8s-").tempdir()?;
        let layout = Layout::write(dir.path())?;
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let etcd = Server::start(&programs, "etcd", dir.path(), &layout.etcd(), || {
            UnixStream::connect(layout.store()).is_ok()
        })?;
        let api = api_server(&programs, &layout, &flags)?;
        // It gives up soon when there is nobody to talk to. That it has made this account shows that it works.
        let controllers = Server::start(
            &programs,
            "kube-controller-manager",
            dir.path(),
            &layout.controller_manager(),
            || answers(&layout, &["get", "serviceaccount", "default"]),
        )?;
        Ok(Self {
            programs,
            layout,
            flags,
            api: Some(api),
            _controllers: controllers,
            _etcd: etcd,
            dir,
        })
    }

    /// The address of the API server; it stays the same over a restart.
    #[must_use]
    pub fn url(&self) -> String {
        self.layout.url()
    }

    /// A kubeconfig that may do everything.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig()
    }

    /// The folder of this cluster, with the servers' logs; what a test puts there goes with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A command that may do everything in this cluster.
    ///
    /// # Errors
    /// [`Error::Missing`] and [`Error::NoHome`].
    pub fn command(&self, program: Program) -> Result<Command, Error> {
        command(&self.layout, program)
    }

    /// Runs `kubectl`; answers what it printed.
    ///
    /// # Errors
    /// [`Error::Failed`] with what it said, when it did not succeed.
    pub fn kubectl(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<String, Error> {
        self.run(Program::Kubectl, arguments)
    }

    /// Runs `helm`; answers what it printed.
    ///
    /// # Errors
    /// [`Error::Failed`] with what it said, when it did not succeed.
    pub fn helm(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<String, Error> {
        self.run(Program::Helm, arguments)
    }

    /// Applies manifests, in YAML or JSON.
    ///
    /// # Errors
    /// [`Error::Failed`] with what the API server or an admission rule said.
    pub fn apply(&self, manifests: &str) -> Result<String, Error> {
        let mut command = self.command(Program::Kubectl)?;
        let mut child = command
            .args(["apply", "--filename=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(manifests.as_bytes())?;
        }
        printed(&command, &child.wait_with_output()?)
    }

    /// A kubeconfig for a service account, with a token for one hour that the API server issued.
    ///
    /// # Errors
    /// [`Error::Failed`] when there is no such account.
    pub fn kubeconfig_of(&self, namespace: &str, account: &str) -> Result<PathBuf, Error> {
        let token = self.kubectl([
            "create",
            "token",
            account,
            "--namespace",
            namespace,
            "--duration=1h",
        ])?;
        let path = self
            .layout
            .file(&format!("{namespace}-{account}.kubeconfig"));
        fs::write(&path, self.layout.kubeconfig_with(token.trim()))?;
        Ok(path)
    }

    /// Kills the API server where it stands, as a crash would: open watches break, new connections are refused.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn stop_api(&mut self) -> Result<(), Error> {
        self.api.take().map_or(Ok(()), Server::kill)
    }

    /// Starts the API server again, at the same address with the same data, and waits until it is ready.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start_api(&mut self) -> Result<(), Error> {
        if self.api.is_none() {
            self.api = Some(api_server(&self.programs, &self.layout, &self.flags)?);
        }
        Ok(())
    }

    fn run(
        &self,
        program: Program,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<String, Error> {
        let mut command = self.command(program)?;
        let output = command.args(arguments).output()?;
        printed(&command, &output)
    }
}

fn api_server(programs: &Path, layout: &Layout, flags: &[String]) -> Result<Server, Error> {
    let mut arguments = layout.api_server();
    arguments.extend_from_slice(flags);
    Server::start(
        programs,
        "kube-apiserver",
        layout.folder(),
        &arguments,
        || answers(layout, &["get", "--raw=/readyz"]),
    )
}

/// Whether `kubectl` gets what it asks for.
fn answers(layout: &Layout, question: &[&str]) -> bool {
    let output = command(layout, Program::Kubectl)
        .and_then(|mut kubectl| Ok(kubectl.args(question).output()?));
    output.is_ok_and(|output| output.status.success())
}

fn command(layout: &Layout, program: Program) -> Result<Command, Error> {
    let mut command = program.command()?;
    command
        .env("KUBECONFIG", layout.kubeconfig())
        .env("KUBECACHEDIR", layout.file("kubectl-cache"))
        .env("HELM_CACHE_HOME", layout.file("helm/cache"))
        .env("HELM_CONFIG_HOME", layout.file("helm/configuration"))
        .env("HELM_DATA_HOME", layout.file("helm/data"));
    Ok(command)
}
