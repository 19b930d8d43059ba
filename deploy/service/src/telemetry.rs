//! Logging: one line per event on standard error, for people or for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Targets that print what must not be in a log: `activitypub_federation` writes keys and signing
/// strings at debug level. Appended last, so that no filter turns them on by accident.
const SILENCED: &[&str] = &["activitypub_federation::http_signatures=off"];

/// Targets that say at every attempt what our own lines say once: `kube` logs each request that fails as an error.
/// They are silent unless the filter names their crate.
const REPETITIVE: &[&str] = &["kube_client::client::builder"];

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a person at a terminal; coloured there unless `NO_COLOR` is set.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl std::str::FromStr for Format {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(TelemetryError::Format(text.to_owned())),
        }
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Neither `text` nor `json`.
    #[error("unknown log format `{0}`: use text or json")]
    Format(String),
    /// The filter has a syntax error.
    #[error("the log filter `{filter}` is not valid")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What the parser said.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Another subscriber is installed already.
    #[error("logging is set up already")]
    AlreadySet(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Starts logging to standard error. `filter` is in `env_logger` syntax, for example
/// `info,farmops_tracker=debug`. A few targets are silent until it names their crate.
pub fn init(format: Format, filter: &str) -> Result<(), TelemetryError> {
    let filter = parse_filter(filter)?;
    let ansi = use_colour(
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        std::io::stderr().is_terminal(),
    );
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // A reader of the log that went away must not make whoever logs panic.
        .log_internal_errors(false)
        .with_env_filter(filter);
    match format {
        Format::Text => builder.with_ansi(ansi).try_init(),
        Format::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    }
    .map_err(TelemetryError::AlreadySet)
}

fn parse_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    let error = |source| TelemetryError::Filter {
        filter: filter.to_owned(),
        source,
    };
    let mut parsed = EnvFilter::builder().parse(filter).map_err(error)?;
    let repetitive = REPETITIVE.iter().filter(|target| !names(filter, target));
    let repetitive = repetitive.map(|target| format!("{target}=off"));
    let silenced = SILENCED.iter().map(|&silenced| silenced.to_owned());
    for silent in repetitive.chain(silenced) {
        let directive: Directive = silent.parse().map_err(error)?;
        parsed = parsed.add_directive(directive);
    }
    Ok(parsed)
}

/// Whether `filter` says something of the crate of `target`.
fn names(filter: &str, target: &str) -> bool {
    let (of_crate, _) = target.split_once("::").unwrap_or((target, ""));
    filter
        .split(',')
        .filter_map(|directive| directive.split(['=', '[', ':']).next())
        .any(|named| named == of_crate)
}

fn use_colour(no_color: bool, terminal: bool) -> bool {
    terminal && !no_color
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn signature_internals_stay_silent_even_when_asked_for() {
        let chatty = "trace,activitypub_federation::http_signatures=trace";
        let filter = parse_filter(chatty).unwrap().to_string();
        assert!(filter.contains("activitypub_federation::http_signatures=off"));
        assert!(!filter.contains("activitypub_federation::http_signatures=trace"));
    }

    /// What is logged with `filter` of a request that failed, and of two other things.
    fn logged(filter: &str) -> Vec<&'static str> {
        let said = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&said);
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(parse_filter(filter).unwrap())
            .with_writer(move || Line(Arc::clone(&writer)))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "kube_client::client::builder", "FAILED");
            tracing::warn!(target: "kube_client::client::tls", "STALE");
            tracing::warn!(target: "farmops_agent::sources", "DOWN");
        });
        let said = String::from_utf8(said.lock().unwrap().clone()).unwrap();
        let mut words = vec!["FAILED", "STALE", "DOWN"];
        words.retain(|word| said.contains(word));
        words
    }

    struct Line(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Line {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_repeats_itself_is_heard_only_by_name() {
        for filter in ["info", "debug", "warn,farmops_agent=debug"] {
            assert_eq!(logged(filter), ["STALE", "DOWN"], "{filter}");
        }
        for filter in [
            "info,kube_client=info",
            "warn,kube_client::client=error",
            "kube_client",
        ] {
            assert!(logged(filter).contains(&"FAILED"), "{filter}");
        }
    }

    #[test]
    fn a_broken_filter_is_an_error() {
        assert!(matches!(
            parse_filter("a=b=c"),
            Err(TelemetryError::Filter { .. })
        ));
    }

    #[test]
    fn colour_needs_a_terminal_and_consent() {
        assert!(use_colour(false, true));
        assert!(!use_colour(true, true));
        assert!(!use_colour(false, false));
    }
}
