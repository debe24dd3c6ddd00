//! What people write out of habit, who know other languages of programs or flows: read as it was meant, and told once.

use std::borrow::Cow;

use super::names::{is_language, is_variable, type_named};
use crate::check::report::Report;
use crate::check::rules::{
    bad_value, missing_translation, unknown_key, unknown_outcome, unknown_verb,
};
use crate::check::suggest::elsewhere;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::value::{Type, parse_literal};
use crate::yaml::{Content, Entry, Map, Node, Scalar, Style};

/// Names that types have elsewhere, and here.
const TYPES: [(&str, &str); 21] = [
    ("boolean", "bool"),
    ("string", "text"),
    ("str", "text"),
    ("char", "text"),
    ("varchar", "text"),
    ("int", "number"),
    ("integer", "number"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("numeric", "number"),
    ("array", "list"),
    ("map", "object"),
    ("dict", "object"),
    ("dictionary", "object"),
    ("json", "object"),
    ("struct", "object"),
    ("timestamp", "datetime"),
    ("amount", "money"),
    ("telephone", "phone"),
    ("password", "secret"),
];

/// Languages by their names, by countries whose codes are those of no language (ISO 639-1), and by their codes of three
/// letters (ISO 639-2), with the codes that they have here: the shortest there are (RFC 5646 §2.2.1).
const LANGUAGES: [(&str, &str); 47] = [
    ("english", "en"),
    ("chinese", "zh"),
    ("mandarin", "zh"),
    ("putonghua", "zh"),
    ("中文", "zh"),
    ("汉语", "zh"),
    ("普通话", "zh"),
    ("英语", "en"),
    ("cantonese", "yue"),
    ("french", "fr"),
    ("german", "de"),
    ("spanish", "es"),
    ("portuguese", "pt"),
    ("italian", "it"),
    ("dutch", "nl"),
    ("russian", "ru"),
    ("arabic", "ar"),
    ("hindi", "hi"),
    ("japanese", "ja"),
    ("korean", "ko"),
    ("thai", "th"),
    ("vietnamese", "vi"),
    ("indonesian", "id"),
    ("cn", "zh"),
    ("jp", "ja"),
    ("us", "en"),
    ("gb", "en"),
    ("cz", "cs"),
    ("eng", "en"),
    ("zho", "zh"),
    ("chi", "zh"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("deu", "de"),
    ("ger", "de"),
    ("spa", "es"),
    ("por", "pt"),
    ("ita", "it"),
    ("nld", "nl"),
    ("dut", "nl"),
    ("rus", "ru"),
    ("ara", "ar"),
    ("hin", "hi"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("tha", "th"),
    ("vie", "vi"),
];

/// How long a telephone takes for one ring and the pause behind it, in seconds.
const RING_S: u64 = 5;

/// Most rings that are counted.
const MAX_RINGS: u64 = 24;

/// What stands for all other outcomes elsewhere.
const OTHERWISE: [&str; 5] = ["default", "otherwise", "other", "*", "_"];

fn called<'n>(table: &[(&str, &'n str)], written: &str) -> Option<&'n str> {
    let written = written.to_lowercase();
    table
        .iter()
        .find(|(name, _)| *name == written)
        .map(|(_, meant)| *meant)
}

/// The type that is called so elsewhere.
pub(super) fn type_called(written: &str) -> Option<&'static str> {
    called(&TYPES, written)
}

/// `inputs:` and `vars:`: types by other names, and a value where its type has to stand.
pub(super) fn declarations(map: &mut Map<'_>, report: &mut Report<'_>) {
    for entry in &mut map.entries {
        let key = entry.key.to_string();
        match &mut entry.value.content {
            Content::Map(long) => {
                let default = long.value("default").and_then(plain_type);
                let bare = long.value("default").is_none();
                let named = long.entries.iter_mut().find(|entry| entry.key == "type");
                if let Some(named) = named {
                    type_of("type", &mut named.value, (bare, default), report);
                }
            }
            Content::Scalar(_) => {
                if !type_of(&key, &mut entry.value, (true, None), report) {
                    value(&key, &mut entry.value, report);
                }
            }
            Content::List(_) => {}
        }
    }
}

