//! Secrets in requests: put in by the engine, so that no plugin sees them, and taken out of what comes back.

use std::ops::Range;

use strowger_contact::call::{CallError, HttpResponse, SecretField};
use strowger_flow::unseen::quoted;

use super::Refusal;
use super::echo::{echoes, forms, in_base64, inside_json};

/// Stands where a response had a secret.
const HIDDEN: &str = "•••";
/// Shortest secret that is looked for in responses, in bytes: a shorter one stands in many a response by chance.
const LOOKED_FOR: usize = 6;

/// A secret that a request may carry.
pub(crate) struct Secret {
    /// As the guest names it.
    pub handle: String,
    /// What it stands for.
    pub text: String,
    /// Where it may be sent: `host:port` pairs. None: wherever the plugin may send requests; what a contact entered.
    pub hosts: Option<Vec<String>>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("handle", &self.handle)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Secret {
    /// Whether it may stand in a header.
    fn in_headers(&self) -> bool {
        self.hosts.is_some()
    }
}

/// Puts secrets into the header values and the body of a request to `service`. All places are found before anything is put
/// in: what one secret brings along is no place for the next, which would tell a guest what is in it. Within a string of a body of
/// JSON it is escaped as that wants it. True for each header that holds one now.
pub(super) fn put_in(
    fields: &[SecretField],
    secrets: &[Secret],
    service: &str,
    headers: &mut [Vec<u8>],
    (body, kind): (&mut Vec<u8>, BodyKind),
) -> Result<Vec<bool>, Refusal> {
    let mut parts: Vec<&mut Vec<u8>> = headers.iter_mut().collect();
    parts.push(body);
    let last = parts.len() - 1;
    let mut places: Vec<Vec<(usize, usize, &Secret)>> = vec![Vec::new(); parts.len()];
    for field in fields {
        let secret = secrets.iter().find(|secret| secret.handle == field.handle);
        let Some(secret) = secret else {
            let shown = quoted(&field.handle);
            let unknown = format!("`{shown}` is no secret of this contact");
            return Err(CallError::InvalidArgument(unknown).into());
        };
        if let Some(hosts) = &secret.hosts
            && !hosts.iter().any(|host| host.eq_ignore_ascii_case(service))
        {
            return Err(Refusal::denied(
                "vault.hosts",
                format!(
                    "{} to {service}: it is for {} only",
                    secret.handle,
                    hosts.join(", ")
                ),
            ));
        }
        let placeholder = field.placeholder.as_bytes();
        let mut found = Vec::new();
        for (part, bytes) in parts.iter().enumerate() {
            if (part == last || secret.in_headers()) && !placeholder.is_empty() {
                let windows = bytes.windows(placeholder.len()).enumerate();
                let here = windows.filter(|(_, window)| *window == placeholder);
                found.extend(here.map(|(at, _)| (part, at)));
            }
        }
        let &[(part, at)] = found.as_slice() else {
            let once = "a secret's placeholder must stand exactly once in the body, or, of one in the vault, in a header's value";
            return Err(CallError::InvalidArgument(once.into()).into());
        };
        places[part].push((at, at + placeholder.len(), secret));
    }
    for (number, (part, places)) in parts.iter_mut().zip(&mut places).enumerate() {
        places.sort_by_key(|(from, ..)| *from);
        if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            let apart = "the placeholders of two secrets overlap";
            return Err(CallError::InvalidArgument(apart.into()).into());
        }
        // From the last on: what stands before each is as the guest wrote it.
        for &(from, to, secret) in places.iter().rev() {
            let json = number == last && kind == BodyKind::Json && in_string(part, from..to);
            let text = match json {
                true => inside_json(&secret.text),
                false => secret.text.clone(),
            };
            part.splice(from..to, text.into_bytes());
        }
    }
    let holds = places[..last].iter().map(|places| !places.is_empty());
    Ok(holds.collect())
}

/// How a body is read that a secret is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// As JSON.
    Json,
    /// As something else, or nobody knows how.
    Other,
}

impl BodyKind {
    /// That of a request with these values of `Content-Type`: JSON where there is one, and it is `application/json` or ends with `+json`
    /// (RFC 6839 §3.1), whatever parameters it has.
    pub fn of<'a>(mut content_types: impl Iterator<Item = &'a [u8]>) -> BodyKind {
        let (Some(only), None) = (content_types.next(), content_types.next()) else {
            return BodyKind::Other;
        };
        let essence = only.split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = essence.trim_ascii().to_ascii_lowercase();
        let json = essence == b"application/json"
            || essence.contains(&b'/') && essence.ends_with(b"+json");
        match json {
            true => BodyKind::Json,
            false => BodyKind::Other,
        }
    }
}

