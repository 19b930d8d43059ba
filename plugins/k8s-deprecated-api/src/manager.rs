//! Who wrote an object, and whether that was for a person.

use farmops_plugin::kubernetes::Seen;

/// Controllers that write what a person has in a repository or a chart.
const FOR_PEOPLE: &[&str] = &[
    "argocd-application-controller",
    "argocd-controller",
    "fleetagent",
    "helm-controller",
    "kustomize-controller",
];

/// Ends of the names of programs that write on their own.
const PROGRAMS: &[&str] = &[
    "-autoscaler",
    "-controller",
    "-controller-manager",
    "-injector",
    "-operator",
    "-provisioner",
    "-scheduler",
    "-webhook",
];

/// An entry of `metadata.managedFields` about the object itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub(crate) manager: &'a str,
    pub(crate) api_version: &'a str,
}

/// What was written for people. Subresources such as `status` are written by controllers.
pub(crate) fn written<'a>(
    seen: &'a Seen,
    ignored: &'a [String],
) -> impl Iterator<Item = Written<'a>> {
    let entries = seen.elements("/metadata/managedFields").iter();
    let own = entries.filter(|entry| entry["subresource"].as_str().unwrap_or_default().is_empty());
    let written = own.filter_map(|entry| {
        Some(Written {
            manager: entry["manager"].as_str()?,
            api_version: entry["apiVersion"].as_str()?,
        })
    });
    written.filter(move |entry| {
        let manager = entry.manager;
        is_for_people(manager) && ignored.iter().all(|name| name != manager)
    })
}

fn is_for_people(manager: &str) -> bool {
    if FOR_PEOPLE.contains(&manager) {
        return true;
    }
    // Kubernetes' own programs: kube-controller-manager, kubelet, k3s.
    let of_kubernetes = (manager.starts_with("kube") && !manager.starts_with("kubectl"))
        || manager.starts_with("system:")
        || manager == "k3s";
    !of_kubernetes && !PROGRAMS.iter().any(|end| manager.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::is_for_people;

    #[test]
    fn people_write_with_tools_and_programs_on_their_own() {
        for manager in [
            "kubectl",
            "kubectl-client-side-apply",
            "kubectl-edit",
            "helm",
            "Terraform",
            "pulumi-kubernetes-3f2a",
            "argocd-controller",
            "kustomize-controller",
            "OpenAPI-Generator",
        ] {
            assert!(is_for_people(manager), "{manager}");
        }
        for manager in [
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "k3s",
            "cloud-controller-manager",
            "nginx-ingress-controller",
            "prometheus-operator",
            "vpa-admission-injector",
            "cluster-autoscaler",
        ] {
            assert!(!is_for_people(manager), "{manager}");
        }
    }
}
