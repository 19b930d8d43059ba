//! A plugin as a process, asked without an agent.

use std::path::Path;
use std::process::Stdio;

use farmops_plugin::wire::v1 as wire;
use farmops_plugin::wire::v1::farm_plugin_client::FarmPluginClient;
use farmops_plugin::{Observation, Verdict, handshake};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tonic::transport::{Channel, Endpoint};

pub(crate) struct Process {
    client: FarmPluginClient<Channel>,
    _child: tokio::process::Child,
}

impl Process {
    pub(crate) async fn start(program: &Path, folder: &Path) -> Self {
        let socket = folder.join("plugin.sock");
        let _ = std::fs::remove_file(&socket);
        let mut child = tokio::process::Command::new(program)
            .env_clear()
            .env(handshake::SOCKET_VARIABLE, &socket)
            .env(handshake::COOKIE_VARIABLE, handshake::COOKIE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        assert_eq!(handshake::parse(&line).unwrap(), socket);
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).unwrap();
        Self {
            client: FarmPluginClient::new(endpoint.connect().await.unwrap()),
            _child: child,
        }
    }

    pub(crate) async fn describe(&mut self) -> farmops_plugin::Description {
        let answer = self.client.describe(wire::DescribeRequest {}).await;
        answer.unwrap().into_inner().try_into().unwrap()
    }

    pub(crate) async fn configure(
        &mut self,
        (name, source_type): (String, String),
        settings_json: Vec<u8>,
    ) -> Vec<String> {
        let request = wire::ConfigureSourcesRequest {
            granted: vec![wire::Source { name, source_type }],
            settings_json,
        };
        let answer = self.client.configure_sources(request).await;
        answer.unwrap().into_inner().wanted
    }

    pub(crate) async fn verify(&mut self, observation: Observation) -> Verdict {
        let answer = self.client.verify(wire::VerifyRequest::from(observation));
        answer.await.unwrap().into_inner().try_into().unwrap()
    }
}
