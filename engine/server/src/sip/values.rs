//! What stands in header values.
//!
//! The library splits addresses and parameters without minding quotes and prints URIs re-encoded, so values are kept
//! as received and taken apart here.

use std::net::IpAddr;

use super::examine::{escape, restore};

/// `CSeq`: number and method name.
pub(super) fn cseq(value: &str) -> Option<(u32, &str)> {
    let mut parts = value.split_ascii_whitespace();
    let (number, method) = (parts.next()?, parts.next()?);
    // RFC 3261 §8.1.1.5: below 2^31.
    let number = number.parse().ok().filter(|number| *number < 1 << 31)?;
    parts.next().is_none().then_some((number, method))
}

/// One `Via`: who sent the message and which transaction it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Via<'a> {
    /// Host of sent-by; an IPv6 address in brackets.
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) params: &'a str,
}

impl<'a> Via<'a> {
    /// Parses the first `Via` of a header value.
    pub(super) fn first(value: &'a str) -> Option<Self> {
        let first = split_outside_quotes(value, ',').next()?.trim();
        let (sent, params) = first.split_once(';').unwrap_or((first, ""));
        let mut protocol = sent.splitn(3, '/');
        let (name, version, rest) = (protocol.next()?, protocol.next()?, protocol.next()?);
        if !name.trim().eq_ignore_ascii_case("SIP") || version.trim() != "2.0" {
            return None;
        }
        let (_transport, sent_by) = rest
            .trim()
            .split_once(|character: char| character.is_ascii_whitespace())?;
        let (host, port) = host_and_port(sent_by.trim())?;
        Some(Self { host, port, params })
    }

    /// The transaction's branch.
    pub(super) fn branch(&self) -> Option<&'a str> {
        param(self.params, "branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the sender wants responses at the port it sent from (RFC 3581).
    pub(super) fn wants_rport(&self) -> bool {
        params(self.params).any(|(name, _)| name.eq_ignore_ascii_case("rport"))
    }

    /// Whether sent-by names exactly this address.
    pub(super) fn is_from(&self, address: IpAddr) -> bool {
        self.host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            == Ok(address)
    }
}

/// An address as in `From`, `To`, `Contact`, `Refer-To`: with or without brackets.
#[derive(Debug, Clone, Copy)]
pub(super) struct NameAddr<'a> {
    display: &'a str,
    /// The URI without brackets.
    pub(super) uri: &'a str,
    params: &'a str,
}

impl<'a> NameAddr<'a> {
    /// Parses one address.
    pub(super) fn parse(value: &'a str) -> Option<Self> {
        let value = value.trim();
        if let Some(open) = find_outside_quotes(value, '<') {
            let close = value[open..].find('>')? + open;
            let (display, uri, rest) = (
                value[..open].trim(),
                value[open + 1..close].trim(),
                value[close + 1..].trim(),
            );
            let params = if rest.is_empty() {
                ""
            } else {
                rest.strip_prefix(';')?
            };
            return (!uri.is_empty()).then_some(Self {
                display,
                uri,
                params,
            });
        }
        // Without brackets the parameters belong to the header (RFC 3261 §20).
        let (uri, params) = value.split_once(';').unwrap_or((value, ""));
        let uri = uri.trim();
        (!uri.is_empty() && !uri.contains(['"', ' '])).then_some(Self {
            display: "",
            uri,
            params,
        })
    }

    /// `tag` parameter.
    pub(super) fn tag(&self) -> Option<&'a str> {
        param(self.params, "tag").filter(|tag| !tag.is_empty())
    }

    /// Display name without quotes and escapes.
    pub(super) fn display(&self) -> Option<String> {
        let Some(quoted) = self
            .display
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        else {
            return (!self.display.is_empty()).then(|| self.display.to_owned());
        };
        let mut name = String::with_capacity(quoted.len());
        let mut characters = quoted.chars();
        while let Some(character) = characters.next() {
            name.extend(if character == '\\' {
                characters.next()
            } else {
                Some(character)
            });
        }
        (!name.is_empty()).then_some(name)
    }
}

