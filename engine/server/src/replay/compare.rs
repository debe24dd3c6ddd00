//! Whether two journal entries tell the same, and what of them does not.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use strowger_contact::{EntryKind, SharedJson, is_hidden};
use url::Url;

/// Most names of what differs that are told.
const MAX_NAMES: usize = 3;

/// Whether a contact did the same, whatever it took and wherever in the file it stands.
pub(super) fn same(old: &EntryKind, new: &EntryKind) -> bool {
    use EntryKind::{Asked, Entered, Failed, Outcome, Ran, Started, Tick, Wrote};
    match (old, new) {
        (Started { flow: a, .. }, Started { flow: b, .. }) => a == b,
        (
            Entered {
                flow: a,
                step: b,
                verb: c,
                ..
            },
            Entered {
                flow: x,
                step: y,
                verb: z,
                ..
            },
        ) => (a, b, c) == (x, y, z),
        (
            Ran {
                activation: a,
                plugin: b,
                input: c,
                ..
            },
            Ran {
                activation: x,
                plugin: y,
                input: z,
                ..
            },
        ) => (a, b) == (x, y) && (c == z || alike(c, z)),
        (
            Asked {
                activation: a,
                call: b,
                function: c,
                request: d,
            },
            Asked {
                activation: w,
                call: x,
                function: y,
                request: z,
            },
        ) => (a, b, c) == (w, x, y) && (d == z || alike(d, z)),
        (
            Outcome {
                plugin: a,
                outcome: b,
                data: c,
                ..
            },
            Outcome {
                plugin: x,
                outcome: y,
                data: z,
                ..
            },
        ) => (a, b, c) == (x, y, z),
        (
            Failed {
                plugin: a,
                code: b,
                message: c,
                retries_left: d,
                ..
            },
            Failed {
                plugin: w,
                code: x,
                message: y,
                retries_left: z,
                ..
            },
        ) => (a, b, c, d) == (w, x, y, z),
        // How late it was is looked at as the walk comes there.
        (Tick { .. }, Tick { .. }) => true,
        // A secret may have been written with blanks or hyphens, which what stands for it lacks; how long it was without
        // them is told where it was heard.
        (
            Wrote {
                text: a,
                message: b,
                late: c,
            },
            Wrote {
                text: x,
                message: y,
                late: z,
            },
        ) => (b, c) == (y, z) && (a == x || (is_hidden(a) && is_hidden(x))),
        (old, new) => old == new,
    }
}

/// Whether both are a plugin's configuration.
pub(super) fn configuration(old: &EntryKind, new: &EntryKind) -> bool {
    let is = |kind: &EntryKind| matches!(kind, EntryKind::Call { function, .. } if function == "env.config");
    is(old) && is(new)
}

/// Whether both are the same failure, after which the flow tries the step more or less often.
pub(super) fn other_retries(old: &EntryKind, new: &EntryKind) -> bool {
    match (old, new) {
        (
            EntryKind::Failed {
                plugin: a,
                code: b,
                message: c,
                returned_retryable: d,
                ..
            },
            EntryKind::Failed {
                plugin: w,
                code: x,
                message: y,
                returned_retryable: z,
                ..
            },
        ) => (a, b, c, d) == (w, x, y, z),
        _ => false,
    }
}

