//! Numbers as Chinese writes them, in characters and in figures.

/// Most digits that are read: as many as a whole number has that is exact in JSON.
const MAX_DIGITS: usize = 15;

/// Units from the largest on. Before the last three of them stands one digit.
const UNITS: [(char, u64); 5] = [
    ('亿', 100_000_000),
    ('万', 10_000),
    ('千', 1_000),
    ('百', 100),
    ('十', 10),
];

/// The largest unit that takes one digit.
const THOUSAND: u64 = 1_000;

/// A number as figures with a point: from `十二`, `二百五`, `2万`, `1.5万`, `三点五`, `12`. Without a sign.
pub fn figures(text: &str) -> Option<String> {
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ','))
        .map(simple)
        .collect();
    if let Some(shifted) = shifted(&text) {
        return Some(shifted);
    }
    match text.split_once(['点', '.']) {
        Some((number, decimals)) => {
            let decimals = digits(decimals)?;
            Some(format!("{}.{decimals}", whole(number)?))
        }
        None => Some(whole(&text)?.to_string()),
    }
}

/// A whole number: from `十二`, `一万二千三百零五`, `3千5百`, `二零二六`, `12`.
pub fn whole(text: &str) -> Option<u64> {
    let text: String = text.chars().map(simple).collect();
    value(&text)
}

fn value(text: &str) -> Option<u64> {
    let unit = UNITS.iter().find(|(unit, _)| text.contains(*unit));
    let Some(&(unit, size)) = unit else {
        return digits(text)?.parse().ok();
    };
    let (count, rest) = text.split_once(unit)?;
    let count = match count {
        // 十二, but never 百二.
        "" if size == 10 => 1,
        count => value(count)?,
    };
    if count == 0 || size <= THOUSAND && count > 9 {
        return None;
    }
    count.checked_mul(size)?.checked_add(below(rest, size)?)
}

/// What follows a unit: less than one of it.
fn below(rest: &str, unit: u64) -> Option<u64> {
    let bare = rest.trim_start_matches('零');
    if bare.is_empty() {
        return bare.len().eq(&rest.len()).then_some(0);
    }
    let figures = bare.bytes().all(|byte| byte.is_ascii_digit());
    let single = bare.chars().nth(1).is_none();
    let less = match bare.len() == rest.len() && single && unit > 10 {
        // 二百五 is 250, 二百零五 is 205.
        true => value(bare)? * (unit / 10),
        // Digits in a row are a number by themselves, not the rest of one.
        false if !figures && !single && digits(bare).is_some() => return None,
        false => value(bare)?,
    };
    (less > 0 && less < unit).then_some(less)
}

/// `1.5万` with its point moved: counted in digits, not in floating point.
fn shifted(text: &str) -> Option<String> {
    let (number, zeros) = match (text.strip_suffix('万'), text.strip_suffix('亿')) {
        (Some(number), _) => (number, 4),
        (_, Some(number)) => (number, 8),
        _ => return None,
    };
    let (number, decimals) = number.split_once('.')?;
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(number) || !plain(decimals) || number.len() + zeros > MAX_DIGITS {
        return None;
    }
    let moved = format!("{decimals:0<zeros$}");
    let (more, left) = moved.split_at(zeros);
    let moved = format!("{number}{more}");
    Some(match left {
        "" => moved,
        left => format!("{moved}.{left}"),
    })
}

/// Digits one by one, as figures: from `二零二六` or `2026`.
fn digits(text: &str) -> Option<String> {
    let figures: Option<String> = text.chars().map(digit).collect();
    figures.filter(|figures| (1..=MAX_DIGITS).contains(&figures.len()))
}

fn digit(character: char) -> Option<char> {
    const CHARACTERS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    if character.is_ascii_digit() {
        return Some(character);
    }
    let place = (0..).zip(CHARACTERS).find(|(_, c)| *c == character)?;
    char::from_digit(place.0, 10)
}

/// The everyday form of a character of a number: of those on cheques, and of those of Taiwan and Hong Kong.
fn simple(character: char) -> char {
    match character {
        '〇' | '○' => '零',
        '壹' | '幺' => '一',
        '两' | '兩' | '贰' | '貳' => '二',
        '叁' | '參' => '三',
        '肆' => '四',
        '伍' => '五',
        '陆' | '陸' => '六',
        '柒' => '七',
        '捌' => '八',
        '玖' => '九',
        '拾' => '十',
        '佰' => '百',
        '仟' => '千',
        '萬' => '万',
        '億' => '亿',
        '點' => '点',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_characters() {
        for (written, number) in [
            ("零", "0"),
            ("十", "10"),
            ("十二", "12"),
            ("两百", "200"),
            ("二百五", "250"),
            ("二百零五", "205"),
            ("一百一十", "110"),
            ("一千零一十", "1010"),
            ("一千一", "1100"),
            ("一万零一", "10001"),
            ("一万二", "12000"),
            ("一万二千三百零五", "12305"),
            ("十二万", "120000"),
            ("一亿", "100000000"),
            ("一万亿", "1000000000000"),
            ("2万", "20000"),
            ("2万5000", "25000"),
            ("3千5百", "3500"),
            ("1.5万", "15000"),
            ("1.23456万", "12345.6"),
            ("三点五", "3.5"),
            ("十二点零五", "12.05"),
            ("二零二六", "2026"),
            ("二〇二六", "2026"),
            ("壹佰贰拾叁", "123"),
            ("兩萬", "20000"),
            ("1,200", "1200"),
            ("12", "12"),
        ] {
            assert_eq!(figures(written).as_deref(), Some(number), "{written}");
        }
        for wrong in [
            "",
            "百",
            "百二",
            "零百",
            "十十",
            "一百二三",
            "一百零",
            "一十百",
            "十二百",
            "一亿亿",
            "三点",
            "点五",
            "三点十",
            "twelve",
            "一1x",
            "1.万",
            "1..5",
            "1234567890123456",
            "九九九九九九九九九九九九九九九亿",
        ] {
            assert_eq!(figures(wrong), None, "{wrong}");
        }
    }
}