/// `vars: [count, name]`: names for a map of them, each with its type.
pub(super) fn declared_names(key: &str, node: &mut Node<'_>, report: &mut Report<'_>) {
    let Content::List(items) = &node.content else {
        return;
    };
    let names: Vec<&str> = items.iter().filter_map(Node::text).collect();
    if items.is_empty() || names.len() < items.len() || !names.iter().all(|name| is_variable(name))
    {
        return;
    }
    let message = text!(
        "`{key}` takes a map, a line for each name with its type, and this is a list of names",
        "`{key}` 应为映射，每个名字一行并写明类型，而这里是名字的列表"
    );
    let lines = names.iter().map(|name| format!("{name}: text"));
    let lines: Vec<String> = lines.collect();
    let meant = format!("{key}: {{ {} }}", lines.join(", "));
    let help = text!(
        "write `{meant}`, each with its own type, such as `{{ type: number, default: 0 }}`",
        "请写 `{meant}`，各写自己的类型，例如 `{{ type: number, default: 0 }}`"
    );
    bad_value::why(report, node.span, message, Some(help));
    // Which types they have nobody knows.
    report.spoil(node.span);
    let entries = items.iter().filter_map(|item| {
        Some(Entry {
            key: item.scalar()?.text.clone(),
            key_span: item.span,
            value: Node {
                span: node.span,
                content: Content::Scalar(Scalar {
                    text: Cow::Borrowed(""),
                    style: Style::Plain,
                    exact: None,
                }),
            },
        })
    });
    node.content = Content::Map(Map {
        entries: entries.collect(),
    });
}

/// `rings: 4` for `ring: 20s`.
pub(super) fn rings(map: &mut Map<'_>, names: &[&str], place: &Text, report: &mut Report<'_>) {
    if !names.contains(&"ring") || map.entry("ring").is_some() {
        return;
    }
    let rings = map.entries.iter_mut().find(|entry| entry.key == "rings");
    let Some(entry) = rings else { return };
    let times = entry
        .value
        .text()
        .and_then(|times| times.parse::<u64>().ok());
    let Some(times) = times.filter(|times| (1..=MAX_RINGS).contains(times)) else {
        return;
    };
    let time = format!("{}s", times * RING_S);
    let meant = format!("ring: {time}");
    let at = (entry.key_span, entry.span());
    unknown_key::whole(report, at, "rings", place, &meant);
    entry.key = Cow::Borrowed("ring");
    if let Content::Scalar(scalar) = &mut entry.value.content {
        scalar.text = Cow::Owned(time);
    }
}

/// `reprompt: again` for `{ no_input: [again], no_match: [again] }`.
pub(super) fn by_kind(name: &str, node: &mut Node<'_>, kinds: &[&str], report: &mut Report<'_>) {
    if node.absent() {
        return;
    }
    let source = report.lines().source();
    let written = source.get(node.span.start..node.span.end);
    let list = node.list().is_some();
    let inline = written.filter(|written| match list {
        true => written.starts_with('[') && written.ends_with(']'),
        false => {
            let quoted = written.starts_with(['"', '\'']);
            !written.contains('\n')
                && (quoted || !written.contains([',', '[', ']', '{', '}', ':', '#']))
        }
    });
    let message = text!(
        "`{name}` takes a line for each kind of miss, and this is for none of them",
        "`{name}` 应按每种情况分行写，而这里没有写明是哪一种"
    );
    let lines = |said: &str| {
        let lines = kinds.iter().map(|kind| format!("{kind}: {said}"));
        format!("{{ {} }}", lines.collect::<Vec<_>>().join(", "))
    };
    match (inline, list) {
        (Some(said), true) => bad_value::slip(report, node.span, message, &lines(said)),
        (Some(said), false) => {
            bad_value::slip(report, node.span, message, &lines(&format!("[{said}]")));
        }
        (None, _) => {
            let meant = lines("[…]");
            let help = text!("write `{meant}`", "请写 `{meant}`");
            bad_value::why(report, node.span, message, Some(help));
        }
    }
    let span = node.span;
    let said = match list {
        true => node.clone(),
        false => Node {
            span,
            content: Content::List(vec![node.clone()]),
        },
    };
    let entries = kinds.iter().map(|kind| Entry {
        key: Cow::Owned((*kind).to_owned()),
        key_span: span,
        value: said.clone(),
    });
    node.content = Content::Map(Map {
        entries: entries.collect(),
    });
}

