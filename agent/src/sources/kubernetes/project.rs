//! What is kept of an object: the members that declared paths lead to, and nothing else (PLUGIN-KUBE-002).

use std::collections::BTreeMap;

use farmops_plugin::resource::{self, Step};
use farmops_protocol::digest::{Digest, sha256};
use serde_json::{Map, Value};

/// Declared paths, folded into one tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    root: Node,
    digest: Digest,
}

/// Where one or more paths stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    /// A path ends here.
    whole: bool,
    members: BTreeMap<String, Node>,
    every_member: Option<Box<Node>>,
    every_element: Option<Box<Node>>,
    /// `key`, `value` and where it goes on in the elements that have them.
    elements: Vec<(String, String, Node)>,
}

/// A path that breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path like status.conditions[type=Available]")]
pub struct BadPath(pub String);

/// More is declared of this object than is kept of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the declared fields of one object are larger than {0} bytes")]
pub struct TooLarge(pub usize);

impl Projection {
    /// The projection onto `paths`.
    pub fn new<S: AsRef<str>>(paths: &[S]) -> Result<Self, BadPath> {
        let mut root = Node::default();
        let mut texts: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        texts.sort_unstable();
        texts.dedup();
        for text in &texts {
            let steps = resource::path(text).ok_or_else(|| BadPath((*text).to_owned()))?;
            let end = steps.into_iter().fold(&mut root, Node::enter);
            end.whole = true;
        }
        let digest = sha256(texts.join("\n").as_bytes());
        Ok(Self { root, digest })
    }

    /// Names the set of paths: other paths, another digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The kept members of `object` as JSON with sorted names, so that equal values are equal texts.
    pub fn project(&self, object: &Value, bytes_max: usize) -> Result<String, TooLarge> {
        let kept = keep(&[&self.root], object).unwrap_or_else(|| Value::Object(Map::new()));
        let text = kept.to_string();
        if text.len() > bytes_max {
            return Err(TooLarge(bytes_max));
        }
        Ok(text)
    }
}

impl Node {
    fn enter(&mut self, step: Step) -> &mut Self {
        match step {
            Step::Member(name) => self.members.entry(name).or_default(),
            Step::EveryMember => self.every_member.get_or_insert_default(),
            Step::EveryElement => self.every_element.get_or_insert_default(),
            Step::Elements { key, value } => {
                let known = self
                    .elements
                    .iter()
                    .position(|(k, v, _)| *k == key && *v == value);
                let index = known.unwrap_or_else(|| {
                    self.elements.push((key, value, Self::default()));
                    self.elements.len() - 1
                });
                &mut self.elements[index].2
            }
        }
    }
}

/// What the paths at `nodes` keep of `value`; `None` when they find nothing.
fn keep(nodes: &[&Node], value: &Value) -> Option<Value> {
    if nodes.iter().any(|node| node.whole) {
        return Some(sorted(value));
    }
    match value {
        Value::Object(members) => {
            let mut kept: Vec<(&String, Value)> = members
                .iter()
                .filter_map(|(name, member)| {
                    let inner: Vec<&Node> = nodes
                        .iter()
                        .flat_map(|node| [node.members.get(name), node.every_member.as_deref()])
                        .flatten()
                        .collect();
                    Some((name, keep_some(&inner, member)?))
                })
                .collect();
            kept.sort_unstable_by_key(|(name, _)| *name);
            let kept: Map<String, Value> = kept.into_iter().map(|(n, v)| (n.clone(), v)).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(elements) => {
            let kept: Vec<Value> = elements
                .iter()
                .filter_map(|element| keep_element(nodes, element))
                .collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn keep_element(nodes: &[&Node], element: &Value) -> Option<Value> {
    let mut inner: Vec<&Node> = Vec::new();
    let mut keys: Vec<Node> = Vec::new();
    for node in nodes {
        inner.extend(node.every_element.as_deref());
        for (key, value, next) in &node.elements {
            if element.get(key).and_then(Value::as_str) == Some(value) {
                inner.push(next);
                // The member that an element was picked by stays with it.
                let mut picked = Node::default();
                picked.enter(Step::Member(key.clone())).whole = true;
                keys.push(picked);
            }
        }
    }
    inner.extend(&keys);
    keep_some(&inner, element)
}

fn keep_some(nodes: &[&Node], value: &Value) -> Option<Value> {
    if nodes.is_empty() {
        return None;
    }
    keep(nodes, value)
}

/// `value` with the members of every object in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            members
                .into_iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect()
        }
        Value::Array(elements) => elements.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
