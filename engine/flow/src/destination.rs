//! What `transfer:` takes besides the names of suppliers: telephone numbers, SIP URIs and `tel:` URIs.
//!
//! `check` and the engine read them here, so whatever is accepted can be called.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::diagnostic::{Text, text};
use crate::value::{Type, Value, parse_literal};

/// Transports that a URI may name, in lower case (RFC 3261 §19.1.1, RFC 4168, RFC 7118).
const TRANSPORTS: [&str; 7] = ["udp", "tcp", "tls", "sctp", "tls-sctp", "ws", "wss"];

/// With so many digits a text with letters in it was to be a telephone number.
const FEW_DIGITS: usize = 5;

/// Longest host name, in characters (RFC 1035 §2.3.4).
const MAX_HOST: usize = 253;

/// Longest part of a host name between two dots, in characters (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// Somebody who can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A telephone number as it is dialled: digits, perhaps after a `+`.
    Number(String),
    /// A SIP URI, its scheme in lower case.
    Uri(String),
}

/// Why a text is no destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoDestination {
    /// It may be a supplier's name.
    Name,
    /// It is no name either: a sentence that says why.
    Malformed(Text),
}

impl Destination {
    /// Reads a number, a SIP URI (RFC 3261 §19.1.1) or a `tel:` URI (RFC 3966), which is its number: its parameters are not
    /// dialled.
    ///
    /// Numbers may have what makes them easy to read: blanks, hyphens, dots and brackets (RFC 3966 §5.1.1). In the user part of a
    /// SIP URI a `#` may stand as it is, as telephones write it; `;` and `?` must be escaped there, for much that reads
    /// URIs takes them for the end of the host.
    ///
    /// # Errors
    ///
    /// What is wrong, or that it may be a name.
    pub fn read(text: &str) -> Result<Destination, NoDestination> {
        let malformed = |kind: Text, cause: Text| {
            NoDestination::Malformed(
                text!("`{text}` is no {kind}: {cause}", "`{text}` 不是 {kind}：{cause}"; kind, cause),
            )
        };
        if text.trim().is_empty() {
            return Err(NoDestination::Malformed(Text::fixed(
                "nobody can be called by an empty text",
                "空文本不能作为转接目标",
            )));
        }
        let Some((scheme, rest)) = scheme(text) else {
            return match number(text) {
                Some(number) => Ok(Destination::Number(number)),
                // No name begins so.
                None if text
                    .starts_with(|c: char| matches!(c, '+' | '(') || c.is_ascii_digit())
                    && text.chars().filter(char::is_ascii_digit).count() >= FEW_DIGITS
                    && text.contains(char::is_alphabetic) =>
                {
                    Err(malformed(
                        Text::fixed("telephone number", "电话号码"),
                        Text::fixed(
                            "there are letters in it, and an extension cannot be dialled",
                            "其中有字母，而分机号不能拨打",
                        ),
                    ))
                }
                None if text.contains(char::is_alphabetic) => Err(NoDestination::Name),
                None => Err(malformed(
                    Text::fixed("telephone number", "电话号码"),
                    Text::fixed("it is not made of digits", "它不是由数字组成的"),
                )),
            };
        };
        if scheme == "tel" {
            let kind = || Text::fixed("`tel:` URI", "`tel:` 地址");
            let (digits, parameters) = rest.split_once(';').unwrap_or((rest, ""));
            let number = number(digits).ok_or_else(|| {
                let cause = Text::fixed(
                    "no telephone number follows `tel:`",
                    "`tel:` 之后不是电话号码",
                );
                malformed(kind(), cause)
            })?;
            odd_sign(parameters, is_after_host).map_or(Ok(Destination::Number(number)), |cause| {
                Err(malformed(kind(), cause))
            })
        } else {
            match fault_of_sip(rest) {
                None => Ok(Destination::Uri(format!("{scheme}:{rest}"))),
                Some(cause) => Err(malformed(Text::fixed("SIP URI", "SIP 地址"), cause)),
            }
        }
    }
}

/// The scheme, in lower case, and what follows it; schemes count the same in any case (RFC 3261 §19.1.4).
fn scheme(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut known = ["sip", "sips", "tel"].into_iter();
    let known = known.find(|known| scheme.eq_ignore_ascii_case(known))?;
    Some((known, rest))
}

