//! Text to runs that one voice can speak.
//!
//! Speech programs read one language well. A Chinese text with English words in it, or the other way
//! round, is cut where the script changes and each run goes to its own voice.

use strowger_flow::wide::narrow;

use super::mandarin;

/// A stretch of text for one voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whose language it is.
    pub script: Script,
    /// What the speech program is given.
    pub text: String,
    /// Silence after it, before the next run, in milliseconds.
    pub pause_ms: u32,
}

/// Which voice speaks a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// The voice of the text's language.
    Own,
    /// Chinese characters: the voice of `zh`.
    Han,
    /// Latin letters in a Chinese text: the voice of `en`.
    Latin,
}

/// The runs of a text; none when nothing in it can be spoken.
///
/// With `as_pinyin` Chinese is handed out as pinyin and runs are cut at changes of script; without it
/// the text stays whole, as a program that reads both expects.
pub fn runs(text: &str, language: &str, as_pinyin: bool) -> Vec<Run> {
    let text = clean(text);
    let primary = primary(language);
    if !as_pinyin || OTHER_HAN.contains(&primary.as_str()) {
        let own = Run {
            script: Script::Own,
            text,
            pause_ms: 0,
        };
        return if speakable(&own.text) {
            vec![own]
        } else {
            Vec::new()
        };
    }
    let chinese = is_chinese(&primary);
    let cuts = if chinese {
        cut_chinese(&text)
    } else {
        cut_other(&text)
    };
    let runs = cuts.into_iter().filter_map(|(script, piece)| {
        let pause_ms = pause_after(&piece);
        let text = match script {
            Script::Han => mandarin::pinyin(&piece),
            Script::Latin => spell_capitals(&piece),
            Script::Own => piece,
        };
        // The voice of the text's own language counts as its own, so that a chosen voice applies to it.
        let script = if chinese && script == Script::Han {
            Script::Own
        } else {
            script
        };
        speakable(&text).then_some(Run {
            script,
            text,
            pause_ms,
        })
    });
    runs.collect()
}

/// The first part of a language tag, in small letters: `zh` of `zh-CN`.
pub fn primary(language: &str) -> String {
    language
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Whether it is Mandarin.
pub fn is_chinese(primary: &str) -> bool {
    matches!(primary, "zh" | "cmn")
}

/// White space made plain; control characters and brackets, which espeak-ng takes for phonemes, taken out;
/// full-width letters and digits made narrow.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        let character = match character {
            '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
                narrow(character)
            }
            '[' | ']' | '【' | '】' => ',',
            character if character.is_control() || character.is_whitespace() => ' ',
            character => character,
        };
        if character != ' ' || !cleaned.ends_with(' ') {
            cleaned.push(character);
        }
    }
    cleaned.trim().to_owned()
}

fn speakable(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Latin letters go to the English voice, everything else stays Chinese.
fn cut_chinese(text: &str) -> Vec<(Script, String)> {
    cut(text, Script::Han, |character| match character {
        character if character.is_ascii_digit() || is_han(character) => Some(Script::Han),
        character if character.is_alphabetic() => Some(Script::Latin),
        _ => None,
    })
}

/// Chinese characters go to the Chinese voice, everything else stays.
fn cut_other(text: &str) -> Vec<(Script, String)> {
    cut(text, Script::Own, |character| match character {
        character if is_han(character) => Some(Script::Han),
        character if character.is_alphanumeric() => Some(Script::Own),
        _ => None,
    })
}

/// Cuts where the script changes; what has none belongs to what stands before it.
fn cut(
    text: &str,
    first: Script,
    script: impl Fn(char) -> Option<Script>,
) -> Vec<(Script, String)> {
    let mut pieces: Vec<(Script, String)> = Vec::new();
    for character in text.chars() {
        let current = pieces.last().map_or(first, |(script, _)| *script);
        match (script(character).unwrap_or(current), pieces.last_mut()) {
            (next, Some((current, piece))) if next == *current => piece.push(character),
            (next, _) => pieces.push((next, character.to_string())),
        }
    }
    pieces
}

/// Short words in capitals are spelled, as Chinese speakers do: VIP, SMS.
fn spell_capitals(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let spelled = word.chars().count() <= SPELLED_LIMIT && word.chars().all(char::is_uppercase);
        if spelled {
            word.chars().map(String::from).collect::<Vec<_>>().join(" ")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn pause_after(text: &str) -> u32 {
    match text.trim_end().chars().last() {
        Some('。' | '！' | '？' | '；' | '.' | '!' | '?' | ';' | '…') => SENTENCE_PAUSE_MS,
        Some('，' | '、' | '：' | ',' | ':' | '（' | '）' | '(' | ')') => CLAUSE_PAUSE_MS,
        _ => WORD_PAUSE_MS,
    }
}

/// Whether it is a Chinese character (Unicode 16, blocks of CJK ideographs).
fn is_han(character: char) -> bool {
    matches!(character, '\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// Languages besides Mandarin that are written with Chinese characters: left whole to their own voice.
const OTHER_HAN: [&str; 3] = ["ja", "ko", "yue"];

/// Longest word in capitals that is spelled, in letters.
const SPELLED_LIMIT: usize = 4;

/// Silence at a change of voice after a sentence, in milliseconds: as long as espeak-ng's own.
const SENTENCE_PAUSE_MS: u32 = 350;

/// Silence at a change of voice after a comma, in milliseconds.
const CLAUSE_PAUSE_MS: u32 = 180;

/// Silence at a change of voice within a sentence, in milliseconds: just enough to tell the words apart.
const WORD_PAUSE_MS: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, language: &str, expected: &[(Script, &str, u32)]) {
        let runs = runs(text, language, true);
        let runs: Vec<_> = runs
            .iter()
            .map(|run| (run.script, run.text.trim(), run.pause_ms))
            .collect();
        assert_eq!(runs, expected, "{text}");
    }

    #[test]
    fn mixed_text_is_cut_where_the_voice_changes() {
        check(
            "Press 2 for 中文, please.",
            "en",
            &[
                (Script::Own, "Press 2 for", 40),
                (Script::Han, "zhong1 wen2，", 180),
                (Script::Own, "please.", 350),
            ],
        );
        check(
            "您的 VIP 等级是3级。",
            "zh-CN",
            &[
                (Script::Own, "nin2 de5", 40),
                (Script::Latin, "V I P", 40),
                (Script::Own, "deng3 ji2 shi4 san1 ji2。", 350),
            ],
        );
        check("Plain text.", "en-GB", &[(Script::Own, "Plain text.", 350)]);
    }

    #[test]
    fn a_text_without_words_is_nothing() {
        check("", "en", &[]);
        check(" ... ", "zh", &[]);
        check("☎", "en", &[]);
    }

    #[test]
    fn phoneme_brackets_and_control_characters_do_not_get_through() {
        check(
            "a [[h@l'oU]]\u{7} b\n\nc",
            "en",
            &[(Script::Own, "a ,,h@l'oU,, b c", 40)],
        );
        check("ＡＢ１", "en", &[(Script::Own, "AB1", 40)]);
    }

    #[test]
    fn a_program_that_reads_chinese_gets_it_whole() {
        let runs = runs("您的 VIP 等级", "zh", false);
        assert_eq!(
            runs,
            [Run {
                script: Script::Own,
                text: "您的 VIP 等级".to_owned(),
                pause_ms: 0
            }]
        );
    }
}
