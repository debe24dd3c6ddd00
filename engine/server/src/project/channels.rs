//! What a flow does that its channel cannot: a recording in a chat, free text on the telephone.

use std::collections::{BTreeMap, BTreeSet};

use strowger_flow::catalog::StepDescription;
use strowger_flow::diagnostic::Text;
use strowger_flow::plan::{Action, Plan, StepCall, Template};
use strowger_flow::value::Value;
use strowger_flow::{Checked, Level};

use super::finding::{Finding, Source};
use super::folder::{FlowFile, Project};

/// What a flow looks at when it goes one way on the telephone and another in a chat.
const CHANNEL: &[u8] = b"call.channel";

/// The standard step that records.
const RECORD: &str = "std/record";

impl Project {
    /// The steps that the channel of a contact makes useless: where chats are taken, a recording whose failure ends the contact; where
    /// none are, a question that only a text answers. A number leads there, and nothing on the way asks for `call.channel`.
    pub fn wrong_channel(
        &self,
        steps: &BTreeMap<String, StepDescription>,
        checked: &[(&FlowFile, Checked)],
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (file, plan) in self.on_every_channel(checked) {
            for node in &plan.nodes {
                let Action::Step(call) = &node.action else {
                    continue;
                };
                let (message, help) = match self.config.chat.enabled {
                    true if records(call) && !fails_well(plan, call) => UNRECORDED,
                    false if asks_for_text(steps.get(&call.step), call) => UNANSWERED,
                    _ => continue,
                };
                if node.when.is_some() {
                    continue;
                }
                let source = Source::new(&file.path, &String::from_utf8_lossy(&file.source));
                let at = source.line(node.line as usize, node.column as usize);
                findings.push(source.finding(Level::Warning, at, message, Some(help)));
            }
        }
        findings
    }

    /// The flows that numbers lead to, by way of flows that do not ask for the channel.
    fn on_every_channel<'c>(
        &self,
        checked: &'c [(&FlowFile, Checked)],
    ) -> Vec<(&'c FlowFile, &'c Plan)> {
        let mut left: Vec<&str> = self
            .routes
            .routes
            .iter()
            .map(|route| route.flow.as_str())
            .collect();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        while let Some(flow) = left.pop() {
            if !seen.insert(flow) {
                continue;
            }
            let of_name =
                |(_, checked): &&(&FlowFile, Checked)| checked.name.as_deref() == Some(flow);
            let Some((file, checked)) = checked.iter().find(of_name) else {
                continue;
            };
            let asks = file
                .source
                .windows(CHANNEL.len())
                .any(|part| part == CHANNEL);
            let Some(plan) = checked.plan.as_ref().filter(|_| !asks) else {
                continue;
            };
            left.extend(checked.leads.iter().map(String::as_str));
            found.push((*file, plan));
        }
        found.sort_by_key(|(file, _)| &file.path);
        found
    }
}

const UNRECORDED: (Text, Text) = (
    Text::fixed(
        "a chat that comes here ends in an error: it has nothing to record",
        "聊天走到这里会因错误而结束：聊天中没有可录制的内容",
    ),
    Text::fixed(
        "give the step an `error` line, or lead chats elsewhere: `if: call.channel == \"chat\"`",
        "给这个步骤写上 `error` 行，或让聊天走别的路：`if: call.channel == \"chat\"`",
    ),
);

const UNANSWERED: (Text, Text) = (
    Text::fixed(
        "nobody can answer this on the telephone: `expect: text` is for chats, and the project takes none",
        "电话中没有人能回答这个问题：`expect: text` 用于聊天，而此项目不接受聊天",
    ),
    Text::fixed(
        "expect keys, such as `digits`, or record a message; or take chats: `enabled = true` under `[chat]` in strowger.toml",
        "请改用按键，例如 `digits`，或录音留言；或在 `strowger.toml` 的 `[chat]` 下写 `enabled = true` 以接受聊天",
    ),
);

fn records(call: &StepCall) -> bool {
    call.step.split('@').next() == Some(RECORD)
}

/// Whether a step that fails leads on.
fn fails_well(plan: &Plan, call: &StepCall) -> bool {
    plan.global.error.is_some() || call.edges.contains_key("error") || call.otherwise.is_some()
}

/// Whether a step expects any text.
fn asks_for_text(description: Option<&StepDescription>, call: &StepCall) -> bool {
    let (Some(description), Template::Object(input)) = (description, &call.input) else {
        return false;
    };
    input.iter().any(|(name, value)| {
        let expects = description.input["properties"][name]["format"] == "expect";
        let kind = match value {
            Template::Literal(Value::Object(fields)) => fields.get("kind"),
            _ => None,
        };
        expects && kind == Some(&Value::Text("text".to_owned()))
    })
}
