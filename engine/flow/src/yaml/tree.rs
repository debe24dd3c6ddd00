use crate::expr::Span;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// From its first byte to the byte after its last one.
    pub span: Span,
    /// What it is.
    pub content: Content,
}

/// The three kinds of value.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Text, with or without quotes.
    Scalar(Scalar),
    /// Values in order.
    List(Vec<Node>),
    /// Named values.
    Map(Map),
}

/// Text.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    /// The text after YAML's escapes and folding.
    pub text: String,
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
#[derive(Debug, Clone, Default)]
pub(crate) struct Map {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// One named value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The name.
    pub key: String,
    /// Where the name stands, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    /// From the `#` to the end of the line.
    pub span: Span,
    /// What follows the `#`.
    pub text: String,
    /// Whether something else stands before it on its line.
    pub trailing: bool,
}

impl Entry {
    /// From the key to the end of the value.
    pub fn span(&self) -> Span {
        self.key_span.to(self.value.span)
    }
}

impl Map {
    /// The entry of a name.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a name.
    pub fn value(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }
}

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text, if it is a scalar with something in it.
    pub fn text(&self) -> Option<&str> {
        self.scalar()
            .filter(|scalar| !scalar.absent())
            .map(|scalar| scalar.text.as_str())
    }

    /// The map, if it is one.
    pub fn map(&self) -> Option<&Map> {
        match &self.content {
            Content::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[Node]> {
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

impl Scalar {
    /// Whether nothing was written: YAML's null.
    pub fn absent(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null")
    }
}
