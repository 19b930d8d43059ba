//! The two things we want to know of a certificate beyond what the handshake verifies: until when
//! it is valid, and which names it has (RFC 5280, sections 4.1 and 4.2.1.6).
//!
//! The library that verifies certificates keeps both to itself. This reads only certificates that
//! are the operator's own or have been verified, walks DER without recursion, and answers `None` to
//! whatever it does not expect.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Names that are read from one certificate at most.
const NAMES_MAX: usize = 32;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const MAIL_DNS_URI: [u8; 3] = [0x81, 0x82, 0x86];
/// 2.5.29.17, `subjectAltName`.
const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11];
/// 2.5.4.3, `commonName`.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// A second in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    date: [u32; 3],
    time: [u32; 3],
}

/// What is read of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) not_before: Moment,
    pub(super) not_after: Moment,
    /// Alternative names (mail, DNS, URI); without any, common names.
    pub(super) names: Vec<String>,
}

impl Facts {
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let mut body = Reader(Reader(Reader(certificate).expect(SEQUENCE)?).expect(SEQUENCE)?);
        body.skip_if(VERSION)?;
        for _serial_algorithm_issuer in 0..3 {
            body.any()?;
        }
        let mut validity = Reader(body.expect(SEQUENCE)?);
        let not_before = Moment::read(&mut validity)?;
        let not_after = Moment::read(&mut validity)?;
        let subject = body.expect(SEQUENCE)?;
        let mut names = Vec::new();
        while let Some((tag, value)) = body.any() {
            if tag == EXTENSIONS {
                names = alternative_names(value)?;
            }
        }
        if names.is_empty() {
            names = common_names(subject);
        }
        names.truncate(NAMES_MAX);
        Some(Self {
            not_before,
            not_after,
            names,
        })
    }
}

fn alternative_names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut extensions = Reader(Reader(extensions).expect(SEQUENCE)?);
    let mut found = Vec::new();
    while let Some((_, extension)) = extensions.any() {
        let mut extension = Reader(extension);
        if extension.expect(OID)? != ALTERNATIVE_NAMES {
            continue;
        }
        extension.skip_if(BOOLEAN)?;
        let mut names = Reader(Reader(extension.expect(OCTET_STRING)?).expect(SEQUENCE)?);
        while let Some((tag, name)) = names.any() {
            if MAIL_DNS_URI.contains(&tag) {
                found.extend(text(name));
            }
        }
    }
    Some(found)
}

fn common_names(subject: &[u8]) -> Vec<String> {
    let mut parts = Reader(subject);
    let mut found = Vec::new();
    while let Some(part) = parts.expect(SET) {
        let mut part = Reader(part);
        while let Some(attribute) = part.expect(SEQUENCE) {
            let mut attribute = Reader(attribute);
            if attribute.expect(OID) == Some(&COMMON_NAME) {
                found.extend(attribute.any().and_then(|(_, name)| text(name)));
            }
        }
    }
    found
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
}

impl Moment {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (tag, value) = reader.any()?;
        let digits = value.strip_suffix(b"Z")?;
        let (year, rest) = match tag {
            // 50 to 99 are of the last century (RFC 5280, section 4.1.2.5.1).
            UTC_TIME => {
                let (year, rest) = digits.split_at_checked(2)?;
                let year = number(year)?;
                (year + if year < 50 { 2000 } else { 1900 }, rest)
            }
            GENERALIZED_TIME => {
                let (year, rest) = digits.split_at_checked(4)?;
                (number(year)?, rest)
            }
            _ => return None,
        };
        let mut parts = [0; 5];
        if rest.len() != 10 {
            return None;
        }
        for (part, digits) in parts.iter_mut().zip(rest.chunks(2)) {
            *part = number(digits)?;
        }
        let [month, day, hour, minute, second] = parts;
        let sound = (1..=12).contains(&month) && (1..=31).contains(&day);
        (sound && hour < 24 && minute < 60 && second < 61).then_some(Self {
            date: [year, month, day],
            time: [hour, minute, second],
        })
    }

    pub(super) fn time(self) -> SystemTime {
        let [year, month, day] = self.date.map(u64::from);
        // Years begin in March here, so that a leap day is the last of its year. Dates before 1970
        // are as good as 1970 to us.
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year.saturating_sub(1), month + 9)
        };
        let of_year = (153 * month + 2) / 5 + day - 1;
        let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
        let [hour, minute, second] = self.time.map(u64::from);
        let of_day = (hour * 60 + minute) * 60 + second;
        // 719 468 days lie between the first of March of the year 0 and 1970.
        UNIX_EPOCH + Duration::from_secs(days.saturating_sub(719_468) * 86_400 + of_day)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([year, month, day], [hour, minute, second]) = (self.date, self.time);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// Values one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next value and its tag.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], mut rest) = self.0.split_first_chunk()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let (length, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if !(1..=4).contains(&length.len()) {
                return None;
            }
            rest = after;
            length
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, value))
    }

    /// The next value if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = Reader(self.0);
        let (found, value) = ahead.any()?;
        if found != tag {
            return None;
        }
        self.0 = ahead.0;
        Some(value)
    }

    fn skip_if(&mut self, tag: u8) -> Option<()> {
        if self.0.first() == Some(&tag) {
            self.any()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn moment(date: [u32; 3], time: [u32; 3]) -> Moment {
        Moment { date, time }
    }

    fn second(moment: Moment) -> u64 {
        let since = moment.time().duration_since(UNIX_EPOCH);
        since.unwrap().as_secs()
    }

    /// The numbers are those of `date -u +%s`.
    #[test]
    fn moments_are_seconds() {
        assert_eq!(second(moment([1970, 1, 1], [0, 0, 0])), 0);
        assert_eq!(second(moment([2000, 2, 29], [12, 0, 0])), 951_825_600);
        assert_eq!(second(moment([2026, 11, 23], [14, 30, 1])), 1_795_444_201);
        assert_eq!(
            second(moment([9999, 12, 31], [23, 59, 59])),
            253_402_300_799
        );
        assert_eq!(second(moment([1950, 1, 1], [0, 0, 0])), 0);
    }

    #[test]
    fn times_are_read_in_both_forms_and_no_other() {
        let read = |tag, text: &str| {
            let length = u8::try_from(text.len()).unwrap();
            let bytes = [&[tag, length], text.as_bytes()].concat();
            Moment::read(&mut Reader(&bytes)).map(|moment| moment.to_string())
        };
        let both = Some("2049-12-31T23:59:58Z".to_owned());
        assert_eq!(read(UTC_TIME, "491231235958Z"), both);
        assert_eq!(read(GENERALIZED_TIME, "20491231235958Z"), both);
        assert!(read(UTC_TIME, "500101000000Z").unwrap().starts_with("1950"));
        for wrong in ["", "Z", "4912312359Z", "491331235958Z", "+91231235958Z"] {
            assert_eq!(read(UTC_TIME, wrong), None, "{wrong}");
        }
        assert_eq!(read(OID, "491231235958Z"), None);
    }

    #[test]
    fn every_cut_of_a_certificate_is_refused_without_a_panic() {
        let made = rcgen::generate_simple_self_signed(["farm.example".to_owned()]).unwrap();
        let der = made.cert.der();
        let facts = Facts::of(der).unwrap();
        assert_eq!(facts.names, ["farm.example"]);
        for length in 0..der.len() {
            assert_eq!(Facts::of(&der[..length]), None, "{length}");
        }
        for at in 0..der.len() {
            let mut changed = der.to_vec();
            changed[at] ^= 0xff;
            // Any answer will do.
            let _ = Facts::of(&changed);
        }
    }
}
