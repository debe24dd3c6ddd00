/// Letters and digits of an alphabetic script spoken in a second.
const LETTERS_PER_SECOND: u64 = 15;

/// Chinese characters spoken in a second.
const CHARACTERS_PER_SECOND: u64 = 4;

/// About how long a text takes to say, in milliseconds.
///
/// By the number of its letters and Chinese characters at the pace of a clear speaker; a synthesiser may
/// take a fifth more or less.
pub fn speech_ms(text: &str) -> u64 {
    let (mut letters, mut characters) = (0, 0);
    for c in text.chars() {
        match c {
            '\u{2e80}'..='\u{9fff}' => characters += 1,
            _ => letters += 1,
        }
    }
    // Rounded up, so that parts never take less than the whole.
    (characters * 1_000_u64).div_ceil(CHARACTERS_PER_SECOND)
        + (letters * 1_000_u64).div_ceil(LETTERS_PER_SECOND)
}
