use std::collections::BTreeMap;

use super::draft::{Assigned, Binding, unknown};
use super::input::{ONE_VALUE, mixed};
use super::names::is_name;
use super::then::Then;
use super::{Lowerer, Place, Want};
use crate::check::rules::{
    bad_name, bad_value, missing_key, missing_outcome, unknown_key, unknown_outcome,
    unknown_variable,
};
use crate::diagnostic::{Text, text};
use crate::editor::keys::ENGINE_VERBS;
use crate::expr::Span;
use crate::plan::{Action, Edge, MAX_TAG_CHARS, NodeId, Piece, Template};
use crate::value::{Type, Value, parse_literal};
use crate::yaml::{Content, Entry, Map, Node};

/// Longest `wait:`, in milliseconds: ten minutes of nothing is no service.
const MAX_WAIT_MS: u64 = 600_000;

/// Most characters of a disposition.
const MAX_REASON: usize = 100;

/// What may stand beside a verb of the engine.
pub(super) fn options_of(verb: &str) -> &'static [&'static str] {
    let known = ENGINE_VERBS.iter().find(|(name, _, _)| *name == verb);
    known.map_or(&["then", "when", "title"], |(_, options, _)| options)
}

impl<'t> Lowerer<'t> {
    /// An action that the engine itself walks.
    pub(super) fn engine_verb(
        &mut self,
        id: NodeId,
        map: &'t Map<'t>,
        entry: &'t Entry<'t>,
        place: &Place,
    ) {
        let options = options_of(&entry.key);
        for other in map.entries.iter().filter(|other| other.key != entry.key) {
            let key = other.key.as_ref();
            if !options.contains(&key) && !self.verbs.iter().any(|verb| verb == key) {
                let names: Vec<String> = options.iter().map(|name| (*name).to_owned()).collect();
                let place = Text::same(format!("`{}`", entry.key));
                let at = other.key_span;
                if key == "then" {
                    let help = match entry.key.as_ref() {
                        "choose" => Text::fixed(
                            "each line of `choose` has a `then:` of its own",
                            "`choose` 的每一行各有自己的 `then:`",
                        ),
                        verb => text!(
                            "nothing comes after `{verb}`: leave `then:` out",
                            "`{verb}` 之后不再执行任何步骤：请去掉 `then:`"
                        ),
                    };
                    unknown_key::nothing_after(&mut self.report, at, &place, help);
                } else {
                    unknown_key::unknown(&mut self.report, at, key, &place, &names);
                }
            }
        }
        match entry.key.as_ref() {
            "use" => self.use_step(id, map, entry, place),
            "call" => self.flow_call(id, map, entry, place),
            "if" => self.if_else(id, map, entry, place),
            "choose" => self.choose(id, entry, place),
            "switch" => self.switch(id, map, entry, place),
            "set" => self.set(id, map, entry, place),
            "tag" => self.tag(id, map, entry, place),
            "wait" => self.wait(id, map, entry, place),
            "goto" => {
                let edge = self.target("goto", &entry.value, place);
                self.node(id).next = edge;
            }
            "return" => self.return_verb(id, map, entry, place),
            _ => self.hang_up(id, entry, place),
        }
        // An action that is skipped goes on with what follows it, unless it has one way to go anyway.
        let skipped = self.node(id).when.is_some();
        if skipped
            && matches!(
                entry.key.as_ref(),
                "goto" | "return" | "hangup" | "choose" | "switch" | "if" | "call"
            )
        {
            if entry.key == "goto" {
                // `goto` with `when` is a choice: the target, or what follows.
                if let Some(when) = self.node(id).when.take() {
                    let target = self.node(id).next.clone();
                    self.node(id).action = Action::Choose {
                        arms: vec![(when, target)],
                        otherwise: place.after.clone(),
                    };
                }
            }
            self.node(id).next = place.after.clone();
        }
    }

