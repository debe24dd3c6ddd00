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
            Some(written) if slug(written) == PROJECT_RULE => {
                PROJECT.in_language(language).to_owned()
            }
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
        .trim_matches(['[', ']', '`', ':'])
}

fn table(language: Language) -> String {
    let line = |slug: &str, level: &str, title: &str| format!("{slug:<24} {level:<8} {title}\n");
    let rules = RULES
        .iter()
        .map(|rule| line(rule.slug, rule.level.name(), rule.title(language)));
    let title = PROJECT.in_language(language).lines().nth(2);
    let beside = line(PROJECT_RULE, "both", title.unwrap_or_default());
    rules.chain([beside]).collect()
}
