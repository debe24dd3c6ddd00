use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value as Json;

use super::parts::holds_words;
use super::press::key_of;
use super::step_call::default_of;
use super::tested::Named;
use super::{Lowerer, Site, Want};
use crate::check::rules::{
    bad_duration, bad_input, missing_audio, missing_input, nothing_to_play, plugin_outdated,
    unknown_hours, unknown_input,
};
use crate::diagnostic::{Text, text};
use crate::expr::{self, Span};
use crate::plan::{ExprId, Piece, Template};
use crate::value::{Type, Value, from_json, parse_literal, type_of_schema};
use crate::yaml::{Content, Map, Node};

impl<'t> Lowerer<'t> {
    /// Compiles a value for an input, by the input's schema. `key` is its name, `place` what findings
    /// call it.
    pub(super) fn input(
        &mut self,
        site: &mut Site,
        key: &str,
        place: &Text,
        schema: &Json,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        match schema["format"].as_str() {
            Some("prompt") => self.prompt_input_named(site, key, node),
            Some("press") => self.press(site, node),
            Some("expect") => self.expected_kind(schema, place, node),
            Some("hours") => self.hours_input(key, node),
            Some("key") => self.key_input(key, node),
            Some("expression") => self.expression_input(site, key, node),
            Some("audio") => self
                .audio_path(key, node, false)
                .map(|path| Template::Literal(Value::Text(path))),
            Some("queue") => self.known_name(site, key, place, node, Named::Queue),
            Some("destination") => self.known_name(site, key, place, node, Named::Transfer),
            Some("duration") => self.duration_input(site, key, place, schema, node),
            _ => self.plain_input(site, key, place, schema, node),
        }
    }

    fn plain_input(
        &mut self,
        site: &mut Site,
        key: &str,
        place: &Text,
        schema: &Json,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        let ty = type_of_schema(schema);
        let secret = ty == Type::Secret;
        match &node.content {
            Content::Map(map)
                if schema["properties"].is_object()
                    || schema["additionalProperties"].is_object() =>
            {
                self.object_input(site, place, schema, node, map)
            }
            Content::List(items) if matches!(ty.without_none(), Type::List(_)) => {
                let mut list = Vec::new();
                for item in items {
                    list.push(self.input(site, key, place, &schema["items"], item)?);
                }
                self.told_apart(place, schema, items);
                for (bound, over) in [("minItems", false), ("maxItems", true)] {
                    if let Some(limit) = schema[bound].as_u64()
                        && (list.len() as u64 > limit) == over
                        && list.len() as u64 != limit
                    {
                        let word = match over {
                            true => Text::fixed("at most", "至多"),
                            false => Text::fixed("at least", "至少"),
                        };
                        let message = text!(
                            "{place} takes {word} {limit} values",
                            "{place} {word} {limit} 个值";
                            place,
                            word,
                        );
                        bad_input::bad(&mut self.report, node.span, message, None);
                    }
                }
                Some(Template::List(list))
            }
            Content::Scalar(scalar) if !scalar.absent() => {
                if secret && !takes_text(schema) {
                    return self.secret_input(site, place, node);
                }
                if scalar.text.contains("${") && holds_words(schema) {
                    // What it inserts is read all the same.
                    self.inserted(site, key, place, &Type::Any, node, false);
                    self.made_of_words(place, node);
                    return None;
                }
                if scalar.text.contains("${")
                    || matches!(ty.without_none(), Type::Any | Type::Secret)
                {
                    return self.inserted(site, key, place, &ty, node, secret);
                }
                self.scalar_input(place, schema, &ty, node)
            }
            Content::Map(_) | Content::List(_)
                if matches!(
                    ty.without_none(),
                    Type::Any | Type::Object { .. } | Type::Money
                ) =>
            {
                self.value_template(site.id, key, node, place, &ty, secret)
            }
            _ => {
                let what = expected_shape(schema, &ty);
                self.wrong_shape(key, node, what);
                None
            }
        }
    }

    /// An input that takes secrets and nothing else.
    fn secret_input(&mut self, site: &Site, place: &Text, node: &'t Node<'t>) -> Option<Template> {
        let scalar = node.scalar()?;
        let mut pieces = self.pieces(node, scalar)?;
        match (pieces.pop(), pieces.is_empty()) {
            (Some(Piece::Expr(expr)), true) => {
                let place = place.clone();
                self.used(site.id, &expr, &self.no_binds(), Want::Secret { place });
                Some(Template::Expr(expr))
            }
            _ => {
                let message = text!(
                    "{place} takes a secret and nothing else",
                    "{place} 只接受机密";
                    place,
                );
                let help = Text::fixed(
                    "a secret is what a step with `sensitive: true` hears, or a variable of the type `secret`: `${card}`",
                    "机密是带 `sensitive: true` 的步骤所收到的，或类型为 `secret` 的变量：`${card}`",
                );
                bad_input::bad(&mut self.report, node.span, message, Some(help));
                None
            }
        }
    }

