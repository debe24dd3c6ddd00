//! The little markup that texts may have: SSML 1.1 (W3C), as far as `bad-ssml` lets it through.

/// Longest pause of a `break`, in milliseconds: a longer one is a `wait:`.
pub(crate) const MAX_BREAK_MS: u64 = 10_000;

/// What a `break` without a time counts as, in milliseconds.
const BREAK_MS: u64 = 1_000;

/// A tag in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag<'t> {
    /// Where it begins and ends, in bytes of the text.
    pub start: usize,
    pub end: usize,
    pub name: &'t str,
    /// What stands between its name and its end.
    pub attributes: &'t str,
    /// `</p>`
    pub closing: bool,
    /// `<break/>`
    pub empty: bool,
    /// Whether its `>` is there.
    pub ended: bool,
}

/// The tags of a text, in order. A `<` before anything but a letter or `/` is a `<`.
pub(crate) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(start) = text[from..].find('<').map(|at| from + at) {
            from = start + 1;
            let closing = text[from..].starts_with('/');
            let name_at = from + usize::from(closing);
            let length = text[name_at..]
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                .unwrap_or(text.len() - name_at);
            let name = &text[name_at..name_at + length];
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let ends = text[name_at..].find('>').map(|end| name_at + end + 1);
            let end = ends.unwrap_or(text.len());
            from = end;
            let inner = &text[name_at + length..end];
            let inner = inner.strip_suffix('>').unwrap_or(inner);
            let (attributes, empty) = match inner.strip_suffix('/') {
                Some(attributes) => (attributes, true),
                None => (inner, false),
            };
            return Some(Tag {
                start,
                end,
                name,
                attributes: attributes.trim(),
                closing,
                empty,
                ended: ends.is_some(),
            });
        }
        None
    })
}

/// A part of a text with markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'t> {
    /// Words as they stand.
    Words(&'t str),
    /// A pause, in milliseconds.
    Pause(u64),
}

/// Words and pauses of a text.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut tags = tags(text);
    // Where the next words begin; none behind the last ones.
    let mut from = Some(0);
    let mut pause = None;
    std::iter::from_fn(move || {
        loop {
            if let Some(ms) = pause.take() {
                return Some(Part::Pause(ms));
            }
            let start = from?;
            let tag = tags.next();
            let end = tag.map_or(text.len(), |tag| tag.start);
            from = tag.map(|tag| tag.end);
            pause = tag
                .filter(|tag| tag.name == "break" && !tag.closing)
                .map(|tag| pause_ms(tag.attributes));
            if start < end {
                return Some(Part::Words(&text[start..end]));
            }
        }
    })
}

fn pause_ms(written: &str) -> u64 {
    let attributes = attributes(written).unwrap_or_default();
    let time = attributes.iter().find(|(name, _)| *name == "time");
    match time {
        // Whatever is inserted there.
        Some((_, time)) if time.contains("${") => MAX_BREAK_MS,
        // What is no such time is told.
        Some((_, time)) => time_ms(time).filter(|ms| *ms <= MAX_BREAK_MS).unwrap_or(0),
        None => BREAK_MS,
    }
}

/// Names and values of attributes; what cannot be read as one as the error.
pub(crate) fn attributes(written: &str) -> Result<Vec<(&str, &str)>, &str> {
    let mut all = Vec::new();
    let mut rest = written.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or(rest)?;
        let name = name.trim_end();
        let after = after.trim_start();
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '_');
        if name.is_empty() || !name.chars().all(named) {
            return Err(rest);
        }
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or(rest)?;
        let (value, after) = after[1..].split_once(quote).ok_or(rest)?;
        all.push((name, value));
        rest = after.trim_start();
    }
    Ok(all)
}

/// A time of SSML (CSS2 `time`): `250ms`, `1.5s`; in milliseconds.
pub(crate) fn time_ms(written: &str) -> Option<u64> {
    let (number, unit) = match written.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (written.strip_suffix('s')?, 1_000.0),
    };
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    if number.is_empty() || !number.chars().all(plain) {
        return None;
    }
    // A float cast saturates, so any length is safe here.
    number
        .parse::<f64>()
        .ok()
        .map(|number| (number * unit) as u64)
}

