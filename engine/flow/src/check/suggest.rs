//! Did you mean …?

use crate::diagnostic::Text;
use crate::expr::suggest::{Letters, MAX_LETTERS, distance, is_country_of};

/// Most names shown when nothing is near.
const MAX_SHOWN: usize = 24;

/// The name nearest to a misspelt one, if one is near enough to be a slip: a third of the letters.
pub(crate) fn nearest<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    // What has more letters is no slip in a name, and a comparison costs the product of both lengths.
    if written.is_empty() || written.chars().nth(MAX_LETTERS).is_some() {
        return None;
    }
    let wanted = Letters::new(written.chars());
    let allowed = (wanted.get().len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        if is_country_of(written, name) {
            return Some(name);
        }
        // A letter has at most four bytes.
        if name.len() > MAX_LETTERS || name.len().abs_diff(written.len()) > 4 * allowed {
            continue;
        }
        let letters = Letters::new(name.chars());
        let most = best.map_or(allowed, |(least, _)| least);
        if let Some(slips) = distance(&wanted, &letters, most.min(letters.get().len().max(1) - 1))
            && best.is_none_or(|best| (slips, name) < best)
        {
            best = Some((slips, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The one name that differs from what is written in capitals, blanks and hyphens alone.
pub(crate) fn same_letters<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        let all = name.trim().chars();
        all.filter(|letter| !matches!(letter, ' ' | '-' | '_'))
            .flat_map(char::to_lowercase)
    }
    let mut same = names
        .into_iter()
        .filter(|name| letters(name).eq(letters(written)));
    same.next().filter(|_| same.next().is_none())
}

/// How many slips make one name of another, if few enough to be meant, or if it has that name in other products: that is none.
pub(crate) fn slips(written: &str, name: &str) -> Option<usize> {
    match elsewhere(written, name) {
        true => Some(0),
        false => misspelt(written, name),
    }
}

/// How many slips of letters make one name of another, if few enough to be meant: a third of the letters. That it is written in
/// capital letters is one.
pub(crate) fn misspelt(written: &str, name: &str) -> Option<usize> {
    if written.is_empty() || written.len() > 4 * MAX_LETTERS || name.len() > MAX_LETTERS {
        return None;
    }
    let small = written.chars().map(|letter| letter.to_ascii_lowercase());
    let (wanted, letters) = (Letters::new(small), Letters::new(name.chars()));
    let allowed = (wanted.get().len() / 3).max(1);
    let most = allowed.min(letters.get().len().max(1) - 1);
    let capitals = written.bytes().any(|byte| byte.is_ascii_uppercase());
    distance(&wanted, &letters, most).map(|slips| slips + usize::from(capitals))
}

/// Verbs and keys by the names that they have in other products, with those that they have here.
const ELSEWHERE: [(&str, &[&str]); 43] = [
    (
        "say",
        &[
            "play",
            "speak",
            "announce",
            "message",
            "prompt",
            "text",
            "tts",
            "audio",
            "playback",
            "play_prompt",
            "play_audio",
            "send_message",
            "print",
            "echo",
        ],
    ),
    (
        "ask",
        &[
            "gather",
            "collect",
            "input",
            "question",
            "get_digits",
            "get_input",
            "read",
            "capture",
            "prompt_and_collect",
        ],
    ),
    ("menu", &["ivr", "options_menu"]),
    (
        "queue",
        &[
            "enqueue",
            "transfer_to_queue",
            "route_to_queue",
            "add_to_queue",
            "set_queue",
            "join_queue",
        ],
    ),
    (
        "transfer",
        &[
            "dial",
            "bridge",
            "forward",
            "redirect",
            "connect",
            "transfer_to",
            "transfer_call",
            "forward_to",
            "dial_number",
            "call_forward",
        ],
    ),
    ("goto", &["next", "jump", "redirect", "go", "jump_to"]),
    (
        "hangup",
        &[
            "end",
            "disconnect",
            "exit",
            "stop",
            "terminate",
            "end_call",
            "end_flow",
            "finish",
        ],
    ),
    ("record", &["voicemail"]),
    ("wait", &["sleep", "pause", "delay", "interval", "backoff"]),
    (
        "set",
        &[
            "assign",
            "let",
            "set_fact",
            "set_variable",
            "set_variables",
            "set_var",
            "set_attributes",
        ],
    ),
    (
        "hours",
        &[
            "schedule",
            "schedules",
            "check_hours",
            "business_hours",
            "opening_hours",
            "check_hours_of_operation",
            "time_condition",
        ],
    ),
    ("switch", &["match", "case"]),
    ("tag", &["tags"]),
    (
        "with",
        &["inputs", "args", "params", "arguments", "parameters"],
    ),
    (
        "as",
        &["into", "register", "output", "save_as", "result", "store"],
    ),
    (
        "into",
        &[
            "save", "save_as", "store", "variable", "var", "result", "register",
        ],
    ),
    ("press", &["options", "choices", "keys", "dtmf", "on"]),
    ("expect", &["type"]),
    (
        "attempts",
        &[
            "retries",
            "tries",
            "max_attempts",
            "max_retries",
            "max_tries",
            "repeat",
        ],
    ),
    ("times", &["attempts", "retries", "tries", "count"]),
    ("ring", &["timeout", "ring_time", "ring_timeout"]),
    ("max_wait", &["timeout", "wait_time"]),
    ("max", &["max_length", "max_duration", "max_time"]),
    ("to", &["goto", "then", "next", "target", "step"]),
    ("label", &["text", "title", "name"]),
    ("flow", &["name", "id"]),
    ("title", &["name", "id", "comment"]),
    ("format", &["version"]),
    ("languages", &["language", "lang", "locale", "locales"]),
    ("vars", &["variables", "env"]),
    ("prompts", &["messages", "texts"]),
    (
        "steps",
        &["states", "nodes", "stages", "tasks", "jobs", "flows"],
    ),
    ("error", &["on_error", "catch"]),
    ("default", &["value", "initial"]),
    (
        "one_of",
        &["enum", "values", "options", "choices", "allowed"],
    ),
    ("timezone", &["tz", "zone"]),
    (
        "closed",
        &["holidays", "except", "out_of_hours", "after_hours", "false"],
    ),
    ("open", &["in_hours", "during_hours", "true"]),
    ("no_input", &["silence", "no_response"]),
    ("no_match", &["invalid"]),
    ("when", &["if", "condition"]),
    (
        "then",
        &[
            "true",
            "yes",
            "do",
            "cases",
            "case",
            "next",
            "on",
            "transitions",
        ],
    ),
    ("else", &["false", "no", "otherwise", "default"]),
];

/// Whether what is written is called `name` here. How its words are joined makes no difference: `endCall` is `end_call`.
pub(crate) fn elsewhere(written: &str, name: &str) -> bool {
    let mut known = ELSEWHERE.iter().filter(|(ours, _)| *ours == name);
    known.any(|(_, theirs)| {
        theirs
            .iter()
            .any(|theirs| joined(written).eq(joined(theirs)))
    })
}

/// The letters of a name, whatever joins its words.
fn joined(name: &str) -> impl Iterator<Item = char> + '_ {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-'));
    letters.map(|letter| letter.to_ascii_lowercase())
}