    fn if_else(&mut self, id: NodeId, map: &'t Map<'t>, entry: &'t Entry<'t>, place: &Place) {
        let condition = self.condition(id, "if", &entry.value);
        let then = match map.value("then") {
            Some(node) => self.target("then", node, place),
            None => {
                missing_key::missing(
                    &mut self.report,
                    entry.key_span,
                    "then:",
                    Text::fixed("an `if`", "`if`"),
                    "then: a_step",
                );
                unknown()
            }
        };
        let otherwise = match map.value("else") {
            Some(node) => self.target("else", node, place),
            None if place.after == Edge::End => {
                missing_outcome::otherwise(
                    &mut self.report,
                    self.draft.facts[id.0 as usize].head,
                    Text::fixed("that is not so", "条件不成立"),
                );
                unknown()
            }
            None => place.after.clone(),
        };
        match condition {
            Some(condition) => {
                self.node(id).action = Action::Choose {
                    arms: vec![(condition, then)],
                    otherwise,
                };
            }
            // Both ways stay reachable.
            None => self.ways(id, vec![then, otherwise]),
        }
    }

    /// An action whose condition is not understood, but whose targets are. No plan is made of it; it stands
    /// in the graph as a call with these ways to go.
    pub(super) fn ways(&mut self, id: NodeId, edges: Vec<Edge>) {
        self.facts(id).broken = true;
        let edges = edges.into_iter().enumerate();
        self.node(id).action = Action::Call {
            flow: String::new(),
            with: BTreeMap::new(),
            bind: None,
            edges: edges
                .map(|(index, edge)| (index.to_string(), edge))
                .collect(),
            otherwise: None,
        };
    }

    fn choose(&mut self, id: NodeId, entry: &'t Entry<'t>, place: &Place) {
        let Some(items) = self.expect_list(
            "choose",
            &entry.value,
            Text::fixed(
                "a list of `- when: … then: …`",
                "由 `- when: … then: …` 组成的列表",
            ),
        ) else {
            self.facts(id).broken = true;
            return;
        };
        let mut arms = Vec::new();
        let mut lost = Vec::new();
        let mut otherwise = None;
        for item in items {
            // Where such a line leads is not known.
            if item.map().is_none() && self.no_colon(item, |word| matches!(word, "when" | "else")) {
                self.report.spoil(item.span);
                lost.push(unknown());
                otherwise.get_or_insert(unknown());
                continue;
            }
            let Some(map) = self.expect_map(
                "choose",
                item,
                Text::fixed(
                    "a list of `- when: … then: …`",
                    "由 `- when: … then: …` 组成的列表",
                ),
            ) else {
                continue;
            };
            if let Some(other) = map.value("else") {
                self.unknown_keys(
                    map,
                    Text::fixed("the last line of `choose`", "`choose` 的最后一行"),
                    &["else"],
                );
                otherwise = Some(self.target("else", other, place));
                continue;
            }
            self.unknown_keys(
                map,
                Text::fixed("a line of `choose`", "`choose` 的一行"),
                &["when", "then"],
            );
            if otherwise.is_some() {
                bad_value::why(
                    &mut self.report,
                    item.span,
                    Text::fixed(
                        "nothing after `else:` is ever looked at",
                        "`else:` 之后的内容永远不会执行",
                    ),
                    Some(Text::fixed(
                        "move `- else:` to the end",
                        "请把 `- else:` 移到最后",
                    )),
                );
            }
            let condition = match map.value("when") {
                Some(node) => self.condition(id, "when", node),
                None => {
                    missing_key::missing(
                        &mut self.report,
                        item.span,
                        "when:",
                        Text::fixed("a line of `choose`", "`choose` 的一行"),
                        "when: …",
                    );
                    None
                }
            };
            let then = match map.value("then") {
                Some(node) => self.target("then", node, place),
                None => {
                    missing_key::missing(
                        &mut self.report,
                        item.span,
                        "then:",
                        Text::fixed("a line of `choose`", "`choose` 的一行"),
                        "then: a_step",
                    );
                    unknown()
                }
            };
            match condition {
                Some(condition) => arms.push((condition, then)),
                None => lost.push(then),
            }
        }
        let otherwise = match otherwise {
            Some(edge) => edge,
            None if place.after == Edge::End => {
                missing_outcome::otherwise(
                    &mut self.report,
                    entry.key_span,
                    Text::fixed("none of these is so", "条件都不成立"),
                );
                unknown()
            }
            None => place.after.clone(),
        };
        if lost.is_empty() {
            self.node(id).action = Action::Choose { arms, otherwise };
        } else {
            lost.extend(arms.into_iter().map(|(_, edge)| edge));
            lost.push(otherwise);
            self.ways(id, lost);
        }
    }

