//! How many decimals a currency has.

use super::Money;

/// Currencies without a smaller unit (ISO 4217, minor unit 0).
const WITHOUT_DECIMALS: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];

/// Currencies with a thousandth as their smallest unit (ISO 4217, minor unit 3).
const WITH_THREE_DECIMALS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Money {
    /// Decimals of the currency: 2 for the yuan and the dollar, 0 for the yen, 3 for the Kuwaiti dinar.
    /// A currency that is not known here has 2.
    pub fn decimals(&self) -> u32 {
        if WITHOUT_DECIMALS.contains(&self.currency.as_str()) {
            0
        } else if WITH_THREE_DECIMALS.contains(&self.currency.as_str()) {
            3
        } else {
            2
        }
    }

    /// How many of the smallest units make one: 100 for the yuan.
    pub fn units(&self) -> u64 {
        10u64.pow(self.decimals())
    }
}
