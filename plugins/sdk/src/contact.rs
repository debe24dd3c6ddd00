//! `contact`: facts about the contact that the step serves.

pub use crate::bindings::strowger::contact::contact::{Channel, Facts};

use crate::host;

/// What is known about the contact now.
pub fn read() -> Facts {
    host::contact::read()
}

impl Facts {
    /// The primary part of the language, in lower case: `zh` for `zh-Hans-CN`.
    pub fn primary_language(&self) -> String {
        self.language
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }

    /// The text for the contact's language among some, else the English one, else any.
    pub fn choose<'a>(
        &self,
        texts: &'a std::collections::BTreeMap<String, String>,
    ) -> Option<&'a str> {
        let primary = self.primary_language();
        [self.language.as_str(), &primary, "en"]
            .into_iter()
            .find_map(|language| texts.get(language))
            .or_else(|| texts.values().next())
            .map(String::as_str)
    }
}