/// What speaks for a name that may have been meant, beside its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing: one that is called so may have yet to be written.
    Name,
    /// One of few words that may stand there, which are not the flow's to choose.
    Word,
    /// All that use what is defined here agree.
    Uses,
}

/// Rules of places where one of few words stands.
const WORDS: [&str; 7] = [
    "bad-value",
    "impossible-comparison",
    "unknown-field",
    "unknown-filter",
    "unknown-key",
    "unknown-outcome",
    "unknown-verb",
];

/// Letters that the longer of two names has at least of which one is a slip of the other. Of fewer, too many are a letter apart.
const LONG_NAME: usize = 5;
/// The same of words of which there are few, and of a word between two `_`.
const LONG_WORD: usize = 4;

impl Proof {
    pub fn of(rule: &str) -> Proof {
        match WORDS.contains(&rule) {
            true => Proof::Word,
            false => Proof::Name,
        }
    }

    /// Whether `meant` is certainly what was to be written, so that it may be put there: the slip is one that fingers make, of one letter
    /// or two that changed places. A number or a word that is another one was meant so, and none of `others` may be as near.
    pub fn certain(self, written: &str, meant: &str, others: &[String]) -> bool {
        let quotes = |text: &str| -> String { text.trim_matches(['"', '\'']).to_lowercase() };
        let (written, meant) = (quotes(written), quotes(meant));
        let (written, meant) = (written.as_str(), meant.as_str());
        if same_letters(written, [meant]).is_some() {
            return true;
        }
        // What is nowhere near is known from elsewhere, as `else` of `otherwise`.
        if self != Proof::Uses && (misspelt(written, meant).is_none() || elsewhere(written, meant))
        {
            return true;
        }
        let tied = |other: &String| {
            let other = other.to_lowercase();
            other != meant && slipped(written, &other)
        };
        let same_numbers = written
            .chars()
            .filter(|c| is_number(*c))
            .eq(meant.chars().filter(|c| is_number(*c)));
        let near = match self {
            Proof::Uses => same_words(written, meant),
            Proof::Name => {
                let one = long(written, meant, LONG_NAME) && slipped(written, meant);
                one && same_words(written, meant)
            }
            Proof::Word if swapped(written, meant) => {
                long(written, meant, LONG_WORD - 1) && slipped(written, meant)
            }
            Proof::Word => {
                let one = long(written, meant, LONG_WORD) && slipped(written, meant);
                one && same_words(written, meant)
            }
        };
        same_numbers && near && !others.iter().any(tied)
    }
}

