//! Logging: one line per event on standard error, for people or for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Targets that print what must not be in a log: `activitypub_federation` writes keys and signing
/// strings at debug level. Appended last, so that no filter turns them on by accident.
const SILENCED: &[&str] = &["activitypub_federation::http_signatures=off"];

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
/// `info,farmops_tracker=debug`.
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
    for silenced in SILENCED {
        let directive: Directive = silenced.parse().map_err(error)?;
        parsed = parsed.add_directive(directive);
    }
    Ok(parsed)
}

fn use_colour(no_color: bool, terminal: bool) -> bool {
    terminal && !no_color
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn signature_internals_stay_silent_even_when_asked_for() {
        let chatty = "trace,activitypub_federation::http_signatures=trace";
        let filter = parse_filter(chatty).unwrap().to_string();
        assert!(filter.contains("activitypub_federation::http_signatures=off"));
        assert!(!filter.contains("activitypub_federation::http_signatures=trace"));
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
