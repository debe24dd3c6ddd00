use std::collections::BTreeMap;

use super::Lowerer;
use super::names::{Declared, TYPES, is_variable, type_meant, type_named};
use crate::check::mentions;
use crate::check::rules::{bad_name, bad_value, missing_key};
use crate::check::suggest::misspelt;
use crate::diagnostic::{Text, text};
use crate::value::{Type, Value, parse_literal};
use crate::yaml::{Content, Map, Node};

/// Names that expressions give a meaning of their own.
const TAKEN: [&str; 13] = [
    "call", "now", "if", "else", "and", "or", "not", "in", "is", "true", "false", "none", "queue",
];

/// Keys of a declaration.
pub(super) const KEYS: [&str; 5] = ["type", "default", "secret", "one_of", "description"];

/// What findings call a declaration.
pub(super) fn called() -> Text {
    Text::fixed("a declaration", "声明")
}

/// Whether expressions give a name a meaning of their own.
pub(crate) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

impl<'t> Lowerer<'t> {
    /// `inputs:` or `vars:`.
    pub(super) fn declarations(
        &mut self,
        key: &str,
        node: &'t Node<'t>,
    ) -> BTreeMap<String, Declared> {
        let mut all = BTreeMap::new();
        let Some(map) = self.expect_map(
            key,
            node,
            Text::fixed(
                "a map such as `{ tries: number }`",
                "映射，例如 `{ tries: number }`",
            ),
        ) else {
            return all;
        };
        for entry in &map.entries {
            self.variable_name(&entry.key, entry.key_span);
            let mut declared = match &entry.value.content {
                Content::Map(long) => self.long_declaration(long, &entry.value),
                _ => {
                    let (ty, understood) = self.type_name(&entry.key, &entry.value);
                    // Of a name without a type nobody knows what it was to begin with.
                    let default = entry.value.absent().then(|| some_value(&ty));
                    Declared {
                        understood,
                        secret: ty == Type::Secret,
                        ty,
                        required: default.is_none(),
                        default,
                        default_type: None,
                        span: entry.key_span,
                    }
                }
            };
            declared.span = entry.key_span;
            all.insert(entry.key.to_string(), declared);
        }
        all
    }

    /// Tells of a name that expressions could not use.
    pub(super) fn variable_name(&mut self, name: &str, span: crate::expr::Span) -> bool {
        if TAKEN.contains(&name) {
            bad_name::taken(&mut self.report, span, name);
            return false;
        }
        if !is_variable(name) {
            bad_name::name(
                &mut self.report,
                span,
                name,
                Text::fixed("a variable", "变量"),
                true,
            );
            return false;
        }
        true
    }

    fn long_declaration(&mut self, map: &'t Map<'t>, node: &'t Node<'t>) -> Declared {
        self.unknown_keys(map, called(), &KEYS);
        let (mut ty, understood) = match map.value("type") {
            Some(name) => self.type_name("type", name),
            None if map.entry("one_of").is_some() => (Type::Text, true),
            None => {
                missing_key::missing(
                    &mut self.report,
                    node.span,
                    "type:",
                    Text::fixed("a declaration", "声明"),
                    "type: text",
                );
                (Type::Any, false)
            }
        };
        if let Some(words) = map.value("one_of") {
            let mut read = self.words("one_of", words);
            self.meant_words(words, &mut read, map.value("default"));
            let words = read;
            if matches!(ty, Type::Text | Type::Any) && !words.is_empty() {
                ty = Type::OneOf(words);
            }
        }
        let secret = map
            .value("secret")
            .is_some_and(|value| self.yes_or_no("secret", value) == Some(true));
        if secret {
            ty = Type::Secret;
        }
        if let Some(text) = map.value("description") {
            self.expect_text("description", text, Text::fixed("a text", "文本"));
        }
        // One that cannot be read is told of; that there is one is known all the same.
        let default = map.value("default").map(|value| {
            let read = self.literal("default", value, &ty);
            read.unwrap_or_else(|| some_value(&ty))
        });
        let default_type = default.as_ref().and_then(written_fields);
        Declared {
            default_type,
            understood,
            secret: ty == Type::Secret,
            ty,
            default,
            required: map.entry("default").is_none(),
            span: node.span,
        }
    }

    /// A word of `one_of:` that is misspelt where it is listed: the default is written otherwise, and that stands elsewhere in the file
    /// too, while the word in the list stands nowhere else.
    fn meant_words(
        &mut self,
        list: &'t Node<'t>,
        words: &mut [String],
        default: Option<&'t Node<'t>>,
    ) {
        let Some(default) = default.and_then(Node::text) else {
            return;
        };
        if words.iter().any(|word| word == default) {
            return;
        }
        let text = self.report.lines().source();
        let mut near = words
            .iter_mut()
            .filter(|word| misspelt(default, word).is_some());
        let (Some(word), None) = (near.next(), near.next()) else {
            return;
        };
        if mentions(text, default) < 2 || mentions(text, word) > 1 {
            return;
        }
        let mut items = list.list().into_iter().flatten();
        let Some(item) = items.find(|item| item.text() == Some(word)) else {
            return;
        };
        let message = text!(
            "the default is `{default}`, and `{word}` stands nowhere else",
            "默认值是 `{default}`，而 `{word}` 没有在别处出现"
        );
        bad_value::defined(&mut self.report, item.span, message, default);
        default.clone_into(word);
    }

