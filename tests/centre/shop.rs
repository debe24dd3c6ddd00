//! A tenant whose contacts ask an order service, which counts what it is asked.

use anyhow::{Context, Result};
use strowger_tests::Hall;
use strowger_tests::Talk;
use strowger_tests::hall::CHATS;
use strowger_tests::program::component;
use strowger_tests::program::{edit, strowger};
use strowger_tests::projects::altered;
use strowger_tests::upstream::{Upstream, reply};
use tempfile::TempDir;

/// The tenant.
pub const SHOP: &str = "shop";
/// Its one flow: `1` looks up an order that is there, `2` one that the service fails on.
const DESK: &str = r#"flow: desk
format: 1
languages: [en]
prompts:
  welcome: { en: "Welcome. ${choices}" }
  there: { en: "look up an order" }
  broken: { en: "look up another" }
steps:
  start:
    menu: welcome
    attempts: 1
    press:
      1: { to: lookup, label: there }
      2: { to: second, label: broken }
    then: { no_input: bye, no_match: bye }
  lookup:
    use: orders/lookup@1
    with: { order_no: "20260302" }
    as: order
    then: { found: told, not_found: bye, timeout: bye, error: bye }
  second:
    use: orders/lookup@1
    with: { order_no: "50005000" }
    then: { found: bye, not_found: bye, timeout: bye, error: sorry }
  told:
    - say: "It is ${order.status}."
    - hangup: completed
  sorry:
    - say: "Sorry."
    - hangup: failed
  bye: { hangup: done }
"#;
const FLOW: &str = "desk.flow.yaml";

/// A centre with the tenant in it, revision 1 live, and the order service.
pub struct Shop {
    pub hall: Hall,
    pub service: Upstream,
    /// The project of revision 1.
    pub project: TempDir,
}

impl Shop {
    pub fn open() -> Result<Shop> {
        let service = Upstream::start(|asked, to| {
            match asked.path() {
            path if path.contains("20260302") => reply(
                to,
                "200 OK",
                "Content-Type: application/json\r\n",
                br#"{"order_no":"20260302","status":"shipped","status_text":{"en":"shipped"},"total":{"amount":100,"currency":"CNY"}}"#,
            ),
            _ => reply(to, "500 Internal Server Error", "", b""),
        }
        })?;
        let here = service.address;
        let rules = format!(
            "numbers = [\"7*\"]\n[grants]\nhttp = [\"{here}\"]\n[limits.http]\nprivate = [\"{here}\"]\n"
        );
        let hall = Hall::open_with(CHATS, &[(SHOP, &rules), ("vega", "numbers = [\"900\"]\n")])?;
        let project = TempDir::new()?;
        let write = |name: &str, text: &str| std::fs::write(project.path().join(name), text);
        write(
            "strowger.toml",
            &format!(
                "[project]\nname = \"{SHOP}\"\n[plugins.orders]\ncomponent = \"orders.wasm\"\nconfig = {{ base_url = \
                 \"http://{here}\" }}\ngrants = {{ http = [\"{here}\"] }}\n"
            ),
        )?;
        write("routes.yaml", "routes:\n  - { to: \"7*\", flow: desk }\n")?;
        write(FLOW, DESK)?;
        std::fs::write(
            project.path().join("orders.wasm"),
            component("aurora-orders")?,
        )?;
        hall.publish(&project)?;
        Ok(Shop {
            hall,
            service,
            project,
        })
    }

    /// A contact that chooses this from the menu, to its end: its id.
    pub fn chat(&self, choice: &str) -> Result<String> {
        Ok(self.talk(choice)?.id)
    }

    /// The same: what was shown to it.
    pub fn talk(&self, choice: &str) -> Result<Talk> {
        let mut talk = Talk::begin(self.hall.engine.http, "700", None)?;
        talk.asked("Welcome")?;
        talk.write(choice)?;
        talk.ended()?;
        self.hall.over(&talk.id)?;
        Ok(talk)
    }

    /// Pushes the project with its flow changed, and releases nothing: the revision's number.
    pub fn draft(&self, change: impl FnOnce(String) -> String) -> Result<u64> {
        edit(&self.project.path().join(FLOW), change)?;
        self.push()
    }

    /// Pushes the project as it is now: the revision's number.
    pub fn push(&self) -> Result<u64> {
        let folder = self.project.path().display().to_string();
        let said = self.hall.done(&["push", &folder])?;
        let number = said.lines().find_map(|line| line.strip_prefix("revision "));
        Ok(number.context("a revision")?.trim().parse()?)
    }

    /// Adds a plugin `odd` with a step that `3` leads to, and releases that.
    pub fn add_odd(&self, component: &[u8]) -> Result<()> {
        self.replace_odd(component)?;
        edit(&self.project.path().join("strowger.toml"), |text| {
            text + "[plugins.odd]\ncomponent = \"odd.wasm\"\n"
        })?;
        edit(&self.project.path().join(FLOW), |text| {
            let menu = "    then: { no_input: bye";
            let choice = "      3: { to: odd, label: odd }\n";
            text.replacen(menu, &format!("{choice}{menu}"), 1).replacen(
                "prompts:\n",
                "prompts:\n  odd: { en: \"ask for something else\" }\n",
                1,
            ) + "  odd:\n    use: odd/go@1\n    then: { ok: bye, number: bye, error: sorry, timeout: sorry }\n"
        })?;
        self.hall.publish(&self.project)
    }

    /// Puts another component for `odd` into the project.
    pub fn replace_odd(&self, component: &[u8]) -> Result<()> {
        Ok(std::fs::write(
            self.project.path().join("odd.wasm"),
            component,
        )?)
    }

    /// The orders' plugin, with one text in it changed, in a file.
    pub fn plugin(&self, from: &str, to: &str) -> Result<String> {
        let other = altered(&component("aurora-orders")?, from, to)?;
        let file = self.project.path().join("other.component");
        std::fs::write(&file, other)?;
        Ok(file.display().to_string())
    }

    /// The line of the flow that holds a text, as people count it.
    pub fn line_of(&self, text: &str) -> Result<String> {
        let flow = std::fs::read_to_string(self.project.path().join(FLOW))?;
        let line = flow.lines().position(|line| line.contains(text));
        Ok(format!("{FLOW}:{}", line.context("the line is there")? + 1))
    }

    /// `strowger replay` on the centre's data: exit code, stdout, stderr.
    pub fn replay(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let engine = &self.hall.engine;
        let (project, data) = (
            engine.project.display().to_string(),
            engine.data.display().to_string(),
        );
        strowger(&[&["replay", "-p", &project, "--data", &data], arguments].concat())
    }

    /// How many requests the service has had.
    pub fn asked(&self) -> usize {
        self.service.asked().len()
    }
}
