//! Whatever the server does, each change is told once, in order, and the watch goes on.

use std::time::Duration;

use farmops_agent::sources::SourceHealth;
use farmops_agent::sources::kubernetes::board::WatchState;
use farmops_plugin::KubernetesResource;
use serde_json::json;

use crate::script::{Answer, Piece, Server, pod};
use crate::source::Source;

const PLUGIN: &str = "test/reader";

fn changed(uid: &str, phase: &str, version: u64) -> Piece {
    Piece::Event("MODIFIED", pod(uid, phase, version))
}

fn one_pod() -> Vec<Answer> {
    vec![Answer::Page(vec![pod("u1", "A", 5)], "10", None)]
}

struct Case {
    server: Server,
    source: Source,
    _folder: tempfile::TempDir,
}

impl Case {
    async fn start(lists: Vec<Answer>, watches: Vec<Answer>) -> Self {
        Self::start_with(lists, watches, (1000, Duration::from_mins(1))).await
    }

    async fn start_with(lists: Vec<Answer>, watches: Vec<Answer>, bounds: (i64, Duration)) -> Self {
        let server = Server::start(lists, watches).await;
        let folder = tempfile::tempdir().unwrap();
        let pods = vec![KubernetesResource::new("pods", &["status.phase"])];
        let readers = [(PLUGIN, pods)];
        let source =
            Source::start_with(folder.path(), &server.kubeconfig(), &[], &readers, bounds).await;
        Self {
            server,
            source,
            _folder: folder,
        }
    }

    /// The next `count` changes: `A>B`.
    async fn told(&self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..count {
            let one = self.source.next(PLUGIN).await;
            let phase = |of: &str| one[of]["fields"]["status"]["phase"].clone();
            let (before, after) = (phase("before"), phase("after"));
            told.push(format!(
                "{}>{}",
                before.as_str().unwrap(),
                after.as_str().unwrap()
            ));
        }
        told
    }

    async fn ends(self) {
        assert_eq!(
            self.source.take(PLUGIN).await,
            Vec::<serde_json::Value>::new()
        );
        self.source.stop().await;
    }

    /// The queries of watches: the versions they begin at; of lists: `list`.
    fn asked(&self) -> Vec<String> {
        let name = |query: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix("resourceVersion="))
                .map_or_else(|| "list".to_owned(), str::to_owned)
        };
        self.server
            .asked()
            .iter()
            .map(|(_, query)| name(query))
            .collect()
    }
}

#[tokio::test]
async fn a_version_that_is_gone_leads_to_a_list_that_finds_what_was_missed() {
    let mut lists = one_pod();
    lists.push(Answer::Page(
        vec![pod("u1", "C", 30), pod("u2", "A", 31)],
        "40",
        None,
    ));
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired"});
    let watches = vec![
        Answer::Stream(vec![changed("u1", "B", 11), Piece::Event("ERROR", gone)]),
        Answer::Stream(vec![changed("u2", "B", 41), Piece::Silence]),
    ];
    let case = Case::start(lists, watches).await;
    assert_eq!(case.told(3).await, ["A>B", "B>C", "A>B"]);
    assert_eq!(case.asked(), ["list", "10", "list", "40"]);
    case.ends().await;
}

#[tokio::test]
async fn a_token_that_expires_and_a_page_that_is_refused_lose_no_object() {
    let lists = vec![
        Answer::Page(vec![pod("u1", "A", 1)], "10", Some("more")),
        Answer::Refusal(410, None),
        Answer::Page(vec![pod("u1", "A", 1)], "20", Some("more")),
        Answer::Refusal(500, None),
        Answer::Page(vec![pod("u2", "A", 2)], "20", None),
    ];
    let watches = vec![Answer::Stream(vec![
        changed("u2", "B", 21),
        changed("u1", "C", 22),
        Piece::Silence,
    ])];
    let case = Case::start(lists, watches).await;
    assert_eq!(case.told(2).await, ["A>B", "A>C"]);
    let tokens: Vec<bool> = case
        .server
        .asked()
        .iter()
        .map(|(_, query)| query.contains("continue=more"))
        .collect();
    assert_eq!(tokens, [false, true, false, true, true, false]);
    case.ends().await;
}

#[tokio::test]
async fn a_server_that_asks_for_patience_gets_it() {
    let mut lists = vec![Answer::Refusal(429, Some(2))];
    lists.extend(one_pod());
    let watches = vec![
        Answer::Refusal(503, None),
        Answer::Stream(vec![changed("u1", "B", 11), Piece::Silence]),
    ];
    let case = Case::start(lists, watches).await;
    assert_eq!(case.told(1).await, ["A>B"]);
    let asked = case.server.asked();
    assert!(asked[1].0 >= Duration::from_secs(2), "{asked:?}");
    assert_eq!(asked.len(), 4);
    case.ends().await;
}