    /// A type, and whether the word for it is one of the language.
    fn type_name(&mut self, key: &str, node: &'t Node<'t>) -> (Type, bool) {
        let Some(name) = self.expect_text(
            key,
            node,
            Text::fixed("a type such as `text`", "类型，例如 `text`"),
        ) else {
            return (Type::Any, false);
        };
        if let Some(ty) = type_named(name) {
            // A word of another language has ours in its place by now, and is told of.
            let told = self.report.has_told(&bad_value::BAD_VALUE, node.span);
            return (ty, !told);
        }
        let meant = type_meant(name);
        let names = TYPES.map(str::to_owned);
        bad_value::word_for(&mut self.report, node.span, key, name, meant, &names);
        (meant.and_then(type_named).unwrap_or(Type::Any), false)
    }

    /// A list of words.
    pub(super) fn words(&mut self, key: &str, node: &'t Node<'t>) -> Vec<String> {
        let Some(list) = self.expect_list(key, node, Text::fixed("a list of words", "词的列表"))
        else {
            return Vec::new();
        };
        let mut words = Vec::new();
        for item in list {
            let Some(word) = self.expect_text(key, item, Text::fixed("a word", "一个词")) else {
                continue;
            };
            // The words are the answer's type, which every `switch:` on it is held against.
            if word.contains("${") {
                let why = text!(
                    "`{key}` takes its words as they stand: `${{ … }}` inserts nothing here",
                    "`{key}` 里的词会原样使用：`${{ … }}` 在这里不会插入值"
                );
                let help = Text::fixed(
                    "write the words themselves; an answer that varies is asked for by `expect: text` and compared by `if:`",
                    "请直接写出这些词；会变的答案请用 `expect: text` 来问，再用 `if:` 比较",
                );
                bad_value::why(&mut self.report, item.span, why, Some(help));
            }
            words.push(word.to_owned());
        }
        words
    }

    /// A value written in the file, of a type.
    pub(super) fn literal(&mut self, key: &str, node: &'t Node<'t>, ty: &Type) -> Option<Value> {
        match (&node.content, ty) {
            (Content::List(items), Type::List(inner)) => {
                let items = items.iter().map(|item| self.literal(key, item, inner));
                items.collect::<Option<Vec<_>>>().map(Value::List)
            }
            (Content::List(items), Type::Any) => {
                let items = items.iter().map(|item| self.literal(key, item, &Type::Any));
                items.collect::<Option<Vec<_>>>().map(Value::List)
            }
            (Content::Map(map), Type::Object { .. } | Type::Any) => {
                let fields = map.entries.iter().map(|entry| {
                    let ty = match ty {
                        Type::Object { fields, .. } => {
                            fields.get(entry.key.as_ref()).unwrap_or(&Type::Any)
                        }
                        _ => &Type::Any,
                    };
                    Some((
                        entry.key.to_string(),
                        self.literal(&entry.key, &entry.value, ty)?,
                    ))
                });
                fields
                    .collect::<Option<BTreeMap<_, _>>>()
                    .map(Value::Object)
            }
            (Content::Scalar(scalar), _) => {
                if scalar.absent() && !matches!(ty, Type::Optional(_) | Type::None) {
                    missing_key::value(&mut self.report, node.span, key);
                    return None;
                }
                if *ty == Type::Duration {
                    let ms = self.duration(key, node)?;
                    return Some(Value::Duration(i64::try_from(ms).unwrap_or(i64::MAX)));
                }
                match parse_literal(&scalar.text, ty) {
                    Ok(value) => Some(value),
                    Err(why) => {
                        bad_value::why(&mut self.report, node.span, why, None);
                        None
                    }
                }
            }
            _ => {
                self.wrong_shape(key, node, ty.with_article());
                None
            }
        }
    }
}

/// A value of a type, where the one that is meant is not known.
fn some_value(ty: &Type) -> Value {
    match ty {
        Type::OneOf(words) => Value::Text(words.first().cloned().unwrap_or_default()),
        Type::Text | Type::Any => Value::Text(String::new()),
        Type::Number => Value::Number(0.0),
        Type::Bool => Value::Bool(false),
        Type::Duration => Value::Duration(0),
        Type::List(_) => Value::List(Vec::new()),
        _ => Value::None,
    }
}

/// The type of an object or a list as it is written; nobody says that others have no other fields.
fn written_fields(value: &Value) -> Option<Type> {
    match Type::of(value) {
        Type::Object { fields, .. } => Some(Type::Object { fields, open: true }),
        ty @ Type::List(_) => Some(ty),
        _ => None,
    }
}