/// `say: [hello, goodbye]` for an action each. Read as the first.
pub(super) fn said_together(node: &mut Node<'_>, verb: &str, report: &mut Report<'_>) {
    let Content::List(items) = &mut node.content else {
        return;
    };
    if items.len() < 2 {
        return;
    }
    let source = report.lines().source();
    let shown = items.iter().map(|item| {
        let written = source.get(item.span.start..item.span.end);
        let short = written.filter(|written| !written.contains('\n') && written.len() <= 40);
        format!("`- {verb}: {}`", short.unwrap_or("…"))
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    let message = text!(
        "`{verb}` takes one prompt, and this is a list",
        "`{verb}` 只接受一条提示，而这里是列表"
    );
    let help = text!(
        "write an action for each: {shown}",
        "请每条写一个动作：{shown}"
    );
    bad_value::why(report, node.span, message, Some(help));
    // The others are named here, and nothing is made of them.
    report.spoil(node.span);
    let first = items.swap_remove(0);
    *node = first;
}

/// Gives a type its name here; whether that was to be done. Of a text with a default that is none, and of one that has no default,
/// nobody knows what it is to be: what is done with it may say otherwise.
fn type_of(
    key: &str,
    node: &mut Node<'_>,
    (bare, default): (bool, Option<&'static str>),
    report: &mut Report<'_>,
) -> bool {
    let span = node.span;
    let Content::Scalar(scalar) = &mut node.content else {
        return false;
    };
    let Some(meant) = called(&TYPES, &scalar.text) else {
        return false;
    };
    let written = &scalar.text;
    let message = text!(
        "`{key}` does not take `{written}`",
        "`{key}` 不接受 `{written}`"
    );
    match default.filter(|_| meant == "text") {
        Some(default) => {
            let help = text!(
                "write `{default}`, which its default is, or `text` and quotes around the default",
                "请写 `{default}`（默认值就是它），或写 `text` 并给默认值加上引号"
            );
            bad_value::why(report, span, message, Some(help));
            scalar.text = Cow::Borrowed(default);
        }
        None => {
            bad_value::slip(report, span, message, meant);
            // Left as it is, it stands for anything.
            if !(bare && meant == "text") {
                scalar.text = Cow::Borrowed(meant);
            }
        }
    }
    true
}

/// The type of a value that stands without quotes and is more than a text.
fn plain_type(node: &Node<'_>) -> Option<&'static str> {
    let scalar = node.scalar().filter(|scalar| !scalar.absent())?;
    let is = |ty: &Type| parse_literal(&scalar.text, ty).is_ok();
    match scalar.style {
        Style::Plain if is(&Type::Bool) => Some("bool"),
        Style::Plain if is(&Type::Number) => Some("number"),
        _ => None,
    }
}

/// `tries: 0` for `tries: { type: number, default: 0 }`.
fn value(key: &str, node: &mut Node<'_>, report: &mut Report<'_>) {
    let Some(scalar) = node.scalar().filter(|scalar| !scalar.absent()) else {
        return;
    };
    let is = |ty: &Type| parse_literal(&scalar.text, ty).is_ok();
    let quoted = scalar.style == Style::Quoted;
    let ty = match scalar.text.as_ref() {
        name if type_named(name).is_some() => return,
        _ if quoted => "text",
        _ if is(&Type::Bool) => "bool",
        _ if is(&Type::Number) => "number",
        _ if is(&Type::Duration) => "duration",
        _ if is(&Type::Date) => "date",
        _ if is(&Type::Time) => "time",
        _ if is(&Type::Money) => "money",
        _ => return,
    };
    let (span, text) = (node.span, scalar.text.clone());
    let written = match quoted {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => text.to_string(),
    };
    let meant = format!("{{ type: {ty}, default: {written} }}");
    let message = text!(
        "`{key}` takes its type, and this is a value",
        "`{key}` 需要写类型，而这里是一个值"
    );
    bad_value::slip(report, span, message, &meant);
    let named = Node {
        span,
        content: Content::Scalar(Scalar {
            text: Cow::Borrowed(ty),
            style: Style::Plain,
            exact: None,
        }),
    };
    let entry = |key: &'static str, value| Entry {
        key: Cow::Borrowed(key),
        key_span: span,
        value,
    };
    let default = node.clone();
    node.content = Content::Map(Map {
        entries: vec![entry("type", named), entry("default", default)],
    });
}

/// The languages that a text names, one or several; `None` where it names something else.
fn languages_in(text: &str) -> Option<Vec<String>> {
    let parts = text.split([
        ',', '，', '、', '.', ';', '；', '|', '+', ' ', '/', '[', ']',
    ]);
    let parts: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(|part| called(&LANGUAGES, part).unwrap_or(part).to_owned())
        .collect();
    (!parts.is_empty() && parts.iter().all(|part| is_language(part))).then_some(parts)
}

fn list_of<'s>(span: Span, parts: Vec<String>) -> Content<'s> {
    let items = parts.into_iter().map(|part| Node {
        span,
        content: Content::Scalar(Scalar {
            text: Cow::Owned(part),
            style: Style::Plain,
            exact: None,
        }),
    });
    Content::List(items.collect())
}

/// `language: en` for `languages: [en]`.
pub(super) fn language(map: &mut Map<'_>, report: &mut Report<'_>) {
    if map.entry("languages").is_some() {
        return;
    }
    let mut entries = map.entries.iter_mut();
    let Some(entry) = entries.find(|entry| elsewhere(&entry.key, "languages")) else {
        return;
    };
    let Some(parts) = entry.value.text().and_then(languages_in) else {
        return;
    };
    let meant = format!("languages: [{}]", parts.join(", "));
    let place = Text::fixed("a flow", "流程");
    let at = (entry.key_span, entry.span());
    unknown_key::whole(report, at, &entry.key, &place, &meant);
    entry.key = Cow::Borrowed("languages");
    entry.value.content = list_of(entry.value.span, parts);
}

/// `languages: en, zh` for `[en, zh]`, and languages by their names.
pub(super) fn languages(node: &mut Node<'_>, report: &mut Report<'_>) {
    if let Some(text) = node.text() {
        let Some(parts) = languages_in(text) else {
            return;
        };
        let message = Text::fixed(
            "`languages` takes a list, and this is a single value",
            "`languages` 应为列表，而这里是单个值",
        );
        let meant = format!("[{}]", parts.join(", "));
        bad_value::slip(report, node.span, message, &meant);
        node.content = list_of(node.span, parts);
        return;
    }
    let together = match node.list() {
        Some([item]) => item.text().and_then(languages_in).zip(Some(item.span)),
        _ => None,
    };
    if let Some((parts, span)) = together.filter(|(parts, _)| parts.len() > 1) {
        let message = Text::fixed("a comma is missing between languages", "语言之间缺少逗号");
        bad_value::slip(report, span, message, &parts.join(", "));
        node.content = list_of(span, parts);
        return;
    }
    let Content::List(items) = &mut node.content else {
        return;
    };
    for item in items {
        let span = item.span;
        let Content::Scalar(scalar) = &mut item.content else {
            continue;
        };
        if let Some(meant) = called(&LANGUAGES, &scalar.text) {
            let written = &scalar.text;
            let message = text!(
                "the language `{written}` has another code here",
                "语言 `{written}` 在这里用另一个代码"
            );
            bad_value::slip(report, span, message, meant);
            scalar.text = Cow::Borrowed(meant);
        }
    }
}

/// `cn:` of a prompt for `zh:`, where the flow speaks that and the prompt has no other text in it.
pub(super) fn prompt(map: &mut Map<'_>, languages: &[String], report: &mut Report<'_>) {
    for index in 0..map.entries.len() {
        let entry = &map.entries[index];
        let meant = called(&LANGUAGES, &entry.key).filter(|meant| {
            languages.iter().any(|known| known == meant) && map.entry(meant).is_none()
        });
        let own = languages.iter().any(|known| *known == entry.key);
        if let Some(meant) = meant.filter(|_| !own) {
            missing_translation::called(report, entry.key_span, &entry.key, meant);
            map.entries[index].key = Cow::Borrowed(meant);
        }
    }
}

/// Whether a name stands for all other outcomes elsewhere.
pub(crate) fn is_otherwise(name: &str) -> bool {
    OTHERWISE.contains(&name)
}

/// `default:` for `else:` in `then:`, where no outcome is called so.
pub(super) fn otherwise(map: &mut Map<'_>, outcomes: &[&str], report: &mut Report<'_>) {
    if map.entry("else").is_some() {
        return;
    }
    let found = map.entries.iter_mut().find(|entry| {
        let key = entry.key.as_ref();
        is_otherwise(key) && !outcomes.contains(&key)
    });
    if let Some(entry) = found {
        unknown_outcome::misspelt_else(report, entry.key_span, &entry.key);
        entry.key = Cow::Borrowed("else");
    }
}

/// The last line of `choose:` with `then:` for `else:`.
pub(super) fn last(line: &mut Map<'_>, report: &mut Report<'_>) {
    if let [entry] = line.entries.as_mut_slice()
        && entry.key == "then"
    {
        let message = Text::fixed(
            "the last line of `choose`, without `when:`, has `else:`",
            "`choose` 的最后一行没有 `when:`，应写 `else:`",
        );
        bad_value::slip(report, entry.key_span, message, "else");
        entry.key = Cow::Borrowed("else");
    }
}

/// `- bye` for `- goto: bye`.
pub(super) fn action(node: &mut Node<'_>, is_step: impl Fn(&str) -> bool, report: &mut Report<'_>) {
    let Some(name) = node.text() else { return };
    if !is_step(name) {
        return;
    }
    let message = text!(
        "an action begins with its verb, and `{name}` is a step",
        "动作以动词开头，而 `{name}` 是步骤"
    );
    let meant = format!("goto: {name}");
    bad_value::slip(report, node.span, message, &meant);
    let (span, value) = (node.span, node.clone());
    node.content = Content::Map(Map {
        entries: vec![Entry {
            key: Cow::Borrowed("goto"),
            key_span: span,
            value,
        }],
    });
}

/// A verb with nothing beside it, where an action has to stand: how it is written.
pub(super) fn bare_verb(written: &str) -> Option<&'static str> {
    Some(match written {
        "hangup" => "hangup: completed",
        "return" => "return: done",
        "goto" => "goto: a_step",
        "say" => "say: hello",
        _ => return None,
    })
}

/// Keys whose value names the verb elsewhere.
const KINDS: [&str; 6] = ["type", "action", "verb", "kind", "command", "module"];

/// `type: say` with `prompt: hello` for `say: hello`. `main` is the input that a verb's own value is.
pub(super) fn typed_verb<'c>(
    map: &mut Map<'_>,
    is_verb: impl Fn(&str) -> bool,
    main: impl Fn(&str) -> Option<&'c str>,
    report: &mut Report<'_>,
) {
    let names_verb = |entry: &Entry<'_>| {
        KINDS.contains(&entry.key.as_ref()) && entry.value.text().is_some_and(&is_verb)
    };
    let Some(index) = map.entries.iter().position(names_verb) else {
        return;
    };
    let entry = &mut map.entries[index];
    let verb = entry.value.text().unwrap_or_default().to_owned();
    unknown_verb::named_by(report, entry.key_span, &entry.key, &verb);
    let main = main(&verb);
    let value = map.entries.iter().position(|entry| {
        let key = entry.key.as_ref();
        Some(key) == main || main.is_some_and(|main| elsewhere(key, main)) || elsewhere(key, &verb)
    });
    match value {
        Some(value) if value != index => {
            map.entries[value].key = Cow::Owned(verb);
            map.entries.remove(index);
        }
        _ => {
            let entry = &mut map.entries[index];
            entry.key = Cow::Owned(verb);
            if let Content::Scalar(scalar) = &mut entry.value.content {
                scalar.text = Cow::Borrowed("");
                scalar.style = Style::Plain;
            }
        }
    }
}

