use std::borrow::Cow;
use std::fmt;

use crate::unseen::in_its_lines;

/// The languages that findings are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Words in every language that findings are told in: there is no way to make them in one alone. What they quote is
/// made visible by [`in_its_lines`].
#[derive(Debug, Clone, Eq, Default)]
pub struct Text {
    english: Cow<'static, str>,
    /// `None` where it is the same.
    chinese: Option<Cow<'static, str>>,
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.english() == other.english() && self.chinese() == other.chinese()
    }
}

impl Text {
    /// A text in both languages.
    pub fn both(
        english: impl Into<Cow<'static, str>>,
        chinese: impl Into<Cow<'static, str>>,
    ) -> Text {
        Text {
            english: shown(english.into()),
            chinese: Some(shown(chinese.into())),
        }
    }

    /// A text without anything to be put in.
    pub const fn fixed(english: &'static str, chinese: &'static str) -> Text {
        Text {
            english: Cow::Borrowed(english),
            chinese: Some(Cow::Borrowed(chinese)),
        }
    }

    /// A name, a number or a piece of the language: the same for everybody.
    pub fn same(written: impl Into<Cow<'static, str>>) -> Text {
        Text {
            english: shown(written.into()),
            chinese: None,
        }
    }

    /// The help of a finding of which it is known what was meant.
    pub fn did_you_mean(meant: impl fmt::Display) -> Text {
        Text::both(
            format!("did you mean `{meant}`?"),
            format!("是否想写 `{meant}`？"),
        )
    }

    /// The English text.
    pub fn english(&self) -> &str {
        &self.english
    }

    /// The Chinese text.
    pub fn chinese(&self) -> &str {
        self.chinese.as_deref().unwrap_or(&self.english)
    }

    /// The text in a language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => self.english(),
            Language::Chinese => self.chinese(),
        }
    }

    /// The same, cut to so many bytes in each language.
    pub fn shortened(self, most: usize) -> Text {
        let short = |text: Cow<'static, str>| match text.len() > most {
            true => Cow::Owned(format!("{}…", &text[..text.floor_char_boundary(most)])),
            false => text,
        };
        Text {
            english: short(self.english),
            chinese: self.chinese.map(short),
        }
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.english.is_empty()
    }
}

fn shown(text: Cow<'static, str>) -> Cow<'static, str> {
    match in_its_lines(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => Cow::Owned(shown),
    }
}

/// Closes the gap between two Chinese characters, which a template leaves for names in Latin letters.
#[doc(hidden)]
pub fn closed_up(text: String) -> String {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let mut closed = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let gap = c == ' '
            && closed.chars().next_back().is_some_and(han)
            && rest.peek().is_some_and(|next| han(*next));
        if !gap {
            closed.push(c);
        }
    }
    closed
}

/// Writes a [`Text`](crate::diagnostic::Text) in both languages from two format strings with the names in
/// scope. Names after a semicolon are texts themselves: each goes into both sentences in its language.
#[macro_export]
macro_rules! text {
    ($english:literal, $chinese:literal $(,)?) => {
        $crate::diagnostic::Text::both(format!($english), format!($chinese))
    };
    ($english:literal, $chinese:literal; $($words:ident),+ $(,)?) => {{
        let english = {
            $(let $words = $words.english();)+
            format!($english)
        };
        let chinese = {
            $(let $words = $words.chinese();)+
            format!($chinese)
        };
        $crate::diagnostic::Text::both(english, $crate::diagnostic::closed_up(chinese))
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_each_sentence_in_its_language() {
        let place = Text::fixed("a flow", "流程");
        let key = Text::same("`retry`");
        let of = |place: &Text| text!("{place} needs `a`", "{place} 缺少 `a`"; place);
        assert_eq!(of(&place).english(), "a flow needs `a`");
        assert_eq!(of(&place).chinese(), "流程缺少 `a`");
        assert_eq!(of(&key).chinese(), "`retry` 缺少 `a`");
    }
}
