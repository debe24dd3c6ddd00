//! JSON Schemas that strangers wrote, compiled so that checking against them cannot be made slow.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Map, Value, json};

/// Most nodes of a schema with every reference written out. Count.
///
/// Work of a check is at most this times the size of the data; a menu's schema has about a hundred.
const NODES_MOST: usize = 2_000;

/// Longest chain of references. Count.
const REFERENCES_DEEP: usize = 16;

/// Compiled size of one `pattern`. Bytes.
const PATTERN_BYTES: usize = 256 << 10;

/// Most findings that one message tells.
const FINDINGS_TOLD: usize = 3;

/// Keywords that could make a schema refer to itself in ways that are not seen beforehand.
const DYNAMIC: [&str; 5] = [
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$id",
];

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Schema {
    /// None where everything is allowed.
    validator: Option<Validator>,
}

impl Schema {
    /// Compiles a schema, or says why it is none.
    pub(crate) fn compile(schema: &Value) -> Result<Self, String> {
        let empty = match schema {
            Value::Bool(everything) => *everything,
            Value::Object(keywords) => keywords.is_empty(),
            _ => return Err("a JSON Schema is an object".into()),
        };
        if empty {
            return Ok(Self { validator: None });
        }
        let mut weight = Weight {
            root: schema,
            references: HashMap::new(),
        };
        let nodes = weight.of(schema, 0)?;
        if nodes > NODES_MOST {
            return Err(format!(
                "the schema has {nodes} nodes with its references written out, at most {NODES_MOST} are allowed"
            ));
        }
        let mut schema = schema.clone();
        admit_secrets(&mut schema);
        let validator = jsonschema::options()
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
            .with_retriever(Nowhere)
            .build(&schema)
            .map_err(|error| {
                let path = error.instance_path().to_string();
                let place = if path.is_empty() {
                    String::new()
                } else {
                    format!(" at `{path}`")
                };
                format!("not a valid JSON Schema{place}: {error}")
            })?;
        Ok(Self {
            validator: Some(validator),
        })
    }

    /// Whether the value satisfies the schema; if not, what is wrong, without the values themselves:
    /// they may be a caller's secrets.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        let Some(validator) = &self.validator else {
            return Ok(());
        };
        if validator.is_valid(value) {
            return Ok(());
        }
        let findings: Vec<_> = validator
            .iter_errors(value)
            .take(FINDINGS_TOLD)
            .map(|error| {
                let path = error.instance_path().to_string();
                let text = error.masked_with("the value");
                if path.is_empty() {
                    text.to_string()
                } else {
                    format!("`{path}`: {text}")
                }
            })
            .collect();
        Err(findings.join("; "))
    }
}

/// A secret is a handle, whatever its place says of the text that it stands for: its `type` and `pattern` cannot be held
/// against digits that nobody here sees.
fn admit_secrets(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            for (keyword, value) in keywords.iter_mut() {
                match (keyword.as_str(), value) {
                    // Maps of schemas, whose keys are no keywords.
                    (
                        "properties" | "patternProperties" | "$defs" | "definitions"
                        | "dependentSchemas",
                        Value::Object(named),
                    ) => named.values_mut().for_each(admit_secrets),
                    // Data, not schemas.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    (_, value) => admit_secrets(value),
                }
            }
            if keywords.get("x-secret") == Some(&Value::Bool(true)) {
                // What others refer to stays where it is.
                let kept = ["$defs", "definitions"];
                let kept: Map<String, Value> = kept
                    .into_iter()
                    .filter_map(|name| keywords.remove_entry(name))
                    .collect();
                let own = std::mem::replace(keywords, kept);
                keywords.insert("anyOf".to_owned(), json!([handle(), own]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(admit_secrets),
        _ => {}
    }
}

/// What a secret looks like to a step: see `strowger_flow::value`.
fn handle() -> Value {
    json!({
        "type": "object",
        "required": ["secret", "length", "lastFour"],
        "additionalProperties": false,
        "properties": {
            "secret": { "type": "string" },
            "length": { "type": "integer", "minimum": 0 },
            "lastFour": { "type": "string" }
        }
    })
}

/// Schemas live in the description; nothing is fetched for them.
struct Nowhere;

impl Retrieve for Nowhere {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("a schema may refer only to parts of itself, not to `{uri}`").into())
    }
}

/// Counts nodes with references written out, and finds circles.
struct Weight<'a> {
    root: &'a Value,
    /// Weight by reference; none while it is being counted.
    references: HashMap<&'a str, Option<usize>>,
}

