//! What people write out of habit, who know other languages of programs or flows: read as it was meant, and told once.

use std::borrow::Cow;

use super::names::{is_language, type_named};
use crate::check::report::Report;
use crate::check::rules::{bad_value, missing_translation, unknown_outcome};
use crate::diagnostic::{Text, text};
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

/// `languages: en, zh` for `[en, zh]`, and languages by their names.
pub(super) fn languages(node: &mut Node<'_>, report: &mut Report<'_>) {
    if let Some(text) = node.text() {
        let parts = text.split([',', '，', '、', ' ', '/', '[', ']']);
        let parts: Vec<String> = parts
            .filter(|part| !part.is_empty())
            .map(|part| called(&LANGUAGES, part).unwrap_or(part).to_owned())
            .collect();
        if !parts.iter().all(|part| is_language(part)) {
            return;
        }
        let message = Text::fixed(
            "`languages` takes a list, and this is a single value",
            "`languages` 应为列表，而这里是单个值",
        );
        bad_value::slip(
            report,
            node.span,
            message,
            &format!("[{}]", parts.join(", ")),
        );
        let span = node.span;
        let items = parts.into_iter().map(|part| Node {
            span,
            content: Content::Scalar(Scalar {
                text: Cow::Owned(part),
                style: Style::Plain,
                exact: None,
            }),
        });
        node.content = Content::List(items.collect());
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
