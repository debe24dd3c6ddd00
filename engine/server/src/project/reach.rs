//! Where contacts are handed over: what a flow names, and which addresses a grant lets through.

use std::collections::BTreeMap;

use strowger_flow::catalog::StepDescription;
use strowger_flow::plan::{Action, Node, Plan, Template};
use strowger_flow::value::Value;

use super::destination::destination;
use super::plugin::Grants;
use super::queues::QueuesFile;
use super::transfer::TransferSection;

/// A place of a flow that hands contacts over, where it is written who gets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// Line of the action, from 1.
    pub line: u32,
    /// Its column, from 1, in characters.
    pub column: u32,
    /// Who gets them.
    pub to: Reached,
}

/// Who gets a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// A queue, by its name.
    Queue(String),
    /// The address that is called: `sip:desk@example.com`, `tel:+4930123`.
    Address(String),
}

impl std::fmt::Display for Reached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Reached::Queue(queue) => write!(f, "queue {queue}"),
            Reached::Address(address) => write!(f, "transfer {address}"),
        }
    }
}

/// The hand-overs of a flow. A target that is computed is not among them: it is held against the grants when it is there.
pub fn hand_overs(
    plan: &Plan,
    steps: &BTreeMap<String, StepDescription>,
    queues: &QueuesFile,
    transfer: &TransferSection,
) -> Vec<HandOver> {
    let found = named(plan, steps).filter_map(|place| {
        let to = match place.format {
            "queue" => Reached::Queue(place.written.to_owned()),
            // What cannot be called is told elsewhere, and is not called.
            "destination" => {
                let led = destination(queues, transfer, place.written, place.whispers);
                Reached::Address(led.ok()?.0)
            }
            _ => return None,
        };
        Some(HandOver {
            line: place.node.line,
            column: place.node.column,
            to,
        })
    });
    found.collect()
}

/// An input of a step that is written as a text.
pub(super) struct Named<'p> {
    /// The action.
    pub node: &'p Node,
    /// The input's format, such as `destination`.
    pub format: &'p str,
    /// The text.
    pub written: &'p str,
    /// Whether the step whispers to who gets the contact.
    pub whispers: bool,
}

/// The texts that the steps of a flow are given for inputs with a format.
pub(super) fn named<'p>(
    plan: &'p Plan,
    steps: &'p BTreeMap<String, StepDescription>,
) -> impl Iterator<Item = Named<'p>> {
    plan.nodes.iter().flat_map(move |node| {
        let called = match &node.action {
            Action::Step(call) => steps.get(&call.step).zip(match &call.input {
                Template::Object(input) => Some(input),
                _ => None,
            }),
            _ => None,
        };
        called.into_iter().flat_map(move |(description, input)| {
            let whispers = matches!(input.get("whisper"), Some(Template::Prompt(_)));
            input.iter().filter_map(move |(name, value)| {
                let Template::Literal(Value::Text(written)) = value else {
                    return None;
                };
                Some(Named {
                    node,
                    format: description.input["properties"][name]["format"].as_str()?,
                    written,
                    whispers,
                })
            })
        })
    })
}

impl Grants {
    /// Whether a `host:port` is among those of `http`.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.http
            .iter()
            .any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Whether a queue is among those of `queues`.
    pub(crate) fn has_queue(&self, queue: &str) -> bool {
        let named = self.queues.as_ref();
        named.is_none_or(|named| named.iter().any(|known| known == queue))
    }

    /// Whether an address is among those of `transfers`; or a pattern of one, all of it.
    pub(crate) fn has_address(&self, address: &str) -> bool {
        let named = self.transfers.as_ref();
        named.is_none_or(|named| named.iter().any(|pattern| fits(pattern, address)))
    }

    /// Whether contacts may be handed over so.
    pub(crate) fn reaches(&self, to: &Reached) -> bool {
        match to {
            Reached::Queue(queue) => self.has_queue(queue),
            Reached::Address(address) => self.has_address(address),
        }
    }

    /// The first of `transfers` that no address can fit.
    pub(crate) fn odd_transfer(&self) -> Option<&str> {
        let mut named = self.transfers.iter().flatten();
        named
            .find(|pattern| !is_pattern(pattern))
            .map(String::as_str)
    }
}

/// Whether an address, or all that a pattern stands for, fits a pattern.
fn fits(pattern: &str, address: &str) -> bool {
    let (pattern, address) = (lower(pattern), lower(address));
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == address;
    };
    let rest = address.strip_prefix(before);
    // A user part or digits, and no more: a `*` must not swallow the host that stands after it.
    rest.and_then(|rest| rest.strip_suffix(after))
        .is_some_and(|part| !part.is_empty() && part.chars().all(plain))
}

fn plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '_' | '.' | '*')
}

/// With its scheme, in lower case: a number is called as `tel:`.
fn lower(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    match lower.contains(':') {
        true => lower,
        false => format!("tel:{lower}"),
    }
}

/// Whether something can be a pattern of addresses: a number or a SIP URI, with one `*` in it at most, which stands before
/// the host.
fn is_pattern(pattern: &str) -> bool {
    let star = pattern.matches('*').count();
    let number = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '*')
    };
    let uri = |text: &str| {
        let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
        let whole = text.replace('*', "user");
        !host.contains('*') && crate::sip::checked_uri(&whole).is_ok()
    };
    star <= 1
        && match pattern.split_once(':') {
            None => number(pattern),
            Some(("sip" | "sips", _)) => uri(pattern),
            Some(("tel", rest)) => number(rest),
            Some(_) => false,
        }
}

#[cfg(test)]
mod tests {
    use super::{fits, is_pattern};

    #[test]
    fn a_star_stands_for_a_user_or_digits_and_no_more() {
        for (pattern, address, may) in [
            ("sip:desk@example.com", "sip:desk@example.com", true),
            ("sip:desk@example.com", "SIP:desk@Example.com", true),
            ("sip:desk@example.com", "sip:desk2@example.com", false),
            ("sip:*@example.com", "sip:desk@example.com", true),
            ("sip:*@example.com", "sip:@example.com", false),
            (
                "sip:*@example.com",
                "sip:a@evil.example?x=@example.com",
                false,
            ),
            (
                "sip:*@example.com",
                "sip:a@evil.example;x=@example.com",
                false,
            ),
            (
                "sip:*@example.com",
                "sip:desk@example.com.evil.example",
                false,
            ),
            ("sip:*@example.com", "sip:desk@example.com:5070", false),
            ("+4930*", "tel:+493012345", true),
            ("+4930*", "tel:+4940123", false),
            ("+4930*", "sip:+493012345@evil.example", false),
            ("100", "tel:100", true),
            ("*", "tel:100", true),
            ("*", "sip:desk@example.com", false),
            // What a plugin asks for is held against what its tenant has.
            ("+49*", "+4930*", true),
            ("+4930*", "+49*", false),
        ] {
            assert_eq!(fits(pattern, address), may, "{pattern} {address}");
        }
    }

    #[test]
    fn what_no_address_can_fit_is_no_pattern() {
        for good in [
            "sip:desk@example.com",
            "sip:*@example.com",
            "+49*",
            "100",
            "*",
        ] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in [
            "",
            "+",
            "desk",
            "sip:desk@*",
            "sip:*@*.example.com",
            "mailto:a@example.com",
            "sip:a b@example.com",
            "4*9*",
        ] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }
}
