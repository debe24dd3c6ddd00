//! `strowger explain`

use std::io::Write as _;

use clap::Args;
use strowger_flow::diagnostic::Language;
use strowger_flow::{RULES, Rule};

use super::{Failure, OK, Tongue};

/// Prints the page of a rule: what it finds, why that matters, and what to write instead.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger explain missing-outcome                  the page of a rule
  strowger explain missing-outcome --language zh    the same in Chinese
  strowger explain                                  all rules, a line each

Exit code: 0 printed, 2 there is no such rule.")]
pub(super) struct Explain {
    /// The rule, as it stands in brackets in a finding; all rules when left out.
    rule: Option<String>,
    /// The language of the page.
    #[arg(long, value_enum, default_value = "en")]
    language: Tongue,
}

impl Explain {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let language = self.language.into();
        let text = match &self.rule {
            Some(written) => find(written)?.explain(language),
            None => table(language),
        };
        // A closed pipe is the reader's choice.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(OK)
    }
}

/// The rule that is meant: `missing-outcome`, also copied with what stands around it in a finding.
fn find(written: &str) -> Result<&'static Rule, Failure> {
    let slug = written
        .trim()
        .trim_start_matches("error")
        .trim_start_matches("warning")
        .trim_matches(['[', ']', '`', ':']);
    strowger_flow::rule(slug).ok_or_else(|| {
        let hint = match strowger_flow::nearest_rule(slug) {
            Some(rule) => format!("did you mean `{}`?", rule.slug),
            None => "`strowger explain` lists all rules".to_owned(),
        };
        Failure::cannot(format!("there is no rule `{slug}`: {hint}"))
    })
}

fn table(language: Language) -> String {
    RULES
        .iter()
        .map(|rule| {
            format!(
                "{:<24} {:<8} {}\n",
                rule.slug,
                rule.level.name(),
                rule.title(language)
            )
        })
        .collect()
}
