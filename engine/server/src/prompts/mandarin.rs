//! Chinese characters to pinyin with tone digits, the spelling that `cmn-latn-pinyin` of espeak-ng reads.
//!
//! Words are found first (jieba), because a character's reading depends on its word; then the table of
//! polyphones and the tone changes of 一 and 不 apply. Third-tone sandhi is the speech program's.

use std::sync::LazyLock;

use jieba_rs::Jieba;
use pinyin::ToPinyin;

use super::numerals;
use super::polyphones::POLYPHONES;

/// Pinyin of Chinese text: syllables separated by spaces, punctuation kept as full-width signs.
///
/// Characters that have no reading are left out. The first call loads the word list: some 100 ms and
/// some tens of megabytes, so it belongs on a blocking thread.
pub fn pinyin(text: &str) -> String {
    let text = numerals::in_words(text);
    let mut output = String::with_capacity(text.len() * 2);
    let words: Vec<Vec<char>> = WORDS
        .cut(&text, true)
        .iter()
        .map(|token| token.word.chars().collect())
        .collect();
    let syllables: Vec<Spoken> = words.iter().flat_map(|word| spell(word)).collect();
    for (at, spoken) in syllables.iter().enumerate() {
        match spoken {
            Spoken::Pause(sign) => output.push(*sign),
            Spoken::Syllable(syllable) => {
                if !output.is_empty() && !output.ends_with(' ') {
                    output.push(' ');
                }
                output.push_str(
                    changed_tone(syllable, &syllables[..at], &syllables[at + 1..])
                        .unwrap_or(&syllable.reading),
                );
            }
        }
    }
    output
}

/// A syllable or a pause.
#[derive(Debug)]
enum Spoken {
    Syllable(Syllable),
    Pause(char),
}

#[derive(Debug)]
struct Syllable {
    character: char,
    reading: String,
    /// Characters of the word it stands in.
    word: usize,
}

impl Spoken {
    fn character(&self) -> Option<char> {
        match self {
            Spoken::Syllable(syllable) => Some(syllable.character),
            Spoken::Pause(_) => None,
        }
    }

    fn tone(&self) -> Option<u8> {
        match self {
            Spoken::Syllable(syllable) => syllable.reading.bytes().last(),
            Spoken::Pause(_) => None,
        }
    }
}

fn spell(word: &[char]) -> Vec<Spoken> {
    let readings = POLYPHONES.read(word);
    let spell = |(character, reading): (&char, Option<&str>)| {
        let reading = match reading {
            Some(reading) => reading.to_owned(),
            None => match usual(*character) {
                Some(reading) => reading,
                None => return pause(*character).map(Spoken::Pause),
            },
        };
        Some(Spoken::Syllable(Syllable {
            character: *character,
            reading,
            word: word.len(),
        }))
    };
    word.iter().zip(readings).filter_map(spell).collect()
}

/// The usual reading of a character, in the spelling that espeak-ng takes.
fn usual(character: char) -> Option<String> {
    if character == '〇' {
        return Some("ling2".to_owned());
    }
    let reading = character.to_pinyin()?.with_tone_num_end().replace('ü', "v");
    Some(match reading.as_str() {
        // Syllables without a vowel are not in its tables.
        "m" | "m2" | "m4" | "n" | "n2" | "n3" | "n4" | "ng" | "ng2" | "ng3" | "ng4" | "hm"
        | "hng" => "en4".to_owned(),
        reading if reading.ends_with(|last: char| last.is_ascii_digit()) => reading.to_owned(),
        neutral => format!("{neutral}5"),
    })
}

/// Punctuation as espeak-ng pauses at it: half-width signs before a small letter make no pause.
fn pause(sign: char) -> Option<char> {
    match sign {
        '。' | '.' | '．' | '…' | '\n' => Some('。'),
        '，' | ',' | '、' | '—' | '–' | '(' | ')' | '（' | '）' | '“' | '”' | '"' | '「' | '」'
        | '《' | '》' => Some('，'),
        '；' | ';' | '：' | ':' => Some('；'),
        '！' | '!' => Some('！'),
        '？' | '?' => Some('？'),
        _ => None,
    }
}