/// The two ways of an `if` as they are called elsewhere: under what else they stand, beside it, or below `then:`.
pub(super) fn if_ways(map: &mut Map<'_>, report: &mut Report<'_>) {
    nested_if(map, report);
    if map.entry("else").is_none()
        && let Some(then) = map.entries.iter().position(|entry| entry.key == "then")
        && let Content::Map(lines) = &mut map.entries[then].value.content
        && let [one, other] = lines.entries.as_mut_slice()
        && let Some((so, not)) = so_and_not(one, other)
    {
        let shown = |entry: &Entry<'_>| entry.value.text().unwrap_or("…").to_owned();
        let (so_to, not_to) = (shown(so), shown(not));
        let (so_key, not_key) = (so.key.clone(), not.key.clone());
        let (mut so, mut not) = (so.clone(), not.clone());
        let message = text!(
            "`then` of an `if` has no `{so_key}` and `{not_key}`",
            "`if` 的 `then` 没有 `{so_key}` 和 `{not_key}`"
        );
        let help = text!(
            "write `then: {so_to}` and `else: {not_to}` beside each other",
            "请并列写 `then: {so_to}` 和 `else: {not_to}`"
        );
        bad_value::why(report, map.entries[then].value.span, message, Some(help));
        so.key = Cow::Borrowed("then");
        not.key = Cow::Borrowed("else");
        map.entries[then] = so;
        map.entries.push(not);
        return;
    }
    if map.entry("then").is_some() || map.entry("else").is_some() {
        return;
    }
    let is = |entry: &Entry<'_>, words: &[&str]| words.contains(&entry.key.as_ref());
    let place = |words: &[&str]| map.entries.iter().position(|entry| is(entry, words));
    if let (Some(so), Some(not)) = (place(&SO), place(&NOT)) {
        let (first, last) = (so.min(not), so.max(not));
        let (one, other) = (&map.entries[first], &map.entries[last]);
        let all = one.key_span.to(other.key_span);
        let between = report.lines().source();
        let between = between.get(one.key_span.end..other.key_span.start);
        let name = |index: usize| if index == so { "then" } else { "else" };
        let meant = format!(
            "{}{}{}",
            name(first),
            between.unwrap_or_default(),
            name(last)
        );
        unknown_key::ways(report, (one.key_span, all), &one.key.clone(), &meant);
        map.entries[so].key = Cow::Borrowed("then");
        map.entries[not].key = Cow::Borrowed("else");
    }
}

