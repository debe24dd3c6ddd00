use thiserror::Error;

use super::{event_of_key, key_of_event};

/// Longest INFO body that is read, in bytes: a signal and a duration take fewer than 40.
const MAX_BODY_BYTES: usize = 256;

/// Why a SIP INFO carries no key. The caller answers 415 to the first and 400 to the others.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InfoError {
    /// A content type of another package.
    #[error("content type {0:?} carries no key: send application/dtmf-relay or application/dtmf")]
    ContentType(String),
    /// No `Signal=` line, or an empty or overlong body.
    #[error("the body names no key: send a line such as \"Signal=5\"")]
    NoSignal,
    /// A signal that is no key.
    #[error("signal {0:?} is no key: send one of 0-9, *, #, A-D")]
    UnknownSignal(String),
}

/// The key in the body of a SIP INFO.
///
/// Reads `application/dtmf-relay` (`Signal=5`, `Duration=160`) and `application/dtmf` (the key alone). There
/// is no RFC for either; senders differ in spaces and case, and some write 10 and 11 for `*` and `#`.
pub fn key_of_info(content_type: &str, body: &[u8]) -> Result<char, InfoError> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let text = body
        .get(..body.len().min(MAX_BODY_BYTES + 1))
        .filter(|body| body.len() <= MAX_BODY_BYTES)
        .and_then(|body| std::str::from_utf8(body).ok());
    let signal = if media_type.eq_ignore_ascii_case("application/dtmf-relay") {
        text.and_then(signal_line).ok_or(InfoError::NoSignal)?
    } else if media_type.eq_ignore_ascii_case("application/dtmf") {
        // Some senders put the relay form under this type.
        text.map(|text| signal_line(text).unwrap_or(text.trim()))
            .ok_or(InfoError::NoSignal)?
    } else {
        return Err(InfoError::ContentType(media_type.to_owned()));
    };
    if signal.is_empty() {
        return Err(InfoError::NoSignal);
    }
    key_of_signal(signal).ok_or_else(|| InfoError::UnknownSignal(signal.to_owned()))
}

fn signal_line(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("signal")
            .then(|| value.trim())
    })
}

fn key_of_signal(signal: &str) -> Option<char> {
    let mut characters = signal.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => event_of_key(one).and_then(key_of_event),
        _ => signal.parse::<u8>().ok().and_then(key_of_event),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(content_type: &str, body: &str, expected: Result<char, InfoError>) {
        assert_eq!(
            key_of_info(content_type, body.as_bytes()),
            expected,
            "{content_type} {body:?}"
        );
    }

    #[test]
    fn both_forms_are_read() {
        check(
            "application/dtmf-relay",
            "Signal=5\r\nDuration=160\r\n",
            Ok('5'),
        );
        check(
            "Application/DTMF-Relay; charset=utf-8",
            "duration = 80\nsignal = # \n",
            Ok('#'),
        );
        check(
            "application/dtmf-relay",
            "Signal=10\r\nDuration=160",
            Ok('*'),
        );
        check("application/dtmf", "*", Ok('*'));
        check("application/dtmf", " d\r\n", Ok('D'));
        check("application/dtmf", "Signal=7\r\n", Ok('7'));
    }

    #[test]
    fn everything_else_is_an_error_with_a_reason() {
        check(
            "text/plain",
            "5",
            Err(InfoError::ContentType("text/plain".into())),
        );
        check("application/dtmf-relay", "5", Err(InfoError::NoSignal));
        check(
            "application/dtmf-relay",
            "Signal=\r\n",
            Err(InfoError::NoSignal),
        );
        check(
            "application/dtmf-relay",
            "Signal=16",
            Err(InfoError::UnknownSignal("16".into())),
        );
        check("application/dtmf", "", Err(InfoError::NoSignal));
        check(
            "application/dtmf",
            &"5".repeat(300),
            Err(InfoError::NoSignal),
        );
        assert_eq!(
            key_of_info("application/dtmf", &[0xff]),
            Err(InfoError::NoSignal)
        );
    }

    proptest! {
        #[test]
        fn no_body_panics(content_type in "application/dtmf(-relay)?", body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = key_of_info(&content_type, &body);
        }
    }
}
