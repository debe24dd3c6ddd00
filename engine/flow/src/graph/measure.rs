//! How much room texts take.

/// Height of a line of text, in pixels.
pub(super) const LINE: f64 = 18.0;

/// Height of a line of a label, in pixels: labels are written smaller.
pub(super) const LABEL_LINE: f64 = LINE * 0.9;

/// Longest line of a label or a card, in characters; more is cut.
const MAX_LINE: usize = 34;

/// Most lines of a label; of what is left out the number is said.
const MAX_LABEL_LINES: usize = 8;

/// A label in lines that are not too long.
pub(super) fn label(labels: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut more = 0;
    for label in labels {
        let label = cut(label);
        if lines.len() == MAX_LABEL_LINES || lines.contains(&label) {
            more += 1;
            continue;
        }
        match lines.last_mut() {
            Some(line) if line.chars().count() + label.chars().count() + 2 <= MAX_LINE / 2 => {
                line.push_str(", ");
                line.push_str(&label);
            }
            _ => lines.push(label),
        }
    }
    if more > 0 {
        lines.push(format!("… +{more}"));
    }
    lines
}

/// Width and height of a label.
pub(super) fn label_size(lines: &[String]) -> (f64, f64) {
    if lines.is_empty() {
        return (4.0, 0.0);
    }
    let widest = lines.iter().map(|line| text_width(line) * 0.9);
    (
        widest.fold(0.0, f64::max) + 12.0,
        LABEL_LINE * lines.len() as f64,
    )
}

/// A line that fits.
pub(super) fn cut(line: &str) -> String {
    if line.chars().count() <= MAX_LINE {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(MAX_LINE - 1).collect();
    cut.push('…');
    cut
}

/// How wide a text of 13 pixels is, a little too wide rather than too narrow: fonts differ.
pub(super) fn text_width(text: &str) -> f64 {
    let width = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '|' | '!' => 4.5,
        'm' | 'w' | 'M' | 'W' | '@' => 12.0,
        c if c.is_ascii_uppercase() => 9.5,
        c if c.is_ascii() => 7.6,
        _ => 13.5,
    };
    text.chars().map(width).sum()
}
