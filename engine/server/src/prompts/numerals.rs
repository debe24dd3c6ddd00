//! Figures in Chinese text as words: 199 → 一百九十九, 2026年 → 二零二六年.
//!
//! Only what stands literally in a text comes here; values inserted by a flow are put into words by its
//! say-as filters. Western figures are left to the speech program.

/// Replaces every figure of a Chinese text by Chinese words.
pub fn in_words(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut words = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let Some(figure) = Figure::read(&chars, at) else {
            words.push(chars[at]);
            at += 1;
            continue;
        };
        at = figure.end;
        figure.speak(&mut words);
    }
    words
}

/// A number as it stands in a text.
struct Figure {
    /// `¥`, `$` and the like before it.
    currency: Option<&'static str>,
    negative: bool,
    /// Digits before the point, without thousands separators.
    whole: String,
    /// Digits after the point.
    fraction: Option<String>,
    percent: bool,
    /// A quantity is put into words, anything else is spelled digit by digit.
    quantity: bool,
    /// Separated by colons: a time of day.
    clock: Vec<String>,
    end: usize,
}

impl Figure {
    fn read(chars: &[char], start: usize) -> Option<Figure> {
        let mut at = start;
        let currency = chars
            .get(at)
            .and_then(|sign| CURRENCIES.iter().find(|(each, _)| each == sign));
        at += usize::from(currency.is_some());
        // A minus only where nothing stands before it: 010-1234 is a phone number.
        let begins = start == 0 || !(chars[start - 1].is_alphanumeric() || chars[start - 1] == '-');
        let negative = begins && matches!(chars.get(at), Some('-' | '−'));
        at += usize::from(negative);
        let (mut whole, after) = digits(chars, at);
        if whole.is_empty() {
            return None;
        }
        at = after;
        let mut grouped = false;
        while chars.get(at) == Some(&',') && whole.len() <= 12 {
            let (group, after) = digits(chars, at + 1);
            if group.len() != 3 {
                break;
            }
            whole.push_str(&group);
            grouped = true;
            at = after;
        }
        let mut clock = Vec::new();
        while !grouped
            && matches!(chars.get(at), Some(':' | '：'))
            && whole.len() <= 2
            && clock.len() < 2
        {
            let (part, after) = digits(chars, at + 1);
            if part.len() != 2 {
                break;
            }
            clock.push(part);
            at = after;
        }
        let mut fraction = None;
        if clock.is_empty() && chars.get(at) == Some(&'.') {
            let (part, after) = digits(chars, at + 1);
            // 1.2.3 is a version or an address, spelled part by part.
            if !part.is_empty() && chars.get(after) != Some(&'.') {
                fraction = Some(part);
                at = after;
            }
        }
        let percent = matches!(chars.get(at), Some('%' | '％'));
        at += usize::from(percent);
        let next = chars[at..].iter().find(|each| **each != ' ');
        let counted = next.is_some_and(|unit| COUNTED.contains(*unit))
            || (whole.len() < 4 && next == Some(&'号'));
        let year = whole.len() == 4 && next == Some(&'年');
        let spelled = whole.len() > 1 && whole.starts_with('0');
        let quantity = !spelled
            && !year
            && whole.len() <= WORDS_LIMIT
            && (counted
                || grouped
                || percent
                || fraction.is_some()
                || currency.is_some()
                || whole.len() <= 4);
        Some(Figure {
            currency: currency.map(|(_, name)| *name),
            negative,
            whole,
            fraction,
            percent,
            quantity,
            clock,
            end: at,
        })
    }