/// Whether a character counts something.
fn is_number(c: char) -> bool {
    c.is_numeric() || "零一二两三四五六七八九十百千甲乙丙丁".contains(c)
}

/// Whether the longer of two names has so many letters.
fn long(one: &str, other: &str, letters: usize) -> bool {
    one.chars().count().max(other.chars().count()) >= letters
}

/// Whether one slip makes one name of another.
fn slipped(one: &str, other: &str) -> bool {
    let (one, other) = (Letters::new(one.chars()), Letters::new(other.chars()));
    distance(&one, &other, 1).is_some()
}

/// Whether two names have the same letters, in another order.
fn swapped(one: &str, other: &str) -> bool {
    let sorted = |name: &str| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(one) == sorted(other)
}

/// Whether the words of two names, between `_` and `-`, are the same but for a slip: in `queue_a` and `order_no` each is a name of its
/// own.
fn same_words(one: &str, other: &str) -> bool {
    let words = |name: &str| -> Vec<String> { name.split(['_', '-']).map(str::to_owned).collect() };
    let (one, other) = (words(one), words(other));
    if one.len() == 1 && other.len() == 1 {
        return true;
    }
    let same = |(one, other): (&String, &String)| {
        one == other || (long(one, other, LONG_WORD) && slipped(one, other))
    };
    // Where one more or less is there, the slip is in what parts them.
    match one.len() == other.len() {
        true => one.iter().zip(&other).all(same),
        false => one.concat() == other.concat(),
    }
}

/// Whether two names may be the same but for slips, when no other name comes into question: at most half of the letters.
pub(crate) fn akin(one: &str, other: &str) -> bool {
    if one.len() > MAX_LETTERS || other.len() > MAX_LETTERS {
        return false;
    }
    let (one, other) = (Letters::new(one.chars()), Letters::new(other.chars()));
    let most = one.get().len().max(other.get().len()) / 2;
    distance(&one, &other, most).is_some()
}

/// As many of the names as [`shown`] looks at: of a large flow that is full of typing errors, no finding takes them all.
pub(crate) fn some<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.take(MAX_SHOWN + 1).map(str::to_owned).collect()
}

/// Names for a help line: the first few, each in backticks.
pub(crate) fn shown<S: AsRef<str>>(names: &[S]) -> Text {
    Text::both(quoted(names, ", "), quoted(names, "、"))
}

/// All names for a label, which has no room for more than them.
pub(crate) fn plain(names: &[String]) -> Text {
    Text::both(names.join(", "), quoted(names, "、"))
}

fn quoted<S: AsRef<str>>(names: &[S], comma: &str) -> String {
    let mut shown: Vec<String> = names
        .iter()
        .take(MAX_SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    if names.len() > MAX_SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(comma)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let names = ["lookup", "status", "hello"];
        assert_eq!(nearest("loookup", names), Some("lookup"));
        assert_eq!(nearest("helo", names), Some("hello"));
        assert_eq!(nearest("tell", names), None);
        assert_eq!(nearest("sttaus", names), Some("status"));
        assert_eq!(nearest("", names), None);
    }
}
