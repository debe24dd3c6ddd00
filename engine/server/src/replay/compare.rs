//! Whether two journal entries tell the same.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use strowger_contact::EntryKind;

/// Whether a contact did the same, whatever it took and wherever in the file it stands.
pub(super) fn same(old: &EntryKind, new: &EntryKind) -> bool {
    use EntryKind::{Asked, Entered, Failed, Outcome, Ran, Started};
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
        ) => (a, b) == (x, y) && alike(c, z),
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
        ) => (a, b, c) == (w, x, y) && alike(d, z),
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
        (old, new) => old == new,
    }
}

/// Equal but for the numbers of prompts and expressions: they count the places of a flow, and a line more
/// shifts them all. What a prompt says and an expression gives is compared where it happens.
fn alike(old: &Json, new: &Json) -> bool {
    match (old, new) {
        (Json::String(old), Json::String(new)) => {
            old == new || (handle(old).is_some() && handle(old) == handle(new))
        }
        (Json::Array(old), Json::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| alike(old, new))
        }
        (Json::Object(old), Json::Object(new)) => {
            // Both are in the order of their names.
            old.len() == new.len()
                && old
                    .iter()
                    .zip(new)
                    .all(|((name, old), (called, new))| name == called && alike(old, new))
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
    pub fn between(old: &Json, new: &Json) -> Option<Renamed> {
        let mut renamed = Renamed::default();
        let alike = old == new || renamed.learns(old, new);
        alike.then_some(renamed)
    }

    /// A value of then, as it is called now.
    pub fn now(&self, then: &Json) -> Json {
        if self.0.is_empty() {
            return then.clone();
        }
        match then {
            Json::String(text) => Json::String(self.0.get(text).unwrap_or(text).clone()),
            Json::Array(values) => values.iter().map(|value| self.now(value)).collect(),
            Json::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.now(value)))
                .collect(),
            other => other.clone(),
        }
    }

    fn learns(&mut self, old: &Json, new: &Json) -> bool {
        match (old, new) {
            (Json::String(then), Json::String(now)) => {
                let Some(kind) = handle(then) else {
                    return then == now;
                };
                if handle(now) != Some(kind) {
                    return false;
                }
                let known = self.0.entry(then.clone()).or_insert_with(|| now.clone());
                known == now
            }
            (Json::Array(old), Json::Array(new)) => {
                old.len() == new.len()
                    && old.iter().zip(new).all(|(old, new)| self.learns(old, new))
            }
            (Json::Object(old), Json::Object(new)) => {
                old.len() == new.len()
                    && old
                        .iter()
                        .zip(new)
                        .all(|((name, old), (called, new))| name == called && self.learns(old, new))
            }
            (old, new) => old == new,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let then = json!({"say": "p:1", "else": ["p:2", "p:x", 3]});
        let now = json!({"say": "p:4", "else": ["p:5", "p:x", 3]});
        let renamed = Renamed::between(&then, &now).expect("alike");
        assert_eq!(renamed.now(&then), now);
        assert_eq!(
            renamed.now(&json!([{"a": "p:2"}, "b"])),
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
            assert!(Renamed::between(&then, &now).is_none(), "{then} {now}");
        }
    }
}
