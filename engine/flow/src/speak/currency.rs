//! What currencies are called.

/// The names of a currency.
#[derive(Debug)]
pub(super) struct Currency {
    /// ISO 4217.
    pub(super) code: &'static str,
    /// Before the figures; no two currencies share one.
    pub(super) symbol: &'static str,
    /// One and many.
    pub(super) english: (&'static str, &'static str),
    /// One and many of the hundredth part; empty where there is none.
    pub(super) english_part: (&'static str, &'static str),
    /// After the number.
    pub(super) mandarin: &'static str,
    /// The hundredth part; empty where tenths (角) and hundredths (分) are counted apart.
    pub(super) mandarin_part: &'static str,
}

/// The currency of a code.
pub(super) fn named(code: &str) -> Option<&'static Currency> {
    CURRENCIES.iter().find(|currency| currency.code == code)
}

/// The codes of all currencies that have names.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    CURRENCIES.iter().map(|currency| currency.code)
}

const CURRENCIES: &[Currency] = &[
    currency("CNY", "¥", ("yuan", "yuan"), ("fen", "fen"), "元", ""),
    currency(
        "USD",
        "$",
        ("dollar", "dollars"),
        ("cent", "cents"),
        "美元",
        "美分",
    ),
    currency(
        "EUR",
        "€",
        ("euro", "euros"),
        ("cent", "cents"),
        "欧元",
        "欧分",
    ),
    currency(
        "GBP",
        "£",
        ("pound", "pounds"),
        ("penny", "pence"),
        "英镑",
        "便士",
    ),
    currency("JPY", "JP¥", ("yen", "yen"), ("", ""), "日元", ""),
    currency("KRW", "₩", ("won", "won"), ("", ""), "韩元", ""),
    currency("VND", "₫", ("dong", "dong"), ("", ""), "越南盾", ""),
    currency(
        "HKD",
        "HK$",
        ("Hong Kong dollar", "Hong Kong dollars"),
        ("cent", "cents"),
        "港元",
        "",
    ),
    currency(
        "MOP",
        "MOP$",
        ("Macau pataca", "Macau patacas"),
        ("avo", "avos"),
        "澳门元",
        "",
    ),
    currency(
        "TWD",
        "NT$",
        ("New Taiwan dollar", "New Taiwan dollars"),
        ("cent", "cents"),
        "新台币",
        "分",
    ),
    currency(
        "SGD",
        "S$",
        ("Singapore dollar", "Singapore dollars"),
        ("cent", "cents"),
        "新加坡元",
        "分",
    ),
    currency(
        "AUD",
        "A$",
        ("Australian dollar", "Australian dollars"),
        ("cent", "cents"),
        "澳元",
        "分",
    ),
    currency(
        "CAD",
        "CA$",
        ("Canadian dollar", "Canadian dollars"),
        ("cent", "cents"),
        "加元",
        "分",
    ),
    currency(
        "NZD",
        "NZ$",
        ("New Zealand dollar", "New Zealand dollars"),
        ("cent", "cents"),
        "新西兰元",
        "分",
    ),
    currency(
        "CHF",
        "CHF ",
        ("Swiss franc", "Swiss francs"),
        ("centime", "centimes"),
        "瑞士法郎",
        "生丁",
    ),
    currency(
        "THB",
        "฿",
        ("baht", "baht"),
        ("satang", "satang"),
        "泰铢",
        "萨当",
    ),
    currency(
        "MYR",
        "RM",
        ("ringgit", "ringgit"),
        ("sen", "sen"),
        "林吉特",
        "仙",
    ),
    currency(
        "INR",
        "₹",
        ("rupee", "rupees"),
        ("paisa", "paise"),
        "卢比",
        "派士",
    ),
];

const fn currency(
    code: &'static str,
    symbol: &'static str,
    english: (&'static str, &'static str),
    english_part: (&'static str, &'static str),
    mandarin: &'static str,
    mandarin_part: &'static str,
) -> Currency {
    Currency {
        code,
        symbol,
        english,
        english_part,
        mandarin,
        mandarin_part,
    }
}
