//! The lines of a spoken menu.

use super::{Language, mandarin};

/// The phrase for one choice of a menu: "To check an order, press 1." or 「查询订单请按一。」
///
/// `label` is what the choice does, as a verb phrase in the contact's language; without one the key is
/// named alone. In a language that has no words here the phrase is the label and the key.
pub fn choice_phrase(label: &str, key: &str, language: &str) -> String {
    let label = label
        .trim()
        .trim_end_matches(['.', ',', '。', '，', '；', ';']);
    let key = key_name(key, language);
    match (Language::of(language), label.is_empty()) {
        (Some(Language::English), true) => format!("Press {key}."),
        (Some(Language::English), false) => format!("To {label}, press {key}."),
        (Some(Language::Mandarin), true) => format!("请按{key}。"),
        (Some(Language::Mandarin), false) => format!("{label}请按{key}。"),
        (None, true) => format!("{key}."),
        (None, false) => format!("{label}: {key}."),
    }
}

/// How a key is called: `1`, `star`, `hash`; 一, 星号键, 井号键. Several keys are named in order.
pub fn key_name(key: &str, language: &str) -> String {
    let language = Language::of(language);
    let name = |english: &str, chinese: &str| match language {
        Some(Language::Mandarin) => chinese.to_owned(),
        _ => english.to_owned(),
    };
    match key {
        "star" => return name("star", "星号键"),
        "hash" => return name("hash", "井号键"),
        _ => {}
    }
    let keys = key.chars().map(|c| match (c, language) {
        ('*', _) => name("star", "星号键"),
        ('#', _) => name("hash", "井号键"),
        (c, Some(Language::Mandarin)) => mandarin::digit_by_digit(c.encode_utf8(&mut [0; 4])),
        (c, _) => c.to_string(),
    });
    let between = if language == Some(Language::Mandarin) {
        ""
    } else {
        " "
    };
    keys.collect::<Vec<_>>().join(between)
}
