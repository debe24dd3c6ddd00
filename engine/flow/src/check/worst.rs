//! The worst that can happen to a caller, in time: until a person or a goodbye, and in silence.
//!
//! Both are longest ways through the graph. Ways that only the caller can take do not count for the time to
//! a person: it is that of somebody who does nothing. A circle counts as often as its counter lets a contact round; where
//! no single counter says how often, the flow's longest duration is the bound.

use super::assign::Assignments;
use super::counters::{Counters, Passes};
use super::graph::{Arrow, Cause, Graph};
use super::longest::Longest;
use super::loops::{by_itself, go_on_silently, leads};
use super::report::Report;
use super::rules::bad_input::BAD_INPUT;
use super::rules::{dead_air, over_max_duration};
use super::said::Said;
use super::spent::{Spent, spent};
use crate::catalog::{Catalog, Passive};
use crate::diagnostic::Level;
use crate::expr::{Expr, Span};
use crate::lower::Draft;
use crate::plan::{Action, Edge, Template};

/// Longest silence, in milliseconds: after that callers think the line is dead.
pub(super) const MAX_SILENCE_MS: u64 = 8_000;

/// Time for a goodbye once a contact has lasted too long, in milliseconds.
pub const GOODBYE_MS: u64 = 60_000;

/// Longest time for the apology after a fault, in milliseconds.
pub const APOLOGY_MS: u64 = 20_000;

/// The worst that can happen to a caller.
///
/// Speech counts as [`speech_ms`](crate::speak::speech_ms) says, an inserted value by the longest of its type, audio by its length; where the file is not
/// known its text counts, and without one ten seconds. Called flows count as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorstCase {
    /// Longest time, in milliseconds, until somebody on the phone who does nothing comes to a person or a step that waits
    /// for one, a goodbye, a `return:` or another flow.
    pub to_person_ms: u64,
    /// The same in a chat.
    pub chat_to_person_ms: u64,
    /// What is said on that way and may be longer than the three seconds that it counts as: insertions of texts that may be as long
    /// as one likes, as they are written, and flows in which there are such, as `flow:NAME`.
    pub unmeasured: Vec<String>,
    /// Longest time, in milliseconds, until any contact that began in this flow is over, unless a step with a
    /// person holds it: the longest duration, a goodbye, an apology.
    pub to_end_ms: u64,
    /// Longest silence on the phone, in milliseconds, that is not the caller's turn to speak.
    pub silence_ms: u64,
    /// The line after which that silence ends, from 1; 0 when nothing is ever silent.
    pub silence_line: u32,
    /// Flows that are called and of which nothing is known: their own time comes on top.
    pub calls: Vec<String>,
}

/// The time, in milliseconds, of a flow whose contacts began in another one: theirs ends it, and whoever calls it knows that. Far longer
/// than any contact, and far from what a number holds.
const OPEN_MS: u64 = 1 << 50;

/// Actions on a way that nothing counts.
const OPEN_ACTIONS: u64 = 1 << 50;

/// How long a contact may last.
#[derive(Clone, Copy)]
struct Lasts {
    ms: u64,
    actions: u64,
}

/// The bounds of a flow, and what those who call it must know; silences that add up to too much are told.
pub(super) fn check(
    graph: &Graph<'_>,
    counters: &Counters<'_, '_>,
    draft: &Draft<'_>,
    catalog: &Catalog,
    assigned: &Assignments<'_>,
    report: &mut Report<'_>,
) -> (WorstCase, Passive) {
    let said = Said::new(draft, catalog, assigned);
    let spent: Vec<Spent> = (0..draft.nodes.len())
        .map(|index| spent(&said, draft, catalog, index))
        .collect();
    too_long(graph, draft, &spent, report);
    let flow = Flow {
        graph,
        counters,
        draft,
        catalog,
        spent: &spent,
    };
    let own = Lasts {
        ms: draft.max_duration_ms,
        actions: u64::from(draft.max_steps),
    };
    let (worst, passive) = bounds(&flow, own, Some(report));
    // What its own longest duration cut is as long as the contact lasts when the contact began in another flow.
    let passive = match passive.longest_ms() < own.ms && passive.actions < own.actions {
        true => passive,
        false => {
            let open = Lasts {
                ms: OPEN_MS,
                actions: OPEN_ACTIONS,
            };
            bounds(&flow, open, None).1
        }
    };
    (worst, passive)
}