/// Whether some bytes of JSON stand within one of its strings, and are no part of an escape.
fn in_string(json: &[u8], place: Range<usize>) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for (at, &byte) in json[..place.end].iter().enumerate() {
        if at == place.start && (!inside || escaped) {
            return false;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => {
                if at >= place.start {
                    return false;
                }
                inside = !inside;
            }
            _ => {}
        }
    }
    inside && !escaped
}

/// Takes secrets out of a response that repeats them, plain or as texts are written within texts (see [`echo`](super::echo)). A
/// service that is given a secret can tell it to a guest in forms that nobody foresees: what protects it is that it goes to its
/// own hosts alone. This keeps echoes, error pages and debug headers from telling.
pub(super) fn take_out(secrets: &[Secret], response: &mut HttpResponse) {
    let texts = secrets.iter().map(|secret| secret.text.as_str());
    let texts = texts.filter(|text| text.len() >= LOOKED_FOR);
    let texts: Vec<String> = texts.flat_map(forms).collect();
    if texts.is_empty() {
        return;
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if let Some(clean) = without(&response.body.0, &texts) {
        response.body.0 = clean;
    }
    // Names of headers come in lower case, and base64 with them.
    let lower: Vec<String> = texts
        .iter()
        .flat_map(|text| std::iter::once((*text).to_owned()).chain(in_base64(text)))
        .map(|form| form.to_ascii_lowercase())
        .collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    for header in &mut response.headers {
        if let Some(clean) = without(header.value.as_bytes(), &texts) {
            header.value = String::from_utf8_lossy(&clean).into_owned();
        }
        let name = header.name.to_ascii_lowercase();
        let hexadecimal = echoes(name.as_bytes(), &texts);
        if !hexadecimal.is_empty() || lower.iter().any(|form| name.contains(form)) {
            HIDDEN.clone_into(&mut header.name);
        }
    }
}

/// Bytes with every repetition of some texts hidden; none where there is none.
fn without(bytes: &[u8], texts: &[&str]) -> Option<Vec<u8>> {
    let places = echoes(bytes, texts);
    let mut clean = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for place in &places {
        clean.extend_from_slice(&bytes[at..place.start]);
        clean.extend_from_slice(HIDDEN.as_bytes());
        at = place.end;
    }
    clean.extend_from_slice(&bytes[at..]);
    (!places.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::{BodyKind, HIDDEN, Secret, put_in, take_out};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use strowger_contact::call::{Bytes, Header, HttpResponse, SecretField};

    fn secret(handle: &str, text: &str, hosts: Option<&[&str]>) -> Secret {
        Secret {
            handle: handle.into(),
            text: text.into(),
            hosts: hosts.map(|hosts| hosts.iter().map(|&host| host.to_owned()).collect()),
        }
    }

    fn put(
        secrets: &[Secret],
        fields: &[(&str, &str)],
        header: &str,
        body: &str,
    ) -> Result<(String, String), String> {
        put_as(b"text/plain", secrets, fields, header, body)
    }

    /// The same with a body of some content type.
    fn put_as(
        kind: &[u8],
        secrets: &[Secret],
        fields: &[(&str, &str)],
        header: &str,
        body: &str,
    ) -> Result<(String, String), String> {
        let fields: Vec<SecretField> = fields
            .iter()
            .map(|(placeholder, handle)| SecretField {
                placeholder: (*placeholder).into(),
                handle: (*handle).into(),
            })
            .collect();
        let mut headers = [header.as_bytes().to_vec()];
        let mut body = body.as_bytes().to_vec();
        let kind = BodyKind::of([kind].into_iter());
        let body_of = (&mut body, kind);
        put_in(&fields, secrets, "api.example:443", &mut headers, body_of)
            .map_err(|refusal| format!("{:?}", refusal.error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((text(&headers[0]), text(&body)))
    }

    #[test]
    fn a_secret_stands_where_its_placeholder_stood_and_tells_nothing_of_itself() {
        let secrets = [
            secret("s:1", "4111", None),
            secret("vault:key", "t0ps3cret", Some(&["API.example:443"])),
            secret("vault:other", "elsewhere", Some(&["b.example:443"])),
        ];
        let both = [("@1", "s:1"), ("@k", "vault:key")];
        assert_eq!(
            put(&secrets, &both, "Bearer @k", "card=@1;"),
            Ok(("Bearer t0ps3cret".into(), "card=4111;".into()))
        );
        for (fields, header, body, word) in [
            (&[("@1", "s:1")][..], "", "@1@1", "exactly once"),
            (&[("@1", "s:1")], "", "nothing", "exactly once"),
            (&[("", "s:1")], "", "nothing", "exactly once"),
            // What was entered goes into the body alone.
            (&[("@1", "s:1")], "@1", "", "exactly once"),
            (&[("@k", "vault:key")], "@k", "@k", "exactly once"),
            (&[("@k", "vault:nothing")], "@k", "", "no secret"),
            (&[("@k", "vault:other")], "@k", "", "b.example:443 only"),
            // Whether a card begins with 41 is not to be found out by looking for 41 in it.
            (&[("@1", "s:1"), ("41", "s:1")], "", "@1", "exactly once"),
            (
                &[("@1x", "s:1"), ("x@k", "vault:key")],
                "",
                "@1x@k",
                "overlap",
            ),
        ] {
            let told = put(&secrets, fields, header, body).expect_err(body);
            assert!(told.contains(word), "{body}: {told}");
        }
        assert!(!format!("{secrets:?}").contains("t0ps3cret"));
    }

    #[test]
    fn within_a_string_of_json_a_secret_is_escaped() {
        let key = "k\"\\y é";
        let secrets = [
            secret("vault:key", key, Some(&["api.example:443"])),
            secret("s:1", "4111", None),
        ];
        let put = |kind: &str, body: &str| {
            let fields = [("@k", "vault:key"), ("@1", "s:1")];
            let put = put_as(kind.as_bytes(), &secrets, &fields, "", body);
            put.expect(body).1
        };
        let body = r#"{"card":@1,"a\\":"\"","key":"Bearer @k!"}"#;
        let whole: serde_json::Value =
            serde_json::from_str(&put("application/json", body)).expect("JSON");
        assert_eq!(whole["key"], format!("Bearer {key}!"));
        assert_eq!(whole["card"], 4111);
        for (kind, body, escaped) in [
            ("Application/JSON ; charset=utf-8", r#"["@k", @1]"#, true),
            ("application/vnd.api+json", r#"["@k", @1]"#, true),
            ("text/plain", r#"["@k", @1]"#, false),
            ("application/json-seq", r#"["@k", @1]"#, false),
            // Not within a string, or not whole.
            ("application/json", r#"["", @k, @1]"#, false),
            ("application/json", r#"["\@k", @1]"#, false),
        ] {
            let wanted = match escaped {
                true => r#"k\"\\y é"#,
                false => key,
            };
            let wanted = body.replace("@k", wanted).replace("@1", "4111");
            assert_eq!(put(kind, body), wanted, "{kind}: {body}");
        }
        // Its quotes are a placeholder's.
        let fields = [("\"@k\"", "vault:key")];
        let (_, body) = put_as(b"application/json", &secrets, &fields, "", "[\"@k\"]")
            .expect("it stands there once");
        assert_eq!(body, format!("[{key}]"));
    }

    #[test]
    fn what_a_service_repeats_is_taken_out() {
        let key = "k\"y/+ 1234";
        let body = format!(
            "plain {key}; json {}; url k%22y%2F%2B+1234 k%22y%2F%2B%201234; base64 ImsieS8rIDEyMzQ=, ayJ5LysgMTIzNA==; hex 6b22792f2b2031323334",
            serde_json::json!(key)
        );
        let mut response = HttpResponse {
            status: 200,
            headers: vec![Header {
                name: "x-echo".into(),
                value: format!("Bearer {key}"),
            }],
            body: Bytes(body.into_bytes()),
        };
        take_out(&[secret("vault:key", key, Some(&[]))], &mut response);
        let body = String::from_utf8(response.body.0).expect("text");
        assert_eq!(
            body,
            "plain •••; json \"•••\"; url ••• •••; base64 Im•••Q=, •••==; hex •••"
        );
        assert_eq!(response.headers[0].value, "Bearer •••");
    }

    #[test]
    fn wherever_it_begins_in_base64_and_in_names_of_headers_it_is_taken_out() {
        let key = "SuperSecretKey123456";
        let body = |before: &str| STANDARD.encode(format!("{before}{key}, and on"));
        let secrets = [secret("vault:key", key, Some(&[]))];
        for before in ["", "x", "xy", "Bearer ", "Basic Ym"] {
            let mut response = HttpResponse {
                status: 200,
                headers: vec![Header {
                    name: format!("x-{}", key.to_ascii_lowercase()),
                    value: body(before),
                }],
                body: Bytes(body(before).into_bytes()),
            };
            take_out(&secrets, &mut response);
            let shown = String::from_utf8(response.body.0).expect("text");
            // Two letters of it are left at most, one at either end.
            let left = body(before).len() - shown.replace(HIDDEN, "").len();
            assert!(shown.contains(HIDDEN), "{before}: {shown}");
            assert!(left + 2 >= key.len() * 8 / 6, "{before}: {shown}");
            assert_eq!(response.headers[0].value, shown);
            assert_eq!(response.headers[0].name, HIDDEN);
        }
    }
}
