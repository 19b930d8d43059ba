//! A plugin that puts what it sees wherever it can, for the test of leaks. It is called `babbler@<word>` and prints that word.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farmops_plugin::handshake::{self, SOCKET_VARIABLE};
use farmops_plugin::wire::v1 as wire;
use farmops_plugin::wire::v1::farm_plugin_server::{FarmPlugin, FarmPluginServer};
use serde_json::Value;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

/// A plugin that puts what it sees wherever it can.
#[derive(Default)]
struct Babbler {
    seen: Arc<AtomicUsize>,
}

impl Babbler {
    const WAYS: usize = 13;

    fn say(way: usize, text: &str) -> Result<wire::VerifyResponse, Status> {
        let mut said = wire::VerifyResponse {
            verdict: wire::Verdict::Verified.into(),
            reason: text.to_owned(),
            action_type: wire::ActionType::Fix.into(),
            category: wire::Category::Toil.into(),
            template_id: "did".to_owned(),
            numbers: [("count".to_owned(), 1)].into(),
            words: [("what".to_owned(), "something".to_owned())].into(),
            scoring_hints: Some(wire::ScoringHints {
                complexity: wire::Complexity::Low.into(),
                impact_radius: 1,
                artifacts_touched: 1,
                time_spent_seconds: None,
            }),
            outcome: wire::OutcomeStatus::Success.into(),
            evidence: text.as_bytes().to_vec(),
            actor: Some(wire::Actor {
                who: Some(wire::actor::Who::OnCall(wire::OnCall {})),
                r#type: wire::ActorType::Human.into(),
            }),
            dedupe_key: text.as_bytes().to_vec(),
            finished_at: Some(farmops_plugin_time()),
            ..wire::VerifyResponse::default()
        };
        let marker = text.to_owned();
        match way {
            // An honest proof, whose evidence alone tells.
            0 | 1 => {}
            2 => {
                said.words = BTreeMap::from([("what".to_owned(), marker)])
                    .into_iter()
                    .collect();
            }
            3 => said.words.extend([(marker, "something".to_owned())]),
            4 => said.numbers.extend([(marker, 7)]),
            5 => said.template_id = marker,
            6 => said.subcategory = marker,
            7 => said.verdict = wire::Verdict::Rejected.into(),
            8 => said.verdict = wire::Verdict::Inconclusive.into(),
            9 => {
                said.actor = Some(wire::Actor {
                    who: Some(wire::actor::Who::Identifier(marker)),
                    r#type: wire::ActorType::Human.into(),
                });
            }
            10 => return Err(Status::internal(marker)),
            11 => return Err(Status::invalid_argument(marker)),
            _ => said.action_type = 99,
        }
        Ok(said)
    }
}

/// The agent itself bounds how old work may be.
fn farmops_plugin_time() -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: jiff::Timestamp::now().as_second(),
        nanos: 0,
    }
}

#[tonic::async_trait]
impl FarmPlugin for Babbler {
    async fn describe(
        &self,
        _request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        Ok(Response::new(wire::DescribeResponse {
            plugin_id: "mallory/babbler".to_owned(),
            version: "0.1.0".to_owned(),
            description: "Tells what it sees.".to_owned(),
            categories: vec![wire::Category::Toil.into()],
            source_requirements: vec![wire::SourceRequirement {
                source_type: "file".to_owned(),
                ..wire::SourceRequirement::default()
            }],
            templates: vec![wire::Template {
                id: "did".to_owned(),
                text: "Did {what} {count} times".to_owned(),
                placeholders: vec![
                    wire::Placeholder {
                        name: "what".to_owned(),
                        kind: Some(wire::placeholder::Kind::Choice(wire::Choice {
                            words: vec!["something".to_owned(), "nothing".to_owned()],
                        })),
                    },
                    wire::Placeholder {
                        name: "count".to_owned(),
                        kind: Some(wire::placeholder::Kind::Number(wire::Number { max: 9 })),
                    },
                ],
            }],
            subcategories: Vec::new(),
            settings_schema_json: Vec::new(),
        }))
    }

    async fn verify(
        &self,
        request: Request<wire::VerifyRequest>,
    ) -> Result<Response<wire::VerifyResponse>, Status> {
        let raw = request.into_inner().raw_data;
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        let object: Value = serde_json::from_slice(&raw).unwrap_or_default();
        let name = object["metadata"]["name"].as_str().unwrap_or("unnamed");
        Self::say(number % Self::WAYS, name).map(Response::new)
    }

    async fn configure_sources(
        &self,
        request: Request<wire::ConfigureSourcesRequest>,
    ) -> Result<Response<wire::ConfigureSourcesResponse>, Status> {
        let granted = request.into_inner().granted.into_iter();
        let wanted = granted.map(|source| source.name).collect();
        Ok(Response::new(wire::ConfigureSourcesResponse { wanted }))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let program = std::env::args().next().unwrap_or_default();
    let loud = program.rsplit('@').next().unwrap_or_default().to_owned();
    let socket = PathBuf::from(std::env::var_os(SOCKET_VARIABLE).unwrap_or_default());
    let listener = UnixListener::bind(&socket)?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", handshake::line(&socket))?;
    eprintln!("{loud}");
    writeln!(stdout, "{loud}")?;
    stdout.flush()?;
    std::thread::spawn(|| {
        let mut rest = [0_u8; 64];
        while matches!(std::io::stdin().read(&mut rest), Ok(1..)) {}
        std::process::exit(0);
    });
    tonic::transport::Server::builder()
        .add_service(FarmPluginServer::new(Babbler::default()))
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await?;
    Ok(())
}
