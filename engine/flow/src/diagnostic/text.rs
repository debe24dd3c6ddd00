/// The languages that findings are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English; every finding has it.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// A sentence in every language it has been written in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    english: String,
    chinese: Option<String>,
}

impl Text {
    /// A text in English only.
    pub fn new(english: impl Into<String>) -> Text {
        Text {
            english: english.into(),
            chinese: None,
        }
    }

    /// A text in both languages.
    pub fn both(english: impl Into<String>, chinese: impl Into<String>) -> Text {
        Text {
            english: english.into(),
            chinese: Some(chinese.into()),
        }
    }

    /// The English text.
    pub fn english(&self) -> &str {
        &self.english
    }

    /// The text in a language; English where there is no translation.
    pub fn in_language(&self, language: Language) -> &str {
        match (language, &self.chinese) {
            (Language::Chinese, Some(chinese)) => chinese,
            _ => &self.english,
        }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.english.is_empty()
    }
}

impl From<&str> for Text {
    fn from(english: &str) -> Text {
        Text::new(english)
    }
}

impl From<String> for Text {
    fn from(english: String) -> Text {
        Text::new(english)
    }
}

/// Writes a [`Text`] in both languages from two format strings with the names in scope.
macro_rules! text {
    ($english:literal, $chinese:literal $(,)?) => {
        $crate::diagnostic::Text::both(format!($english), format!($chinese))
    };
}

pub(crate) use text;