/// What is so, and what is not.
const SO: [&str; 2] = ["true", "yes"];
const NOT: [&str; 2] = ["false", "no"];

fn so_and_not<'e, 's>(
    one: &'e Entry<'s>,
    other: &'e Entry<'s>,
) -> Option<(&'e Entry<'s>, &'e Entry<'s>)> {
    let so = |entry: &Entry<'_>| entry.key == "then" || SO.contains(&entry.key.as_ref());
    let not = |entry: &Entry<'_>| entry.key == "else" || NOT.contains(&entry.key.as_ref());
    match (so(one) && not(other), so(other) && not(one)) {
        (true, _) => Some((one, other)),
        (_, true) => Some((other, one)),
        _ => None,
    }
}

/// `if: { when: …, then: …, else: … }`: options are siblings of the verb.
fn nested_if(map: &mut Map<'_>, report: &mut Report<'_>) {
    let Some(index) = map.entries.iter().position(|entry| entry.key == "if") else {
        return;
    };
    let entry = &mut map.entries[index];
    let Content::Map(below) = &mut entry.value.content else {
        return;
    };
    let condition = below
        .entries
        .iter()
        .position(|entry| entry.key == "when" || elsewhere(&entry.key, "when"));
    let ways = |entry: &Entry<'_>| matches!(entry.key.as_ref(), "then" | "else");
    let Some(condition) = condition.filter(|_| below.entries.iter().any(ways)) else {
        return;
    };
    let message = Text::fixed(
        "`if` takes its condition, and what goes with it stands beside it, not below",
        "`if` 后面写条件，其余选项与它并列，不写在它下面",
    );
    let help = Text::fixed(
        "write `if: …` with `then: …` and `else: …` under it, as far to the left",
        "请写 `if: …`，下面与它对齐写 `then: …` 和 `else: …`",
    );
    bad_value::why(report, entry.value.span, message, Some(help));
    let mut entries = std::mem::take(&mut below.entries);
    entry.value = entries.remove(condition).value;
    entries.retain(|entry| map.entry(&entry.key).is_none());
    map.entries.extend(entries);
}

