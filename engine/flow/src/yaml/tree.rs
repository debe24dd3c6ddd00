use std::borrow::Cow;

use crate::expr::Span;

/// A value and where it stands. Texts that stand in the file letter for letter are borrowed from it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node<'s> {
    /// From its first byte to the byte after its last one.
    pub span: Span,
    /// What it is.
    pub content: Content<'s>,
}

/// The three kinds of value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content<'s> {
    /// Text, with or without quotes.
    Scalar(Scalar<'s>),
    /// Values in order.
    List(Vec<Node<'s>>),
    /// Named values.
    Map(Map<'s>),
}

/// Text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar<'s> {
    /// The text after YAML's escapes and folding.
    pub text: Cow<'s, str>,
    /// How it was written.
    pub style: Style,
    /// The byte of the file at which `text` begins, when `text` stands there letter for letter.
    pub exact: Option<usize>,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// As a block after `|` or `>`.
    Block,
}

/// Named values in the order of the file. Keys are unique.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Map<'s> {
    /// The entries.
    pub entries: Vec<Entry<'s>>,
}

/// One named value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry<'s> {
    /// The name.
    pub key: Cow<'s, str>,
    /// Where the name stands, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Node<'s>,
}

/// A comment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comment {
    /// From the `#` to the end of the line.
    pub span: Span,
    /// What follows the `#`.
    pub text: String,
    /// Whether something else stands before it on its line.
    pub trailing: bool,
}

impl Entry<'_> {
    /// From the key to the end of the value.
    pub fn span(&self) -> Span {
        self.key_span.to(self.value.span)
    }
}

impl<'s> Map<'s> {
    /// The entry of a name.
    pub fn entry(&self, key: &str) -> Option<&Entry<'s>> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a name.
    pub fn value(&self, key: &str) -> Option<&Node<'s>> {
        self.entry(key).map(|entry| &entry.value)
    }
}

impl<'s> Node<'s> {
    /// The same with texts of its own, to be kept without the file.
    pub fn into_owned(self) -> Node<'static> {
        let owned = |text: Cow<'s, str>| Cow::Owned(text.into_owned());
        let content = match self.content {
            Content::Scalar(scalar) => Content::Scalar(Scalar {
                text: owned(scalar.text),
                style: scalar.style,
                exact: scalar.exact,
            }),
            Content::List(items) => {
                Content::List(items.into_iter().map(Node::into_owned).collect())
            }
            Content::Map(map) => {
                let entries = map.entries.into_iter().map(|entry| Entry {
                    key: owned(entry.key),
                    key_span: entry.key_span,
                    value: entry.value.into_owned(),
                });
                Content::Map(Map {
                    entries: entries.collect(),
                })
            }
        };
        Node {
            span: self.span,
            content,
        }
    }

    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar<'s>> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text, if it is a scalar with something in it.
    pub fn text(&self) -> Option<&str> {
        self.scalar()
            .filter(|scalar| !scalar.absent())
            .map(|scalar| scalar.text.as_ref())
    }

    /// The map, if it is one.
    pub fn map(&self) -> Option<&Map<'s>> {
        match &self.content {
            Content::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[Node<'s>]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether nothing stands after the colon.
    pub fn absent(&self) -> bool {
        self.scalar().is_some_and(Scalar::absent)
    }
}

impl Scalar<'_> {
    /// Whether nothing was written: YAML's null.
    pub fn absent(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_ref(), "" | "~" | "null")
    }
}
