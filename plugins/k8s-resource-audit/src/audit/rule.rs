//! The rules, each with a name, an area and a severity.

/// How bad a flaw is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good practice that is not kept.
    Low,
    /// Makes an attack or an outage easier.
    Medium,
    /// Whoever gets into the container has the node, or nearly.
    High,
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What a flaw endangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Who may do what.
    Security,
    /// Whether the work gets done.
    Reliability,
}

impl Area {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Security, Self::Reliability];

    /// In one word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Reliability => "reliability",
        }
    }
}

/// The rules in one table: variant, name, severity, area, and what breaks it.
macro_rules! rules {
    ($($rule:ident $name:literal $severity:ident $area:ident $text:literal;)*) => {
        /// A rule, named for what breaks it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $text] $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$rule,)*];

            /// Its name, a slug.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }

            /// How bad it is to break it.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity,)* }
            }

            /// What it guards.
            #[must_use]
            pub const fn area(self) -> Area {
                match self { $(Self::$rule => Area::$area,)* }
            }
        }
    };
}

rules! {
    Privileged "privileged" High Security "`privileged: true`.";
    HostPid "host-pid" High Security "`hostPID: true`.";
    HostIpc "host-ipc" High Security "`hostIPC: true`.";
    HostNetwork "host-network" High Security "`hostNetwork: true`.";
    SensitiveHostPath "sensitive-host-path" High Security "A `hostPath` at the node's root, its settings, devices, runtime, or a socket.";
    DangerousCapability "dangerous-capability" High Security "An added capability that comes close to root.";
    RunsAsRoot "runs-as-root" High Security "`runAsUser: 0`.";
    PrivilegeEscalation "privilege-escalation" Medium Security "`allowPrivilegeEscalation` is not `false`.";
    MayRunAsRoot "may-run-as-root" Medium Security "Neither `runAsNonRoot: true` nor a `runAsUser`.";
    AddedCapability "added-capability" Medium Security "Another added capability, `NET_BIND_SERVICE` excepted.";
    HostPath "host-path" Medium Security "Any other `hostPath`.";
    HostPort "host-port" Medium Security "A `hostPort`.";
    Unconfined "unconfined" Medium Security "`seccompProfile.type: Unconfined`.";
    FloatingTag "floating-tag" Medium Reliability "An image by `latest`, or without tag and digest.";
    MemoryLimit "memory-limit" Medium Reliability "No limit of memory.";
    KeptCapabilities "kept-capabilities" Low Security "`capabilities.drop` without `ALL`.";
    WritableRootFilesystem "writable-root-filesystem" Low Security "`readOnlyRootFilesystem` is not `true`.";
    MountedToken "mounted-token" Low Security "`automountServiceAccountToken` is not `false` in the pod.";
    CpuRequest "cpu-request" Low Reliability "No request of CPU, nor a limit that stands for it.";
    MemoryRequest "memory-request" Low Reliability "No request of memory, nor a limit that stands for it.";
    CpuLimit "cpu-limit" Low Reliability "No limit of CPU.";
    LivenessProbe "liveness-probe" Low Reliability "No liveness probe, in pods that run for ever.";
    ReadinessProbe "readiness-probe" Low Reliability "No readiness probe, in pods that run for ever.";
}