    /// A scalar with `${ … }` in it.
    pub(super) fn inserted(
        &mut self,
        site: &Site,
        key: &str,
        place: &Text,
        ty: &Type,
        node: &'t Node<'t>,
        secret: bool,
    ) -> Option<Template> {
        let text = node.text().unwrap_or_default();
        let takes_text = matches!(
            ty.without_none(),
            Type::Any | Type::Text | Type::OneOf(_) | Type::Phone
        );
        if !expr::single(text) && !takes_text {
            if text.contains("${") {
                bad_input::bad(
                    &mut self.report,
                    node.span,
                    mixed(place, ty),
                    Some(ONE_VALUE),
                );
                return None;
            }
            return self.literal(key, node, ty).map(Template::Literal);
        }
        // Its value is what the step begins with: then the step's own names have none.
        self.text_template(site.id, node, &self.no_binds(), place, ty, secret)
    }

    /// A scalar as it stands.
    fn scalar_input(
        &mut self,
        place: &Text,
        schema: &Json,
        ty: &Type,
        node: &Node,
    ) -> Option<Template> {
        let text = node.text().unwrap_or_default();
        let value = match parse_literal(text, ty.without_none()) {
            Ok(value) => value,
            Err(why) => {
                if let Type::OneOf(words) = ty.without_none() {
                    let meant = self
                        .nearest(text, words.iter().map(String::as_str))
                        .map(str::to_owned);
                    let names = crate::check::suggest::shown(words);
                    let message = text!(
                        "{place} does not take `{text}`",
                        "{place} 不接受 `{text}`";
                        place,
                    );
                    let help = match meant {
                        Some(meant) => Text::did_you_mean(meant),
                        None => text!("it takes {names}", "可选：{names}"; names),
                    };
                    bad_input::bad(&mut self.report, node.span, message, Some(help));
                } else {
                    let message = text!("{place}: {why}", "{place}：{why}"; place, why);
                    bad_input::bad(&mut self.report, node.span, message, None);
                }
                return None;
            }
        };
        if let Some(message) = out_of_bounds(place, schema, &value) {
            bad_input::bad(&mut self.report, node.span, message, None);
        }
        if let Some(message) = self.out_of_shape(place, schema, &value) {
            let help = self.computes(text).then(|| {
                text!(
                    "to insert the variable, write `\"${{{text}}}\"`",
                    "要插入变量，请写 `\"${{{text}}}\"`"
                )
            });
            bad_input::bad(&mut self.report, node.span, message, help);
        }
        Some(Template::Literal(value))
    }

    /// `pattern`, as far as it is of the common kind: without looking ahead or behind.
    pub(super) fn out_of_shape(
        &mut self,
        place: &Text,
        schema: &Json,
        value: &Value,
    ) -> Option<Text> {
        let (Some(pattern), Value::Text(text) | Value::Phone(text)) =
            (schema["pattern"].as_str(), value)
        else {
            return None;
        };
        let shape = match self.patterns.get(pattern) {
            Some(shape) => shape,
            None => {
                let shape = Regex::new(pattern).ok();
                self.patterns.entry(pattern.to_owned()).or_insert(shape)
            }
        };
        // One that cannot be read here is held against the value when the step runs.
        if shape.as_ref().is_none_or(|shape| shape.is_match(text)) {
            return None;
        }
        Some(text!(
            "{place} has the shape `{pattern}`, and `{text}` has not",
            "{place} 的格式为 `{pattern}`，而 `{text}` 不符合";
            place
        ))
    }

