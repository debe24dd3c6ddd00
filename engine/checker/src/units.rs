//! Places in a text: bytes here, UTF-16 units in JavaScript.

/// Where the lines of a text begin, in both.
pub(crate) struct Units<'t> {
    text: &'t str,
    /// Byte and unit of each line's beginning.
    starts: Vec<(usize, usize)>,
}

impl<'t> Units<'t> {
    pub fn new(text: &'t str) -> Units<'t> {
        let mut starts = vec![(0, 0)];
        let (mut byte, mut unit) = (0, 0);
        for line in text.split_inclusive('\n') {
            byte += line.len();
            unit += length(line);
            starts.push((byte, unit));
        }
        Units { text, starts }
    }

    /// The byte of a unit. One beyond the text counts as its end, one within a character as its beginning.
    pub fn byte(&self, unit: usize) -> usize {
        let line = self.starts.partition_point(|(_, start)| *start <= unit) - 1;
        let (start, mut units) = self.starts[line];
        for (at, letter) in self.text[start..].char_indices() {
            units += letter.len_utf16();
            if units > unit {
                return start + at;
            }
        }
        self.text.len()
    }

    /// The unit of a byte. One beyond the text counts as its end, one within a character as its beginning.
    pub fn unit(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.starts.partition_point(|(start, _)| *start <= byte) - 1;
        let (start, units) = self.starts[line];
        units + length(&self.text[start..byte])
    }
}

fn length(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.chars().map(char::len_utf16).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn places_are_the_same_in_both() {
        let text = "zh: 您好😀x\r\nb\n\n好";
        let units: Vec<u16> = text.encode_utf16().collect();
        let places = Units::new(text);
        for (byte, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let unit = text[..byte].encode_utf16().count();
            assert_eq!((places.unit(byte), places.byte(unit)), (unit, byte));
        }
        assert_eq!(places.byte(units.len() + 9), text.len());
        assert_eq!(places.unit(text.len() + 9), units.len());
        let emoji = text.find('😀').expect("it is there");
        let unit = places.unit(emoji);
        assert_eq!(places.byte(unit + 1), emoji, "within the emoji");
        assert_eq!(places.unit(emoji + 1), unit, "within the emoji");
        assert_eq!((Units::new("").byte(3), Units::new("").unit(3)), (0, 0));
    }
}