/// A flow and the time that its nodes take.
pub(super) struct Flow<'f, 'd, 'c> {
    pub graph: &'f Graph<'f>,
    pub counters: &'c Counters<'f, 'd>,
    pub draft: &'f Draft<'d>,
    pub catalog: &'f Catalog,
    pub spent: &'f [Spent],
}

/// The bounds of contacts that last so long; silences that add up to too much are told to `report`.
fn bounds(
    flow: &Flow<'_, '_, '_>,
    lasts: Lasts,
    mut report: Option<&mut Report<'_>>,
) -> (WorstCase, Passive) {
    let &Flow {
        graph,
        counters,
        draft,
        spent,
        ..
    } = flow;
    let cap = lasts.ms;
    let to_end_ms = cap.saturating_add(GOODBYE_MS + APOLOGY_MS);
    let leads_on = |index: usize, arrow: &Arrow<'_>| {
        !spent[index].people && (arrow.cause == Cause::Itself || spent[index].unknown)
    };
    let in_chat = |index: usize, arrow: &Arrow<'_>| flow.leads_on_in_chat(index, arrow, false);
    let in_chat_failed =
        |index: usize, arrow: &Arrow<'_>| flow.leads_on_in_chat(index, arrow, true);
    let fails = |index: usize| gives_up(graph, draft, index);
    let fails_in_chat = |index: usize| fails(index) || flow.fails_in_chat(index);
    // In a chat somebody who does nothing goes another way only where something is for telephones.
    let differs = flow.differs_in_chat();
    let mut begin = vec![None; graph.arrows.len()];
    if let Some(start) = draft.start {
        begin[start.0 as usize] = Some(0);
    }
    let longest = Longest {
        graph,
        counters,
        cap: to_end_ms,
    };
    // The longest way of somebody who does nothing, and the nodes on it.
    let way = |longest: &Longest<'_, '_, '_>, chat: bool, takes: &dyn Fn(usize) -> u64| {
        let (passes, passes_failed): (Passes<'_>, Passes<'_>) = match chat {
            true => (&in_chat, &in_chat_failed),
            false => (&leads_on, &leads_on),
        };
        let mut arrived = longest.to_each(passes, begin.clone(), takes);
        let left = arrived.iter().enumerate();
        let failed = left.filter(|(index, _)| match chat {
            true => fails_in_chat(*index),
            false => fails(*index),
        });
        let failed = failed.filter_map(|(index, at)| Some((*at)?.saturating_add(takes(index))));
        if let (Some(error), Some(failed)) = (graph.error, failed.max()) {
            let mut begin = vec![None; graph.arrows.len()];
            begin[error] = Some(failed);
            let after = longest.to_each(passes_failed, begin, takes);
            for (at, after) in arrived.iter_mut().zip(after) {
                *at = (*at).max(after);
            }
        }
        let ways = arrived.iter().enumerate().filter_map(|(index, at)| {
            let at = (*at)?;
            match spent[index].people && !(chat && spent[index].in_chat.is_some()) {
                true => Some(at),
                false => Some(at.saturating_add(takes(index))),
            }
        });
        (ways.max().unwrap_or(0), arrived)
    };
    let in_actions = Longest {
        graph,
        counters,
        cap: OPEN_ACTIONS,
    };
    let most_actions = |chat: bool| way(&in_actions, chat, &|index| spent[index].actions).0;
    let mut actions = most_actions(false);
    if differs {
        actions = actions.max(most_actions(true));
    }
    // Who is still on the way when the contact has lasted too long goes where the flow says then, and hears its goodbye.
    let to_person = |chat: bool, takes: &dyn Fn(usize) -> u64| {
        let (most, arrived) = way(&longest, chat, takes);
        let most = match most < cap {
            true if actions < lasts.actions => most,
            true => to_end_ms.min(most.saturating_add(GOODBYE_MS + APOLOGY_MS)),
            false => to_end_ms,
        };
        (most, arrived)
    };
    let (to_person_ms, arrived) = to_person(false, &|index| spent[index].ms);
    let (chat_to_person_ms, _) = to_person(differs, &|index| spent[index].chat_ms);
    let mut unmeasured: Vec<String> = Vec::new();
    for (index, at) in arrived.iter().enumerate() {
        if at.is_some() {
            unmeasured.extend(spent[index].unmeasured.iter().cloned());
        }
    }
    unmeasured.sort();
    unmeasured.dedup();
    // Silence may be as long as a contact lasts: a minute more where somebody says where it goes then.
    let late_cap = cap.saturating_add(GOODBYE_MS);
    let lasts_on = flow.last_on();
    let before_cap = if lasts_on { late_cap } else { cap };
    // What begins after that has the minute alone, however short a contact lasts before.
    let longest = Longest {
        cap: before_cap.max(GOODBYE_MS),
        ..longest
    };
    let (in_time, in_minute) = halves(graph, draft);
    let cap_of = |index: usize| match in_minute[index] {
        true => longest.cap,
        false => before_cap,
    };
    let silent = longest_silence(&longest, draft, spent);
    let total = |index: usize, before: u64| {
        before
            .saturating_add(spent[index].silence_ms)
            .max(spent[index].silence_after_ms)
            .max(spent[index].silence_within_ms)
    };
    // It may have been silent as long as it ever is when the contact has lasted too long.
    let befores = silent.before.iter().enumerate();
    let befores = befores.filter(|(index, _)| in_time[*index]);
    let totals = befores.filter_map(|(index, before)| {
        let total = total(index, (*before)?);
        Some((total.min(before_cap), draft.nodes[index].line))
    });
    let most = totals.max_by_key(|(total, _)| *total).unwrap_or((0, 0));
    let late = late(&longest, spent, most.0, late_cap);
    let mut told = |index: usize, say: &dyn Fn(&mut Report<'_>, Span)| {
        let facts = &draft.facts[index];
        if let Some(report) = report.as_deref_mut().filter(|_| !facts.broken) {
            say(report, facts.head);
        }
    };
    let mut worst = (0, 0);
    // The same when another flow calls this one in the minute after its own time.
    let mut called_ms = 0;
    let mut in_circles: Vec<usize> = Vec::new();
    for index in 0..draft.nodes.len() {
        let after = late.as_ref().and_then(|late| late[index]);
        let Some(before) = silent.before[index].max(after) else {
            continue;
        };
        let cap = match after > silent.before[index] {
            true => late_cap,
            false => cap_of(index),
        };
        let own = spent[index].silence_ms;
        let all = total(index, before);
        called_ms = called_ms.max(all.min(longest.cap));
        let total = all.min(cap);
        if total > worst.0 {
            worst = (total, draft.nodes[index].line);
        }
        // In a circle the silence of all rounds is told once; elsewhere where it becomes too much.
        let circle = silent.circle[index];
        let crosses = before <= MAX_SILENCE_MS
            || circle.is_some_and(|circle| {
                own > 0 && !in_circles.contains(&circle) && silent.entered[circle] <= MAX_SILENCE_MS
            });
        // Silence goes on in a flow that takes over, and may be longer there later.
        for Left { out, first, most } in flow.ways(index, before) {
            let all = out.saturating_add(first).max(most);
            called_ms = called_ms.max(all.min(longest.cap));
            let total = all.min(cap);
            if total > worst.0 {
                worst = (total, draft.nodes[index].line);
            }
            let each = (1..=MAX_SILENCE_MS).contains(&out) && (1..=MAX_SILENCE_MS).contains(&first);
            if each && out.saturating_add(first).min(cap) > MAX_SILENCE_MS {
                told(index, &|report, head| {
                    dead_air::added_up(report, head, out, first)
                });
            }
        }
        let pause = own.max(spent[index].silence_within_ms);
        let says = matches!(&draft.nodes[index].action, Action::Step(_))
            && draft.nodes[index].verb != "use";
        if let Some(heard) = spent[index].heard.filter(|_| pause > MAX_SILENCE_MS) {
            told(index, &|report, head| {
                // What is told of the step may be what was to be heard.
                let span = draft.facts[index].span;
                let mut wrong = report.diagnostics().iter().filter(|found| {
                    found.level == Level::Error && span.start <= found.primary.span.start
                });
                if !wrong.any(|found| found.primary.span.end <= span.end) {
                    dead_air::queued(report, head, pause.div_ceil(1_000), heard);
                }
            });
        } else if says && pause > MAX_SILENCE_MS {
            told(index, &|report, head| {
                dead_air::waiting(report, head, pause.div_ceil(1_000))
            });
        }
        // Behind what is said while a step is busy it is silent until the step has its end.
        let tail = spent[index].silence_after_ms;
        let busy = matches!(&draft.nodes[index].action, Action::Step(_)) && !says;
        if busy && tail > MAX_SILENCE_MS {
            told(index, &|report, head| {
                dead_air::after_sentence(report, head, tail.div_ceil(1_000))
            });
        }
        let joined = before.saturating_add(own).min(cap);
        if joined > MAX_SILENCE_MS && crosses && before > 0 && own <= MAX_SILENCE_MS && own > 0 {
            in_circles.extend(circle);
            told(index, &|report, head| {
                dead_air::added_up(report, head, before, own)
            });
        }
    }
    if let Some(Edge::Flow(name)) = &draft.global.too_long {
        let [first, longest] = flow.silences_of(name);
        let total = most.0.saturating_add(first).max(longest).min(late_cap);
        if total > worst.0 {
            worst = (total, most.1);
        }
    }
    let mut calls: Vec<String> = draft
        .nodes
        .iter()
        .enumerate()
        .filter(|(index, _)| graph.reachable[*index] && spent[*index].unknown)
        .filter_map(|(_, node)| match &node.action {
            Action::Call { flow, .. } => Some(flow.clone()),
            _ => None,
        })
        .collect();
    calls.sort();
    calls.dedup();
    let worst = WorstCase {
        to_person_ms,
        chat_to_person_ms,
        unmeasured,
        to_end_ms,
        silence_ms: worst.0,
        silence_line: worst.1,
        calls,
    };
    let mut passive = passive(
        flow,
        &longest,
        (&silent, late.as_deref(), late_cap),
        &worst,
        begin,
    );
    passive.silence_most_ms = worst.silence_ms.max(called_ms);
    passive.actions = actions;
    if differs {
        passive.chat_outcomes = flow.chat_outcomes(&passive.outcomes);
    }
    passive.lasts_on = lasts_on || draft.global.too_long.is_some();
    (worst, passive)
}