    fn speak(&self, words: &mut String) {
        if self.negative {
            words.push('负');
        }
        if self.percent {
            words.push_str("百分之");
        }
        if !self.clock.is_empty() {
            for (part, unit) in std::iter::once(&self.whole)
                .chain(&self.clock)
                .zip(["点", "分", "秒"])
            {
                // 10:05 is 十点零五分, 10:00 is 十点.
                if unit == "分" && part == "00" && self.clock.len() == 1 {
                    break;
                }
                if part.len() == 2 && part.starts_with('0') && unit != "点" {
                    words.push('零');
                }
                words.push_str(&number(part.trim_start_matches('0')));
                words.push_str(unit);
            }
            return;
        }
        if self.quantity {
            words.push_str(&number(&self.whole));
        } else {
            words.extend(self.whole.chars().map(digit));
        }
        if let Some(fraction) = &self.fraction {
            words.push('点');
            words.extend(fraction.chars().map(digit));
        }
        if let Some(currency) = self.currency {
            words.push_str(currency);
        }
    }
}

fn digits(chars: &[char], start: usize) -> (String, usize) {
    let digits: String = chars[start.min(chars.len())..]
        .iter()
        .take_while(|each| each.is_ascii_digit())
        .collect();
    let end = start + digits.len();
    (digits, end)
}

fn digit(digit: char) -> char {
    digit
        .to_digit(10)
        .map_or(digit, |value| DIGITS[value as usize])
}

/// Decimal digits without leading zeros as a number in words; at most [`WORDS_LIMIT`] digits.
fn number(digits: &str) -> String {
    let value: u64 = digits.parse().unwrap_or(0);
    if value == 0 {
        return "零".to_owned();
    }
    let mut words = String::new();
    let mut gap = false;
    for (unit, name) in [(100_000_000, "亿"), (10_000, "万"), (1, "")] {
        let group = value / unit
            % if unit == 100_000_000 {
                u64::MAX
            } else {
                10_000
            };
        if group == 0 {
            gap = !words.is_empty();
            continue;
        }
        if !words.is_empty() && (gap || group < 1_000) {
            words.push('零');
        }
        gap = false;
        below_ten_thousand(group, &mut words);
        words.push_str(name);
    }
    // 一十二 is said 十二 at the beginning.
    words
        .strip_prefix("一十")
        .map_or(words.clone(), |rest| format!("十{rest}"))
}

fn below_ten_thousand(group: u64, words: &mut String) {
    let mut started = false;
    let mut zero = false;
    for (unit, name) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let value = (group / unit % 10) as usize;
        if value == 0 {
            zero = started;
            continue;
        }
        if std::mem::take(&mut zero) {
            words.push('零');
        }
        started = true;
        words.push(DIGITS[value]);
        words.push_str(name);
    }
}

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

const CURRENCIES: [(char, &str); 5] = [
    ('¥', "元"),
    ('￥', "元"),
    ('$', "美元"),
    ('€', "欧元"),
    ('£', "英镑"),
];

/// What is counted: a figure before one of these is a quantity, however many digits it has.
const COUNTED: &str = "元块角分个位名次条件张份天日月点时秒米克吨人岁倍度层楼台部辆箱包袋盒瓶本项笔家种套颗根斤升公万亿千百美欧英折期步";

/// Longest figure that is put into words, in digits; a longer one is spelled.
const WORDS_LIMIT: usize = 12;

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn figures_are_said_the_way_they_are_meant() {
        for (written, said) in [
            ("您有3个订单", "您有三个订单"),
            ("共199元", "共一百九十九元"),
            ("¥12.50", "十二点五零元"),
            ("1,234,567元", "一百二十三万四千五百六十七元"),
            ("10010个", "一万零一十个"),
            ("100000010元", "一亿零一十元"),
            ("2026年3月12日", "二零二六年三月十二日"),
            ("拨打10086", "拨打一零零八六"),
            ("尾号0071", "尾号零零七一"),
            ("打9折", "打九折"),
            ("50%", "百分之五十"),
            ("10:05", "十点零五分"),
            ("9:00到21:30", "九点到二十一点三十分"),
            ("-5度", "负五度"),
            ("010-1234", "零一零-一千二百三十四"),
            ("版本1.2.3", "版本一.二点三"),
            ("0", "零"),
            ("1234567890123456元", "一二三四五六七八九零一二三四五六元"),
            ("没有数字", "没有数字"),
        ] {
            assert_eq!(in_words(written), said, "{written}");
        }
    }
}
