//! The rules, one file each. A rule's doc comment is its page.

mod chinese;

use std::borrow::Cow;

use crate::diagnostic::{Language, Level};

/// A rule: what it is called, how much it matters, and its page.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// As it stands in findings and in `# strowger: allow(…)`.
    pub slug: &'static str,
    /// How much a finding of it matters.
    pub level: Level,
    /// One line in English.
    pub english: &'static str,
    /// The same in Chinese.
    pub chinese: &'static str,
    /// The page, in Markdown: what it finds, why that is bad, an example, what to write instead.
    pub page: &'static str,
}

impl Rule {
    /// The one line in a language.
    pub fn title(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }

    /// The page in a language.
    pub fn page_in(&self, language: Language) -> Cow<'static, str> {
        match language {
            Language::English => Cow::Borrowed(self.page),
            Language::Chinese => match chinese::page(self.slug, self.page) {
                Some(page) => Cow::Owned(page),
                None => Cow::Borrowed(self.page),
            },
        }
    }

    /// The page under its head, in Markdown: what `strowger explain` prints.
    pub fn explain(&self, language: Language) -> String {
        let level = match (language, self.level) {
            (Language::English, level) => level.name(),
            (Language::Chinese, Level::Error) => "错误",
            (Language::Chinese, Level::Warning) => "警告",
        };
        // Doc comments keep the blank after `///`; a page begins at the margin.
        let body: String = self
            .page_in(language)
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            .collect();
        let (slug, title, body) = (self.slug, self.title(language), body.trim_end());
        format!("# {slug} ({level})\n\n{title}\n\n{body}\n")
    }
}

/// Declares a rule; its doc comment becomes its page.
macro_rules! rule {
    ($(#[doc = $page:literal])+ $name:ident = $slug:literal, $level:ident, $english:literal, $chinese:literal) => {
        $(#[doc = $page])+
        pub static $name: $crate::check::rules::Rule = $crate::check::rules::Rule {
            slug: $slug,
            level: $crate::diagnostic::Level::$level,
            english: $english,
            chinese: $chinese,
            page: concat!($($page, "\n"),+),
        };
    };
}

/// Declares the modules of the rules and the table of all of them.
macro_rules! table {
    ($($module:ident :: $name:ident),+ $(,)?) => {
        $(pub(crate) mod $module;)+

        /// All rules, by slug.
        pub static RULES: &[&Rule] = &[$(&$module::$name),+];
    };
}

table! {
    bad_duration::BAD_DURATION,
    bad_expression::BAD_EXPRESSION,
    bad_hours::BAD_HOURS,
    bad_input::BAD_INPUT,
    bad_name::BAD_NAME,
    bad_ssml::BAD_SSML,
    bad_value::BAD_VALUE,
    braces_in_expression::BRACES_IN_EXPRESSION,
    dead_air::DEAD_AIR,
    dead_end::DEAD_END,
    deep_nesting::DEEP_NESTING,
    duplicate_key::DUPLICATE_KEY,
    full_width::FULL_WIDTH,
    impossible_comparison::IMPOSSIBLE_COMPARISON,
    long_prompt::LONG_PROMPT,
    missing_audio::MISSING_AUDIO,
    missing_input::MISSING_INPUT,
    missing_key::MISSING_KEY,
    missing_outcome::MISSING_OUTCOME,
    missing_translation::MISSING_TRANSLATION,
    missing_unit::MISSING_UNIT,
    no_way_out::NO_WAY_OUT,
    no_words::NO_WORDS,
    nothing_to_play::NOTHING_TO_PLAY,
    over_max_duration::OVER_MAX_DURATION,
    placeholder::PLACEHOLDER,
    plugin_outdated::PLUGIN_OUTDATED,
    retry_not_idempotent::RETRY_NOT_IDEMPOTENT,
    secret_leak::SECRET_LEAK,
    shadowed_global_key::SHADOWED_GLOBAL_KEY,
    silent_loop::SILENT_LOOP,
    spoken_key_unmapped::SPOKEN_KEY_UNMAPPED,
    text_slip::TEXT_SLIP,
    too_many_choices::TOO_MANY_CHOICES,
    two_verbs::TWO_VERBS,
    type_mismatch::TYPE_MISMATCH,
    unassigned_variable::UNASSIGNED_VARIABLE,
    unknown_destination::UNKNOWN_DESTINATION,
    unknown_field::UNKNOWN_FIELD,
    unknown_filter::UNKNOWN_FILTER,
    unknown_flow::UNKNOWN_FLOW,
    unknown_hours::UNKNOWN_HOURS,
    unknown_input::UNKNOWN_INPUT,
    unknown_key::UNKNOWN_KEY,
    unknown_outcome::UNKNOWN_OUTCOME,
    unknown_plugin::UNKNOWN_PLUGIN,
    unknown_prompt::UNKNOWN_PROMPT,
    unknown_queue::UNKNOWN_QUEUE,
    unknown_step::UNKNOWN_STEP,
    unknown_variable::UNKNOWN_VARIABLE,
    unknown_verb::UNKNOWN_VERB,
    unreachable::UNREACHABLE,
    unused::UNUSED,
    unused_suppression::UNUSED_SUPPRESSION,
    waits_for_ever::WAITS_FOR_EVER,
    yaml_anchor::YAML_ANCHOR,
    yaml_braces::YAML_BRACES,
    yaml_colon::YAML_COLON,
    yaml_cut::YAML_CUT,
    yaml_documents::YAML_DOCUMENTS,
    yaml_encoding::YAML_ENCODING,
    yaml_indent::YAML_INDENT,
    yaml_key::YAML_KEY,
    yaml_limit::YAML_LIMIT,
    yaml_star_key::YAML_STAR_KEY,
    yaml_syntax::YAML_SYNTAX,
    yaml_tab::YAML_TAB,
    yaml_tag::YAML_TAG,
}

/// The rule of a slug.
pub fn rule_of(slug: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.slug == slug).copied()
}

/// The rule whose slug is nearest to a misspelt one, if one is near enough to be a slip.
pub fn nearest_rule(written: &str) -> Option<&'static Rule> {
    rule_of(super::suggest::nearest(
        written,
        RULES.iter().map(|rule| rule.slug),
    )?)
}
