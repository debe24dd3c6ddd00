//! Readings of characters that have several, by the word they stand in.
//!
//! The table is `polyphones.txt`; its head says how to add a word.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The table, parsed at first use.
pub static POLYPHONES: LazyLock<Polyphones> =
    LazyLock::new(|| Polyphones::parse(include_str!("polyphones.txt")));

/// Readings by word.
#[derive(Default)]
pub struct Polyphones {
    /// Reading outside the listed words.
    usual: HashMap<char, &'static str>,
    /// Reading where the character is a word of its own.
    alone: HashMap<char, &'static str>,
    /// By word: which of its characters (counted from 0) is read how.
    words: HashMap<&'static str, Vec<(usize, &'static str)>>,
    /// Characters of the longest listed word.
    longest: usize,
}

impl Polyphones {
    /// Reads the table. Lines that make no sense are left out; a test holds that there are none.
    fn parse(table: &'static str) -> Polyphones {
        let mut polyphones = Polyphones::default();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut parts = line.split_whitespace();
            let (Some(character), Some(reading)) = (
                parts.next().and_then(|part| part.chars().next()),
                parts.next(),
            ) else {
                continue;
            };
            for word in parts {
                match word {
                    "*" => drop(polyphones.usual.insert(character, reading)),
                    "=" => drop(polyphones.alone.insert(character, reading)),
                    "姓" => polyphones.add_surname(character, reading),
                    word => polyphones.add_word(word, character, reading),
                }
            }
        }
        polyphones
    }

    /// `word`, or `word=n` when only the n-th of several equal characters is meant.
    fn add_word(&mut self, word: &'static str, character: char, reading: &'static str) {
        let (word, nth) = match word.split_once('=') {
            Some((word, nth)) => (word, nth.parse::<usize>().ok()),
            None => (word, None),
        };
        let places = word
            .chars()
            .enumerate()
            .filter(|(_, each)| *each == character)
            .map(|(place, _)| place);
        let readings = self.words.entry(word).or_default();
        match nth {
            Some(nth) => readings.extend(
                places
                    .skip(nth.saturating_sub(1))
                    .take(1)
                    .map(|place| (place, reading)),
            ),
            None => readings.extend(places.map(|place| (place, reading))),
        }
        self.longest = self.longest.max(word.chars().count());
    }

    fn add_surname(&mut self, character: char, reading: &'static str) {
        for title in TITLES {
            // The names live as long as the table, which is never dropped.
            let word: &'static str = Box::leak(format!("{character}{title}").into_boxed_str());
            self.add_word(word, character, reading);
        }
    }

    /// The listed words, for the dictionary of the word segmentation.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        self.words.keys().copied()
    }

    /// Readings of the characters of one word; none for a character that the table does not know.
    pub fn read(&self, word: &[char]) -> Vec<Option<&'static str>> {
        let mut readings: Vec<Option<&'static str>> = word
            .iter()
            .map(|character| self.usual.get(character).copied())
            .collect();
        if let [character] = word
            && let Some(reading) = self.alone.get(character)
        {
            return vec![Some(reading)];
        }
        // Shorter words first, so that longer ones overrule them.
        for length in 1..=self.longest.min(word.len()) {
            for start in 0..=word.len() - length {
                let part: String = word[start..start + length].iter().collect();
                for (place, reading) in self.words.get(part.as_str()).into_iter().flatten() {
                    readings[start + place] = Some(reading);
                }
            }
        }
        readings
    }
}

/// What follows a surname when somebody is addressed.
const TITLES: [&str; 5] = ["先生", "女士", "小姐", "老师", "经理"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_makes_sense() {
        for (number, line) in include_str!("polyphones.txt").lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = number + 1;
            let mut parts = line.split(' ');
            let character = parts.next().unwrap_or_default();
            assert_eq!(character.chars().count(), 1, "line {place}");
            let reading = parts.next().unwrap_or_default();
            let (letters, tone) = reading.split_at(reading.len() - 1);
            assert!(
                letters.bytes().all(|byte| byte.is_ascii_lowercase()),
                "line {place}: {reading}"
            );
            assert!(("1"..="5").contains(&tone), "line {place}: {reading}");
            for word in parts.filter(|word| !["*", "=", "姓"].contains(word)) {
                assert!(
                    word.contains(character),
                    "line {place}: {word} without {character}"
                );
            }
        }
    }

    #[test]
    fn the_longest_word_wins() {
        let read = |word: &str| POLYPHONES.read(&word.chars().collect::<Vec<_>>());
        assert_eq!(read("行长")[0], Some("hang2"));
        assert_eq!(read("行长")[1], Some("zhang3"));
        assert_eq!(read("好奇"), [Some("hao4"), Some("qi2")]);
        assert_eq!(read("谢谢"), [Some("xie4"), Some("xie5")]);
        assert_eq!(read("曾女士")[0], Some("zeng1"));
        assert_eq!(read("知识分子")[2], Some("fen4"));
        assert_eq!(read("分子")[0], Some("fen1"));
    }
}
