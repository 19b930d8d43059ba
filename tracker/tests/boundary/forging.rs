//! What somebody with a key may make of an archive: other members, signed again.

use std::{collections::BTreeMap, io::Read as _, path::Path};

use farmops_protocol::{
    canonical,
    digest::sha256,
    key::{PublicKey, SecretKey},
};
use serde_json::{Value, json};

/// An archive that is taken apart.
#[derive(Clone)]
pub struct Forgery {
    manifest: Value,
    pub members: BTreeMap<String, Vec<u8>>,
}

impl Forgery {
    pub fn of(archive: &Path) -> Self {
        let mut members = BTreeMap::new();
        let mut archive = tar::Archive::new(std::fs::File::open(archive).unwrap());
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            members.insert(name, bytes);
        }
        members.remove("manifest.sig");
        let manifest = members.remove("manifest.json").unwrap();
        Self {
            manifest: serde_json::from_slice(&manifest).unwrap(),
            members,
        }
    }

    /// The farm's own key, if the archive has it.
    pub fn key(&self) -> SecretKey {
        let keys: Value = serde_json::from_slice(&self.members["keys.json"]).unwrap();
        let mut seed = [0; 32];
        hex::decode_to_slice(keys["farm_key"].as_str().unwrap(), &mut seed).unwrap();
        SecretKey::from_bytes(seed)
    }

    /// The documents of a member, one after the other.
    pub fn lines(&self, member: &str) -> Vec<Value> {
        let documents = serde_json::Deserializer::from_slice(&self.members[member]);
        documents.into_iter().map(Result::unwrap).collect()
    }

    pub fn set_lines(&mut self, member: &str, lines: &[Value]) {
        let lines = lines
            .iter()
            .flat_map(|line| [canonical::to_vec(line).unwrap(), b"\n".to_vec()].concat());
        self.members.insert(member.to_owned(), lines.collect());
    }

    /// Changes the first entry of this kind; its position.
    pub fn retell(&mut self, kind: &str, change: impl Fn(&mut Value)) -> u64 {
        let mut lines = self.lines("ledger.ndjson");
        let line = lines.iter_mut().find(|line| line["kind"] == kind).unwrap();
        let before = line["body"].clone();
        change(&mut line["body"]);
        assert_ne!(line["body"], before, "{kind}");
        let position = line["position"].as_u64().unwrap();
        self.set_lines("ledger.ndjson", &lines);
        position
    }

    /// Writes it, signed by `key`.
    pub fn write(mut self, path: &Path, key: &SecretKey) {
        let digests = self.members.iter();
        let digests: BTreeMap<_, _> = digests.map(|(n, bytes)| (n, sha256(bytes))).collect();
        self.manifest["files"] = json!(digests);
        self.manifest["farmer_key"] = json!(key.public());
        self.manifest["size"] = json!(self.lines("ledger.ndjson").len());
        let manifest = canonical::to_vec(&self.manifest).unwrap();
        let signature = key.sign(&manifest).to_string().into_bytes();
        self.members.insert("manifest.json".to_owned(), manifest);
        self.members.insert("manifest.sig".to_owned(), signature);
        let mut tar = tar::Builder::new(std::fs::File::create(path).unwrap());
        for (name, bytes) in &self.members {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            tar.append_data(&mut header, name, &bytes[..]).unwrap();
        }
        tar.into_inner().unwrap().sync_all().unwrap();
    }

    /// Whose farm the ledger says that it is.
    pub fn founder(&self) -> PublicKey {
        let first = &self.lines("ledger.ndjson")[0];
        first["body"]["farmer_key"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }
}