fn number(text: &str) -> Option<String> {
    match parse_literal(text, &Type::Phone) {
        Ok(Value::Phone(number)) => Some(number),
        _ => None,
    }
}

/// What is wrong with a SIP URI, of which the scheme is taken off.
fn fault_of_sip(rest: &str) -> Option<Text> {
    let (user, place) = match rest.split_once('@') {
        None => (None, rest),
        Some((user, place)) => (Some(user), place),
    };
    if let Some(user) = user {
        if user.is_empty() || user.starts_with(':') {
            return Some(Text::fixed(
                "nobody is named before the `@`",
                "`@` 之前没有用户名",
            ));
        }
        if let Some(odd) = odd_sign(user, is_user) {
            return Some(odd);
        }
    }
    let end = place.find([';', '?']).unwrap_or(place.len());
    let (host, after) = place.split_at(end);
    if let Some(odd) = odd_sign(after, is_after_host) {
        return Some(odd);
    }
    fault_of_host(host).or_else(|| fault_of_parameters(after))
}

/// `host` or `host:port`.
fn fault_of_host(place: &str) -> Option<Text> {
    let bracket = place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracket {
        Some((ip, after)) if ip.parse::<Ipv6Addr>().is_ok() => match after.strip_prefix(':') {
            Some(port) => (None, Some(port)),
            None if after.is_empty() => (None, None),
            None => (Some(place), None),
        },
        Some(_) => (Some(place), None),
        None => match place.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(place), None),
        },
    };
    match host {
        Some("") => return Some(Text::fixed("it has no host", "没有主机")),
        Some(host) if !is_host(host) => {
            return Some(text!("`{host}` is no host", "`{host}` 不是主机"));
        }
        _ => {}
    }
    let port = port?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let good = digits && port.parse::<u16>().is_ok_and(|port| port > 0);
    (!good).then(|| {
        text!(
            "`{port}` is no port from 1 to 65535",
            "`{port}` 不是 1 到 65535 的端口"
        )
    })
}

/// A name or an IPv4 address. Names may have a `_`, as those within a company's network often do.
fn is_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        let signs = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(signs)
    };
    // What ends in a number is an address, or nothing (RFC 3261 §25.1, `toplabel`).
    let numeric = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    match numeric {
        true => host.parse::<Ipv4Addr>().is_ok(),
        false => name.len() <= MAX_HOST && name.split('.').all(label),
    }
}

/// What is wrong with a parameter whose values are few (RFC 3261 §19.1.1, RFC 3581).
fn fault_of_parameters(after: &str) -> Option<Text> {
    let parameters = after.split('?').next().unwrap_or_default();
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_lowercase().as_str() {
            "transport" => {
                let known = TRANSPORTS.contains(&value.to_ascii_lowercase().as_str());
                (!known).then(|| {
                    text!(
                        "`{value}` is no transport, as `udp` and `tcp` are",
                        "`{value}` 不是传输方式（如 `udp`、`tcp`）"
                    )
                })
            }
            // Methods are told apart by case (RFC 3261 §7.1), and a transfer is a call.
            "method" => (value != "INVITE").then(|| {
                text!(
                    "a transfer is an `INVITE`, not `{value}`",
                    "转接用 `INVITE`，不能用 `{value}`"
                )
            }),
            "rport" => (!value.is_empty() && value.parse::<u16>().is_err())
                .then(|| text!("`{value}` is no port", "`{value}` 不是端口")),
            _ => None,
        }
    })
}

/// A sign that may not stand where it does, or a `%` that escapes nothing.
fn odd_sign(part: &str, may: fn(char) -> bool) -> Option<Text> {
    let mut signs = part.char_indices();
    let (_, odd) = signs.find(|&(at, sign)| match sign {
        '%' => {
            let code = part.as_bytes().get(at + 1..at + 3);
            !code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit))
        }
        sign => !may(sign),
    })?;
    Some(match odd {
        '%' => Text::fixed(
            "two hexadecimal digits must follow a `%`",
            "`%` 之后必须是两位十六进制数字",
        ),
        odd if odd.is_whitespace() => Text::fixed("it has a blank in it", "其中有空白"),
        odd if odd.is_control() => {
            Text::fixed("it has a control character in it", "其中有控制字符")
        }
        odd => {
            let mut bytes = [0; 4];
            let bytes = odd.encode_utf8(&mut bytes).bytes();
            let code: String = bytes.map(|byte| format!("%{byte:02X}")).collect();
            text!(
                "`{odd}` may not stand there; escaped it is `{code}`",
                "此处不能有 `{odd}`；转义后写作 `{code}`",
            )
        }
    })
}

