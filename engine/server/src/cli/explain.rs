//! `strowger explain`

use std::io::Write as _;

use clap::Args;
use strowger_flow::diagnostic::{Language, Text};
use strowger_flow::{RULES, Rule};

use super::{Failure, OK, Tongue};
use crate::project::PROJECT_RULE;

/// The page of what is wrong beside the flows, which is no rule of the language.
static PROJECT: Text = Text::fixed(
    "# project (error or warning)

something is wrong beside the flows

What it finds: in `strowger.toml`, `routes.yaml`, `queues.yaml`, a tenant's prompts, a plugin or this machine. A key that nobody knows, a route that
leads to no flow, a plugin that does not load or asks for more than it is granted, an audio file that cannot be played, a service that
does not answer, a program that is not installed.

```toml
[plugins.orders]
component = \"plugins/order.wasm\"    # the file is called orders.wasm
```

Write instead:

```toml
[plugins.orders]
component = \"plugins/orders.wasm\"
```

Each of these findings says in its own `help:` what to do. The settings are in docs/operations.md, plugins in docs/plugins.md.
",
    "# project (错误或警告)

流程以外的地方有问题

检查：`strowger.toml`、`routes.yaml`、`queues.yaml`、租户的提示音、插件或本机有问题。例如未知的键、指向不存在的流程的路由、无法加载或所要权限超出授权的插件、无法播放的音频文件、没有应答的服务、没有安装的程序。

```toml
[plugins.orders]
component = \"plugins/order.wasm\"    # 文件名其实是 orders.wasm
```

应写为：

```toml
[plugins.orders]
component = \"plugins/orders.wasm\"
```

每条此类问题都在自己的 `help:` 中说明如何处理。设置见 docs/operations.md，插件见 docs/plugins.md。
",
);

/// The page of what `strowger check` reckons of a flow without errors, which is no finding.
static WORST_CASE: Text = Text::fixed(
    "# worst-case (note)

the worst that can happen to a caller

What it is: no finding, but what `check` reckons of each flow without errors, and prints last. The longest way to a person or a goodbye, the
longest silence with its line, and the longest contact. The caller presses nothing, answers wrong, or waits, whatever takes longest; each step
takes its whole `timeout:` and each queue its `max_wait:`. In JSON it is a line of the level `note` with `toPersonMs`, `chatToPersonMs`, `toEndMs`,
`silenceMs`, `silenceLine`, `calls` (other flows, which are not in these times) and `unmeasured` (parts whose length nobody knows).

To shorten it: fewer `attempts:`, shorter `timeout:`, a shorter prompt, `meanwhile:` on what takes long (against silence), a lower `max_duration:`.
A warning of its own tells of what is too long for callers:

```text
dead-air            a step may keep the caller waiting for more than eight seconds without a sound
over-max-duration   a way takes longer than `max_duration`
```

It needs no allowance, and the exit code does not heed it.
",
    "# worst-case (说明)

来电者可能遇到的最坏情况

说明：这不是问题，而是 `check` 为每个没有错误的流程算出的结果，最后打印：接通人工或告别前最长的时间、最长的静默及其所在行、最长的通话。
假定来电者什么都不按、答错或一直等待，取最长的一种；每个步骤用满 `timeout:`，每个队列用满 `max_wait:`。
在 JSON 里是级别为 `note` 的一行，含 `toPersonMs`、`chatToPersonMs`、`toEndMs`、`silenceMs`、`silenceLine`、`calls`（其他流程，不计入这些时间）和 `unmeasured`（长度未知的部分）。

要缩短它：减少 `attempts:`、缩短 `timeout:`、缩短提示、给耗时的步骤加上 `meanwhile:`（针对静默）、降低 `max_duration:`。
对来电者来说太长的，另有警告：

```text
dead-air            某个步骤可能让来电者听不到任何声音超过八秒
over-max-duration   某条路径长于 `max_duration`
```

不需要允许它，退出码也不受它影响。
",
);

/// Pages of what is no rule of the language: the word in brackets, the level, the page.
static BESIDE: [(&str, &str, &Text); 2] = [
    (PROJECT_RULE, "both", &PROJECT),
    ("worst-case", "note", &WORST_CASE),
];

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
            Some(written) => match beside(slug(written)) {
                Some(page) => page.in_language(language).to_owned(),
                None => find(written)?.explain(language),
            },
            None => table(language),
        };
        // A closed pipe is the reader's choice.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        Ok(OK)
    }
}

fn beside(slug: &str) -> Option<&'static Text> {
    let mut beside = BESIDE.iter();
    beside
        .find(|(name, ..)| *name == slug)
        .map(|(.., page)| *page)
}

/// The rule that is meant: `missing-outcome`, also copied with what stands around it in a finding.
fn find(written: &str) -> Result<&'static Rule, Failure> {
    let slug = slug(written);
    strowger_flow::rule(slug).ok_or_else(|| {
        let hint = match strowger_flow::nearest_rule(slug) {
            Some(rule) => format!("did you mean `{}`?", rule.slug),
            None => "`strowger explain` lists all rules".to_owned(),
        };
        Failure::cannot(format!("there is no rule `{slug}`: {hint}"))
    })
}

fn slug(written: &str) -> &str {
    written
        .trim()
        .trim_start_matches("error")
        .trim_start_matches("warning")
        .trim_start_matches("note")
        .trim_matches(['[', ']', '`', ':'])
}

fn table(language: Language) -> String {
    let line = |slug: &str, level: &str, title: &str| format!("{slug:<24} {level:<8} {title}\n");
    let rules = RULES
        .iter()
        .map(|rule| line(rule.slug, rule.level.name(), rule.title(language)));
    let beside = BESIDE.iter().map(|(slug, level, page)| {
        let title = page.in_language(language).lines().nth(2);
        line(slug, level, title.unwrap_or_default())
    });
    rules.chain(beside).collect()
}
