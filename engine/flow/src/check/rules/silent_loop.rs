use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: steps that lead back to themselves although the caller does nothing: no key, no answer. Such a call goes on
    /// until `max_duration`, and the caller hears the same thing again and again, or nothing at all.
    ///
    /// ```yaml
    /// hello:
    ///   say: Hello.
    ///   then: nudge
    /// nudge:
    ///   say: Still there?
    ///   then: hello
    /// ```
    ///
    /// Flows that lead to each other, by `call:` or `flow:NAME`, are such a loop too. So is a queue or a transfer that leads back to itself
    /// on an outcome that may come at once: nobody is signed in, the queue is full, the line is engaged.
    ///
    /// Let the loop pass through a step that listens, or count and leave it. What counts is a variable of the type `number` that begins
    /// with a number, to which nothing but written numbers is added (`set: { n: "${n + 1}" }`), on every way round, always up or always
    /// down; and the way back is open only while it is below (counting down: above) a written number, or a variable that never changes:
    /// `if: n < 3`. With `==` and `!=` nothing is proven.
    ///
    /// ```yaml
    /// hello:
    ///   menu: Hello. Press 1 to go on.
    ///   press: { 1: flow:order-status }
    ///   then: { no_input: nudge, no_match: bye }
    /// nudge:
    ///   - say: Still there?
    ///   - hangup: completed
    /// ```
    SILENT_LOOP = "silent-loop", Error, "a loop that no caller causes", "无来电者参与的循环"
}

/// Why a loop that counts as it should is none that ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refused {
    /// It goes round more often than a contact takes steps.
    Rounds {
        name: String,
        rounds: f64,
        max_steps: u32,
    },
    /// It counts in steps that are too small beside what is rounded off.
    Small { name: String, step: f64, least: f64 },
    /// It begins with a number, or is held against one, beside which its steps are rounded off.
    Large { name: String, number: f64, most: f64 },
}

/// What a loop has in it that might have kept it from being one.
pub(crate) enum Within {
    /// Nothing.
    Nothing,
    /// A variable that counts, though not so that it ends; why not, where it counts as it should.
    Counting(Option<Refused>),
    /// A step that listens, and leads on although it heard nothing.
    Listening,
}

pub(crate) fn looped(
    report: &mut Report<'_>,
    at: Span,
    path: &[(String, Span)],
    within: Within,
) {
    let names = path
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" → ");
    let mut found = report
        .find(
            &SILENT_LOOP,
            at,
            text!(
                "the call goes round and round although the caller does nothing",
                "来电者什么都没做，电话却在原地打转"
            ),
        )
        .here(text!("the loop begins here", "循环从这里开始"))
        .help(match within {
            Within::Nothing => text!(
                "the loop: {names}; let it lead to a person, a goodbye or a step that listens",
                "循环：{names}；请让它通往人工、告别或等待输入的步骤"
            ),
            Within::Listening => text!(
                "the loop: {names}; a step in it listens, but goes round when nobody says anything too: lead its `no_input` to a person or a goodbye (`attempts:` asks again first), or count the rounds",
                "循环：{names}；其中有步骤在等待输入，但没人说话时也会回来：请让它的 `no_input` 通往人工或告别（`attempts:` 会先再问几次），或给轮数计数"
            ),
            Within::Counting(Some(Refused::Rounds { name, rounds, max_steps })) => text!(
                "the loop: {names}; `{name}` counts, but reaches its end only after {rounds} rounds, and a contact takes at most {max_steps} steps (`max_steps`): count in larger steps, or hold it against a nearer number",
                "循环：{names}；`{name}` 在计数，但要转 {rounds} 圈才到头，而一次联系最多走 {max_steps} 步（`max_steps`）：请把每次加的数改大，或把比较的数改近"
            ),
            Within::Counting(Some(Refused::Small { name, step, least })) => text!(
                "the loop: {names}; `{name}` counts by {step}, and steps below {least} prove nothing, for numbers are rounded: count in whole numbers",
                "循环：{names}；`{name}` 每次计 {step}，而小于 {least} 的步长不能证明什么，因为数字会被舍入：请用整数计数"
            ),
            Within::Counting(Some(Refused::Large { name, number, most })) => text!(
                "the loop: {names}; `{name}` counts from or to {number}, and beyond {most} a number may be rounded so that adding to it changes nothing: count from 0",
                "循环：{names}；`{name}` 从 {number} 开始计数或计到 {number}，而超过 {most} 的数字会被舍入，加上去可能毫无变化：请从 0 开始计数"
            ),
            Within::Counting(None) => text!(
                "the loop: {names}; its counting does not prove that it ends: on every way round add a number to a variable that begins with a number, and go back only while it is below (or above) a number: `if: n < 3`",
                "循环：{names}；其中的计数不能证明循环会结束：请在每条回路上给一个以数字为初值的变量加上一个数字，并且只在它小于（或大于）某个数字时才回去，例如 `if: n < 3`"
            ),
        });
    for (name, span) in path.iter().skip(1).take(3) {
        if *span != at && *name != path[0].0 {
            found = found.label(*span, text!("then here", "然后到这里"));
        }
    }
    drop(found);
}

/// `way` is the flows that are come to, the last of them the one that this is about.
pub(crate) fn across(report: &mut Report<'_>, at: Span, own: &str, way: &[String]) {
    let names = std::iter::once(own)
        .chain(way.iter().map(String::as_str))
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" → ");
    report
        .find(
            &SILENT_LOOP,
            at,
            text!(
                "the call goes from flow to flow and comes back although the caller does nothing",
                "来电者什么都没做，电话却在流程之间来回打转"
            ),
        )
        .help(text!(
            "the flows: {names}; let one of them listen before it leads on",
            "流程：{names}；请让其中一个先等待输入再继续"
        ));
}
