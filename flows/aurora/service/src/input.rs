//! What a request may say, and the limits of each part.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Largest request body in bytes: a note of [`MAX_NOTE_CHARS`] in Chinese with room to spare.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Longest note in characters.
pub const MAX_NOTE_CHARS: usize = 2_000;

/// Longest `phone` of a look-up in bytes: a caller may come from a SIP URI instead of a number.
pub const MAX_CALLER_BYTES: usize = 256;

/// Longest `Idempotency-Key` in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// Longest article number in bytes.
pub const MAX_SKU_BYTES: usize = 64;

/// Most pieces in one order.
pub const MAX_QUANTITY: u32 = 99;

/// Longest promise to ring back in seconds: a week.
pub const MAX_WITHIN_S: u32 = 7 * 24 * 60 * 60;

/// A telephone number: an optional `+` and 3 to 15 digits (ITU-T E.164 §6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// Reads a number; spaces, hyphens and brackets are for the eye and dropped.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_CALLER_BYTES {
            return None;
        }
        let number: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '(' | ')'))
            .collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        let well_formed =
            (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        well_formed.then_some(Self(number))
    }

    /// Reads the `phone` of a query, where a `+` that nobody escaped arrives as a space.
    pub fn parse_query(text: &str) -> Option<Self> {
        match text.strip_prefix(' ') {
            Some(digits) => Self::parse(&format!("+{digits}")),
            None => Self::parse(text),
        }
    }

    /// The number without anything but digits and a leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Phone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
            .ok_or_else(|| "`phone` must be 3 to 15 digits with an optional leading +".to_owned())
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> Self {
        phone.0
    }
}

/// Reads an order's number from a path: 8 to 12 digits.
pub fn order_no(text: &str) -> Option<i64> {
    let well_formed =
        (8..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| text.parse().ok()).flatten()
}

/// A client's name for one request: whoever repeats it gets the first answer again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header's value: 1 to [`MAX_KEY_BYTES`] visible ASCII characters.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn parse(value: &[u8]) -> Result<Self, Problem> {
        let well_formed = (1..=MAX_KEY_BYTES).contains(&value.len())
            && value.iter().all(|byte| (0x20..0x7f).contains(byte));
        if !well_formed {
            return Err(Problem::unreadable(format!(
                "`Idempotency-Key` must be 1 to {MAX_KEY_BYTES} visible ASCII characters"
            )));
        }
        Ok(Self(String::from_utf8_lossy(value).into_owned()))
    }

    /// The key as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The body of `POST /orders`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// Who orders.
    pub phone: Phone,
    /// What: an article number such as `aurora-lamp`.
    pub sku: String,
    /// How many: 1 to [`MAX_QUANTITY`].
    pub quantity: u32,
}

/// The body of `POST /customers/notes`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// Whom the note is about.
    pub phone: Phone,
    /// 1 to [`MAX_NOTE_CHARS`] characters.
    pub text: String,
}

/// The body of `POST /callbacks`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCallback {
    /// Whom to ring.
    pub phone: Phone,
    /// 0 to 100; 50 when absent.
    #[serde(default = "default_priority")]
    pub priority: u32,
    /// Seconds until it should have happened: 1 to [`MAX_WITHIN_S`].
    pub within_s: u32,
}

/// Everything that a request can change.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// `POST /orders`
    PlaceOrder(NewOrder),
    /// `POST /orders/{no}/cancel`
    CancelOrder(i64),
    /// `POST /customers/notes`
    AddNote(NewNote),
    /// `POST /callbacks`
    BookCallback(NewCallback),
}

impl Change {
    /// Checks what the types cannot: that every value is within its bounds.
    ///
    /// # Errors
    /// 422, naming the field and its bounds.
    pub fn check(&self) -> Result<(), Problem> {
        match self {
            Self::PlaceOrder(order) => {
                let sku_fits = (1..=MAX_SKU_BYTES).contains(&order.sku.len());
                if !sku_fits {
                    return Err(Problem::invalid(format!(
                        "`sku` must be 1 to {MAX_SKU_BYTES} bytes"
                    )));
                }
                if !(1..=MAX_QUANTITY).contains(&order.quantity) {
                    return Err(Problem::invalid(format!(
                        "`quantity` must be 1 to {MAX_QUANTITY}"
                    )));
                }
            }
            Self::CancelOrder(_) => {}
            Self::AddNote(note) => {
                if !(1..=MAX_NOTE_CHARS).contains(&note.text.chars().count()) {
                    let limit = format!("`text` must be 1 to {MAX_NOTE_CHARS} characters");
                    return Err(Problem::invalid(limit));
                }
            }
            Self::BookCallback(callback) => {
                if callback.priority > 100 {
                    return Err(Problem::invalid("`priority` must be 0 to 100"));
                }
                if !(1..=MAX_WITHIN_S).contains(&callback.within_s) {
                    return Err(Problem::invalid(format!(
                        "`within_s` must be 1 to {MAX_WITHIN_S}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// SHA-256 of what is asked, the same for the same wish however its JSON was written.
    pub fn fingerprint(&self) -> Vec<u8> {
        let canonical = serde_json::to_vec(self).expect("strings and integers always serialise");
        Sha256::digest(canonical).to_vec()
    }
}

fn default_priority() -> u32 {
    50
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_accepts_what_people_write_and_refuses_the_rest() {
        for (text, number) in [
            ("+8613800138000", Some("+8613800138000")),
            ("(0571) 8888-0000", Some("057188880000")),
            ("110", Some("110")),
            ("11", None),
            ("+1234567890123456", None),
            ("86+13800138000", None),
            ("１３８００１３８０００", None),
            ("sip:alice@example.com", None),
            ("", None),
        ] {
            assert_eq!(
                Phone::parse(text).as_ref().map(Phone::as_str),
                number,
                "{text}"
            );
        }
        assert_eq!(
            Phone::parse_query(" 8613800138000").unwrap().as_str(),
            "+8613800138000"
        );
    }

    #[test]
    fn order_number_is_eight_to_twelve_digits() {
        assert_eq!(order_no("20260302"), Some(20_260_302));
        assert_eq!(order_no("999999999999"), Some(999_999_999_999));
        for text in [
            "2026030",
            "9999999999999",
            "2026030x",
            "+20260302",
            "-20260302",
            "",
        ] {
            assert_eq!(order_no(text), None, "{text}");
        }
    }

    #[test]
    fn fingerprint_is_of_the_wish_not_of_its_spelling() {
        let read = |text: &str| Change::AddNote(serde_json::from_str(text).unwrap()).fingerprint();
        let plain = read(r#"{"phone":"+8613800138000","text":"x"}"#);
        assert_eq!(
            plain,
            read(r#"{ "text": "\u0078", "phone": "+86 138 0013 8000" }"#)
        );
        assert_ne!(plain, read(r#"{"phone":"+8613800138000","text":"y"}"#));
    }
}