/// Why an attribute of a tag is none, or has no such value.
#[derive(Debug, Clone)]
pub(crate) enum Wrong<'t> {
    /// It cannot be read.
    Unreadable(&'t str),
    /// The tag has no such attribute; those that it has.
    Unknown(&'t str, &'static [Attribute]),
    /// It has no such value; what it takes.
    Value(&'t str, &'t str, &'static str),
    /// A pause longer than [`MAX_BREAK_MS`].
    TooLong(&'t str),
    /// It has to be there.
    Missing(&'static str),
}

/// An attribute that a tag may have.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub name: &'static str,
    /// Whether the tag means nothing without it.
    needed: bool,
    /// What it takes, as it is said in findings.
    takes: &'static str,
    fits: fn(&str) -> bool,
}

const fn attribute(
    name: &'static str,
    needed: bool,
    takes: &'static str,
    fits: fn(&str) -> bool,
) -> Attribute {
    Attribute {
        name,
        needed,
        takes,
        fits,
    }
}

const LANG: Attribute = attribute("xml:lang", false, "en, zh-CN", is_language);

/// The attributes of the tags, SSML 1.1 §3.
const ATTRIBUTES: [(&str, &[Attribute]); 9] = [
    (
        "break",
        &[
            attribute("time", false, "500ms, 1.5s", |value| {
                time_ms(value).is_some()
            }),
            attribute(
                "strength",
                false,
                "none, x-weak, weak, medium, strong, x-strong",
                |value| {
                    matches!(
                        value,
                        "none" | "x-weak" | "weak" | "medium" | "strong" | "x-strong"
                    )
                },
            ),
        ],
    ),
    (
        "emphasis",
        &[attribute(
            "level",
            false,
            "strong, moderate, none, reduced",
            |value| matches!(value, "strong" | "moderate" | "none" | "reduced"),
        )],
    ),
    (
        "prosody",
        &[
            attribute(
                "rate",
                false,
                "x-slow, slow, medium, fast, x-fast, 80%",
                |value| {
                    matches!(
                        value,
                        "x-slow" | "slow" | "medium" | "fast" | "x-fast" | "default"
                    ) || is_measure(value, &["%"], false)
                },
            ),
            attribute("pitch", false, PITCH, is_pitch),
            attribute("range", false, PITCH, is_pitch),
            attribute(
                "volume",
                false,
                "silent, x-soft, soft, medium, loud, x-loud, +6dB",
                |value| {
                    matches!(
                        value,
                        "silent" | "x-soft" | "soft" | "medium" | "loud" | "x-loud" | "default"
                    ) || is_measure(value, &["dB"], true)
                },
            ),
            attribute("duration", false, "500ms, 1.5s", |value| {
                time_ms(value).is_some()
            }),
        ],
    ),
    (
        "say-as",
        &[
            attribute("interpret-as", true, "date, digits", is_some),
            attribute("format", false, "ymd", is_some),
            attribute("detail", false, "2", is_some),
        ],
    ),
    (
        "sub",
        &[attribute("alias", true, "World Wide Web", is_some)],
    ),
    (
        "phoneme",
        &[
            attribute("ph", true, "təˈmeɪtoʊ", is_some),
            attribute("alphabet", false, "ipa", is_some),
        ],
    ),
    (
        "lang",
        &[attribute("xml:lang", true, "en, zh-CN", is_language)],
    ),
    ("p", &[LANG]),
    ("s", &[LANG]),
];

const PITCH: &str = "x-low, low, medium, high, x-high, +10%, -2st";

fn is_some(value: &str) -> bool {
    !value.trim().is_empty()
}

fn is_language(value: &str) -> bool {
    let mut parts = value.split('-');
    let first = parts.next().is_some_and(|first| {
        (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    first
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn is_pitch(value: &str) -> bool {
    matches!(
        value,
        "x-low" | "low" | "medium" | "high" | "x-high" | "default"
    ) || is_measure(value, &["%", "st", "Hz"], true)
}

/// A number with one of some units, and perhaps with a sign.
fn is_measure(value: &str, units: &[&str], signed: bool) -> bool {
    let number = match signed {
        true => value.strip_prefix(['+', '-']).unwrap_or(value),
        false => value,
    };
    let number = units.iter().find_map(|unit| number.strip_suffix(unit));
    number.is_some_and(|number| {
        let plain = |c: char| c.is_ascii_digit() || c == '.';
        number.chars().all(plain) && number.parse::<f64>().is_ok()
    })
}

/// What is wrong with the attributes of a tag that prompts may use. A value that is inserted is not looked at.
pub(crate) fn wrong_attributes<'t>(tag: &Tag<'t>) -> Vec<Wrong<'t>> {
    let known = ATTRIBUTES.iter().find(|(name, _)| *name == tag.name);
    let Some((_, known)) = known.filter(|_| !tag.closing) else {
        return Vec::new();
    };
    let given = match attributes(tag.attributes) {
        Ok(given) => given,
        Err(rest) => return vec![Wrong::Unreadable(rest)],
    };
    let mut wrong: Vec<Wrong<'t>> = Vec::new();
    for (name, value) in &given {
        match known.iter().find(|attribute| attribute.name == *name) {
            None => wrong.push(Wrong::Unknown(name, known)),
            Some(_) if value.contains("${") => {}
            Some(attribute) if !(attribute.fits)(value) => {
                wrong.push(Wrong::Value(name, value, attribute.takes));
            }
            Some(_) if tag.name == "break" && time_ms(value) > Some(MAX_BREAK_MS) => {
                wrong.push(Wrong::TooLong(value));
            }
            Some(_) => {}
        }
    }
    let is_given = |attribute: &Attribute| given.iter().any(|(name, _)| *name == attribute.name);
    // One that is misspelt is not missing as well.
    if wrong.is_empty() {
        let missing = known.iter().filter(|one| one.needed && !is_given(one));
        wrong.extend(missing.map(|attribute| Wrong::Missing(attribute.name)));
    }
    wrong
}