/// Per node whether a contact may be there before it has lasted too long, and whether it may be after that.
fn halves(graph: &Graph<'_>, draft: &Draft<'_>) -> (Vec<bool>, Vec<bool>) {
    let reached = |from: Option<usize>| {
        let mut reached = vec![false; graph.arrows.len()];
        if let Some(from) = from {
            graph.spread(from, &mut reached);
        }
        reached
    };
    let start = draft.start.map(|start| start.0 as usize);
    (reached(start), reached(graph.too_long))
}

/// Tells of steps that cannot take as long as they say, because the contact ends before.
fn too_long(graph: &Graph<'_>, draft: &Draft<'_>, spent: &[Spent], report: &mut Report<'_>) {
    let most = draft.max_duration_ms;
    let mut told = report.diagnostics().iter().map(|found| found.rule);
    if told.any(|rule| matches!(rule, "bad-duration" | "missing-unit")) {
        // How long something takes, or may take, was meant to be otherwise.
        return;
    }
    let refused = report.diagnostics().iter();
    let refused = refused.filter(|found| found.rule == BAD_INPUT.slug);
    let inputs: Vec<Span> = refused.map(|found| found.primary.span).collect();
    for (index, facts) in draft.facts.iter().enumerate() {
        let called = matches!(draft.nodes[index].action, Action::Call { .. });
        let refused = |span: &Span| facts.span.start <= span.start && span.end <= facts.span.end;
        let known = !facts.broken && !called && !spent[index].guessed;
        // Of what a step does not take it is told.
        let known = known && !inputs.iter().any(refused);
        if graph.reachable[index] && known && spent[index].ms > most {
            let verb = &draft.nodes[index].verb;
            over_max_duration::longer(report, facts.head, verb, spent[index].ms, most);
        }
    }
}