    fn switch(&mut self, id: NodeId, map: &'t Map<'t>, entry: &'t Entry<'t>, place: &Place) {
        let value = self.bare("switch", &entry.value);
        let (lines, otherwise, span) = match self.then(map, place) {
            Then::Lines {
                lines,
                otherwise,
                span,
            } => (lines, otherwise, span),
            Then::One(_) | Then::Absent => {
                let what = Text::fixed("a `switch`", "`switch`");
                missing_key::missing(
                    &mut self.report,
                    entry.key_span,
                    "then:",
                    what,
                    "then: { value: a_step, else: another }",
                );
                (Vec::new(), Some(unknown()), entry.key_span)
            }
        };
        let arms: BTreeMap<String, Edge> = lines
            .iter()
            .map(|(name, _, edge)| (name.clone(), edge.clone()))
            .collect();
        match value {
            Some(value) => {
                let want = Want::Switch {
                    arms: lines
                        .into_iter()
                        .map(|(name, span, _)| (name, span))
                        .collect(),
                    otherwise: otherwise.is_some(),
                    then: span,
                };
                let binds = self.no_binds();
                self.used(id, &value, &binds, want);
                self.node(id).action = Action::Switch {
                    value,
                    arms,
                    otherwise,
                };
            }
            None => self.ways(id, arms.into_values().chain(otherwise).collect()),
        }
    }

    fn set(&mut self, id: NodeId, map: &'t Map<'t>, entry: &'t Entry<'t>, place: &Place) {
        let mut values = BTreeMap::new();
        let all = self.expect_map(
            "set",
            &entry.value,
            Text::fixed("a map such as `{ tries: 0 }`", "映射，例如 `{ tries: 0 }`"),
        );
        for line in all.into_iter().flat_map(|map| &map.entries) {
            let place_name = Text::same(format!("`{}`", line.key));
            let ty = match line.key.as_ref() {
                "call.language" => Type::OneOf(self.draft.languages.clone()),
                "call.priority" => Type::Number,
                name if self.draft.vars.contains_key(name) => {
                    self.set_variable(id, name, line.key_span)
                }
                name => match self.settable(name, line.key_span) {
                    Some(meant) => {
                        self.draft.guessed.push((name.to_owned(), meant.clone()));
                        self.set_variable(id, &meant, line.key_span)
                    }
                    None => Type::Any,
                },
            };
            let declared = self.draft.vars.get(line.key.as_ref());
            let secret = declared.is_some_and(|declared| declared.secret) || ty == Type::Secret;
            if let Some(value) =
                self.value_template(id, &line.key, &line.value, &place_name, &ty, secret)
            {
                if line.key == "call.priority"
                    && let Template::Literal(Value::Number(number)) = &value
                    && !(0.0..=100.0).contains(number)
                {
                    let why = Text::fixed(
                        "`call.priority` is a number from 0 to 100",
                        "`call.priority` 是 0 到 100 的数字",
                    );
                    bad_value::why(&mut self.report, line.value.span, why, None);
                }
                values.insert(line.key.to_string(), value);
            }
        }
        let next = self.plain_then(map, place, "set");
        let node = self.node(id);
        node.next = next;
        node.action = Action::Set(values);
    }