/// `then: { say: hello }` for `then: [{ say: hello }]`.
pub(super) fn lone_action(node: &mut Node<'_>, verb: &str, report: &mut Report<'_>) {
    let source = report.lines().source();
    let written = source.get(node.span.start..node.span.end);
    let inline = written.filter(|written| written.starts_with('{') && written.ends_with('}'));
    let message = Text::fixed(
        "where the call goes is a name or a list, and this is an action by itself",
        "去向应为步骤的名字或动作列表，而这里是单个动作",
    );
    match inline {
        Some(written) => bad_value::slip(report, node.span, message, &format!("[{written}]")),
        None => {
            let help = text!(
                "begin it with a hyphen: `- {verb}: …`",
                "请在前面加连字符：`- {verb}: …`"
            );
            bad_value::why(report, node.span, message, Some(help));
        }
    }
    let span = node.span;
    let content = std::mem::replace(&mut node.content, Content::List(Vec::new()));
    node.content = Content::List(vec![Node { span, content }]);
}

/// A list of keys, each with where it leads, for the map of them.
pub(super) fn pressed(node: &mut Node<'_>, is_key: impl Fn(&str) -> bool, report: &mut Report<'_>) {
    let Content::List(items) = &mut node.content else {
        return;
    };
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for item in items.iter() {
        let Content::Map(map) = &item.content else {
            return;
        };
        match map.entries.as_slice() {
            [entry] if is_key(&entry.key) => entries.push(entry.clone()),
            _ => {
                let named = map.entries.iter().position(|entry| {
                    matches!(entry.key.as_ref(), "key" | "digit" | "press" | "dtmf")
                        && entry.value.text().is_some_and(&is_key)
                });
                let Some(named) = named else { return };
                let mut line = map.clone();
                let key = line.entries.remove(named);
                let span = key.value.span;
                let text = key.value.text().unwrap_or_default().to_owned();
                entries.push(Entry {
                    key: Cow::Owned(text),
                    key_span: span,
                    value: Node {
                        span: item.span,
                        content: Content::Map(line),
                    },
                });
            }
        }
    }
    let twice = |(index, entry): (usize, &Entry<'_>)| {
        entries[..index].iter().any(|other| other.key == entry.key)
    };
    if entries.is_empty() || entries.iter().enumerate().any(twice) {
        return;
    }
    let message = Text::fixed(
        "`press` takes a map, a line for each key, and this is a list",
        "`press` 应为映射，每个按键一行，而这里是列表",
    );
    let first = &entries[0];
    let to = match &first.value.content {
        Content::Map(long) => long.entries.first().and_then(|entry| entry.value.text()),
        _ => first.value.text(),
    };
    let (key, to) = (&first.key, to.unwrap_or("…"));
    let help = text!(
        "write the lines without hyphens: `{key}: {to}`",
        "请去掉连字符，每行写 `{key}: {to}`"
    );
    bad_value::why(report, node.span, message, Some(help));
    node.content = Content::Map(Map { entries });
}

