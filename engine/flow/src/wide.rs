//! Full-width forms of ASCII, as East Asian input methods type them.

/// The ASCII character of which one is the full-width form (Unicode, U+FF01 to U+FF5E); every other character is itself.
pub fn narrow(letter: char) -> char {
    match letter {
        // The block repeats ASCII at this distance.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        letter => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::narrow;

    #[test]
    fn each_full_width_form_is_its_character() {
        let wide: String = ('\u{ff01}'..='\u{ff5e}').map(narrow).collect();
        assert_eq!(wide, ('!'..='~').collect::<String>());
        assert_eq!(
            "a您，。\u{3000}".chars().map(narrow).collect::<String>(),
            "a您,。\u{3000}"
        );
    }
}
