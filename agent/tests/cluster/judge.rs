//! A first-party plugin as a component: from what the source tells it to the proof that would leave the machine.

use std::sync::Arc;

use farmops_agent::identity::Identity;
use farmops_agent::observation::Waiting;
use farmops_agent::proof::{Circumstances, Farmer, Generator, Identities};
use farmops_component::{Bounds, Cache, Compiler, Component, Engine};
use farmops_plugin::{Description, KubernetesResource, Observation, Verdict};
use farmops_protocol::digest::Digest;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::programs;
use crate::source::{CLUSTER, Source, beside};

/// Every text that an operator writes in these tests holds it.
pub(crate) const MARK: &str = "zqzq";

/// A plugin, and the farmer whose work it judges.
pub(crate) struct Judge {
    component: Arc<Component>,
    description: Description,
    generator: Generator,
    _folder: tempfile::TempDir,
}

/// A proof as it is sent, and the name of the piece of work.
pub(crate) struct Proven {
    pub(crate) proof: Value,
    pub(crate) work: Digest,
}

impl Judge {
    /// The plugin `plugins/<name>` with `settings`.
    pub(crate) async fn new(name: &'static str, settings: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("components"), [7; 32]);
        let (component, description) = beside(move || {
            let compiler = Compiler::new(programs::compiler());
            let content = std::fs::read(programs::component(name)).unwrap();
            let engine = Engine::new().unwrap();
            let bounds = Bounds::default();
            let component =
                Component::load(&engine, &cache, &compiler, &content, name, bounds).unwrap();
            let granted = [(CLUSTER.to_owned(), "kubernetes".to_owned())];
            let settings = settings.to_string().into_bytes();
            let configured = component.configure(&granted, &settings).unwrap();
            assert_eq!(configured.wanted, [CLUSTER]);
            let description = component.describe().unwrap();
            description.check().unwrap();
            (component, description)
        })
        .await;
        let id = Uuid::now_v7();
        let (identity, _) = Identity::load_or_make(folder.path(), &mut rand::rng(), id).unwrap();
        let farmer = Farmer {
            name: "alice".to_owned(),
            on_call: true,
            identities: Identities::default(),
        };
        Self {
            component: Arc::new(component),
            description,
            generator: Generator::new(identity, farmer, "test".to_owned()),
            _folder: folder,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.description.plugin_id
    }

    /// What the plugin declares of `resources`, field by field, except that changes count at once.
    pub(crate) fn reads(&self, resources: &[&str]) -> Vec<KubernetesResource> {
        let declared = self.description.resources();
        let wanted = declared.filter(|one| resources.contains(&one.resource.as_str()));
        let read: Vec<KubernetesResource> = wanted
            .map(|one| {
                assert!(one.settle_seconds > 0, "{one:?}");
                one.clone().settle_seconds(0)
            })
            .collect();
        assert_eq!(read.len(), resources.len(), "{read:?}");
        read
    }

    /// Judges what the plugin is told, one after the other, until so many pieces of work are proven.
    pub(crate) async fn proofs(&self, source: &Source, count: usize) -> Vec<Proven> {
        let mut proven = Vec::new();
        while proven.len() < count {
            let waiting = source.next_waiting(self.id()).await;
            proven.extend(self.judge(waiting).await);
        }
        proven
    }

    /// The proof, and that nothing of the object is in it; `None` where there was no finished work.
    async fn judge(&self, waiting: Waiting) -> Option<Proven> {
        let observation = Observation::from(&waiting);
        let component = Arc::clone(&self.component);
        let verdict = beside(move || component.verify(&observation).unwrap().verdict).await;
        let seen = String::from_utf8(waiting.payload.clone()).unwrap();
        let finding = match verdict {
            Verdict::Verified(finding) => finding,
            Verdict::Rejected(_) => return None,
            Verdict::Inconclusive(reason) => panic!("{reason}: {seen}"),
        };
        let around = Circumstances {
            head: None,
            proof_id: Uuid::now_v7(),
            salt: rand::random(),
            now: farmops_agent::clock::now(),
        };
        let draft = self
            .generator
            .draft(&self.description, &waiting, &finding, around)
            .unwrap_or_else(|refusal| panic!("{refusal}: {seen}"));
        let proof = std::str::from_utf8(draft.proof.bytes()).unwrap();
        assert!(seen.contains(MARK), "{seen}");
        assert!(!proof.to_lowercase().contains(MARK), "{proof}");
        Some(Proven {
            proof: serde_json::from_str(proof).unwrap(),
            work: draft.work,
        })
    }
}

/// The plugin, category, subcategory and sentence of a proof.
pub(crate) fn told(proven: &Proven) -> Value {
    let action = &proven.proof["action"];
    json!([
        action["plugin"],
        action["category"],
        action["subcategory"],
        action["description"],
    ])
}