    fn object_input(
        &mut self,
        site: &mut Site,
        place: &Text,
        schema: &Json,
        node: &Node,
        map: &'t Map<'t>,
    ) -> Option<Template> {
        let properties = schema["properties"].as_object();
        let more = &schema["additionalProperties"];
        let mut object = BTreeMap::new();
        for entry in &map.entries {
            let known = properties.and_then(|properties| properties.get(entry.key.as_ref()));
            let key = &entry.key;
            let inner = text!("{place}: `{key}`", "{place}：`{key}`"; place);
            if let Some(schema) = known {
                self.deprecated_input(entry.key_span, &entry.key, schema);
            }
            let value = match (known, more) {
                (Some(schema), _) => self.input(site, &entry.key, &inner, schema, &entry.value),
                (None, Json::Object(_)) => self.input(site, &entry.key, &inner, more, &entry.value),
                (None, Json::Bool(true)) => self.value_template(
                    site.id,
                    &entry.key,
                    &entry.value,
                    &inner,
                    &Type::Any,
                    false,
                ),
                (None, _) => {
                    let names: Vec<String> = properties
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name.clone())
                        .collect();
                    let meant = self
                        .nearest(&entry.key, names.iter().map(String::as_str))
                        .map(str::to_owned);
                    unknown_input::unknown(
                        &mut self.report,
                        entry.key_span,
                        &entry.key,
                        place,
                        meant.as_deref(),
                        &names,
                    );
                    continue;
                }
            };
            object.extend(value.map(|value| (entry.key.to_string(), value)));
        }
        for (name, schema) in properties.into_iter().flatten() {
            if map.entry(name).is_none()
                && let Some(value) = default_of(schema)
            {
                object.insert(name.clone(), value);
            }
        }
        let required = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str);
        let missing: Vec<String> = required
            .filter(|name| map.entry(name).is_none() && !object.contains_key(*name))
            .map(str::to_owned)
            .collect();
        if !missing.is_empty() {
            missing_input::missing(&mut self.report, node.span, place, &missing);
        }
        Some(Template::Object(object))
    }

    /// Tells of an input that its plugin has left behind.
    pub(super) fn deprecated_input(&mut self, at: Span, name: &str, schema: &Json) {
        if schema["deprecated"] == true {
            plugin_outdated::input(&mut self.report, at, name, &schema["x-instead"]);
        }
    }

    fn duration_input(
        &mut self,
        site: &Site,
        key: &str,
        place: &Text,
        schema: &Json,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        if node.text().is_some_and(|text| text.contains("${")) {
            return self.inserted(site, key, place, &Type::Duration, node, false);
        }
        let (least, most) = (schema["minimum"].as_u64(), schema["maximum"].as_u64());
        let bounds = (least.unwrap_or(0), most.unwrap_or(u64::MAX));
        let ms = self.duration_within(key, node, bounds)?;
        let value = Value::Duration(i64::try_from(ms).unwrap_or(i64::MAX));
        if least.is_some_and(|least| ms < least) {
            let least = least.unwrap_or(0);
            let why = text!(
                "`{key}` is at least {least} ms",
                "`{key}` 至少为 {least} ms"
            );
            bad_duration::bad(&mut self.report, node.span, why);
        } else if most.is_some_and(|most| ms > most) {
            let most = most.unwrap_or(0) / 1000;
            let why = text!("`{key}` is at most {most} s", "`{key}` 至多为 {most} s");
            bad_duration::bad(&mut self.report, node.span, why);
        }
        Some(Template::Literal(value))
    }

    fn key_input(&mut self, key: &str, node: &Node) -> Option<Template> {
        let written = self.expect_text(
            key,
            node,
            Text::fixed(
                "a key: a digit, `star` or `hash`",
                "按键：一个数字、`star` 或 `hash`",
            ),
        )?;
        match key_of(written).filter(|key| key.len() == 1) {
            Some(key) => Some(Template::Literal(Value::Text(key.to_owned()))),
            None => {
                let message = text!(
                    "`{written}` is not a key of a telephone",
                    "`{written}` 不是电话按键"
                );
                let help = text!(
                    "write a digit, `star` or `hash`",
                    "请写一个数字、`star` 或 `hash`"
                );
                bad_input::bad(&mut self.report, node.span, message, Some(help));
                None
            }
        }
    }

    /// An expression that the step evaluates itself.
    fn expression_input(&mut self, site: &Site, key: &str, node: &'t Node<'t>) -> Option<Template> {
        let expr = self.bare(key, node)?;
        self.used(site.id, &expr, &site.binds, Want::Condition);
        let id = ExprId(u32::try_from(self.draft.expressions.len()).ok()?);
        self.draft.expressions.push(expr);
        Some(Template::Deferred(id))
    }

    fn hours_input(&mut self, key: &str, node: &Node) -> Option<Template> {
        let name = self.expect_text(
            key,
            node,
            Text::fixed("the name of opening hours", "营业时间的名字"),
        )?;
        let known = match self.hours.contains_key(name) {
            true => Some(name.to_owned()),
            false if self.unnamed_hours => None,
            false => {
                let names: Vec<String> = self.hours.keys().cloned().collect();
                let meant = self
                    .nearest(name, names.iter().map(String::as_str))
                    .map(str::to_owned);
                unknown_hours::unknown(&mut self.report, node.span, name, meant.as_deref(), &names);
                meant
            }
        }?;
        self.used_hours.insert(known.clone());
        // The name goes along: a step may say it, and a test may rule what holds there.
        let mut hours = self.hours.get(&known)?.clone();
        if let Some(fields) = hours.as_object_mut() {
            fields.insert("name".to_owned(), known.into());
        }
        from_json(&hours, &Type::Any).ok().map(Template::Literal)
    }

    /// A path below the project's folder.
    ///
    /// `needed`: nothing else is there to be heard when the file is missing.
    pub(super) fn audio_path(&mut self, key: &str, node: &Node, needed: bool) -> Option<String> {
        let path = self.expect_text(
            key,
            node,
            Text::fixed("the path of an audio file", "音频文件的路径"),
        )?;
        let outside = path.starts_with('/')
            || path.contains('\\')
            || path.contains(':')
            || path.split('/').any(|part| part == "..");
        if outside {
            match needed {
                true => nothing_to_play::outside(&mut self.report, node.span, path),
                false => missing_audio::outside(&mut self.report, node.span, path),
            }
        } else if let Some(audio) = &self.catalog.audio
            && !audio.contains(path)
        {
            let names: Vec<String> = audio.iter().cloned().collect();
            match needed {
                true => nothing_to_play::missing(&mut self.report, node.span, path, &names),
                false => missing_audio::missing(&mut self.report, node.span, path, &names),
            }
        }
        Some(path.to_owned())
    }

    fn known_name(
        &mut self,
        site: &Site,
        key: &str,
        place: &Text,
        node: &'t Node<'t>,
        known: Named,
    ) -> Option<Template> {
        let text = self.expect_text(key, node, Text::fixed("a name", "名字"))?;
        if text.contains("${") {
            return self.inserted(site, key, place, &Type::Text, node, false);
        }
        self.known_outside(known, text, node.span);
        Some(Template::Literal(Value::Text(text.to_owned())))
    }
}

