//! What the checker counts a text as is never less than what is heard. Needs espeak-ng.

use strowger_flow::speak::{longest_ms, say_as, speech_ms};
use strowger_flow::value::{Locale, Money, Value};

use super::speech::spoken;

/// So many times longer than what is heard a text may count as, in tenths: more would tell nobody anything.
const MOST_TENTHS: u64 = 25;

/// Texts as flows say them, by language.
const TEXTS: [(&str, &[&str]); 2] = [
    (
        "en",
        &[
            "Thank you for calling Aurora, please hold the line while we look for somebody.",
            "Press one for sales.",
            "Hi. No. Yes. Go. Up.",
            "Welcome! How can we help you today? Say it in a few words.",
            "For an order press 1; for everything else, press 2.",
            "Your order 20260302 is on its way: it comes on March 5, 2026, at 11:59 PM.",
            "That is $1,234,567.89 in all.",
            "That is 5% of €20, or £17, and 12 more.",
            "The code is 1, 2, 3, 4, 5, 6, 7, 8, 9, 0.",
            "The code is 987654321.123456, and then 77777777777777777777.",
            "WWW, HTTP and XYZ; the VIP desk, the CEO of NASA, a USB stick, a PDF.",
            "IMPORTANT NEWS about html and sms.",
            "Write to sales@aurora.example or to shop/desk.",
            "Twenty-first century: well-known words, mother-in-law, and so on … indeed.",
            "Call us at 1 800 555 01 99 between 8:30 and 17:45.",
        ],
    ),
    (
        "zh",
        &[
            "您好，欢迎致电极光公司，请稍候，我们正在为您转接人工服务。",
            "您好。",
            "查询订单请按一，人工服务请按零。",
            "您的订单20260302将于2026年3月5日送达，共计12345.67元。",
            "装修窗户和双层床，请光临我们的新店！还有别的问题吗？",
            "您的 VIP 等级是3级，可享受15%的优惠；请访问 WWW 网站。",
            "验证码是1，2，3，4，5，6，7，8，9，0。",
            "我们的营业时间是早上8:30到晚上21:45。",
        ],
    ),
];

#[tokio::test]
async fn no_text_takes_longer_to_say_than_it_counts_as() {
    for (language, texts) in TEXTS {
        for text in texts {
            let heard = spoken(text, language).await.len() as u64 / 8;
            let counted = speech_ms(text);
            assert!(heard <= counted, "{text}: {heard} ms, counted {counted}");
            assert!(
                counted * 10 <= heard * MOST_TENTHS,
                "{text}: {heard} ms, counted {counted}"
            );
        }
    }
}

#[tokio::test]
async fn no_value_takes_longer_to_say_than_the_longest_of_its_type() {
    let text = |text: &str| Value::Text(text.to_owned());
    let money = |amount, currency: &str| {
        let currency = currency.to_owned();
        Value::Money(Money { amount, currency })
    };
    let values = [
        ("number", Value::Number(-777_373_373_373_373.0)),
        ("percent", Value::Number(-777_373_373_373.373)),
        ("ordinal", Value::Number(777_373_373_373_373.0)),
        ("digits", Value::Number(777_777_777_777_777.0)),
        ("money", money(-777_373_373_373, "USD")),
        ("money", money(7_737_337_337, "CNY")),
        ("date", text("7777-11-27")),
        ("time", text("23:37")),
        ("datetime", text("7777-11-27T23:37:00+01:00")),
        (
            "duration",
            Value::Duration((77_373_373_373 * 86_400 + 84_000) * 1_000),
        ),
        ("phone", Value::Phone("+777777777777777".to_owned())),
        ("last4", text("WWWW")),
        ("last4", text("7777")),
    ];
    for language in ["en", "zh"] {
        let locale = Locale {
            language: language.to_owned(),
            spoken: true,
        };
        for (style, value) in &values {
            let words = say_as(value, style, &locale).expect("it fits");
            let heard = spoken(&words, language).await.len() as u64 / 8;
            let most = longest_ms(style, language).expect("a bound");
            assert!(heard <= speech_ms(&words), "{words}: {heard} ms");
            assert!(speech_ms(&words) <= most, "{style}: {words}: most {most}");
            assert!(
                speech_ms(&words) * 10 <= heard * MOST_TENTHS,
                "{words}: {heard} ms, counted {}",
                speech_ms(&words)
            );
        }
        // Figures without a filter.
        let figures = "-999999999999999999999.999999";
        let heard = spoken(figures, language).await.len() as u64 / 8;
        let most = longest_ms("figures", language).expect("a bound");
        // In Chinese so many are read one by one, a syllable each.
        let tenths = if language == "zh" {
            2 * MOST_TENTHS
        } else {
            MOST_TENTHS
        };
        assert!(heard <= most, "{figures}: {heard} ms, at most {most}");
        assert!(
            most * 10 <= heard * tenths,
            "{figures}: {heard} ms, at most {most}"
        );
    }
}