#[tokio::test]
async fn a_connection_that_breaks_or_falls_silent_is_opened_where_it_was() {
    let whole = json!({"type": "MODIFIED", "object": pod("u1", "D", 13)}).to_string();
    let watches = vec![
        Answer::Stream(vec![
            changed("u1", "B", 11),
            Piece::Raw(whole[..40].to_owned()),
            Piece::Break,
        ]),
        // Half a line, and a good end.
        Answer::Stream(vec![
            changed("u1", "C", 12),
            Piece::Raw(whole[..40].to_owned()),
        ]),
        Answer::Stream(vec![Piece::Silence]),
        Answer::Stream(vec![changed("u1", "D", 13), Piece::Silence]),
    ];
    let bounds = (1000, Duration::from_secs(2));
    let case = Case::start_with(one_pod(), watches, bounds).await;
    assert_eq!(case.told(3).await, ["A>B", "B>C", "C>D"]);
    assert_eq!(case.asked()[..5], ["list", "10", "11", "12", "12"]);
    case.ends().await;
}

#[tokio::test]
async fn what_cannot_be_read_or_is_huge_is_passed_over() {
    let mut huge = pod("u1", "huge", 12);
    huge["status"]["message"] = json!("x".repeat(9 * 1024 * 1024));
    let mut large = pod("u1", "L", 13);
    large["status"]["phase"] = json!("y".repeat(600 * 1024));
    let no_object = json!({"kind": "Pod", "metadata": {"resourceVersion": "14"}});
    let mut lists = one_pod();
    let Answer::Page(items, ..) = &mut lists[0] else {
        unreachable!()
    };
    items.push(json!({"metadata": "nonsense"}));
    items.push(json!(17));
    let bookmark = json!({"kind": "Pod", "metadata": {"resourceVersion": "99"}});
    let watches = vec![Answer::Stream(vec![
        Piece::Event("MODIFIED", huge),
        Piece::Event("MODIFIED", large),
        Piece::Event("MODIFIED", no_object),
        Piece::Event("BOOKMARK", bookmark),
        changed("u1", "B", 100),
        Piece::Silence,
    ])];
    let case = Case::start(lists, watches).await;
    assert_eq!(case.told(1).await, ["A>B"]);
    assert_eq!(case.asked(), ["list", "10"]);
    case.ends().await;
}

#[tokio::test]
async fn a_line_that_is_no_event_twice_is_gone_around() {
    let mut lists = one_pod();
    lists.push(Answer::Page(vec![pod("u1", "B", 11)], "20", None));
    let rubbish = || Answer::Stream(vec![Piece::Raw("rubbish\n".to_owned()), Piece::Silence]);
    let case = Case::start(lists, vec![rubbish(), rubbish()]).await;
    assert_eq!(case.told(1).await, ["A>B"]);
    assert_eq!(case.asked()[..4], ["list", "10", "10", "list"]);
    case.ends().await;
}

#[tokio::test]
async fn a_right_that_is_taken_is_named_and_heals_when_it_returns() {
    let server = Server::start(one_pod(), Vec::new()).await;
    server.allow(false);
    let folder = tempfile::tempdir().unwrap();
    let pods = vec![KubernetesResource::new("pods", &["status.phase"])];
    let source = Source::start(folder.path(), &server.kubeconfig(), &[], &[(PLUGIN, pods)]).await;
    let denied = |reason: &String| reason.contains("may not");
    let health = source
        .until(|health| health.reason.as_ref().is_some_and(denied))
        .await;
    let reason = "pods may not be listed (for test/reader)";
    assert_eq!(health.reason.as_deref(), Some(reason));
    assert!(!health.up);
    server.allow(true);
    source.until_up().await;
    source.stop().await;
}

#[tokio::test]
async fn a_full_queue_pauses_the_watch_and_loses_nothing() {
    // The events of one watch make one batch; a batch is let into an empty queue whole.
    let watches = vec![
        Answer::Stream(vec![changed("u1", "B", 11), Piece::Break]),
        Answer::Stream(vec![changed("u1", "C", 12), Piece::Silence]),
    ];
    let case = Case::start_with(one_pod(), watches, (1, Duration::from_mins(1))).await;
    let paused = |health: &SourceHealth| {
        health
            .watches
            .iter()
            .any(|watch| watch.state == WatchState::Paused)
    };
    let health = case.source.until(paused).await;
    assert_eq!(health.kept, 1);
    assert_eq!(case.told(2).await, ["A>B", "B>C"]);
    case.source.until_up().await;
    case.ends().await;
}
