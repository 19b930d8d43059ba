//! The layers as an operator meets them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ConfigError, Secret, load};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(default)]
struct Config {
    name: String,
    port: u16,
    mode: Mode,
    origins: Vec<String>,
    labels: BTreeMap<String, u8>,
    token: Option<Secret>,
    cert_file: Option<String>,
    federation: Federation,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            port: 8443,
            mode: Mode::Open,
            origins: vec![],
            labels: BTreeMap::new(),
            token: None,
            cert_file: None,
            federation: Federation::default(),
        }
    }
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "kebab-case")]
struct Federation {
    public_url: Option<String>,
    allow_loopback: bool,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Open,
    Invite,
}

#[derive(Debug, Deserialize)]
struct Strict {
    federation: StrictFederation,
}

#[derive(Debug, Deserialize)]
struct StrictFederation {
    public_url: String,
}

fn file(suffix: &str, text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn from_env(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load(None, "FARMOPS_", env(pairs), Value::Null)
}

fn from_yaml(text: &str) -> Result<Config, ConfigError> {
    load(
        Some(file(".yaml", text).path()),
        "FARMOPS_",
        [],
        Value::Null,
    )
}

#[test]
fn each_layer_wins_over_the_one_below() {
    let file = file(
        ".toml",
        "name = \"file\"\nport = 1\n[federation]\nallow-loopback = true\n",
    );
    let config: Config = load(
        Some(file.path()),
        "FARMOPS_",
        env(&[
            ("FARMOPS_PORT", "2"),
            ("FARMOPS_NAME", "env"),
            ("PORT", "9"),
        ]),
        json!({"port": 3, "name": null}),
    )
    .unwrap();
    assert_eq!(config.port, 3);
    assert_eq!(config.name, "env");
    assert!(config.federation.allow_loopback);
    assert_eq!(config.mode, Mode::Open);
}

#[test]
fn toml_and_yaml_say_the_same() {
    let toml = "mode = \"invite\"\norigins = [\"a\", \"b\"]\n[labels]\nx = 1\n";
    let yaml = "mode: invite\norigins: [a, b]\nlabels:\n  x: 1\n";
    let toml: Config = load(Some(file(".toml", toml).path()), "F_", [], Value::Null).unwrap();
    assert_eq!(toml, from_yaml(yaml).unwrap());
    assert_eq!(toml.labels["x"], 1);
}

#[test]
fn an_empty_file_is_all_defaults() {
    assert_eq!(from_yaml("").unwrap(), Config::default());
    assert_eq!(from_yaml("# nothing yet\n").unwrap(), Config::default());
}

#[test]
fn variables_take_the_type_of_their_field() {
    let config = from_env(&[
        ("FARMOPS_ORIGINS", "https://a.example, https://b.example"),
        ("FARMOPS_MODE", "invite"),
        ("FARMOPS_NAME", "42"),
        ("FARMOPS_FEDERATION__ALLOW_LOOPBACK", "true"),
        ("FARMOPS_FEDERATION__PUBLIC_URL", "https://farm.example"),
        ("FARMOPS_LABELS__X", "7"),
    ])
    .unwrap();
    assert_eq!(config.origins, ["https://a.example", "https://b.example"]);
    assert_eq!(config.mode, Mode::Invite);
    assert_eq!(config.name, "42");
    assert!(config.federation.allow_loopback);
    assert_eq!(
        config.federation.public_url.unwrap(),
        "https://farm.example"
    );
    assert_eq!(config.labels["x"], 7);
}

#[test]
fn an_unknown_key_names_the_file_and_a_suggestion() {
    let file = file(".yaml", "federation:\n  alow-loopback: true\n");
    let result: Result<Config, _> = load(Some(file.path()), "FARMOPS_", [], Value::Null);
    let message = result.unwrap_err().to_string();
    assert!(message.contains(file.path().to_str().unwrap()), "{message}");
    assert!(message.contains("`federation.alow-loopback`"), "{message}");
    assert!(
        message.contains("did you mean `allow-loopback`?"),
        "{message}"
    );
}

#[test]
fn an_unknown_variable_names_the_variable() {
    let message = from_env(&[("FARMOPS_PROT", "1")]).unwrap_err().to_string();
    assert!(message.contains("FARMOPS_PROT"), "{message}");
    assert!(message.contains("`port`"), "{message}");
    let message = from_env(&[("FARMOPS_NOSECTION__KEY", "1")])
        .unwrap_err()
        .to_string();
    assert!(message.contains("FARMOPS_NOSECTION__KEY"), "{message}");
}

#[test]
fn a_bad_value_names_its_place() {
    let message = from_env(&[("FARMOPS_PORT", "many")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "FARMOPS_PORT: `port`: expected a whole number, zero or more"
    );
    let message = from_env(&[("FARMOPS_PORT", "70000")])
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("FARMOPS_PORT: `port`: "), "{message}");
    let message = from_yaml("labels:\n  x: yes please\n")
        .unwrap_err()
        .to_string();
    assert!(message.contains("`labels.x`"), "{message}");
    assert!(!message.contains("yes please"), "{message}");
    let message = from_yaml("mode: closed\n").unwrap_err().to_string();
    assert!(
        message.contains("expected one of: open, invite"),
        "{message}"
    );
}

#[test]
fn a_missing_key_says_how_to_set_it() {
    let yaml = file(".yaml", "federation: {}\n");
    let result: Result<Strict, _> = load(Some(yaml.path()), "FARMOPS_", [], Value::Null);
    let error = result.unwrap_err();
    assert!(matches!(error, ConfigError::Missing { .. }));
    let message = error.to_string();
    assert!(message.contains("`federation.public_url`"), "{message}");
    assert!(
        message.contains("FARMOPS_FEDERATION__PUBLIC_URL"),
        "{message}"
    );
    let url = json!({"federation": {"public_url": "https://farm.example"}});
    let strict: Strict = load(None, "FARMOPS_", [], url).unwrap();
    assert_eq!(strict.federation.public_url, "https://farm.example");
}

#[test]
fn a_secret_comes_from_a_file_and_is_not_printed() {
    let secret = file("", "hunter2\n");
    let path = secret.path().to_str().unwrap();
    let config = from_env(&[("FARMOPS_TOKEN_FILE", path)]).unwrap();
    let token = config.token.as_ref().unwrap();
    assert_eq!(token.expose(), "hunter2");
    assert!(!format!("{config:?} {token}").contains("hunter2"));
    let config = from_yaml(&format!("token_file: {path}\n")).unwrap();
    assert_eq!(config.token.unwrap().expose(), "hunter2");
}

#[test]
fn a_secret_file_outranks_a_lower_layer_and_clashes_within_one() {
    let secret = file("", "from-file");
    let path = secret.path().to_str().unwrap();
    let yaml = file(".yaml", "token: from-yaml\n");
    let pairs = env(&[("FARMOPS_TOKEN_FILE", path)]);
    let config: Config = load(Some(yaml.path()), "FARMOPS_", pairs, Value::Null).unwrap();
    assert_eq!(config.token.unwrap().expose(), "from-file");
    let both = [("FARMOPS_TOKEN_FILE", path), ("FARMOPS_TOKEN", "x")];
    assert!(matches!(from_env(&both), Err(ConfigError::Invalid { .. })));
    let nowhere = from_env(&[("FARMOPS_TOKEN_FILE", "/nonexistent/token")]);
    assert!(matches!(nowhere, Err(ConfigError::ReadValue { .. })));
}

#[test]
fn a_field_that_really_ends_in_file_is_itself() {
    let config = from_env(&[("FARMOPS_CERT_FILE", "/etc/cert.pem")]).unwrap();
    assert_eq!(config.cert_file.unwrap(), "/etc/cert.pem");
}

#[test]
fn what_kubernetes_injects_is_passed_over() {
    let config = from_env(&[
        ("FARMOPS_CONFIG", "/etc/farmops.yaml"),
        ("FARMOPS_NAME", ""),
        ("FARMOPS_TRACKER_SERVICE_HOST", "10.0.0.7"),
        ("FARMOPS_TRACKER_SERVICE_PORT", "8443"),
        ("FARMOPS_TRACKER_SERVICE_PORT_GRPC", "8443"),
        ("FARMOPS_TRACKER_PORT", "tcp://10.0.0.7:8443"),
        ("FARMOPS_TRACKER_PORT_8443_TCP", "tcp://10.0.0.7:8443"),
        ("FARMOPS_TRACKER_PORT_8443_TCP_PROTO", "tcp"),
        ("FARMOPS_TRACKER_PORT_8443_TCP_PORT", "8443"),
        ("FARMOPS_TRACKER_PORT_8443_TCP_ADDR", "10.0.0.7"),
    ]);
    assert_eq!(config.unwrap(), Config::default());
}

#[test]
fn a_file_that_is_not_configuration_is_refused() {
    let kind = |suffix, text| {
        let file = file(suffix, text);
        load::<Config>(Some(file.path()), "FARMOPS_", [], Value::Null).unwrap_err()
    };
    assert!(matches!(kind(".json", "{}"), ConfigError::FileKind { .. }));
    assert!(matches!(kind(".yaml", "- a\n"), ConfigError::Syntax { .. }));
    assert!(matches!(
        kind(".toml", "name = "),
        ConfigError::Syntax { .. }
    ));
    let absent = load::<Config>(Some("/nonexistent.toml".as_ref()), "F_", [], Value::Null);
    assert!(matches!(absent, Err(ConfigError::Read { .. })));
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(default)]
struct Paths {
    #[serde(deserialize_with = "super::path")]
    folder: PathBuf,
    #[serde(deserialize_with = "super::path")]
    key_file: Option<PathBuf>,
    #[serde(deserialize_with = "super::path")]
    other: Option<PathBuf>,
    secret: Option<Secret>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            folder: "by-default".into(),
            key_file: None,
            other: None,
            secret: None,
        }
    }
}

#[test]
fn a_path_is_looked_for_beside_the_file_that_names_it_and_else_in_the_working_directory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("farm.yaml");
    let text = "folder: data\nkey_file: /etc/key\nother: beside\nsecret_file: secret\n";
    std::fs::write(&file, text).unwrap();
    std::fs::write(folder.path().join("secret"), "hush\n").unwrap();
    let variables = env(&[("FARMOPS_OTHER", "here")]);
    let paths: Paths = load(Some(&file), "FARMOPS_", variables, Value::Null).unwrap();
    let expected = Paths {
        folder: folder.path().join("data"),
        key_file: Some("/etc/key".into()),
        other: Some(std::env::current_dir().unwrap().join("here")),
        secret: Some(Secret::new("hush")),
    };
    assert_eq!(paths, expected);

    std::fs::write(&file, "folder: 7\n").unwrap();
    let error = load::<Paths>(Some(&file), "FARMOPS_", [], Value::Null).unwrap_err();
    assert!(error.to_string().contains("`folder`: "), "{error}");

    let absent = json!({"secret_file": "nowhere"});
    let error = load::<Paths>(None, "FARMOPS_", [], absent).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("`secret_file`: cannot read "), "{said}");
}
