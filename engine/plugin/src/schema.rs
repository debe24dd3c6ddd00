//! JSON Schemas that strangers wrote, compiled so that checking against them cannot be made slow.

use std::collections::HashMap;
use std::time::Duration;

use jsonschema::{PatternOptions, Retrieve, Uri, ValidationError, Validator};
use serde_json::{Map, Value, json};

use crate::checking::{self, NAMED, within};
use crate::patterns::{PATTERN_BYTES, PATTERN_CACHE_BYTES, PatternRoom};

/// Most nodes of a schema with every reference written out. Count; a menu's schema has about a hundred.
const NODES_MOST: usize = 2_000;

/// Longest chain of references. Count.
const REFERENCES_DEEP: usize = 16;

/// Most findings that one message tells.
const FINDINGS_TOLD: usize = 3;

/// Most nodes of a schema times values held against them of which findings are made. Count.
///
/// A finding takes some 500 bytes, and all are made before the first is told: this bounds them to ten MiB. A hundred nodes against
/// two hundred values are below it.
const FINDINGS_MADE: usize = 20_000;

/// Nodes of [`handle`] and what is around it. Count.
const HANDLE_NODES: usize = 16;

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
    /// With references written out.
    nodes: usize,
    /// Those of them in alternatives: a finding about one of these has findings about all its branches in it.
    alternatives: usize,
}

/// Why a value was not found to satisfy a schema.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// What is wrong with it.
    Wrong(String),
    /// There was not enough processor time to find out.
    Unfinished,
}

impl Schema {
    /// Compiles a schema of a plugin whose patterns have that room, or says why it is none.
    pub(crate) fn compile(schema: &Value, patterns: &mut PatternRoom) -> Result<Self, String> {
        let empty = match schema {
            Value::Bool(everything) => *everything,
            Value::Object(keywords) => keywords.is_empty(),
            _ => return Err("a JSON Schema is an object".into()),
        };
        if empty {
            return Ok(Self {
                validator: None,
                nodes: 1,
                alternatives: 0,
            });
        }
        let mut counted = schema.clone();
        checking::count(&mut counted);
        let mut weight = Weight {
            root: schema,
            counted: &counted,
            references: HashMap::new(),
        };
        let nodes = weight.of(schema, 0)?;
        if nodes > NODES_MOST {
            return Err(format!(
                "the schema has {nodes} nodes with its references written out, at most {NODES_MOST} are allowed"
            ));
        }
        let alternatives = weight.alternatives(schema)?;
        let states = patterns.take(schema)?;
        let mut schema = schema.clone();
        admit_secrets(&mut schema);
        checking::count(&mut schema);
        let validator = jsonschema::options()
            .should_validate_formats(false)
            .with_keyword(checking::COUNTED, checking::keyword(states))
            .with_pattern_options(
                PatternOptions::regex()
                    .size_limit(PATTERN_BYTES)
                    .dfa_size_limit(PATTERN_CACHE_BYTES),
            )
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
            nodes,
            alternatives,
        })
    }

    /// Whether the value satisfies the schema, as far as that can be found out in so much processor time; if not, what is wrong,
    /// without the values themselves: they may be a caller's secrets.
    pub(crate) fn check(&self, value: &Value, left: Duration) -> Result<(), Unfit> {
        let Some(validator) = &self.validator else {
            return Ok(());
        };
        let checked = within(left, || match validator.is_valid(value) {
            true => Ok(()),
            // It only looks as if: what is not looked at any more counts as wrong.
            false if checking::over() => Err(String::new()),
            false => Err(self.findings(validator, value)),
        });
        checked.ok_or(Unfit::Unfinished)?.map_err(Unfit::Wrong)
    }

    /// What is wrong with a value that does not satisfy the schema: the first things, as far as not too many are made for it.
    fn findings(&self, validator: &Validator, value: &Value) -> String {
        let values = checking::values(value);
        let few = |nodes: usize| nodes.saturating_mul(values) <= FINDINGS_MADE;
        if few(self.nodes) {
            let findings = validator.iter_errors(value).take(FINDINGS_TOLD);
            let findings: Vec<_> = findings.map(|error| told(&error)).collect();
            return findings.join("; ");
        }
        // Ends with the first one, which is large only where it tells of alternatives.
        match few(self.alternatives).then(|| validator.validate(value)) {
            Some(Err(error)) => told(&error),
            _ => format!(
                "it does not satisfy the schema; with {values} values against {} nodes of which {} are alternatives, \
                 where is not looked for",
                self.nodes, self.alternatives
            ),
        }
    }
}

