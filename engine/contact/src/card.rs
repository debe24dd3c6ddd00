//! The check digit of cards.

/// Whether the text is digits of which the last one checks the others (ISO/IEC 7812-1 annex B: Luhn). Spaces and hyphens
/// between them count for nothing, as somebody writes them in a chat.
pub(crate) fn is_card_number(text: &str) -> bool {
    let mut sum = 0;
    let mut count = 0;
    for letter in text
        .chars()
        .rev()
        .filter(|letter| !matches!(letter, ' ' | '-'))
    {
        let Some(digit) = letter.to_digit(10) else {
            return false;
        };
        // Each second digit from the right counts twice, a sum of two figures by its figures.
        let weighed = match (count % 2, digit) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        };
        sum = (sum + weighed) % 10;
        count += 1;
    }
    count > 0 && sum == 0
}

#[cfg(test)]
mod tests {
    use super::is_card_number;

    #[test]
    fn the_last_digit_checks_the_others() {
        // The second is the example of the standard's annex.
        for good in [
            "4111111111111111",
            "79927398713",
            "3782 822463 10005",
            "5555-5555-5555-4444",
            "0",
        ] {
            assert!(is_card_number(good), "{good}");
        }
        for bad in [
            "4111111111111112",
            "4111111111111",
            "1411111111111111",
            "79927398710",
            "",
            "4111x",
            "４１１１",
            "•",
        ] {
            assert!(!is_card_number(bad), "{bad}");
        }
        // One wrong digit is always noticed.
        let good = b"4111111111111111";
        for at in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut typed = *good;
                typed[at] = digit;
                let typed = std::str::from_utf8(&typed).expect("digits");
                assert_eq!(is_card_number(typed), digit == good[at], "{typed}");
            }
        }
    }
}