impl<'a> Weight<'a> {
    fn of(&mut self, node: &'a Value, depth: usize) -> Result<usize, String> {
        let mut sum = 1_usize;
        match node {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let added = match value {
                        Value::String(reference) if name == "$ref" => {
                            self.reference(reference, depth)?
                        }
                        _ if DYNAMIC.contains(&name.as_str()) && value.is_string() => {
                            return Err(format!(
                                "`{name}` is not supported; refer with `$ref: \"#/$defs/…\"`"
                            ));
                        }
                        value => self.of(value, depth)?,
                    };
                    sum = sum.saturating_add(added);
                }
            }
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.of(item, depth)?);
                }
            }
            _ => {}
        }
        Ok(sum)
    }

    fn reference(&mut self, reference: &'a str, depth: usize) -> Result<usize, String> {
        match self.references.get(reference) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(format!("`$ref: \"{reference}\"` leads back to itself")),
            None => {}
        }
        if depth >= REFERENCES_DEEP {
            return Err(format!(
                "references are nested deeper than {REFERENCES_DEEP}"
            ));
        }
        let target = reference
            .strip_prefix('#')
            .filter(|pointer| pointer.is_empty() || pointer.starts_with('/'))
            .and_then(|pointer| self.root.pointer(pointer))
            .ok_or_else(|| format!("`$ref: \"{reference}\"` leads nowhere; write `#/$defs/…`"))?;
        self.references.insert(reference, None);
        let weight = self.of(target, depth + 1)?;
        self.references.insert(reference, Some(weight));
        Ok(weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_holds_data_against_itself() {
        let schema = Schema::compile(&json!({
            "type": "object",
            "required": ["digits"],
            "properties": {"digits": {"$ref": "#/$defs/digits"}},
            "$defs": {"digits": {"type": "string", "pattern": "^[0-9]{1,16}$"}}
        }))
        .unwrap();
        assert_eq!(schema.check(&json!({"digits": "123"})), Ok(()));
        let finding = schema.check(&json!({"digits": "4111 secret"})).unwrap_err();
        assert!(
            finding.contains("/digits") && !finding.contains("secret"),
            "{finding}"
        );
        assert!(schema.check(&json!({})).is_err());
    }

    #[test]
    fn a_secret_is_a_handle_whatever_its_type() {
        let card = json!({"type": "string", "pattern": "^[0-9]+$", "x-secret": true});
        let schema = Schema::compile(&json!({
            "type": "object",
            "properties": {"card": card, "cards": {"items": {"$ref": "#/$defs/card"}}, "x-secret": true},
            "$defs": {"card": card}
        }))
        .unwrap();
        let handle = json!({"secret": "s:1", "length": 16, "lastFour": "1111"});
        for good in [
            json!({"card": handle}),
            json!({"card": "4111"}),
            json!({"cards": [handle, "1"]}),
            json!({"x-secret": 1}),
        ] {
            assert_eq!(schema.check(&good), Ok(()), "{good}");
        }
        for bad in [
            json!({"card": 7}),
            json!({"card": "x"}),
            json!({"card": {"secret": "s:1"}}),
            json!({"cards": ["x"]}),
        ] {
            assert!(schema.check(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn schemas_that_never_end_are_refused() {
        let circle = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"});
        assert!(
            Schema::compile(&circle)
                .unwrap_err()
                .contains("leads back to itself")
        );
        assert!(Schema::compile(&json!({"items": {"$ref": "#"}})).is_err());
        assert!(Schema::compile(&json!({"$dynamicRef": "#x"})).is_err());
        assert!(Schema::compile(&json!({"$ref": "https://example.com/x"})).is_err());
        assert!(Schema::compile(&json!({"$ref": "file:///etc/passwd"})).is_err());
    }

    #[test]
    fn a_schema_that_doubles_at_every_level_is_refused() {
        let mut defs = serde_json::Map::new();
        for level in 0..14 {
            let next = format!("#/$defs/l{}", level + 1);
            defs.insert(
                format!("l{level}"),
                json!({"allOf": [{"$ref": next}, {"$ref": next}]}),
            );
        }
        defs.insert("l14".into(), json!({"type": "string"}));
        let bomb = json!({"$ref": "#/$defs/l0", "$defs": defs});
        assert!(Schema::compile(&bomb).unwrap_err().contains("nodes"));
    }

    #[test]
    fn a_pattern_that_backtracks_is_refused_or_linear() {
        let schema = Schema::compile(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        assert!(schema.check(&json!("a".repeat(60_000) + "b")).is_err());
        assert!(Schema::compile(&json!({"pattern": "(?=a)b"})).is_err());
        assert!(Schema::compile(&json!({"pattern": "((a{1000}){1000}){1000}"})).is_err());
    }

    #[test]
    fn nonsense_is_no_schema() {
        for nonsense in [
            json!(1),
            json!("x"),
            json!([]),
            json!({"type": "strnig"}),
            json!({"required": 3}),
        ] {
            assert!(Schema::compile(&nonsense).is_err(), "{nonsense}");
        }
    }
}