/// How long it has been silent, at most, when a contact comes to each node.
struct Silence {
    before: Vec<Option<u64>>,
    /// Per node the circle of silence that it is a part of.
    circle: Vec<Option<usize>>,
    /// Per circle how long it has been silent when a contact comes into it.
    entered: Vec<u64>,
}

fn longest_silence(longest: &Longest<'_, '_, '_>, draft: &Draft<'_>, spent: &[Spent]) -> Silence {
    let graph = longest.graph;
    // A node after which something was heard hands on its own last silence and nothing of what was before:
    // such silences are where the ways begin.
    let mut begin: Vec<Option<u64>> = vec![None; graph.arrows.len()];
    for root in graph.roots.iter().filter(|root| graph.heard[**root]) {
        begin[*root] = Some(0);
    }
    for (index, arrows) in graph.arrows.iter().enumerate() {
        if !graph.heard[index] || (spent[index].passes_silence && !spent[index].sounds) {
            continue;
        }
        for next in arrows.iter().filter_map(|arrow| arrow.to.node()) {
            let handed = spent[index].silence_after_ms;
            begin[next] = Some(begin[next].unwrap_or(0).max(handed));
        }
    }
    let mut silence = Silence {
        before: Vec::new(),
        circle: vec![None; draft.nodes.len()],
        entered: Vec::new(),
    };
    let before = longest.along(
        &|index, arrow| passes(spent, index, arrow),
        begin,
        &|index| passed(spent, index),
        &mut |group, entered| {
            for index in group {
                silence.circle[*index] = Some(silence.entered.len());
            }
            silence.entered.push(entered);
        },
    );
    silence.before = before;
    silence
}