    /// That a declared variable gets a value; its type.
    fn set_variable(&mut self, id: NodeId, name: &str, span: Span) -> Type {
        let declared = self.draft.vars.get(name);
        let ty = declared.map_or(Type::Any, |declared| declared.ty.clone());
        let binding = self.bind(name, ty.clone(), span);
        self.facts(id).assigned.push(Assigned {
            outcome: None,
            binding,
        });
        ty
    }

    /// Tells that there is no such variable to be set; gives the one that was probably meant.
    fn settable(&mut self, name: &str, at: Span) -> Option<String> {
        if self.report.is_full() {
            return None;
        }
        if self.draft.inputs.contains_key(name) {
            bad_value::input(&mut self.report, at, name);
            return None;
        }
        let mut names: Vec<String> = self.draft.vars.keys().cloned().collect();
        names.extend(["call.language".to_owned(), "call.priority".to_owned()]);
        let meant = self.nearest(name, names.iter().map(String::as_str));
        unknown_variable::unknown(&mut self.report, at, name, meant, &names);
        meant
            .filter(|meant| self.draft.vars.contains_key(*meant))
            .map(str::to_owned)
    }

    fn tag(&mut self, id: NodeId, map: &'t Map<'t>, entry: &'t Entry<'t>, place: &Place) {
        let mut tags = BTreeMap::new();
        let mut word = None;
        match &entry.value.content {
            Content::Map(all) => {
                for line in &all.entries {
                    let tag = &line.key;
                    self.tag_name(line.key_span, tag);
                    if tag.contains("${") {
                        let why = text!(
                            "`{tag}` stands as it is: the name of a tag with a value is no text with `${{ … }}`",
                            "`{tag}` 会原样使用：带值的标签，名字里不能有 `${{ … }}`"
                        );
                        let help = Text::fixed(
                            "put what varies into the value, as in `{ reason: \"${why}\" }`, or write `tag: \"…${why}\"`",
                            "请把变化的部分放在值里，例如 `{ reason: \"${why}\" }`，或写 `tag: \"…${why}\"`",
                        );
                        bad_value::why(&mut self.report, line.key_span, why, Some(help));
                    }
                    let name = text!("the tag `{tag}`", "标签 `{tag}`");
                    if let Some(value) =
                        self.value_template(id, &line.key, &line.value, &name, &Type::Any, false)
                    {
                        tags.insert(line.key.to_string(), value);
                    }
                }
            }
            _ => {
                if let Some(tag) = self.expect_text(
                    "tag",
                    &entry.value,
                    Text::fixed(
                        "a word, or a map such as `{ reason: refund }`",
                        "一个词，或映射，例如 `{ reason: refund }`",
                    ),
                ) {
                    self.tag_name(entry.value.span, tag);
                    match tag.contains("${") {
                        true => word = self.tag_word(id, &entry.value),
                        false => {
                            tags.insert(tag.to_owned(), Template::Literal(Value::Bool(true)));
                        }
                    }
                }
            }
        }
        let next = self.plain_then(map, place, "tag");
        let node = self.node(id);
        node.next = next;
        node.action = Action::Tag { values: tags, word };
    }

    /// A tag that is a text with `${ … }` in it.
    fn tag_word(&mut self, id: NodeId, node: &'t Node<'t>) -> Option<Template> {
        let pieces = self.pieces(node, node.scalar()?)?;
        for piece in &pieces {
            if let Piece::Expr(expr) = piece {
                let place = Text::fixed("the tag", "标签");
                self.used(id, expr, &self.no_binds(), Want::Inserted { place });
            }
        }
        Some(Template::Text(pieces))
    }

