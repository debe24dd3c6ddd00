//! Numbers of a thousand trillion (10^15) and more. Nobody follows the words of sixteen digits and more, so those are said one by one; and
//! from 10^21 on, where their figures say nothing any more, as a power of ten.

use super::decimal::{Decimal, TOO_LARGE};
use super::figures::{POWERS_FROM, bare};
use super::{Language, digits, english, mandarin};

/// Whether a number is as large as that.
pub(super) fn is_large(number: f64) -> bool {
    number.is_finite() && number.abs() >= TOO_LARGE
}

/// As the filter `number` says it.
pub(super) fn number(number: f64, language: Language, spoken: bool) -> Result<String, String> {
    if !number.is_finite() {
        return Err("this is no number".to_owned());
    }
    if !spoken {
        return Ok(bare(number));
    }
    let minus = match (number < 0.0, language) {
        (false, _) => "",
        (true, Language::English) => "minus ",
        (true, Language::Mandarin) => "负",
    };
    let size = number.abs();
    let words = match size < POWERS_FROM {
        true => digits::digits(&format!("{size:.0}"), language, true)?,
        false => power(size, language)?,
    };
    Ok(format!("{minus}{words}"))
}

/// As the filter `percent` says it.
pub(super) fn percent(percent: f64, language: Language, spoken: bool) -> Result<String, String> {
    let size = match language {
        Language::Mandarin if spoken => percent.abs(),
        _ => percent,
    };
    let words = number(size, language, spoken)?;
    Ok(match (spoken, language) {
        (false, _) => format!("{words}%"),
        (true, Language::English) => format!("{words} percent"),
        (true, Language::Mandarin) if percent < 0.0 => format!("负百分之{words}"),
        (true, Language::Mandarin) => format!("百分之{words}"),
    })
}

/// As the filter `ordinal` says it.
pub(super) fn ordinal(place: f64, language: Language, spoken: bool) -> Result<String, String> {
    let words = number(place, language, spoken)?;
    Ok(match (spoken, language) {
        (true, Language::English) => format!("number {words}"),
        (false, Language::English) => format!("{words}th"),
        (_, Language::Mandarin) => format!("第{words}"),
    })
}

/// 1.5e21: "one point five times ten to the power of twenty-one".
fn power(size: f64, language: Language) -> Result<String, String> {
    let written = format!("{size:e}");
    let parts = written.split_once('e').and_then(|(factor, power)| {
        let factor = Decimal::of(factor.parse().ok()?)?;
        Some((factor, power.parse().ok()?))
    });
    let (factor, power): (Decimal, u64) = parts.ok_or("this is no number")?;
    Ok(match language {
        Language::English => format!(
            "{} times ten to the power of {}",
            english::number(&factor),
            english::cardinal(power)
        ),
        Language::Mandarin => format!(
            "{}乘以十的{}次方",
            mandarin::number(&factor),
            mandarin::plain_cardinal(power)
        ),
    })
}