/// How long it has been silent, at most `cap`, when a contact that has lasted too long comes to each node, after so much silence before;
/// `None` without a step for that.
fn late(
    longest: &Longest<'_, '_, '_>,
    spent: &[Spent],
    before: u64,
    cap: u64,
) -> Option<Vec<Option<u64>>> {
    let mut begin = vec![None; longest.graph.arrows.len()];
    begin[longest.graph.too_long?] = Some(before);
    let longest = Longest {
        graph: longest.graph,
        counters: longest.counters,
        cap,
    };
    let passes = |index: usize, arrow: &Arrow<'_>| passes(spent, index, arrow);
    Some(longest.to_each(&passes, begin, &|index| passed(spent, index)))
}

/// A way out to another flow: how long it has been silent there, how long it is so at that flow's beginning, and anywhere in it, in milliseconds.
struct Left {
    out: u64,
    first: u64,
    most: u64,
}

impl Flow<'_, '_, '_> {
    /// The ways out of a node to other flows, when it has been silent for `before` at the node.
    fn ways(&self, index: usize, before: u64) -> impl Iterator<Item = Left> {
        let spent = &self.spent[index];
        self.graph.arrows[index].iter().filter_map(move |arrow| {
            let flow = arrow.flow?;
            let through = match passes(self.spent, index, arrow) {
                true => before.saturating_add(passed(self.spent, index)),
                false => 0,
            };
            let [first, most] = self.silences_of(flow);
            let out = through.max(spent.silence_after_ms);
            Some(Left { out, first, most })
        })
    }

    /// How long it is silent at the beginning of another flow, and how long anywhere in it, as far as that is known.
    fn silences_of(&self, flow: &str) -> [u64; 2] {
        let passive = self.passive(flow);
        passive.map_or([0, 0], |passive| {
            [passive.silence_first_ms, passive.silence_most_ms]
        })
    }

    pub(super) fn passive(&self, flow: &str) -> Option<&Passive> {
        let signature = self.catalog.flows.as_ref()?.get(flow)?;
        signature.passive.as_ref()
    }

    /// Whether a flow that this one calls or leads to says where contacts go that have lasted too long.
    fn last_on(&self) -> bool {
        let mut led_to = self.draft.runs.leads.iter();
        led_to.any(|flow| self.passive(flow).is_some_and(|passive| passive.lasts_on))
    }
}

/// Whether silence before a node goes on behind it.
fn passes(spent: &[Spent], index: usize, arrow: &Arrow<'_>) -> bool {
    let spent = &spent[index];
    // Whoever comes to a person hears somebody.
    let person = spent.heard.is_some() && arrow.cause == Cause::Person;
    (spent.passes_silence && !person) || (spent.skippable && arrow.label.is_empty())
}

/// How long a node that passes silence on takes.
fn passed(spent: &[Spent], index: usize) -> u64 {
    match spent[index].passes_silence {
        true => spent[index].silence_through_ms,
        false => 0,
    }
}

