//! What `${choices}` says: one phrase per labelled choice, so that what is heard, the buttons of a chat
//! and the keys cannot disagree.

use std::collections::BTreeMap;

use strowger_sdk::media::{self, Prompt};

use crate::Press;

/// The phrases, in the order of a telephone's keys: 1 to 9, 0, star, hash, then longer ones.
/// `language` is a primary language subtag; one that is not known here gets label and key without words.
pub fn spoken(press: &BTreeMap<String, Press>, language: &str) -> Vec<Prompt> {
    let mut labelled: Vec<(&str, &str)> = press
        .iter()
        .filter_map(|(name, press)| Some((media::key(name), press.label.as_deref()?)))
        .collect();
    labelled.sort_by_key(|(key, _)| order(key));
    let mut prompts = Vec::new();
    for (index, (key, label)) in labelled.into_iter().enumerate() {
        let between = if index == 0 { "" } else { " " };
        let label = Prompt::Given(label.to_owned());
        match language {
            "zh" => prompts.extend([label, Prompt::text(format!("请按{}。", chinese(key)))]),
            "en" => prompts.extend([
                Prompt::text(format!("{between}To ")),
                label,
                Prompt::text(format!(", press {}.", english(key))),
            ]),
            _ => prompts.extend([
                Prompt::text(between),
                label,
                Prompt::text(format!(": {key}.")),
            ]),
        }
    }
    prompts
}

/// Where a key lies on a telephone.
fn order(key: &str) -> (usize, Vec<usize>) {
    let places = key
        .chars()
        .map(|c| "1234567890*#".find(c).unwrap_or(usize::MAX))
        .collect();
    (key.len(), places)
}

fn english(key: &str) -> String {
    let words = key.chars().map(|c| match c {
        '*' => "star".to_owned(),
        '#' => "hash".to_owned(),
        digit => digit.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn chinese(key: &str) -> String {
    let word = |c| match c {
        '0' => "零",
        '1' => "一",
        '2' => "二",
        '3' => "三",
        '4' => "四",
        '5' => "五",
        '6' => "六",
        '7' => "七",
        '8' => "八",
        '9' => "九",
        '*' => "星号键",
        '#' => "井号键",
        _ => "",
    };
    key.chars().map(word).collect()
}
