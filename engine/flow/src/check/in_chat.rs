//! Where somebody who does nothing goes in a chat: what is for telephones fails there, or is never joined.

use std::collections::BTreeSet;

use super::graph::{Arrow, Cause};
use super::spent::InChat;
use super::worst::{Flow, gives_up};
use crate::plan::Action;

impl Flow<'_, '_, '_> {
    /// Whether somebody who does nothing may go another way in a chat.
    pub fn differs_in_chat(&self) -> bool {
        let calls = self.draft.nodes.iter().any(|node| match &node.action {
            Action::Call { flow, .. } => self
                .passive(flow)
                .is_some_and(|passive| !passive.chat_outcomes.is_empty()),
            _ => false,
        });
        calls || self.spent.iter().any(|spent| spent.in_chat.is_some())
    }

    /// Whether somebody who does nothing in a chat may go this way. Once `global.error` was followed what fails counts as skipped.
    pub fn leads_on_in_chat(&self, index: usize, arrow: &Arrow<'_>, failed: bool) -> bool {
        let spent = &self.spent[index];
        let itself = arrow.cause == Cause::Itself;
        match (&self.draft.nodes[index].action, spent.in_chat) {
            (_, Some(InChat::Ends(outcome))) => {
                itself
                    && (matches!(arrow.label, "" | "error" | "timeout") || arrow.label == outcome)
            }
            (_, Some(InChat::Fails)) => itself && (failed || matches!(arrow.label, "" | "error")),
            (Action::Call { flow, edges, .. }, _) => {
                let more = self.passive(flow).map(|passive| &passive.chat_outcomes);
                let mut more = more.into_iter().flatten().map(String::as_str);
                itself
                    || spent.unknown
                    || more.any(|outcome| match arrow.label {
                        "else" => !edges.contains_key(outcome),
                        label => label == outcome,
                    })
            }
            _ => !spent.people && (itself || spent.unknown),
        }
    }

    /// Whether a node fails in a chat, so that `global.error` takes over.
    pub fn fails_in_chat(&self, index: usize) -> bool {
        let mut arrows = self.graph.arrows[index].iter();
        self.spent[index].in_chat == Some(InChat::Fails)
            && arrows.any(|arrow| arrow.cause == Cause::Fault)
    }

    /// The outcomes that the flow may return by itself in a chat, beside those that it may return anywhere; `error` among them.
    pub fn chat_outcomes(&self, others: &BTreeSet<String>) -> BTreeSet<String> {
        let mut outcomes = BTreeSet::new();
        let Some(start) = self.draft.start else {
            return outcomes;
        };
        let (graph, draft) = (self.graph, self.draft);
        let mut open = vec![start.0 as usize];
        let mut seen = vec![false; graph.arrows.len()];
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            if gives_up(graph, draft, index) || self.fails_in_chat(index) {
                open.extend(graph.error);
            }
            let on = graph.arrows[index].iter();
            let on = on.filter(|arrow| self.leads_on_in_chat(index, arrow, graph.error.is_some()));
            open.extend(on.filter_map(|arrow| arrow.to.node()));
            match &draft.nodes[index].action {
                Action::Return { outcome, .. } => {
                    outcomes.insert(outcome.clone());
                }
                _ if self.ends_in_error(index) => {
                    outcomes.insert("error".to_owned());
                }
                _ => {}
            }
        }
        outcomes.retain(|outcome| !others.contains(outcome));
        outcomes
    }

    /// Whether a node fails in a chat, or leads to a flow that does, and nothing in this flow says where to go then.
    fn ends_in_error(&self, index: usize) -> bool {
        if self.draft.global.error.is_some() {
            return false;
        }
        match &self.draft.nodes[index].action {
            Action::Step(call) => {
                self.spent[index].in_chat == Some(InChat::Fails)
                    && !call.edges.contains_key("error")
                    && call.otherwise.is_none()
            }
            Action::Call {
                flow,
                edges,
                otherwise,
                ..
            } => {
                let passive = self.passive(flow);
                passive.is_some_and(|flow| flow.chat_outcomes.contains("error"))
                    && !edges.contains_key("error")
                    && otherwise.is_none()
            }
            _ => false,
        }
    }
}
