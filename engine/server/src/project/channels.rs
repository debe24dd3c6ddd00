//! What a flow does that its channel cannot: a recording in a chat, free text on the telephone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use strowger_flow::catalog::StepDescription;
use strowger_flow::diagnostic::Text;
use strowger_flow::expr::Expr;
use strowger_flow::plan::{Action, Edge, Node, Plan, StepCall, Template};
use strowger_flow::value::Value;
use strowger_flow::{Checked, Level};

use super::finding::{Finding, Source};
use super::folder::{FlowFile, Project};

/// A contact on the telephone, as `call.channel` names it.
const VOICE: &str = "voice";
/// One in writing.
const CHAT: &str = "chat";

/// The standard step that records.
const RECORD: &str = "std/record";

/// A flow, and the file it stands in.
type Known<'c> = (&'c Path, &'c [u8], &'c Checked);

impl Project {
    /// The steps that the channel of a contact makes useless: where a chat may come, a recording whose failure ends the contact; where
    /// the project takes no chats, a question that only a text answers. A number or a test leads there, and nothing on the way keeps that
    /// channel from it.
    pub fn wrong_channel(
        &self,
        steps: &BTreeMap<String, StepDescription>,
        checked: &[(&FlowFile, Checked)],
    ) -> Vec<Finding> {
        let flows = checked
            .iter()
            .map(|(file, checked)| (file.path.as_path(), file.source.as_slice(), checked))
            .collect();
        let routes = self.routes.routes.iter();
        let routes: Vec<&str> = routes.map(|route| route.flow.as_str()).collect();
        match self.config.chat.enabled {
            true => wrong_channel(flows, steps, &[], &routes),
            false => wrong_channel(flows, steps, &routes, &[]),
        }
    }
}

/// The same of a file that stands alone: its tests may be of chats.
pub fn wrong_channel_alone(
    path: &Path,
    source: &[u8],
    steps: &BTreeMap<String, StepDescription>,
    checked: &Checked,
) -> Vec<Finding> {
    wrong_channel(vec![(path, source, checked)], steps, &[], &[])
}

/// `calls` and `chats` are the flows that contacts of these channels begin in, beside those of tests.
fn wrong_channel(
    mut flows: Vec<Known<'_>>,
    steps: &BTreeMap<String, StepDescription>,
    calls: &[&str],
    chats: &[&str],
) -> Vec<Finding> {
    flows.sort_by_key(|(path, ..)| *path);
    let tests = flows.iter().filter(|(.., checked)| {
        let mut tests = checked.tests.iter();
        tests.any(|test| test.given.channel.as_deref() == Some(CHAT))
    });
    let tests = tests.filter_map(|(.., checked)| checked.name.as_deref());
    let chats: Vec<&str> = chats.iter().copied().chain(tests).collect();
    let by_chat = Reached::of(&flows, CHAT, chats);
    let by_call = Reached::of(&flows, VOICE, calls.to_vec());
    let mut findings = Vec::new();
    for (path, source, checked) in &flows {
        let Some(plan) = &checked.plan else { continue };
        for (index, node) in plan.nodes.iter().enumerate() {
            let Action::Step(call) = &node.action else {
                continue;
            };
            let (message, help) =
                if records(call) && !fails_well(plan, call) && by_chat.runs(plan, index, CHAT) {
                    UNRECORDED
                } else if asks_for_text(steps.get(&call.step), call)
                    && by_call.runs(plan, index, VOICE)
                {
                    UNANSWERED
                } else {
                    continue;
                };
            let source = Source::new(path, &String::from_utf8_lossy(source));
            let at = source.line(node.line as usize, node.column as usize);
            findings.push(source.finding(Level::Warning, at, message, Some(help)));
        }
    }
    findings
}

/// The actions that contacts of a channel may come to, by flow and number.
struct Reached(BTreeSet<(String, usize)>);

