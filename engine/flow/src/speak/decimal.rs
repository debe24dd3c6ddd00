//! A number as it is said: sign, whole part, decimals.

/// First number that is too large for words: a thousand trillion.
pub(super) const TOO_LARGE: f64 = 1e15;

/// Most decimals that are said.
const DECIMALS: usize = 6;

/// A number in decimal notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Below zero; never set for zero.
    pub(super) negative: bool,
    /// Before the point.
    pub(super) whole: u64,
    /// The digits after the point, without zeros at the end; at most six.
    pub(super) fraction: String,
}

impl Decimal {
    /// Rounds to six decimals; none of what is too large for words.
    pub(super) fn of(number: f64) -> Option<Decimal> {
        if !number.is_finite() || number.abs() >= TOO_LARGE {
            return None;
        }
        let written = format!("{:.DECIMALS$}", number.abs());
        let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
        let fraction = fraction.trim_end_matches('0').to_owned();
        // Rounding up may reach 10^15, which still fits.
        let whole = whole.parse().ok()?;
        Some(Decimal {
            negative: number < 0.0 && (whole > 0 || !fraction.is_empty()),
            whole,
            fraction,
        })
    }

    /// An amount of smallest units, so many to one.
    pub(super) fn of_units(amount: i64, decimals: u32) -> Decimal {
        let units = 10u64.pow(decimals);
        let size = amount.unsigned_abs();
        let fraction = match decimals {
            0 => String::new(),
            width => format!("{:0width$}", size % units, width = width as usize),
        };
        Decimal {
            negative: amount < 0,
            whole: size / units,
            fraction: fraction.trim_end_matches('0').to_owned(),
        }
    }

    /// The number, when it is whole and not below zero.
    pub(super) fn natural(&self) -> Option<u64> {
        (!self.negative && self.fraction.is_empty()).then_some(self.whole)
    }
}