/// `unreserved` and `user-unreserved` of RFC 3261 §25.1 but for `;` and `?`; `:` for the password, and `#`.
fn is_user(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-_.!~*'()&=+$,/:#".contains(sign)
}

/// What parameters and headers are made of (RFC 3261 §25.1).
fn is_after_host(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "-_.!~*'()[]/:&+$=;?".contains(sign)
}

#[cfg(test)]
mod tests {
    use super::{Destination, NoDestination};

    #[test]
    fn what_can_be_called_is_read() {
        for (text, number) in [
            ("+86 138 0013 8000", "+8613800138000"),
            ("(010) 12.34-56", "010123456"),
            ("tel:+123", "+123"),
            ("TEL:+86-138.0013.8000;ext=5", "+8613800138000"),
        ] {
            let read = Destination::read(text);
            assert_eq!(read, Ok(Destination::Number(number.to_owned())), "{text}");
        }
        for uri in [
            "sip:example.com",
            "sip:desk@example.com",
            "sips:desk:word@example.com:5061;transport=tls;lr",
            "sip:192.0.2.1:5060;transport=TCP",
            "sip:1000@[2001:db8::1]:5060",
            "sip:*31#100@pbx_1",
            "sip:a%20b@desk-1.example.com.?Subject=late%20order&Priority=urgent",
        ] {
            let read = Destination::read(uri);
            assert_eq!(read, Ok(Destination::Uri(uri.to_owned())), "{uri}");
        }
        let read = Destination::read("SIP:Desk@Example.com");
        assert_eq!(
            read,
            Ok(Destination::Uri("sip:Desk@Example.com".to_owned()))
        );
    }

    #[test]
    fn what_cannot_be_called_is_told_with_its_cause() {
        for (text, cause) in [
            ("", "empty text"),
            (" ", "empty text"),
            ("+", "not made of digits"),
            ("12/34", "not made of digits"),
            ("sip:", "no host"),
            ("sips:;lr", "no host"),
            ("sip:desk@", "no host"),
            ("sip:desk@:5060", "no host"),
            ("sip:@example.com", "nobody is named"),
            ("sip:a b@c", "blank"),
            ("sip:desk@example.com ", "`example.com ` is no host"),
            ("sip:a;b@example.com", "%3B"),
            ("sip:a%2@example.com", "hexadecimal"),
            ("sip:a@b@example.com", "`b@example.com` is no host"),
            ("sip:a@example..com", "no host"),
            ("sip:a@192.0.2.300", "no host"),
            ("sip:a@[2001:db8::g]", "no host"),
            ("sip:a@b:65536", "no port"),
            ("sip:a@b:", "no port"),
            ("sip:a@b;transport=pigeon", "no transport"),
            ("sip:a@b;method=MESSAGE", "INVITE"),
            ("sip:a@b;rport=x", "no port"),
            ("sip:a@b;x=<y>", "%3C"),
            ("sip:客服@example.com", "%E5%AE%A2"),
            ("tel:", "no telephone number"),
            ("tel:desk", "no telephone number"),
            ("tel:+", "no telephone number"),
            ("tel:+123;ext=4 5", "blank"),
        ] {
            let Err(NoDestination::Malformed(why)) = Destination::read(text) else {
                panic!("{text:?} is read, or a name");
            };
            assert!(why.english().contains(cause), "{text:?}: {}", why.english());
        }
        for name in [
            "supplier-a",
            "front desk",
            "供应商",
            "mailto:a@example.com",
            "1x",
        ] {
            assert_eq!(Destination::read(name), Err(NoDestination::Name), "{name}");
        }
    }
}
