//! A plugin that misbehaves as its file's name says, for the tests: `<behaviour>@<version>`.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use farmops_plugin::{
    BadSettings, Category, Description, Observation, Plugin, SourceRequirement, Template, Verdict,
    serve,
};
use serde_json::{Value, json};

struct Hostile {
    behaviour: String,
    version: String,
}

impl Plugin for Hostile {
    fn describe(&self) -> Description {
        let id = match self.behaviour.as_str() {
            "lies" => "farmops/somebody-else",
            "calm-too" => "farmops/calm-too",
            _ => "farmops/hostile",
        };
        Description {
            plugin_id: id.to_owned(),
            version: self.version.clone(),
            description: "Misbehaves.".to_owned(),
            categories: vec![Category::Toil],
            sources: vec![SourceRequirement::new("github", &[])],
            templates: vec![Template::new("done", "Done")],
            subcategories: Vec::new(),
            settings_schema: Some(
                json!({"type": "object", "properties": {"n": {"type": "integer"}}}),
            ),
        }
    }

    fn configure(&mut self, settings: &Value) -> Result<(), BadSettings> {
        if self.behaviour == "floods" {
            std::thread::spawn(flood);
        }
        match settings["n"].as_i64() {
            Some(13) => Err(BadSettings("`n` is not 13".to_owned())),
            _ => Ok(()),
        }
    }

    fn verify(&self, observation: &Observation) -> Verdict {
        match self.behaviour.as_str() {
            "loops" => loop {
                std::hint::spin_loop();
            },
            "panics" => panic!("as its name says"),
            "dies" => std::process::exit(9),
            "slow" => std::thread::sleep(Duration::from_secs(1)),
            "allocates" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(black_box(vec![1_u8; 1 << 20]));
                }
            }
            "pries" => return Verdict::Rejected(pry(&observation.raw_data)),
            _ => {}
        }
        Verdict::Rejected(format!("by {} of {}", std::process::id(), self.version))
    }
}

fn flood() {
    let line = vec![b'x'; 100_000];
    loop {
        // What nobody reads any more is no matter.
        let _ = std::io::stderr().write_all(b"one more line\n");
        let _ = std::io::stdout().write_all(&line);
    }
}

/// Tries what no plugin may; tells as JSON how each attempt ended. `target` names what lies outside.
fn pry(target: &[u8]) -> String {
    let target: Value = serde_json::from_slice(target).unwrap_or_default();
    let text = |name: &str| target[name].as_str().unwrap_or_default().to_owned();
    let outcome = |result: std::io::Result<()>| match result {
        Ok(()) => "succeeded".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    };
    let read = std::fs::read(text("file")).map(drop);
    let write = std::fs::File::create(text("folder") + "/mine").map(drop);
    let beside = std::fs::File::create(text("own") + "/mine").map(drop);
    let tcp = std::net::TcpStream::connect(text("tcp")).map(drop);
    let listen = std::net::TcpListener::bind("127.0.0.1:0").map(drop);
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").map(drop);
    let socket = std::os::unix::net::UnixStream::connect(text("socket")).map(drop);
    let shell = std::process::Command::new("/bin/sh").status();
    let fork = std::process::Command::new(std::env::args().next().unwrap_or_default()).status();
    json!({
        "read": outcome(read), "write": outcome(write), "beside": outcome(beside),
        "tcp": outcome(tcp), "listen": outcome(listen), "udp": outcome(udp),
        "socket": outcome(socket), "shell": outcome(shell.map(drop)), "fork": outcome(fork.map(drop)),
        "environment": std::env::vars().count(),
    })
    .to_string()
}

fn main() -> Result<(), farmops_plugin::ServeError> {
    let program = std::env::args().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    let (behaviour, version) = name.split_once('@').unwrap_or((name, "0.1.0"));
    match behaviour {
        "ends" => std::process::exit(3),
        "talks" => println!("hello"),
        "newer" => println!("FARMOPS|9|unix|/tmp/x|grpc"),
        "elsewhere" => println!("FARMOPS|1|unix|/tmp/x|grpc"),
        "sleeps" => std::thread::sleep(Duration::from_mins(1)),
        _ => {}
    }
    serve(Hostile {
        behaviour: behaviour.to_owned(),
        version: version.to_owned(),
    })
}
