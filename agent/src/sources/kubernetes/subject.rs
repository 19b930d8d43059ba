//! What an observation is of, as far as grants go: read from its content, since the queue tells nothing of it in clear.

use std::borrow::Cow;

use serde::Deserialize;

/// The kind and place of the object that has changed.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Subject<'a> {
    /// As declared: `deployments.apps`.
    #[serde(borrow)]
    pub resource: Cow<'a, str>,
    /// Its namespace, if its kind has one.
    #[serde(borrow)]
    pub namespace: Option<Cow<'a, str>>,
}

impl<'a> Subject<'a> {
    /// Reads the content of an observation (PLUGIN-KUBE-004); `None` when it does not say.
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn a_subject_is_read_whole_or_not_at_all() {
        let read = |text: &'static str| Subject::read(text.as_bytes());
        let pod = read(r#"{"name":"web","namespace":"shop","resource":"po\u0064s","after":{}}"#);
        let pod = pod
            .as_ref()
            .map(|pod| (&*pod.resource, pod.namespace.as_deref()));
        assert_eq!(pod, Some(("pods", Some("shop"))));
        let node = read(r#"{"resource":"nodes","namespace":null}"#);
        assert_eq!(node.map(|node| node.namespace), Some(None));
        for other in [
            r#"{"namespace":"shop"}"#,
            r#"{"resource":"pods","resource":"nodes"}"#,
            r#"{"resource":"pods","namespace":["shop"]}"#,
            "pods",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