/// What those who call the flow, or lead to it, must know.
fn passive(
    flow: &Flow<'_, '_, '_>,
    longest: &Longest<'_, '_, '_>,
    (silent, late_silent, late_cap): (&Silence, Option<&[Option<u64>]>, u64),
    worst: &WorstCase,
    begin: Vec<Option<u64>>,
) -> Passive {
    let &Flow {
        graph,
        draft,
        catalog,
        spent,
        ..
    } = flow;
    let mut passive = Passive {
        ms: worst.to_person_ms,
        chat_ms: worst.chat_to_person_ms,
        unmeasured: !worst.unmeasured.is_empty(),
        ..Passive::default()
    };
    let mut reached = by_itself(graph, draft);
    let failed = (0..reached.len()).any(|index| reached[index] && gives_up(graph, draft, index));
    if let Some(error) = graph.error.filter(|_| failed) {
        go_on_silently(graph, error, &mut reached);
    }
    for index in (0..draft.nodes.len()).filter(|index| reached[*index]) {
        passive
            .leads
            .extend(leads(graph, draft, index).map(str::to_owned));
        if let Action::Return { outcome, .. } = &draft.nodes[index].action {
            passive.outcomes.insert(outcome.clone());
        }
        if fails(draft, catalog, index) {
            passive.outcomes.insert("error".to_owned());
        }
    }
    let first = longest.to_each(
        &|index, arrow| passes(spent, index, arrow),
        begin,
        &|index| passed(spent, index),
    );
    let begins = |first: &[Option<u64>]| {
        let reached = first.iter().enumerate();
        let reached = reached.filter_map(|(index, first)| Some((index, (*first)?)));
        let silences = reached.map(|(index, first)| {
            let own = first.saturating_add(spent[index].silence_ms);
            let left = flow.ways(index, first);
            left.map(|left| left.out.saturating_add(left.first))
                .fold(own, u64::max)
        });
        silences.max().unwrap_or(0)
    };
    let mut most = begins(&first).min(longest.cap);
    let late_first = late(longest, spent, most, late_cap);
    if let Some(late) = &late_first {
        most = most.max(begins(late));
    }
    if let Some(Edge::Flow(name)) = &draft.global.too_long {
        let [first, _] = flow.silences_of(name);
        most = most.saturating_add(first);
    }
    passive.silence_first_ms = most.min(late_cap);
    let returns = draft.nodes.iter().enumerate();
    let returns = returns.filter(|(_, node)| matches!(node.action, Action::Return { .. }));
    for (index, _) in returns {
        let at = |way: Option<&[Option<u64>]>| way.and_then(|way| way[index]);
        let last = silent.before[index].max(at(late_silent)).unwrap_or(0);
        passive.silence_last_ms = passive.silence_last_ms.max(last);
        let through = first[index].max(at(late_first.as_deref()));
        passive.silence_through_ms = passive.silence_through_ms.max(through);
    }
    passive
}

/// Whether a node may fail by itself, with nothing in its flow that says where to go then.
fn fails(draft: &Draft<'_>, catalog: &Catalog, index: usize) -> bool {
    if draft.global.error.is_some() {
        return false;
    }
    let node = &draft.nodes[index];
    match &node.action {
        Action::Step(call) if node.verb == "use" => {
            let covered = |label: &str| call.edges.contains_key(label) || call.otherwise.is_some();
            !covered("error") || !covered("timeout")
        }
        Action::Call {
            flow,
            edges,
            otherwise,
            with,
            ..
        } => {
            let known = catalog.flows.as_ref().and_then(|flows| flows.get(flow));
            let passive = known.and_then(|signature| signature.passive.as_ref());
            let errs = passive.is_some_and(|flow| flow.outcomes.contains("error"))
                || with.values().any(Template::may_fail);
            let covered = edges.contains_key("error") || otherwise.is_some();
            errs && !covered || node.when.as_ref().is_some_and(Expr::may_fail)
        }
        _ => node.may_fail() && !matches!(node.action, Action::Step(_)),
    }
}

/// Whether an action of the engine's own may fail here, so that `global.error` takes over: once for somebody who does nothing.
pub(super) fn gives_up(graph: &Graph<'_>, draft: &Draft<'_>, index: usize) -> bool {
    let own = !matches!(draft.nodes[index].action, Action::Step(_));
    let mut arrows = graph.arrows[index].iter();
    own && arrows.any(|arrow| arrow.cause == Cause::Fault)
}
