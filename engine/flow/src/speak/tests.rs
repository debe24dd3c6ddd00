//! The hard cases, one a line.

use std::collections::BTreeSet;

use jiff::civil;
use proptest::prelude::*;

use super::{choice_phrase, key_name, longest_ms, render, say_as, speech_ms};
use crate::value::{Locale, Money, Secret, Type, Value, parse_literal};

fn locale(language: &str, spoken: bool) -> Locale {
    Locale {
        language: language.to_owned(),
        spoken,
    }
}

/// Says a value in both languages, spoken and written.
fn four(value: &Value, style: &str) -> [String; 4] {
    [("en", true), ("zh", true), ("en", false), ("zh", false)].map(|(language, spoken)| {
        say_as(value, style, &locale(language, spoken)).unwrap_or_else(|why| format!("! {why}"))
    })
}

#[track_caller]
fn check(value: Value, style: &str, expected: [&str; 4]) {
    assert_eq!(four(&value, style), expected, "{value:?} | {style}");
}

#[track_caller]
fn spoken(value: Value, style: &str, english: &str, chinese: &str) {
    let said = four(&value, style);
    assert_eq!(
        [said[0].as_str(), said[1].as_str()],
        [english, chinese],
        "{value:?} | {style}"
    );
}

fn literal(text: &str, ty: Type) -> Value {
    parse_literal(text, &ty).unwrap_or_else(|why| panic!("{why:?}"))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn is_neutral(said: &str) -> bool {
    !said.contains(['<', '>', '&', '[', ']', '{', '}', '|', '\\'])
}

#[test]
fn numbers() {
    for (number, english, chinese) in [
        (0.0, "zero", "零"),
        (-0.0, "zero", "零"),
        (1.0, "one", "一"),
        (2.0, "two", "二"),
        (10.0, "ten", "十"),
        (11.0, "eleven", "十一"),
        (12.0, "twelve", "十二"),
        (19.0, "nineteen", "十九"),
        (20.0, "twenty", "二十"),
        (21.0, "twenty-one", "二十一"),
        (99.0, "ninety-nine", "九十九"),
        (100.0, "one hundred", "一百"),
        (101.0, "one hundred one", "一百零一"),
        (110.0, "one hundred ten", "一百一十"),
        (111.0, "one hundred eleven", "一百一十一"),
        (200.0, "two hundred", "二百"),
        (1000.0, "one thousand", "一千"),
        (1001.0, "one thousand one", "一千零一"),
        (1010.0, "one thousand ten", "一千零一十"),
        (1100.0, "one thousand one hundred", "一千一百"),
        (2000.0, "two thousand", "两千"),
        (2002.0, "two thousand two", "两千零二"),
        (10_000.0, "ten thousand", "一万"),
        (10_001.0, "ten thousand one", "一万零一"),
        (10_010.0, "ten thousand ten", "一万零一十"),
        (12_000.0, "twelve thousand", "一万二千"),
        (20_000.0, "twenty thousand", "两万"),
        (22_000.0, "twenty-two thousand", "两万二千"),
        (100_000.0, "one hundred thousand", "十万"),
        (100_011.0, "one hundred thousand eleven", "十万零一十一"),
        (120_000.0, "one hundred twenty thousand", "十二万"),
        (1_000_000.0, "one million", "一百万"),
        (2_002_000.0, "two million two thousand", "二百万二千"),
        (20_002_000.0, "twenty million two thousand", "两千万二千"),
        (100_000_000.0, "one hundred million", "一亿"),
        (100_000_001.0, "one hundred million one", "一亿零一"),
        (
            100_002_000.0,
            "one hundred million two thousand",
            "一亿零二千",
        ),
        (110_000_000.0, "one hundred ten million", "一亿一千万"),
        (200_000_000.0, "two hundred million", "两亿"),
        (1_000_000_000.0, "one billion", "十亿"),
        (1_000_000_000_000.0, "one trillion", "一万亿"),
        (-5.0, "minus five", "负五"),
        (-2.0, "minus two", "负二"),
        (-11.0, "minus eleven", "负十一"),
        (-110.0, "minus one hundred ten", "负一百一十"),
        (-20_000.0, "minus twenty thousand", "负两万"),
        (0.5, "zero point five", "零点五"),
        (3.25, "three point two five", "三点二五"),
        (-2.05, "minus two point zero five", "负二点零五"),
        (10.1, "ten point one", "十点一"),
        (
            1.0 / 3.0,
            "zero point three three three three three three",
            "零点三三三三三三",
        ),
        (0.9999999, "one", "一"),
        (-0.0000001, "zero", "零"),
    ] {
        spoken(Value::Number(number), "number", english, chinese);
    }
    check(
        Value::Number(12345.5),
        "number",
        [
            "twelve thousand three hundred forty-five point five",
            "一万二千三百四十五点五",
            "12,345.5",
            "12,345.5",
        ],
    );
    let none = "! this is no number";
    check(Value::Number(f64::NAN), "number", [none; 4]);
}

#[test]
fn numbers_that_are_too_large_for_words_are_said_all_the_same() {
    check(
        Value::Number(1e15),
        "number",
        [
            "1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0",
            "一零零零，零零零零，零零零零，零零零零",
            "1000000000000000",
            "1000000000000000",
        ],
    );
    check(
        Value::Number(-1_234_567_890_123_456.0),
        "number",
        [
            "minus 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6",
            "负一二三四，五六七八，九零一二，三四五六",
            "-1234567890123456",
            "-1234567890123456",
        ],
    );
    check(
        Value::Number(1.5e21),
        "number",
        [
            "one point five times ten to the power of twenty-one",
            "一点五乘以十的二十一次方",
            "1.5e21",
            "1.5e21",
        ],
    );
    check(
        Value::Number(-1e15),
        "percent",
        [
            "minus 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 percent",
            "负百分之一零零零，零零零零，零零零零，零零零零",
            "-1000000000000000%",
            "-1000000000000000%",
        ],
    );
    check(
        Value::Number(2e21),
        "ordinal",
        [
            "number two times ten to the power of twenty-one",
            "第二乘以十的二十一次方",
            "2e21th",
            "第2e21",
        ],
    );
    check(
        Value::Number(2e15),
        "digits",
        [
            "2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0",
            "二零零零，零零零零，零零零零，零零零零",
            "2000000000000000",
            "2000000000000000",
        ],
    );
    for style in ["ordinal", "digits"] {
        let said = four(&Value::Number(-1e15), style);
        assert!(said.iter().all(|said| said.starts_with("! ")), "{said:?}");
    }
}

#[test]
fn no_number_takes_longer_than_the_longest() {
    // Of every size, with every digit, and around the bounds between words, digits and powers.
    let sizes = (-9..=308).flat_map(|power| {
        let factors = [1.0, 1.777_777_7, 3.373_737, 7.777_373, 9.999_999_9];
        factors.map(|factor| factor * 10f64.powi(power))
    });
    let numbers = sizes.filter(|number| number.is_finite());
    let numbers = numbers.chain([999_999_999_999_999.9, f64::MAX, 0.0]);
    for number in numbers.flat_map(|number| [number, number.trunc(), -number]) {
        for style in ["number", "percent", "ordinal", "digits"] {
            for language in ["en", "zh"] {
                // Of the last two some are refused, as the documentation says.
                let said = say_as(&Value::Number(number), style, &locale(language, true));
                assert!(
                    said.is_ok() || matches!(style, "ordinal" | "digits"),
                    "{number} {style}"
                );
                let ms = said.map_or(0, |words| speech_ms(&words));
                let most = longest_ms(style, language).expect("a bound");
                assert!(ms <= most, "{number:e} {style} {language}: {ms} > {most}");
            }
        }
    }
}

#[test]
fn ordinals_and_percents() {
    for (number, english, chinese, figures) in [
        (0.0, "zeroth", "第零", "0th"),
        (1.0, "first", "第一", "1st"),
        (2.0, "second", "第二", "2nd"),
        (3.0, "third", "第三", "3rd"),
        (5.0, "fifth", "第五", "5th"),
        (8.0, "eighth", "第八", "8th"),
        (9.0, "ninth", "第九", "9th"),
        (11.0, "eleventh", "第十一", "11th"),
        (12.0, "twelfth", "第十二", "12th"),
        (20.0, "twentieth", "第二十", "20th"),
        (21.0, "twenty-first", "第二十一", "21st"),
        (112.0, "one hundred twelfth", "第一百一十二", "112th"),
        (2000.0, "two thousandth", "第二千", "2,000th"),
    ] {
        let said = four(&Value::Number(number), "ordinal");
        assert_eq!([&said[0], &said[1], &said[2]], [english, chinese, figures]);
    }
    let refused = "! only whole numbers from 0 on have a place in a row";
    check(Value::Number(1.5), "ordinal", [refused; 4]);
    check(Value::Number(-1.0), "ordinal", [refused; 4]);
    check(
        Value::Number(15.0),
        "percent",
        ["fifteen percent", "百分之十五", "15%", "15%"],
    );
    check(
        Value::Number(-0.5),
        "percent",
        [
            "minus zero point five percent",
            "负百分之零点五",
            "-0.5%",
            "-0.5%",
        ],
    );
    check(
        Value::Number(100.0),
        "percent",
        ["one hundred percent", "百分之一百", "100%", "100%"],
    );
}

#[test]
fn money() {
    for (written, english, chinese, figures) in [
        (
            "199.00 CNY",
            "one hundred ninety-nine yuan",
            "一百九十九元",
            "¥199.00",
        ),
        (
            "199.50 CNY",
            "one hundred ninety-nine yuan and fifty fen",
            "一百九十九元五角",
            "¥199.50",
        ),
        (
            "199.05 CNY",
            "one hundred ninety-nine yuan and five fen",
            "一百九十九元零五分",
            "¥199.05",
        ),
        (
            "199.55 CNY",
            "one hundred ninety-nine yuan and fifty-five fen",
            "一百九十九元五角五分",
            "¥199.55",
        ),
        ("0.00 CNY", "zero yuan", "零元", "¥0.00"),
        ("0.50 CNY", "fifty fen", "五角", "¥0.50"),
        ("0.20 CNY", "twenty fen", "两角", "¥0.20"),
        ("0.02 CNY", "two fen", "两分", "¥0.02"),
        ("0.22 CNY", "twenty-two fen", "两角二分", "¥0.22"),
        ("0.05 CNY", "five fen", "五分", "¥0.05"),
        ("1 CNY", "one yuan", "一元", "¥1.00"),
        ("0.10 CNY", "ten fen", "一角", "¥0.10"),
        ("0.01 CNY", "one fen", "一分", "¥0.01"),
        ("0.11 CNY", "eleven fen", "一角一分", "¥0.11"),
        ("-0.05 CNY", "minus five fen", "负五分", "-¥0.05"),
        ("-0.50 CNY", "minus fifty fen", "负五角", "-¥0.50"),
        ("10.10 CNY", "ten yuan and ten fen", "十元一角", "¥10.10"),
        (
            "19.95 CNY",
            "nineteen yuan and ninety-five fen",
            "十九元九角五分",
            "¥19.95",
        ),
        (
            "110.00 CNY",
            "one hundred ten yuan",
            "一百一十元",
            "¥110.00",
        ),
        (
            "1010.01 CNY",
            "one thousand ten yuan and one fen",
            "一千零一十元零一分",
            "¥1,010.01",
        ),
        (
            "10001.10 CNY",
            "ten thousand one yuan and ten fen",
            "一万零一元一角",
            "¥10,001.10",
        ),
        (
            "-199.95 CNY",
            "minus one hundred ninety-nine yuan and ninety-five fen",
            "负一百九十九元九角五分",
            "-¥199.95",
        ),
        ("2.00 CNY", "two yuan", "两元", "¥2.00"),
        ("2.20 CNY", "two yuan and twenty fen", "两元二角", "¥2.20"),
        ("12.00 CNY", "twelve yuan", "十二元", "¥12.00"),
        (
            "20000.00 CNY",
            "twenty thousand yuan",
            "两万元",
            "¥20,000.00",
        ),
        (
            "-8.08 CNY",
            "minus eight yuan and eight fen",
            "负八元零八分",
            "-¥8.08",
        ),
        ("1.00 USD", "one dollar", "一美元", "$1.00"),
        (
            "1.01 USD",
            "one dollar and one cent",
            "一美元零一美分",
            "$1.01",
        ),
        (
            "5.20 USD",
            "five dollars and twenty cents",
            "五美元二十美分",
            "$5.20",
        ),
        ("0.02 EUR", "two cents", "两欧分", "€0.02"),
        (
            "3.01 GBP",
            "three pounds and one penny",
            "三英镑零一便士",
            "£3.01",
        ),
        ("500 JPY", "five hundred yen", "五百日元", "JP¥500"),
        (
            "6.60 HKD",
            "six Hong Kong dollars and sixty cents",
            "六港元六角",
            "HK$6.60",
        ),
        (
            "12.50 PLN",
            "twelve point five P L N",
            "十二点五 P L N",
            "12.50 PLN",
        ),
        (
            "1.234 KWD",
            "one point two three four K W D",
            "一点二三四 K W D",
            "1.234 KWD",
        ),
    ] {
        check(
            literal(written, Type::Money),
            "money",
            [english, chinese, figures, figures],
        );
    }
    let smallest = Money {
        amount: i64::MIN,
        currency: "CNY".to_owned(),
    };
    assert!(four(&Value::Money(smallest), "money")[2].starts_with("-¥92,233,720,368,547,758.08"));
}

#[test]
fn dates_and_times() {
    check(
        Value::Date(civil::date(2026, 3, 5)),
        "date",
        [
            "March 5, 2026",
            "二零二六年三月五日",
            "March 5, 2026",
            "2026年3月5日",
        ],
    );
    spoken(
        Value::Date(civil::date(2026, 12, 31)),
        "date",
        "December 31, 2026",
        "二零二六年十二月三十一日",
    );
    spoken(
        Value::Date(civil::date(2026, 1, 1)),
        "date",
        "January 1, 2026",
        "二零二六年一月一日",
    );
    spoken(
        Value::Date(civil::date(2000, 10, 20)),
        "date",
        "October 20, 2000",
        "二零零零年十月二十日",
    );
    spoken(
        Value::Date(civil::date(2024, 2, 29)),
        "date",
        "February 29, 2024",
        "二零二四年二月二十九日",
    );
    spoken(
        Value::Date(civil::date(0, 1, 1)),
        "date",
        "January 1, 1 BC",
        "公元前一年一月一日",
    );
    spoken(
        text("2026-03-05"),
        "date",
        "March 5, 2026",
        "二零二六年三月五日",
    );
    spoken(
        text("2026-03-05T23:30:00+08:00"),
        "date",
        "March 5, 2026",
        "二零二六年三月五日",
    );

    for (hour, minute, english, chinese, figures) in [
        (0, 0, "midnight", "凌晨零点", "midnight"),
        (0, 30, "twelve thirty AM", "凌晨零点三十分", "12:30 AM"),
        (2, 0, "two AM", "凌晨两点", "2:00 AM"),
        (9, 30, "nine thirty AM", "上午九点三十分", "9:30 AM"),
        (
            11,
            59,
            "eleven fifty-nine AM",
            "上午十一点五十九分",
            "11:59 AM",
        ),
        (12, 0, "noon", "中午十二点", "noon"),
        (12, 30, "twelve thirty PM", "中午十二点三十分", "12:30 PM"),
        (12, 5, "twelve oh five PM", "中午十二点零五分", "12:05 PM"),
        (14, 2, "two oh two PM", "下午两点零二分", "2:02 PM"),
        (15, 10, "three ten PM", "下午三点十分", "3:10 PM"),
        (18, 0, "six PM", "晚上六点", "6:00 PM"),
        (
            23,
            59,
            "eleven fifty-nine PM",
            "晚上十一点五十九分",
            "11:59 PM",
        ),
    ] {
        let value = Value::Time(civil::time(hour, minute, 42, 0));
        check(
            value,
            "time",
            [english, chinese, figures, &format!("{hour:02}:{minute:02}")],
        );
    }
    check(
        literal("2026-03-05T12:00+08:00", Type::DateTime),
        "datetime",
        [
            "March 5, 2026 at noon",
            "二零二六年三月五日中午十二点",
            "March 5, 2026 at noon",
            "2026年3月5日 12:00",
        ],
    );
    check(
        literal("2026-03-05T09:05+08:00", Type::DateTime),
        "time",
        ["nine oh five AM", "上午九点零五分", "9:05 AM", "09:05"],
    );
}

#[test]
fn durations() {
    for (ms, english, chinese, en, zh) in [
        (0, "zero seconds", "零秒", "0 s", "0秒"),
        (1, "one millisecond", "一毫秒", "1 ms", "1毫秒"),
        (
            500,
            "five hundred milliseconds",
            "五百毫秒",
            "500 ms",
            "500毫秒",
        ),
        (1000, "one second", "一秒", "1 s", "1秒"),
        (2000, "two seconds", "两秒", "2 s", "2秒"),
        (
            83_421,
            "one minute and twenty-three seconds",
            "一分钟二十三秒",
            "1 min 23 s",
            "1分钟23秒",
        ),
        (59_600, "one minute", "一分钟", "1 min", "1分钟"),
        (120_000, "two minutes", "两分钟", "2 min", "2分钟"),
        (
            5_400_000,
            "one hour and thirty minutes",
            "一小时三十分钟",
            "1 h 30 min",
            "1小时30分钟",
        ),
        (
            93_784_000,
            "one day, two hours, three minutes and four seconds",
            "一天两小时三分钟四秒",
            "1 d 2 h 3 min 4 s",
            "1天2小时3分钟4秒",
        ),
        (-60_000, "minus one minute", "负一分钟", "-1 min", "-1分钟"),
    ] {
        check(Value::Duration(ms), "duration", [english, chinese, en, zh]);
    }
    spoken(Value::Number(60_000.0), "duration", "one minute", "一分钟");
    spoken(
        text("1h30m"),
        "duration",
        "one hour and thirty minutes",
        "一小时三十分钟",
    );
}

#[test]
fn digits_and_letters() {
    check(
        text("20260302"),
        "digits",
        [
            "2, 0, 2, 6, 0, 3, 0, 2",
            "二零二六，零三零二",
            "20260302",
            "20260302",
        ],
    );
    check(
        text("2026"),
        "digits",
        ["2, 0, 2, 6", "二零二六", "2026", "2026"],
    );
    spoken(
        text("0012 345"),
        "digits",
        "0, 0, 1, 2, 3, 4, 5",
        "零零一，二三四五",
    );
    spoken(text("a-17"), "digits", "A, 1, 7", "A，一，七");
    spoken(Value::Number(110.0), "digits", "1, 1, 0", "一一零");
    check(text("AB1"), "spell", ["A, B, 1", "A，B，一", "AB1", "AB1"]);
    spoken(
        text("x@y.z"),
        "spell",
        "X, at, Y, dot, Z",
        "X，艾特，Y，点，Z",
    );
    let number = "! a value of the type number cannot be said as `digits`";
    check(Value::Number(-1.0), "digits", [number; 4]);
}

#[test]
fn telephone_numbers() {
    let phone = |number: &str| Value::Phone(number.to_owned());
    check(
        phone("+8613800138000"),
        "phone",
        [
            "plus 8 6, 1 3 8, 0 0 1 3, 8 0 0 0",
            "幺三八，零零幺三，八零零零",
            "+86 138 0013 8000",
            "138 0013 8000",
        ],
    );
    spoken(
        phone("13800138000"),
        "phone",
        "1 3 8, 0 0 1 3, 8 0 0 0",
        "幺三八，零零幺三，八零零零",
    );
    check(
        phone("+861059381234"),
        "phone",
        [
            "plus 8 6, 1 0, 5 9 3 8, 1 2 3 4",
            "零幺零，五九三八，幺二三四",
            "+86 10 5938 1234",
            "010 5938 1234",
        ],
    );
    spoken(
        phone("+8675581234567"),
        "phone",
        "plus 8 6, 7 5 5, 8 1 2 3, 4 5 6 7",
        "零七五五，八幺二三，四五六七",
    );
    check(
        phone("+864008001234"),
        "phone",
        [
            "plus 8 6, 4 0 0, 8 0 0, 1 2 3 4",
            "四零零，八零零，幺二三四",
            "+86 400 800 1234",
            "400 800 1234",
        ],
    );
    spoken(
        phone("+868008100000"),
        "phone",
        "plus 8 6, 8 0 0, 8 1 0, 0 0 0 0",
        "八零零，八幺零，零零零零",
    );
    spoken(phone("10086"), "phone", "1 0 0 8 6", "幺零零八六");
    spoken(
        phone("+12125550123"),
        "phone",
        "plus 1, 2 1 2, 5 5 5, 0 1 2 3",
        "加幺，二幺二，五五五，零幺二三",
    );
    spoken(
        phone("+442079460123"),
        "phone",
        "plus 4 4, 2 0 7, 9 4 6, 0 1 2 3",
        "加四四，二零七，九四六，零幺二三",
    );
    spoken(
        phone("sip:1001@pbx.example"),
        "phone",
        "1 0 0 1",
        "幺零零幺",
    );
    spoken(phone("sip:bob@pbx.example"), "phone", "B, O, B", "B，O，B");
    spoken(phone(""), "phone", "a withheld number", "未显示的号码");
    spoken(
        phone("anonymous"),
        "phone",
        "a withheld number",
        "未显示的号码",
    );
    spoken(phone("+"), "phone", "plus", "加号");
}

#[test]
fn secrets_show_their_last_four_and_nothing_else() {
    let secret = Value::Secret(Secret {
        handle: "h-1".to_owned(),
        length: 16,
        last_four: "1111".to_owned(),
    });
    check(
        secret.clone(),
        "last4",
        ["1, 1, 1, 1", "一一一一", "1111", "1111"],
    );
    for style in [
        "digits", "spell", "number", "phone", "upper", "date", "money", "duration", "time",
    ] {
        assert!(
            four(&secret, style)
                .iter()
                .all(|said| said.starts_with("! a secret")),
            "{style}"
        );
    }
    for language in ["en", "zh", "fr"] {
        assert_eq!(render(&secret, &locale(language, true)), "••••");
    }
    let pin = Value::Secret(Secret {
        handle: "h-2".to_owned(),
        length: 4,
        last_four: String::new(),
    });
    assert_eq!(four(&pin, "last4")[0], "");
    check(Value::Text(String::new()), "last4", ["", "", "", ""]);
    check(
        Value::Phone("110".to_owned()),
        "last4",
        ["1, 1, 0", "一一零", "110", "110"],
    );
}

#[test]
fn insertion() {
    let (en, zh, chat) = (
        locale("en-US", true),
        locale("zh-CN", true),
        locale("en", false),
    );
    assert_eq!(render(&Value::Number(3.0), &en), "3");
    assert_eq!(render(&Value::Number(12345.5), &zh), "12345.5");
    assert_eq!(render(&Value::Number(-0.0), &zh), "0");
    assert_eq!(render(&Value::Bool(true), &zh), "是");
    assert_eq!(render(&Value::None, &en), "");
    assert_eq!(
        render(&Value::Date(civil::date(2026, 3, 5)), &zh),
        "二零二六年三月五日"
    );
    assert_eq!(
        render(&Value::Date(civil::date(2026, 3, 5)), &locale("fr", true)),
        "2026-03-05"
    );
    assert_eq!(
        render(&Value::List(vec![text("a"), text("b")]), &zh),
        "a、b"
    );
    // Nothing that is inserted can be markup.
    assert_eq!(
        render(&text("<break time='9s'/> R&D [[h@]] {x}"), &en),
        " break time='9s'/  R and D   h@    x "
    );
    assert_eq!(render(&text("AT&T"), &zh), "AT和T");
    assert_eq!(render(&text("<b>\u{202e}R&D</b>\n"), &chat), "<b>R&D</b>\n");
    assert_eq!(
        say_as(&text("5"), "number", &locale("fr", true)),
        Err("there are no words for the language `fr`; there are for en and zh".to_owned())
    );
    assert!(say_as(&text("5"), "shout", &en).is_err());
}

#[test]
fn menus() {
    assert_eq!(
        choice_phrase("check an order", "1", "en"),
        "To check an order, press 1."
    );
    assert_eq!(choice_phrase("查询订单", "1", "zh"), "查询订单请按一。");
    assert_eq!(
        choice_phrase("人工服务。", "hash", "zh-CN"),
        "人工服务请按井号键。"
    );
    assert_eq!(
        choice_phrase("hear this again.", "*", "en"),
        "To hear this again, press star."
    );
    assert_eq!(choice_phrase("", "12", "en"), "Press 1 2.");
    assert_eq!(choice_phrase("", "12", "zh"), "请按一二。");
    assert_eq!(choice_phrase("commander", "1", "fr"), "commander: 1.");
    assert_eq!(key_name("star", "zh"), "星号键");
}

#[test]
fn number_words_are_all_different() {
    for language in ["en", "zh"] {
        let words: BTreeSet<String> = (0..=100_000)
            .map(|number| {
                say_as(
                    &Value::Number(f64::from(number)),
                    "number",
                    &locale(language, true),
                )
                .expect("small")
            })
            .collect();
        assert_eq!(words.len(), 100_001);
    }
}

proptest! {
    #[test]
    fn large_number_words_differ(a in 0u64..1_000_000_000_000, b in 0u64..1_000_000_000_000) {
        prop_assume!(a != b);
        for language in ["en", "zh"] {
            let say = |number: u64| say_as(&Value::Number(number as f64), "number", &locale(language, true));
            prop_assert_ne!(say(a), say(b));
        }
    }

    #[test]
    fn saying_numbers_never_panics(bits: u64, amount: i64, ms: i64, currency in "[A-Z]{3}") {
        let money = Money { amount, currency };
        for value in [Value::Number(f64::from_bits(bits)), Value::Money(money), Value::Duration(ms)] {
            for style in ["number", "ordinal", "percent", "digits", "money", "duration"] {
                let _ = four(&value, style);
            }
            let _ = render(&value, &locale("zh", true));
        }
    }

    #[test]
    fn saying_texts_never_panics_and_gives_no_markup(written: String, style in "digits|spell|phone|date|time|datetime|money|number|last4|upper|duration") {
        for value in [Value::Text(written.clone()), Value::Phone(written.clone())] {
            for said in four(&value, &style).into_iter().take(2).filter(|said| !said.starts_with('!')) {
                prop_assert!(is_neutral(&said), "{}", said);
            }
            let inserted = render(&value, &locale("en", true));
            prop_assert!(is_neutral(&inserted), "{}", inserted);
        }
    }
}