    fn tag_name(&mut self, at: Span, tag: &str) {
        if tag.trim().is_empty() {
            let why = Text::fixed("a tag has a name", "标签要有名字");
            let help = Text::fixed(
                "write one, such as `tag: { reason: refund }`",
                "请写上名字，例如 `tag: { reason: refund }`",
            );
            bad_value::why(&mut self.report, at, why, Some(help));
        }
        if tag.chars().count() > MAX_TAG_CHARS {
            let why = text!(
                "a tag has at most {MAX_TAG_CHARS} characters",
                "标签至多 {MAX_TAG_CHARS} 个字符"
            );
            bad_value::why(&mut self.report, at, why, None);
        }
    }

    fn wait(&mut self, id: NodeId, map: &'t Map<'t>, entry: &'t Entry<'t>, place: &Place) {
        let ms = self.duration_within("wait", &entry.value, (0, MAX_WAIT_MS));
        let mut ms = ms.unwrap_or(0);
        if ms > MAX_WAIT_MS {
            bad_value::why(
                &mut self.report,
                entry.value.span,
                Text::fixed("a wait lasts at most 10 minutes", "等待最长 10 分钟"),
                Some(Text::fixed(
                    "let the caller wait in a queue",
                    "请让来电者在队列里等待",
                )),
            );
            ms = 0;
        }
        let next = self.plain_then(map, place, "wait");
        let node = self.node(id);
        node.next = next;
        node.action = Action::Wait(ms);
    }

    fn return_verb(&mut self, id: NodeId, map: &'t Map<'t>, entry: &'t Entry<'t>, place: &Place) {
        let mut outcome = String::new();
        if let Some(name) = self.expect_text(
            "return",
            &entry.value,
            Text::fixed("one of the flow's outcomes", "此流程的某个结果"),
        ) {
            if !self.draft.outcomes.iter().any(|known| known == name) {
                let names = self.draft.outcomes.clone();
                unknown_outcome::of_flow(&mut self.report, entry.value.span, name, &names);
            }
            name.clone_into(&mut outcome);
        }
        let mut with = BTreeMap::new();
        if let Some(node) = map.value("with")
            && let Some(all) =
                self.expect_map("with", node, Text::fixed("a map of values", "值的映射"))
        {
            for line in &all.entries {
                let name = Text::same(format!("`{}`", line.key));
                if let Some(value) =
                    self.value_template(id, &line.key, &line.value, &name, &Type::Any, false)
                {
                    with.insert(line.key.to_string(), value);
                }
            }
        }
        let node = self.node(id);
        node.next = place.after.clone();
        node.action = Action::Return { outcome, with };
    }

    fn hang_up(&mut self, id: NodeId, entry: &'t Entry<'t>, place: &Place) {
        let reason = match &entry.value.content {
            Content::Scalar(scalar) if scalar.absent() => "completed",
            _ => self
                .expect_text(
                    "hangup",
                    &entry.value,
                    Text::fixed("a word such as `completed`", "一个词，例如 `completed`"),
                )
                .unwrap_or("completed"),
        };
        if !is_name(reason) || reason.len() > MAX_REASON {
            bad_name::name(
                &mut self.report,
                entry.value.span,
                reason,
                Text::fixed("a disposition", "通话结论"),
                false,
            );
        }
        let node = self.node(id);
        node.next = place.after.clone();
        node.action = Action::HangUp {
            reason: reason.to_owned(),
        };
    }

    /// Notes that a variable gets a value of a type at a place.
    pub(super) fn bind(&mut self, name: &str, ty: Type, span: Span) -> usize {
        self.draft.bindings.push(Binding {
            name: name.to_owned(),
            ty,
            span,
            digits: None,
        });
        self.draft.bindings.len() - 1
    }

