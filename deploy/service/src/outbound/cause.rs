//! Why an exchange failed, in words with which an operator can do something.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, InvalidMessage};

/// Bytes that are no TLS, where TLS was expected.
const NO_TLS: &str = "it does not speak TLS: should the URL begin with http?";

/// What lies at the bottom of an error.
pub(super) fn of(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(below) = below(deepest) {
        deepest = below;
    }
    if let Some(known) = deepest.downcast_ref().and_then(of_tls) {
        return known.to_owned();
    }
    match deepest.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_parse() => {
            "it does not speak HTTP: should the URL begin with https?".to_owned()
        }
        _ => deepest.to_string(),
    }
}

/// What caused an error. An I/O error hides what it was made of.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref().and_then(io::Error::get_ref);
    inner
        .map(|inner| inner as &(dyn Error + 'static))
        .or_else(|| error.source())
}

fn of_tls(error: &rustls::Error) -> Option<&'static str> {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage as Message};
    match error {
        InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("its certificate comes from an authority that is not known here")
        }
        AlertReceived(AlertDescription::CertificateRequired) => {
            Some("it asks for a client certificate")
        }
        Message(InvalidMessage::InvalidContentType) => Some(NO_TLS),
        _ => None,
    }
}
