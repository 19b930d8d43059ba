//! `farmops-agent plugins …`, as an operator runs it.

use std::net::SocketAddr;

use serde_json::Value;

use crate::bench::{hostile, reviewer, write_manifest};
use crate::world::World;

/// A tracker that nobody asks.
fn nowhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

#[tokio::test]
async fn a_manifest_is_checked_and_its_faults_are_named() {
    let world = World::new(nowhere());
    let (passed, said) = world.command("plugins", &["check"]).await;
    assert!(passed, "{said}");
    assert!(
        said.contains("farmops/git-pr-review 0.1.0 passes"),
        "{said}"
    );
    let folder = world.folder.path();
    write_manifest(folder, &[hostile(folder, "lies"), reviewer()]);
    let (passed, said) = world.command("plugins", &["check"]).await;
    assert!(!passed);
    assert!(
        said.contains("plugin `farmops/hostile`: `id`: it calls itself `farmops/somebody-else`"),
        "{said}"
    );
    assert!(
        said.contains("farmops/git-pr-review 0.1.0 passes"),
        "{said}"
    );
    std::fs::write(
        folder.join("farmops-plugins.yaml"),
        "plugins: [{id: a/b, source: {}}]",
    )
    .unwrap();
    let (passed, said) = world.command("plugins", &["check"]).await;
    assert!(!passed && said.contains("plugin `a/b`: `source`"), "{said}");
}

#[tokio::test]
async fn what_plugins_can_read_is_explained_and_catalogued() {
    let world = World::new(nowhere());
    let (passed, said) = world.command("plugins", &["explain", "--json"]).await;
    assert!(passed, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let reads = &said["plugins"][0]["reads"];
    assert_eq!(reads[0]["source"], "github");
    assert_eq!(reads[0]["effective"], true);
    assert_eq!(reads[1]["type"], "gitea");
    assert_eq!(reads[1]["effective"], false);
    let (passed, said) = world.command("plugins", &["explain"]).await;
    assert!(
        passed && said.contains("grant it a source of type gitea"),
        "{said}"
    );
    let (passed, said) = world.command("plugins", &["catalogue"]).await;
    assert!(passed, "{said}");
    let expected = "  - id: farmops/git-pr-review
    binary: farmops-plugin-git-pr-review
    version: 0.1.0
    resources: []
    sources: [github, gitea]
";
    assert!(said.contains(expected), "{said}");
}

#[tokio::test]
async fn the_plugins_of_an_agent_at_work_are_listed() {
    let world = World::new(nowhere());
    let (passed, said) = world.command("plugins", &["list"]).await;
    assert!(!passed && said.contains("no agent answers"), "{said}");
    let agent = world.start().await;
    let file = world.config_file();
    let config = std::fs::read(&file).unwrap();
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    config["listen"] = agent.api.to_string().into();
    std::fs::write(&file, config.to_string()).unwrap();
    let (passed, said) = world.command("plugins", &["list"]).await;
    assert!(passed && said.contains("farmops/git-pr-review"), "{said}");
    agent.stop().await;
}