    /// A value of a type, with `${ … }` allowed anywhere in it.
    pub(super) fn value_template(
        &mut self,
        id: NodeId,
        key: &str,
        node: &'t Node<'t>,
        place: &Text,
        ty: &Type,
        secret: bool,
    ) -> Option<Template> {
        match &node.content {
            Content::List(items) => {
                let inner = match ty.without_none() {
                    Type::List(inner) => (**inner).clone(),
                    Type::Any => Type::Any,
                    _ => {
                        self.wrong_shape(key, node, ty.with_article());
                        return None;
                    }
                };
                let items = items
                    .iter()
                    .map(|item| self.value_template(id, key, item, place, &inner, secret));
                items.collect::<Option<Vec<_>>>().map(Template::List)
            }
            Content::Map(map) => {
                if *ty.without_none() == Type::Money {
                    return self.literal_money(key, node);
                }
                let known = match ty.without_none() {
                    Type::Object { fields, .. } => fields.clone(),
                    Type::Any => BTreeMap::new(),
                    _ => {
                        self.wrong_shape(key, node, ty.with_article());
                        return None;
                    }
                };
                let fields = map.entries.iter().map(|line| {
                    let ty = known.get(line.key.as_ref()).unwrap_or(&Type::Any);
                    let value =
                        self.value_template(id, &line.key, &line.value, place, ty, secret)?;
                    Some((line.key.to_string(), value))
                });
                fields
                    .collect::<Option<BTreeMap<_, _>>>()
                    .map(Template::Object)
            }
            Content::Scalar(scalar) if scalar.text.contains("${") => {
                let whole = crate::expr::single(&scalar.text);
                // What is put together may be anything: it is not one of some words either.
                if !whole && !matches!(ty.without_none(), Type::Any | Type::Text | Type::Phone) {
                    bad_value::why(
                        &mut self.report,
                        node.span,
                        mixed(place, ty),
                        Some(ONE_VALUE),
                    );
                    return None;
                }
                self.text_template(id, node, &self.no_binds(), place, ty, secret)
            }
            Content::Scalar(scalar) => {
                if let Err(why) = parse_literal(&scalar.text, ty.without_none())
                    && self.computes(&scalar.text)
                {
                    let text = &scalar.text;
                    let help = text!(
                        "to compute it, write `\"${{{text}}}\"`",
                        "要计算它，请写 `\"${{{text}}}\"`"
                    );
                    bad_value::why(&mut self.report, node.span, why, Some(help));
                    return None;
                }
                self.draft.kept.push((node.span, &scalar.text));
                self.literal(key, node, ty).map(Template::Literal)
            }
        }
    }

    /// Whether a text is an expression without its braces: a variable's name, or something computed.
    pub(super) fn computes(&self, text: &str) -> bool {
        let operators = |c: char| matches!(c, '+' | '-' | '*' | '/' | '%' | '|');
        let known = |name: &str| {
            let mut bound = self.draft.bindings.iter();
            self.draft.vars.contains_key(name)
                || self.draft.inputs.contains_key(name)
                || bound.any(|binding| binding.name == name)
        };
        match crate::expr::parse(text, 0) {
            Ok(expr) => {
                let roots = expr.roots();
                let computed = text.contains(operators) && !roots.is_empty();
                computed || roots.iter().any(|(name, _)| known(name))
            }
            Err(_) => false,
        }
    }

    fn literal_money(&mut self, key: &str, node: &'t Node<'t>) -> Option<Template> {
        let map = node.map()?;
        let amount = map
            .value("amount")
            .and_then(Node::text)
            .map(str::parse::<i64>);
        let currency = map.value("currency").and_then(Node::text);
        match (amount, currency) {
            (Some(Ok(amount)), Some(currency)) if currency.len() == 3 => {
                Some(Template::Literal(Value::Money(crate::value::Money {
                    amount,
                    currency: currency.to_owned(),
                })))
            }
            _ => {
                self.wrong_shape(
                    key,
                    node,
                    Text::fixed("an amount such as `199.00 CNY`", "金额，例如 `199.00 CNY`"),
                );
                None
            }
        }
    }
}
