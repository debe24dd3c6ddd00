//! What `check` proves holds when a contact walks: random flows that it accepts, random callers.
//!
//! Every contact comes to its end within the printed bound; somebody who does nothing comes to a person or a
//! goodbye within the other one; and no expression ever meets a value that is not there.

mod caller;
mod flows;

use std::sync::Arc;

use proptest::prelude::*;
use strowger_contact::{Channel, Contact, EntryKind, Output, Program};
use strowger_flow::{Level, WorstCase, signature, survey};

use crate::walk::{START, catalog, facts};
use caller::{Caller, Ran};

/// So often a step that people stand behind does not end at once: a loop that counts has four actions a round here, of 200 in all. One
/// that nothing stops but `max_steps` has fewer.
const MOST_QUEUED: u32 = 60;

/// The flows as a program, and their bounds; `None` when the checker refuses one.
fn accepted(texts: &[String]) -> Option<(Arc<Program>, Vec<WorstCase>)> {
    let mut catalog = catalog();
    catalog.flows = Some(
        texts
            .iter()
            .filter_map(|text| signature(text.as_bytes()))
            .collect(),
    );
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|text| ("random.flow.yaml", text.as_bytes()))
        .collect();
    let mut plans = Vec::new();
    let mut worst = Vec::new();
    for checked in survey(&files, &mut catalog) {
        let errors = checked
            .diagnostics
            .iter()
            .any(|found| found.level == Level::Error);
        assert_eq!(errors, checked.plan.is_none());
        plans.push(Arc::new(checked.plan?));
        worst.extend(checked.worst);
    }
    let program = Program::new(plans, &catalog.steps, Default::default()).expect("a whole program");
    Some((Arc::new(program), worst))
}

fn walk(program: &Arc<Program>, caller: Caller, channel: Channel) -> Ran {
    let contact = Contact::new(program.clone(), "random", facts(channel));
    caller::run(contact.expect("the flow is there"), caller, channel)
}

fn undefined(ran: &Ran) -> Option<String> {
    let refused = ran.refused.clone();
    let failed = ran.outputs.iter().find_map(|output| match output {
        Output::Journal(entry) => match &entry.kind {
            EntryKind::Failed { code, message, .. }
                // Nobody can know that, and the flow has its way for it.
                if !message.contains("divided by zero")
                    && matches!(
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
    });
    refused.or(failed)
}

/// Walks of some callers through flows that the checker accepts, each held against its bounds.
fn hold(texts: &[String], callers: [u64; 4]) -> Result<(), TestCaseError> {
    let accepted = accepted(texts);
    prop_assume!(accepted.is_some());
    let (program, all_worst) = accepted.expect("just assumed");
    let worst = &all_worst[0];
    let texts = texts.join("\n");
    let random = callers.map(Caller::Random);
    let all = || random.into_iter().chain([Caller::Silent(callers[0])]);
    let voice = all().map(|caller| (caller, Channel::Voice));
    let chat = all().map(|caller| (caller, Channel::Chat));
    for (caller, channel) in voice.chain(chat) {
        let ran = walk(&program, caller, channel);
        let who = format!("{caller:?} {channel:?}");
        prop_assert!(ran.ended, "{who} never ended: {texts}");
        let took = ran.now - START;
        let most = worst.to_end_ms;
        prop_assert!(took <= most, "{who}: {took} > {most}\n{texts}");
        prop_assert_eq!(undefined(&ran), None, "{}: {}", who, texts);
        // Texts of which nobody knows how long they are count as short ones, and the bound says so.
        let measured = !ran.long_texts || worst.unmeasured.is_empty();
        if channel == Channel::Voice {
            let (silence, step) = &ran.silence;
            prop_assert!(
                *silence <= worst.silence_ms,
                "{who}: {silence} > {} of silence before {step}\n{texts}",
                worst.silence_ms
            );
        }
        if let Caller::Silent(_) = caller {
            prop_assert!(worst.calls.is_empty(), "all flows are known: {texts}");
            let took = ran.person.unwrap_or(ran.now) - START;
            let most = match channel {
                Channel::Voice => worst.to_person_ms,
                Channel::Chat => worst.chat_to_person_ms,
            };
            prop_assert!(took <= most || !measured, "{who}: {took} > {most}\n{texts}");
            prop_assert!(ran.people < MOST_QUEUED, "{who}: round and round: {texts}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 40_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_the_checker_accepts_ends_within_its_bounds(seed in any::<u64>(), callers in any::<[u64; 4]>()) {
        hold(&flows::random(seed), callers)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_global_rejects: 40_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_flows_that_are_accepted_end_within_their_bounds(seed in any::<u64>(), callers in any::<[u64; 4]>()) {
        hold(&flows::several(seed), callers)?;
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

#[test]
fn enough_projects_of_several_flows_are_accepted_and_lead_to_each_other() {
    let all: Vec<Vec<String>> = (0..1_500).map(flows::several).collect();
    let accepted: Vec<_> = all
        .iter()
        .filter(|texts| accepted(texts).is_some())
        .collect();
    assert!(accepted.len() >= 20, "{} of {}", accepted.len(), all.len());
    for what in [
        "call: ",
        "2: flow:",
        "not_found: leave",
        "no_input: leave",
        "Back: ${back.word}",
        "huge | number",
        "too_long: flow:",
        "too_long: late",
        "max_duration: 30s",
        "max_steps: 12",
        "wait: 40s",
    ] {
        let with = accepted
            .iter()
            .filter(|texts| texts.iter().any(|text| text.contains(what)))
            .count();
        assert!(with >= 3, "{what} in {with} of {}", accepted.len());
    }
    for flows in 2..=4 {
        assert!(accepted.iter().any(|texts| texts.len() == flows), "{flows}");
    }
}