/// What of two entries of the same kind differs, by name and without any value: what is in a request belongs to one contact,
/// and groups are made by it. `method`, `path`, `query page`, `header accept`, `body.amount`; none where there is nothing to
/// name.
pub(super) fn differing(old: &EntryKind, new: &EntryKind) -> Option<String> {
    use EntryKind::{Asked, Call, Outcome, Ran, Set, Tagged};
    let mut names = BTreeSet::new();
    match (old, new) {
        (Asked { request: old, .. }, Asked { request: new, .. }) => {
            part("", old, new, &mut names);
        }
        (Ran { input: old, .. }, Ran { input: new, .. })
        | (Outcome { data: old, .. }, Outcome { data: new, .. }) => part("", old, new, &mut names),
        (Set { values: old, .. }, Set { values: new, .. })
        | (Tagged { values: old }, Tagged { values: new }) => part("", old, new, &mut names),
        (Call { result: then, .. }, Call { result: now, .. }) if configuration(old, new) => {
            let read = |config: &Json| serde_json::from_str(config.as_str()?).ok();
            match (read(then), read(now)) {
                (Some(then), Some(now)) => part("", &then, &now, &mut names),
                _ => part("", then, now, &mut names),
            }
        }
        _ => return None,
    }
    names.remove("");
    let more = names.len() > MAX_NAMES;
    let mut told: Vec<String> = names.into_iter().take(MAX_NAMES).collect();
    if more {
        told.push("more".to_owned());
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// Notes the names of what differs in a part of a request.
fn part(name: &str, old: &Json, new: &Json, names: &mut BTreeSet<String>) {
    if alike(old, new) {
        return;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => {
            let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let name = match name {
                    "" => key.to_owned(),
                    name => format!("{name}.{key}"),
                };
                let of = |side: &serde_json::Map<String, Json>| side.get(key.as_str()).cloned();
                let (old, new) = (of(old).unwrap_or_default(), of(new).unwrap_or_default());
                part(&name, &old, &new, names);
            }
        }
        (Json::Array(old), Json::Array(new)) if last == "headers" => {
            let (old, new) = (headers(old), headers(new));
            let all: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            let other = all
                .into_iter()
                .filter(|header| old.get(*header) != new.get(*header));
            names.extend(other.map(|header| format!("header {header}")));
        }
        (Json::Array(old), Json::Array(new)) if old.len() == new.len() => {
            for (old, new) in old.iter().zip(new) {
                part(name, old, new, names);
            }
        }
        (Json::String(old), Json::String(new)) if last == "url" => address(old, new, names),
        (Json::String(old), Json::String(new)) if last == "body" => match (body(old), body(new)) {
            (Some(old), Some(new)) => part(name, &old, &new, names),
            _ => {
                names.insert(name.to_owned());
            }
        },
        _ => {
            names.insert(name.to_owned());
        }
    }
}

/// The values of each header, by its name.
fn headers(lines: &[Json]) -> BTreeMap<String, Vec<&Json>> {
    let mut headers: BTreeMap<String, Vec<&Json>> = BTreeMap::new();
    for line in lines {
        let name = line["name"].as_str().unwrap_or_default();
        headers
            .entry(name.to_ascii_lowercase())
            .or_default()
            .push(&line["value"]);
    }
    headers
}

/// A body that is JSON.
fn body(text: &str) -> Option<Json> {
    serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
}

fn address(old: &str, new: &str, names: &mut BTreeSet<String>) {
    let (Ok(old), Ok(new)) = (Url::parse(old), Url::parse(new)) else {
        names.insert("url".to_owned());
        return;
    };
    let mut parts = BTreeSet::new();
    if old.origin() != new.origin() {
        parts.insert("host".to_owned());
    }
    if old.path() != new.path() {
        parts.insert("path".to_owned());
    }
    let (then, now) = (query(&old), query(&new));
    let all: BTreeSet<_> = then.keys().chain(now.keys()).collect();
    let other = all
        .into_iter()
        .filter(|key| then.get(*key) != now.get(*key));
    parts.extend(other.map(|key| format!("query {key}")));
    // Credentials, a port that is the usual one, a fragment.
    if parts.is_empty() {
        parts.insert("url".to_owned());
    }
    names.extend(parts);
}

fn query(url: &Url) -> BTreeMap<String, Vec<String>> {
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in url.query_pairs() {
        query
            .entry(key.into_owned())
            .or_default()
            .push(value.into_owned());
    }
    query
}

/// Equal but for the numbers of prompts and expressions: they count the places of a flow, and a line more
/// shifts them all. What a prompt says and an expression gives is compared where it happens.
fn alike(old: &Json, new: &Json) -> bool {
    matching(old, new, &mut |old, new| {
        old == new || (handle(old).is_some() && handle(old) == handle(new))
    })
}

/// Equal but for texts, which match as `texts` says.
fn matching(old: &Json, new: &Json, texts: &mut impl FnMut(&str, &str) -> bool) -> bool {
    match (old, new) {
        (Json::String(old), Json::String(new)) => texts(old, new),
        (Json::Array(old), Json::Array(new)) => {
            old.len() == new.len()
                && old
                    .iter()
                    .zip(new)
                    .all(|(old, new)| matching(old, new, texts))
        }
        (Json::Object(old), Json::Object(new)) => {
            // Both are in the order of their names.
            old.len() == new.len()
                && old
                    .iter()
                    .zip(new)
                    .all(|((name, old), (called, new))| name == called && matching(old, new, texts))
        }
        (old, new) => old == new,
    }
}

/// `p:` of `p:12`.
fn handle(text: &str) -> Option<&str> {
    let (kind, number) = text.split_at_checked(2)?;
    let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (matches!(kind, "p:" | "e:") && numbered).then_some(kind)
}

/// How the prompts and expressions are numbered now that a step was given then.
#[derive(Debug, Default)]
pub(super) struct Renamed(BTreeMap<String, String>);

impl Renamed {
    /// By a step's input then and now; none where these are not alike, or a number stands for two things.
    pub fn between(old: &SharedJson, new: &SharedJson) -> Option<Renamed> {
        let mut renamed = Renamed::default();
        let alike = old == new || matching(old, new, &mut |then, now| renamed.learns(then, now));
        alike.then_some(renamed)
    }

    /// A value of then, as it is called now.
    pub fn now(&self, then: &SharedJson) -> SharedJson {
        match self.0.iter().all(|(then, now)| then == now) {
            true => then.clone(),
            false => self.renamed(then).into(),
        }
    }

    fn renamed(&self, then: &Json) -> Json {
        match then {
            Json::String(text) => Json::String(self.0.get(text).unwrap_or(text).clone()),
            Json::Array(values) => values.iter().map(|value| self.renamed(value)).collect(),
            Json::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.renamed(value)))
                .collect(),
            other => other.clone(),
        }
    }

    /// Whether a text of then can be this one now; where both are numbers of the same kind, from now on it is.
    fn learns(&mut self, then: &str, now: &str) -> bool {
        let Some(kind) = handle(then) else {
            return then == now;
        };
        if handle(now) != Some(kind) {
            return false;
        }
        self.0
            .entry(then.to_owned())
            .or_insert_with(|| now.to_owned())
            == now
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_has_a_name_and_no_value() {
        let asked = |request: Json| EntryKind::Asked {
            activation: 1,
            call: 2,
            function: "http.fetch".into(),
            request: request.into(),
        };
        let request = |method: &str, url: &str, header: &str, body: &str| {
            asked(json!([{
                "method": method, "url": url, "headers": [{ "name": "Accept", "value": header }],
                "body": STANDARD.encode(body), "secrets": [], "timeout-ms": 5,
            }]))
        };
        let old = request(
            "GET",
            "http://a/orders/17?page=1",
            "x",
            r#"{"amount":1,"to":{"iban":"9"}}"#,
        );
        for (new, names) in [
            (
                request(
                    "POST",
                    "http://a/orders/17?page=1",
                    "x",
                    r#"{"amount":1,"to":{"iban":"9"}}"#,
                ),
                Some("method"),
            ),
            (
                request(
                    "GET",
                    "http://a/0rders/17?page=1",
                    "x",
                    r#"{"amount":1,"to":{"iban":"9"}}"#,
                ),
                Some("path"),
            ),
            (
                request(
                    "GET",
                    "https://a/orders/17?page=2",
                    "x",
                    r#"{"amount":1,"to":{"iban":"9"}}"#,
                ),
                Some("host, query page"),
            ),
            (
                request(
                    "GET",
                    "http://a/orders/17?page=1",
                    "y",
                    r#"{"amount":2,"to":{"iban":"8"}}"#,
                ),
                Some("body.amount, body.to.iban, header accept"),
            ),
            (
                request("PUT", "http://b/x?page=2", "y", "no JSON"),
                Some("body, header accept, host, more"),
            ),
            (asked(json!([])), None),
        ] {
            assert_eq!(differing(&old, &new).as_deref(), names);
        }
        let kv = |key: &str| asked(json!([key, "dg=="]));
        assert_eq!(differing(&kv("a"), &kv("b")), None);
    }

    #[test]
    fn what_nobody_may_see_has_no_length() {
        let wrote = |text: &str, late: bool| EntryKind::Wrote {
            text: text.to_owned(),
            message: None,
            late,
        };
        let hidden = wrote("•••••••••", false);
        assert!(same(&hidden, &wrote("••••••••", false)));
        assert!(!same(&hidden, &wrote("••••••••", true)));
        assert!(!same(&hidden, &wrote("48151623", false)));
        assert!(!same(&hidden, &wrote("", false)));
    }

    #[test]
    fn numbers_of_prompts_do_not_matter_but_all_else_does() {
        assert!(alike(&json!({"say": "p:1"}), &json!({"say": "p:12"})));
        assert!(!alike(&json!({"say": "p:1"}), &json!({"say": "e:1"})));
        assert!(!alike(&json!({"say": "p:x"}), &json!({"say": "p:y"})));
        assert!(!alike(&json!([1]), &json!([1, 2])));
        assert!(!alike(&json!({"a": 1}), &json!({"b": 1})));
        assert!(alike(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})));
    }

    #[test]
    fn numbers_of_then_are_told_as_those_of_now_unless_one_stands_for_two() {
        let then = SharedJson::from(json!({"say": "p:1", "else": ["p:2", "p:x", 3]}));
        let now = SharedJson::from(json!({"say": "p:4", "else": ["p:5", "p:x", 3]}));
        let renamed = Renamed::between(&then, &now).expect("alike");
        assert_eq!(renamed.now(&then), now);
        assert_eq!(
            renamed.now(&json!([{"a": "p:2"}, "b"]).into()),
            json!([{"a": "p:5"}, "b"])
        );
        let unchanged = Renamed::between(&then, &then).expect("the same");
        assert_eq!(unchanged.now(&then), then);
        for (then, now) in [
            (json!(["p:1", "p:1"]), json!(["p:1", "p:2"])),
            (json!("p:1"), json!("e:1")),
            (json!("a"), json!("b")),
            (json!({"a": 1}), json!({"a": 2})),
        ] {
            let renamed = Renamed::between(&then.clone().into(), &now.clone().into());
            assert!(renamed.is_none(), "{then} {now}");
        }
    }
}
