use crate::yaml::{Comment, Content, Node};

/// Whether two trees say the same, wherever it stands.
pub(super) fn trees(one: &Node, other: &Node) -> bool {
    match (&one.content, &other.content) {
        (Content::Scalar(a), Content::Scalar(b)) => {
            (a.absent() && b.absent()) || (a.text == b.text && a.style == b.style)
        }
        (Content::List(a), Content::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| trees(a, b))
        }
        (Content::Map(a), Content::Map(b)) => {
            a.entries.len() == b.entries.len()
                && a.entries
                    .iter()
                    .zip(&b.entries)
                    .all(|(a, b)| a.key == b.key && trees(&a.value, &b.value))
        }
        _ => false,
    }
}

/// Whether the same comments stand in the same order.
pub(super) fn comments(one: &[Comment], other: &[Comment]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a.text.trim_end() == b.text.trim_end())
}
