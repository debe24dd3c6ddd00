//! Did you mean …?

/// The candidate that is closest to a misspelt name, if one is close enough to be meant: a third of its
/// letters may be wrong, at least one. Letters that changed places count once; case does not count.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = Letters::new(name.chars().flat_map(char::to_lowercase));
    let allowed = (wanted.get().len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if is_country_of(name, candidate) {
            return Some(candidate);
        }
        let letters = Letters::new(candidate.chars().flat_map(char::to_lowercase));
        // Two names of one letter have nothing in common but their length.
        if wanted.get().len() <= 1 && letters.get() != wanted.get() {
            continue;
        }
        let most = best.map_or(allowed, |(least, _)| least - 1);
        if let Some(distance) = distance(&wanted, &letters, most) {
            best = Some((distance, candidate));
            if distance == 0 {
                break;
            }
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Countries that are written for their languages. Two letters have too little in common: `cn` is nearer to `en` than to `zh`.
const COUNTRIES: [(&str, &str); 4] = [("cn", "zh"), ("jp", "ja"), ("kr", "ko"), ("cz", "cs")];

/// Whether a country stands for its language.
pub(crate) fn is_country_of(written: &str, language: &str) -> bool {
    let mut all = COUNTRIES.iter();
    all.any(|(country, meant)| written.eq_ignore_ascii_case(country) && *meant == language)
}

/// Letters of a name that are compared; longer names are compared by their beginning, for the cost is the product of
/// the lengths.
pub(crate) const MAX_LETTERS: usize = 64;

/// The letters of a name. Names are compared by the hundred thousand, so that nothing here is allocated.
pub(crate) struct Letters {
    letters: [char; MAX_LETTERS],
    count: usize,
    /// A bit for each letter that is there, by its code modulo 64.
    set: u64,
}

impl Letters {
    pub(crate) fn new(name: impl Iterator<Item = char>) -> Letters {
        let mut letters = Letters {
            letters: ['\0'; MAX_LETTERS],
            count: 0,
            set: 0,
        };
        for letter in name.take(MAX_LETTERS) {
            letters.letters[letters.count] = letter;
            letters.count += 1;
            letters.set |= 1 << (u32::from(letter) % 64);
        }
        letters
    }

    pub(crate) fn get(&self) -> &[char] {
        &self.letters[..self.count]
    }
}

/// How many slips make one name of the other (optimal string alignment: insertions, deletions, replacements,
/// neighbours exchanged); `None` when that is more than `most`.
pub(crate) fn distance(a: &Letters, b: &Letters, most: usize) -> Option<usize> {
    // Each slip changes the length by one at most, and adds or removes one letter at most.
    let missing = (a.set & !b.set)
        .count_ones()
        .max((b.set & !a.set).count_ones());
    if a.count.abs_diff(b.count) > most || missing as usize > most {
        return None;
    }
    let (a, b) = (a.get(), b.get());
    let mut rows = [[0u8; MAX_LETTERS + 1]; 3];
    let (mut before, mut above, mut row) = (0, 1, 2);
    for (at, cell) in (0..=b.len()).zip(&mut rows[above]) {
        *cell = at as u8;
    }
    for (i, &letter) in a.iter().enumerate() {
        rows[row][0] = i as u8 + 1;
        let mut least = rows[row][0];
        for (j, &other) in b.iter().enumerate() {
            let replaced = rows[above][j] + u8::from(letter != other);
            let mut slips = replaced.min(rows[above][j + 1] + 1).min(rows[row][j] + 1);
            if i > 0 && j > 0 && letter == b[j - 1] && a[i - 1] == other {
                slips = slips.min(rows[before][j - 1] + 1);
            }
            rows[row][j + 1] = slips;
            least = least.min(slips);
        }
        // Rows never become better again, but for neighbours exchanged, which look two rows back and cost one.
        if usize::from(least) > most + 1 {
            return None;
        }
        (before, above, row) = (above, row, before);
    }
    let slips = usize::from(rows[above][b.len()]);
    (slips <= most).then_some(slips)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(a: &str, b: &str, most: usize) -> Option<usize> {
        distance(&Letters::new(a.chars()), &Letters::new(b.chars()), most)
    }

    #[test]
    fn slips_are_counted_up_to_what_is_allowed() {
        for (a, b, count) in [
            ("lookup", "lookup", 0),
            ("loookup", "lookup", 1),
            ("sttaus", "status", 1),
            ("ab", "ba", 1),
            ("abcd", "badc", 2),
            ("hello", "help", 2),
            ("", "abc", 3),
            ("查询订单", "查詢订单", 1),
        ] {
            for (a, b) in [(a, b), (b, a)] {
                assert_eq!(slips(a, b, count), Some(count), "{a} {b}");
                assert_eq!(slips(a, b, 64), Some(count), "{a} {b}");
                if count > 0 {
                    assert_eq!(slips(a, b, count - 1), None, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn names_of_any_length_are_compared() {
        let long = "x".repeat(10_000);
        assert_eq!(closest(&long, ["x"]), None);
        assert_eq!(closest("x", [long.as_str()]), None);
        assert_eq!(closest("Helo", ["hello", "help"]), Some("hello"));
    }
}
