//! What `check` proves holds when a contact walks: random flows that it accepts, random callers.
//!
//! Every contact comes to its end within the printed bound; somebody who does nothing comes to a person or a
//! goodbye within the other one; and no expression ever meets a value that is not there.

mod caller;
mod flows;

use std::sync::Arc;

use proptest::prelude::*;
use strowger_contact::{Channel, Contact, EntryKind, Output, Program};
use strowger_flow::{Level, WorstCase, check, signature};

use crate::walk::{START, catalog, facts};
use caller::{Caller, Ran};

/// The flows as a program, and the bounds of the first one; `None` when the checker refuses one.
fn accepted(texts: &[String]) -> Option<(Arc<Program>, WorstCase)> {
    let mut catalog = catalog();
    catalog.flows = Some(
        texts
            .iter()
            .filter_map(|text| signature(text.as_bytes()))
            .collect(),
    );
    let mut plans = Vec::new();
    let mut worst = None;
    for text in texts {
        let checked = check("random.flow.yaml", text.as_bytes(), &catalog);
        let errors = checked
            .diagnostics
            .iter()
            .any(|found| found.level == Level::Error);
        assert_eq!(errors, checked.plan.is_none());
        plans.push(Arc::new(checked.plan?));
        worst = worst.or(checked.worst);
    }
    let program = Program::new(plans, &catalog.steps, Default::default()).expect("a whole program");
    Some((Arc::new(program), worst?))
}

fn walk(program: &Arc<Program>, caller: Caller) -> Ran {
    let contact = Contact::new(program.clone(), "random", facts(Channel::Voice));
    caller::run(contact.expect("the flow is there"), caller)
}

fn undefined(ran: &Ran) -> Option<String> {
    ran.outputs.iter().find_map(|output| match output {
        Output::Journal(entry) => match &entry.kind {
            EntryKind::Failed { code, message, .. }
                if matches!(
                    code.as_str(),
                    "expression" | "bad-output" | "set" | "no-edge"
                ) =>
            {
                Some(format!("{code}: {message}"))
            }
            EntryKind::Ended(ending) if ending.reason == "fell-off" => Some("fell off".to_owned()),
            _ => None,
        },
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 40_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_checker_accepts_ends_within_its_bounds(seed in any::<u64>(), callers in any::<[u64; 4]>()) {
        let texts = flows::random(seed);
        let accepted = accepted(&texts);
        prop_assume!(accepted.is_some());
        let (program, worst) = accepted.expect("just assumed");
        for caller in callers {
            let ran = walk(&program, Caller::Random(caller));
            prop_assert!(ran.ended, "never ended: {texts:#?}");
            let took = ran.now - START;
            prop_assert!(took <= worst.to_end_ms, "{took} > {}\n{}", worst.to_end_ms, texts[0]);
            prop_assert_eq!(undefined(&ran), None, "{}", texts.join("\n"));
        }
        let ran = walk(&program, Caller::Silent(callers[0]));
        prop_assert!(ran.ended, "never ended: {texts:#?}");
        prop_assert_eq!(undefined(&ran), None, "{}", texts.join("\n"));
        if worst.calls.is_empty() {
            let took = ran.person.unwrap_or(ran.now) - START;
            prop_assert!(took <= worst.to_person_ms, "{took} > {}\n{}", worst.to_person_ms, texts[0]);
        }
    }
}

/// A property over flows that are all refused would prove nothing.
#[test]
fn enough_random_flows_are_accepted_and_they_are_not_trivial() {
    let all: Vec<Vec<String>> = (0..300).map(flows::random).collect();
    let accepted: Vec<_> = all
        .iter()
        .filter(|texts| accepted(texts).is_some())
        .collect();
    assert!(accepted.len() >= 30, "{} of {}", accepted.len(), all.len());
    for what in [
        "menu:", "ask:", "call:", "if:", "set:", "use:", "queue:", "switch:", "wait:",
    ] {
        let with = accepted
            .iter()
            .filter(|texts| texts[0].contains(what))
            .count();
        assert!(with >= 5, "{what} in {with} of {}", accepted.len());
    }
}