impl Reached {
    fn of(flows: &[Known<'_>], channel: &str, begin: Vec<&str>) -> Reached {
        let plans = flows.iter().filter_map(|(.., checked)| {
            let plan = checked.plan.as_ref()?;
            // What it keeps of the channel may decide elsewhere where contacts go.
            (!keeps_channel(plan)).then_some((plan.flow.as_str(), plan))
        });
        let plans: BTreeMap<&str, &Plan> = plans.collect();
        let start = |flow: &str| {
            let plan = plans.get(flow)?;
            Some((*plan, plan.start.0 as usize))
        };
        let mut open: Vec<(&Plan, usize)> = begin.into_iter().filter_map(start).collect();
        let mut reached = BTreeSet::new();
        while let Some((plan, index)) = open.pop() {
            let Some(node) = plan.nodes.get(index) else {
                continue;
            };
            if !reached.insert((plan.flow.clone(), index)) {
                continue;
            }
            for edge in ways(plan, node, channel) {
                match edge {
                    Edge::Node(id) => open.push((plan, id.0 as usize)),
                    Edge::Flow(flow) => open.extend(start(flow)),
                    Edge::Repeat | Edge::End => {}
                }
            }
            if let Action::Call { flow, .. } = &node.action
                && is(node.when.as_ref(), channel) != Some(false)
            {
                open.extend(start(flow));
            }
        }
        Reached(reached)
    }

    /// Whether some contact of the channel is certain to run the action once it is there.
    fn runs(&self, plan: &Plan, index: usize, channel: &str) -> bool {
        self.0.contains(&(plan.flow.clone(), index))
            && is(plan.nodes[index].when.as_ref(), channel) == Some(true)
    }
}

/// Whether a condition is true on a channel; `None` where something else decides. Without one, it is.
fn is(condition: Option<&Expr>, channel: &str) -> Option<bool> {
    let Some(condition) = condition else {
        return Some(true);
    };
    match condition.on_channel(channel) {
        Some(Value::Bool(truth)) => Some(truth),
        _ => None,
    }
}

/// The ways on from an action for contacts of a channel that are still there.
fn ways<'p>(plan: &'p Plan, node: &'p Node, channel: &str) -> Vec<&'p Edge> {
    let global = &plan.global;
    let mut ways: Vec<&Edge> = global.too_long.iter().collect();
    let runs = is(node.when.as_ref(), channel);
    if runs != Some(true) {
        ways.push(&node.next);
    }
    if runs == Some(false) {
        return ways;
    }
    match &node.action {
        Action::Step(call) => {
            ways.extend(
                call.edges
                    .values()
                    .chain(&call.otherwise)
                    .chain(&global.error),
            );
            if node.global_keys {
                ways.extend(global.press.values());
            }
        }
        Action::Call {
            edges, otherwise, ..
        } => {
            ways.extend(edges.values().chain(otherwise).chain(&global.error));
            if edges.is_empty() {
                ways.push(&node.next);
            }
        }
        Action::Choose { arms, otherwise } => {
            for (condition, edge) in arms {
                let holds = is(Some(condition), channel);
                if holds != Some(false) {
                    ways.push(edge);
                }
                if holds == Some(true) {
                    return ways;
                }
            }
            ways.push(otherwise);
        }
        Action::Switch {
            value,
            arms,
            otherwise,
        } => match value.on_channel(channel) {
            Some(Value::Text(word)) => ways.extend(arms.get(&word).or(otherwise.as_ref())),
            _ => ways.extend(arms.values().chain(otherwise)),
        },
        Action::Set(_) | Action::Tag { .. } | Action::Wait(_) | Action::Goto => {
            ways.extend([&node.next].into_iter().chain(&global.error));
        }
        Action::Return { .. } | Action::HangUp { .. } => {}
    }
    ways
}

/// Whether a flow keeps, or gives to others, what the channel of a contact is.
fn keeps_channel(plan: &Plan) -> bool {
    plan.nodes.iter().any(|node| match &node.action {
        Action::Set(values)
        | Action::Call { with: values, .. }
        | Action::Return { with: values, .. } => values.values().any(reads_channel),
        Action::Step(call) => reads_channel(&call.input),
        _ => false,
    })
}

fn reads_channel(template: &Template) -> bool {
    template.any(&Expr::reads_channel)
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