/// Outcomes that stand beside a step, moved below its `then:`. `strays` are their places, in order; a `then:` with one target is read as
/// that of the outcome `good`, where it is known which that is.
pub(super) fn outcomes_beside(
    map: &mut Map<'_>,
    strays: &[usize],
    (place, ends, good): (&Text, Option<&[&str]>, Option<&str>),
    report: &mut Report<'_>,
) {
    let Some(stray) = strays.first().and_then(|index| map.entries.get(*index)) else {
        return;
    };
    let (at, key) = (stray.key_span, stray.key.to_string());
    let then = map.entries.iter().position(|entry| entry.key == "then");
    let mut lines = match then.map(|then| &map.entries[then]) {
        None => Vec::new(),
        Some(then) => match &then.value.content {
            Content::Map(lines) => lines.entries.clone(),
            _ => vec![Entry {
                key: Cow::Owned(good.unwrap_or("…").to_owned()),
                key_span: then.key_span,
                value: then.value.clone(),
            }],
        },
    };
    lines.extend(strays.iter().map(|index| map.entries[*index].clone()));
    let own = |key: &str| ends.is_some_and(|ends| ends.contains(&key));
    if lines.iter().all(|line| line.key != "else")
        && let Some(rest) = lines
            .iter_mut()
            .find(|line| is_otherwise(&line.key) && !own(&line.key))
    {
        rest.key = Cow::Borrowed("else");
    }
    let shown: Vec<String> = lines
        .iter()
        .map(|line| format!("{}: {}", line.key, line.value.text().unwrap_or("…")))
        .collect();
    unknown_key::way_beside(report, at, &key, place, &shown.join(", "));
    for line in &mut lines {
        if line.key == "…" {
            // Any that has no line of its own: where it leads is led to.
            let ends = ends.unwrap_or_default();
            let caused = ends.iter().find(|end| **end == "no_match");
            let end = caused.or(ends.first()).unwrap_or(&"else");
            line.key = Cow::Owned((*end).to_owned());
        }
    }
    let then = then.map_or_else(
        || Entry {
            key: Cow::Borrowed("then"),
            key_span: at,
            value: Node {
                span: at,
                content: Content::Map(Map::default()),
            },
        },
        |then| map.entries[then].clone(),
    );
    let mut index = 0;
    map.entries.retain(|entry| {
        let kept = !strays.contains(&index) && entry.key != "then";
        index += 1;
        kept
    });
    map.entries.push(Entry {
        value: Node {
            span: then.value.span,
            content: Content::Map(Map { entries: lines }),
        },
        ..then
    });
}