/// 一 and 不 change their tone with the syllable after them.
fn changed_tone(syllable: &Syllable, before: &[Spoken], after: &[Spoken]) -> Option<&'static str> {
    let next = after.first()?;
    let previous = before.last().and_then(Spoken::character);
    match syllable.character {
        '不' => (next.tone()? == b'4').then_some("bu2"),
        '一' => {
            let follower = next.character()?;
            // A digit, an ordinal, a weekday, a date, the end of a number: first tone.
            let is_number = |character: char| "零〇一二三四五六七八九十两幺".contains(character);
            let numeral = is_number(follower)
                || previous
                    .is_some_and(|before| is_number(before) || "第期周初点按".contains(before))
                || "月号日楼班级".contains(follower);
            // A word of its own is a quantity only before what is counted.
            let counted = syllable.word > 1 || MEASURES.contains(follower);
            if numeral || !counted {
                return None;
            }
            // 个 loses its fourth tone in 一个 and keeps its effect.
            let fourth = next.tone()? == b'4' || follower == '个';
            Some(if fourth { "yi2" } else { "yi4" })
        }
        _ => None,
    }
}

/// What 一 counts when it is a word of its own.
const MEASURES: &str =
    "个次位条张件份天年些下段家项笔种套本部台辆封句间名分秒小刻声块元角百千万亿会起直定般样";

/// jieba's word list, loaded at first use, with the words that the polyphones need.
static WORDS: LazyLock<Jieba> = LazyLock::new(|| {
    let mut words = Jieba::new();
    for word in POLYPHONES.words().filter(|word| word.chars().count() > 1) {
        if !words.has_word(word) {
            words.add_word(word, None, None);
        }
    }
    words
});

#[cfg(test)]
mod tests {
    use super::pinyin;

    #[test]
    fn polyphones_are_read_by_word() {
        for (text, spoken) in [
            (
                "零一二三四五六七八九",
                "ling2 yi1 er4 san1 si4 wu3 liu4 qi1 ba1 jiu3",
            ),
            ("银行", "yin2 hang2"),
            ("行长行走", "hang2 zhang3 xing2 zou3"),
            ("重庆重要", "chong2 qing4 zhong4 yao4"),
            ("请重新输入", "qing3 chong2 xin1 shu1 ru4"),
            (
                "孩子长大了，长度不变",
                "hai2 zi5 zhang3 da4 le5， chang2 du4 bu2 bian4",
            ),
            ("还款还有三天", "huan2 kuan3 hai2 you3 san1 tian1"),
            ("您好，爱好", "nin2 hao3， ai4 hao4"),
            ("处理订单", "chu3 li3 ding4 dan1"),
            ("订单处于到处", "ding4 dan1 chu3 yu2 dao4 chu4"),
            ("音乐快乐", "yin1 yue4 kuai4 le4"),
            ("转人工服务", "zhuan3 ren2 gong1 fu2 wu4"),
            ("查询物流请按二", "cha2 xun2 wu4 liu2 qing3 an4 er4"),
            (
                "谢谢您的来电，再见。",
                "xie4 xie5 nin2 de5 lai2 dian4， zai4 jian4。",
            ),
            ("便宜方便", "pian2 yi5 fang1 bian4"),
            ("参与调查", "can1 yu4 diao4 cha2"),
            ("调整音量", "tiao2 zheng3 yin1 liang4"),
            ("曾先生曾经来过", "zeng1 xian1 sheng1 ceng2 jing1 lai2 guo4"),
            ("女士绿色旅行", "nv3 shi4 lv4 se4 lv3 xing2"),
        ] {
            assert_eq!(pinyin(text), spoken, "{text}");
        }
    }

    #[test]
    fn yi_and_bu_change_their_tone() {
        for (text, spoken) in [
            ("一个", "yi2 ge4"),
            ("一起", "yi4 qi3"),
            ("一定", "yi2 ding4"),
            ("请按一", "qing3 an4 yi1"),
            ("第一次", "di4 yi1 ci4"),
            ("十一", "shi2 yi1"),
            ("星期一下午", "xing1 qi1 yi1 xia4 wu3"),
            ("一月一号", "yi1 yue4 yi1 hao4"),
            ("一百元", "yi4 bai3 yuan2"),
            ("不是不好", "bu2 shi4 bu4 hao3"),
        ] {
            assert_eq!(pinyin(text), spoken, "{text}");
        }
    }

    #[test]
    fn figures_and_strange_characters_are_no_trouble() {
        assert_eq!(pinyin("共3个"), "gong4 san1 ge4");
        assert_eq!(pinyin("〇①☎é"), "ling2");
        assert_eq!(pinyin(""), "");
        assert_eq!(pinyin("。。。"), "。。。");
    }
}