/// User part of a SIP URI, percent-decoded, without a password; the number of a tel URI; else empty.
pub(super) fn user(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return String::new();
    };
    if scheme.eq_ignore_ascii_case("tel") {
        let number = percent_decoded(rest.split(';').next().unwrap_or_default());
        // Signs that only part a number for the eye are none of it (RFC 3966 §5.1.1).
        return number.replace(['-', '.', '(', ')'], "");
    }
    let before_headers = rest.split('?').next().unwrap_or_default();
    let Some((userinfo, _)) = before_headers.rsplit_once('@') else {
        return String::new();
    };
    let user = userinfo.split(':').next().unwrap_or_default();
    // Parameters of a telephone number in the user part (RFC 3966) are no part of the number.
    percent_decoded(user.split(';').next().unwrap_or_default())
}

/// A number or name as the user part of a SIP URI: what is not plain there is percent-encoded (RFC 3261 §25.1).
pub(super) fn escaped_user(text: &str) -> String {
    let mut user = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'+' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'(' | b')' => {
                user.push(char::from(byte));
            }
            byte if byte.is_ascii_alphanumeric() => user.push(char::from(byte)),
            byte => user.push_str(&format!("%{byte:02X}")),
        }
    }
    user
}

/// `Content-Type` in lower case without parameters.
pub(super) fn media_type(value: &str) -> String {
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// The SDP in a body: all of it, or the part of a multipart (RFC 5621) that is SDP.
pub(super) fn sdp_in(content_type: &str, body: &[u8]) -> Option<Vec<u8>> {
    match media_type(content_type).as_str() {
        "application/sdp" => Some(body.to_vec()),
        "multipart/mixed" | "multipart/related" | "multipart/alternative" => {
            let boundary = param(content_type.split_once(';')?.1, "boundary")?;
            let text = escape(body);
            let part = text
                .split(&format!("--{boundary}"))
                .skip(1)
                .find_map(|part| {
                    let (head, body) = part.split_once("\r\n\r\n")?;
                    let kind = head.lines().filter_map(|line| line.split_once(':'));
                    let mut kind =
                        kind.filter(|(name, _)| name.trim().eq_ignore_ascii_case("Content-Type"));
                    kind.any(|(_, value)| media_type(value) == "application/sdp")
                        .then_some(body)
                })?;
            Some(restore(part.to_owned()))
        }
        _ => None,
    }
}

/// Value of the parameter called `name` in `a=b;c`, unquoted; empty for one without a value.
pub(super) fn param<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    params(text)
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The parameters of `a=b;c`.
pub(super) fn params(text: &str) -> impl Iterator<Item = (&str, &str)> {
    split_outside_quotes(text, ';').map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        (
            name.trim(),
            value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .unwrap_or(value),
        )
    })
}

/// Splits at `separator`, except in quoted strings and between `<` and `>`.
pub(super) fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = find_outside(text, separator, true) else {
            return rest.take();
        };
        rest = Some(&text[at + separator.len_utf8()..]);
        Some(&text[..at])
    })
}

fn find_outside_quotes(text: &str, wanted: char) -> Option<usize> {
    find_outside(text, wanted, false)
}

fn find_outside(text: &str, wanted: char, skip_brackets: bool) -> Option<usize> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if !bracketed => quoted = !quoted,
            _ if quoted => {}
            _ if character == wanted && !bracketed => return Some(at),
            '<' if skip_brackets => bracketed = true,
            '>' if skip_brackets => bracketed = false,
            _ => {}
        }
    }
    None
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = (text[..end].trim(), text[end..].trim());
    if host.is_empty() || host.contains(char::is_whitespace) {
        return None;
    }
    match rest.strip_prefix(':') {
        Some(port) => Some((host, Some(port.trim().parse().ok()?))),
        None => rest.is_empty().then_some((host, None)),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::{escaped_user, user};

    #[test]
    fn a_user_part_is_read_as_it_was_written() {
        for text in ["+8613800138000", "desk", "a b", "x@y;z>\r\nVia: 1", "王"] {
            let escaped = escaped_user(text);
            assert!(
                escaped
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"@;:<>\"".contains(&byte)),
                "{escaped}"
            );
            assert_eq!(user(&format!("sip:{escaped}@192.0.2.1")), text);
        }
    }
}