/// `minimum`, `maximum`, `minLength`, `maxLength` and whole numbers.
pub(super) fn out_of_bounds(place: &Text, schema: &Json, value: &Value) -> Option<Text> {
    let (size, least, most) = match value {
        Value::Number(number) => {
            if schema["type"] == "integer" && number.fract() != 0.0 {
                return Some(text!("{place} takes a whole number", "{place} 需要整数"; place));
            }
            (*number, &schema["minimum"], &schema["maximum"])
        }
        Value::Duration(ms) => (*ms as f64, &schema["minimum"], &schema["maximum"]),
        Value::Text(text) => {
            let length = text.chars().count() as f64;
            (length, &schema["minLength"], &schema["maxLength"])
        }
        _ => return None,
    };
    let unit = match value {
        Value::Text(_) => Text::fixed(" characters", " 个字符"),
        Value::Duration(_) => Text::fixed("ms", "ms"),
        _ => Text::default(),
    };
    if let Some(least) = least.as_f64().filter(|least| size < *least) {
        return Some(text!(
            "{place} is at least {least}{unit}",
            "{place} 至少为 {least}{unit}";
            place,
            unit,
        ));
    }
    let most = most.as_f64().filter(|most| size > *most)?;
    Some(text!(
        "{place} is at most {most}{unit}",
        "{place} 至多为 {most}{unit}";
        place,
        unit,
    ))
}

fn expected_shape(schema: &Json, ty: &Type) -> Text {
    match ty.without_none() {
        Type::List(_) if schema["items"]["format"] == "prompt" => {
            Text::fixed("a list of prompts", "提示的列表")
        }
        Type::List(_) => Text::fixed("a list", "列表"),
        Type::Object { .. } => Text::fixed("a map", "映射"),
        ty => ty.with_article(),
    }
}

/// That a text with something inserted stands where a value of another type is wanted.
pub(super) fn mixed(place: &Text, ty: &Type) -> Text {
    let ty = ty.with_article();
    text!(
        "{place} takes {ty}, and this is a text with something inserted",
        "{place} 需要 {ty}，而这里是拼接的文本";
        place,
        ty,
    )
}

/// What to do about that.
pub(super) const ONE_VALUE: Text =
    Text::fixed("write one `${ … }` and nothing else", "请只写一个 `${ … }`");

/// Whether an input that takes secrets takes plain texts too, by its `type`.
fn takes_text(schema: &Json) -> bool {
    match &schema["type"] {
        Json::String(one) => one == "string",
        Json::Array(some) => some.iter().any(|one| one == "string"),
        _ => true,
    }
}