fn told(error: &ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let text = error.masked_with("the value");
    match path.is_empty() {
        true => text.to_string(),
        false => format!("`{path}`: {text}"),
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
                    (keyword, Value::Object(named)) if NAMED.contains(&keyword) => {
                        named.values_mut().for_each(admit_secrets);
                    }
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
    /// The same, gone through by [`checking::count`].
    counted: &'a Value,
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

    /// The nodes in alternatives, of a schema whose nodes were counted.
    fn alternatives(&mut self, node: &'a Value) -> Result<usize, String> {
        let mut sum = 0_usize;
        match node {
            Value::Object(fields) => {
                if fields.get("x-secret") == Some(&Value::Bool(true)) {
                    return Ok(self.of(node, 0)?.saturating_add(HANDLE_NODES));
                }
                for (name, value) in fields {
                    let added = match name.as_str() {
                        "anyOf" | "oneOf" => self.of(value, 0)?,
                        _ => self.alternatives(value)?,
                    };
                    sum = sum.saturating_add(added);
                }
            }
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.alternatives(item)?);
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
        let pointer = reference.strip_prefix('#');
        let pointer = pointer.filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let target = pointer
            .and_then(|pointer| self.root.pointer(pointer))
            .ok_or_else(|| format!("`$ref: \"{reference}\"` leads nowhere; write `#/$defs/…`"))?;
        let counted = pointer.and_then(|pointer| self.counted.pointer(pointer));
        if !counted.is_some_and(checking::is_counted) {
            // Such as the value of an `enum`: what it costs to check against it would not be counted.
            return Err(format!(
                "`$ref: \"{reference}\"` leads to what is no schema; write `#/$defs/…`"
            ));
        }
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

    /// What a step has.
    const LEFT: Duration = Duration::from_millis(100);

    fn compile(schema: &Value) -> Result<Schema, String> {
        Schema::compile(schema, &mut PatternRoom::default())
    }

    impl Schema {
        /// What is wrong with a value, in words.
        fn wrong(&self, value: &Value) -> String {
            match self.check(value, LEFT) {
                Err(Unfit::Wrong(finding)) => finding,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_schema_holds_data_against_itself() {
        let schema = compile(&json!({
            "type": "object",
            "required": ["digits"],
            "properties": {"digits": {"$ref": "#/$defs/digits"}},
            "$defs": {"digits": {"type": "string", "pattern": "^[0-9]{1,16}$"}}
        }))
        .unwrap();
        assert_eq!(schema.check(&json!({"digits": "123"}), LEFT), Ok(()));
        let finding = schema.wrong(&json!({"digits": "4111 secret"}));
        assert!(
            finding.contains("/digits") && !finding.contains("secret"),
            "{finding}"
        );
        assert!(schema.check(&json!({}), LEFT).is_err());
    }

    #[test]
    fn a_secret_is_a_handle_whatever_its_type() {
        let card = json!({"type": "string", "pattern": "^[0-9]+$", "x-secret": true});
        let schema = compile(&json!({
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
            assert_eq!(schema.check(&good, LEFT), Ok(()), "{good}");
        }
        for bad in [
            json!({"card": 7}),
            json!({"card": "x"}),
            json!({"card": {"secret": "s:1"}}),
            json!({"cards": ["x"]}),
        ] {
            assert!(schema.check(&bad, LEFT).is_err(), "{bad}");
        }
    }

    #[test]
    fn schemas_that_never_end_are_refused() {
        let circle = json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"});
        assert!(
            compile(&circle)
                .unwrap_err()
                .contains("leads back to itself")
        );
        assert!(compile(&json!({"items": {"$ref": "#"}})).is_err());
        assert!(compile(&json!({"$dynamicRef": "#x"})).is_err());
        assert!(compile(&json!({"$ref": "https://example.com/x"})).is_err());
        assert!(compile(&json!({"$ref": "file:///etc/passwd"})).is_err());
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
        assert!(compile(&bomb).unwrap_err().contains("nodes"));
    }

    #[test]
    fn a_pattern_that_backtracks_is_refused_or_linear() {
        let schema = compile(&json!({"type": "string", "pattern": "^(a+)+$"})).unwrap();
        assert!(
            schema
                .check(&json!("a".repeat(60_000) + "b"), LEFT)
                .is_err()
        );
        assert!(compile(&json!({"pattern": "(?=a)b"})).is_err());
        assert!(compile(&json!({"pattern": "((a{1000}){1000}){1000}"})).is_err());
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
            assert!(compile(&nonsense).is_err(), "{nonsense}");
        }
    }

    /// As many alternatives as a schema may have, none of which a one satisfies.
    fn alternatives() -> Value {
        let branches: Vec<_> = (0..950).map(|n| json!({"minimum": n + 5})).collect();
        json!({ "anyOf": branches })
    }

    /// Fails within what was given, on this thread; what it took of the processor.
    fn unfinished(schema: &Value, value: &Value) {
        let compiled = compile(schema).unwrap();
        let begun = crate::meter::thread_cpu_nanos();
        let checked = compiled.check(value, LEFT);
        assert_eq!(checked, Err(Unfit::Unfinished), "{schema:.100}");
        let spent = Duration::from_nanos(crate::meter::thread_cpu_nanos() - begun);
        // The rest is for what is done in one piece, and for a build that is not optimised.
        assert!(spent < 4 * LEFT, "{spent:?}: {schema}");
    }

    #[test]
    fn a_check_ends_with_the_processor_time_that_is_left() {
        let many = json!({"a": vec![1; 32_000]});
        unfinished(
            &json!({"properties": {"a": {"items": {"not": alternatives()}}}}),
            &many,
        );
        unfinished(
            &json!({"properties": {"a": {"contains": alternatives()}}}),
            &many,
        );
        let different: Vec<_> = (0..32_000).collect();
        unfinished(
            &json!({"allOf": vec![json!({"uniqueItems": true}); 600]}),
            &json!(different),
        );
        // Every level is looked at again for what is unevaluated in the one around it.
        let nested = (0..40).fold(
            json!({"minProperties": 1}),
            |within, _| json!({"allOf": [within], "unevaluatedProperties": {"type": "integer"}}),
        );
        unfinished(&nested, &json!({"a": 1, "b": 2}));
        // A pattern that has to follow all its states at once, in a text as long as there may be.
        let pattern = json!({"pattern": "(a|b)*a(a|b){900}c"});
        let text: String = (0..64_000_u32)
            .map(|n| {
                if n.wrapping_mul(2_654_435_761) >> 31 == 0 {
                    'a'
                } else {
                    'b'
                }
            })
            .collect();
        unfinished(&json!({"items": pattern}), &json!(vec![text]));
    }

    #[test]
    fn findings_are_not_made_by_the_million() {
        let schema = compile(&json!({"properties": {"a": {"items": alternatives()}}})).unwrap();
        let finding = schema.wrong(&json!({"a": vec![1; 32_000]}));
        assert!(finding.contains("where is not looked for"), "{finding}");
        // Without alternatives the first one is told however much there is.
        let schema = compile(
            &json!({"properties": {"a": {"items": {"maximum": 3}}, "b": {"enum": vec![1; 900]}}}),
        )
        .unwrap();
        let mut many = vec![1; 32_000];
        many[31_000] = 4;
        let finding = schema.wrong(&json!({ "a": many }));
        assert!(finding.starts_with("`/a/31000`: "), "{finding}");
    }

    #[test]
    fn what_is_referred_to_is_a_schema() {
        for reference in ["#/enum/0", "#/const", "#/properties"] {
            let schema = json!({"$ref": reference, "enum": [{"minimum": 1}], "const": {"minimum": 1}, "properties": {}});
            let refused = compile(&schema).unwrap_err();
            assert!(refused.contains("is no schema"), "{reference}: {refused}");
        }
        assert!(compile(&json!({"$ref": "#/properties/a", "properties": {"a": true}})).is_ok());
    }

    #[test]
    fn the_patterns_of_a_plugin_have_a_room() {
        let mut room = PatternRoom::default();
        let schema = |step: usize| {
            let patterns: Vec<_> = (0..190)
                .map(|n| json!({"pattern": format!("\\w{{100}}{step}x{n}")}))
                .collect();
            json!({ "anyOf": patterns })
        };
        // As many as a person may write fit, and the same one again takes no more.
        assert!(Schema::compile(&schema(0), &mut room).is_ok());
        let refused = (1..48).find_map(|step| Schema::compile(&schema(step), &mut room).err());
        let refused = refused.expect("they do not all fit");
        assert!(refused.contains("occupy more than 32 MiB"), "{refused}");
    }
}
