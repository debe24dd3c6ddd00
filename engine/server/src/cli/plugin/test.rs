//! `strowger plugin test`

use std::path::PathBuf;

use clap::Args;
use strowger_plugin::Limits;

use super::super::{FOUND, Failure, OK};
use super::build::{program, tool};
use super::kit::{Kit, Language};
use super::{host, load, read, refused};
use crate::trial::{Bounds, examples, repeated};

/// Runs the plugin's own tests with the tools of its language, then every example of its description in the real host,
/// with a caller who is silent: once as they are, and once with the instance dropped at every host call, as serving does in
/// long waits.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin test
  strowger plugin test --folder ../greeter

The flow beside the plugin has tests of its own: `strowger test`.

Exit code: 0 all passed, 1 a test or an example failed, 2 they could not be run.")]
pub(super) struct Test {
    /// The plugin's folder.
    #[arg(long, short, default_value = ".")]
    folder: PathBuf,
}

impl Test {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let kit = Kit::open(&self.folder)?;
        unit(&kit)?;
        let path = kit.component();
        let component = read(&path).map_err(|mut failure| {
            failure.message += "; run `strowger plugin build` first";
            failure
        })?;
        let host = host(Some(&kit.data()))?;
        let plugin = load(&host, &component)
            .await
            .map_err(|complaints| refused(&path, &complaints))?;
        let limits = Limits::default();
        let mut bounds = Bounds::default();
        let mut tried = examples(&plugin, "{}", &limits, &mut bounds, |line| {
            eprintln!("{line}")
        })
        .await;
        repeated(&plugin, "{}", &limits, &mut tried).await;
        for wrong in &tried.wrong {
            eprintln!("{wrong}");
        }
        let (passed, failed) = (tried.passed, tried.wrong.len());
        match tried.not_judged {
            0 => eprintln!("examples: {passed} passed, {failed} failed"),
            more => eprintln!(
                "examples: {passed} passed, {failed} failed, {more} not judged: they need a flow or the network"
            ),
        }
        eprintln!(
            "their instances were dropped at {} host calls and built anew",
            tried.dropped
        );
        Ok(if failed > 0 { FOUND } else { OK })
    }
}

/// The tests that need no host.
fn unit(kit: &Kit) -> Result<(), Failure> {
    let remedy = "a test failed, or its tool is missing";
    match kit.language {
        Language::Rust => {
            let arguments = ["test", "--quiet", "--target-dir", "target"];
            tool(kit, &program("CARGO", "cargo"), &arguments, remedy)
        }
        Language::Js | Language::Ts => tool(kit, &program("NODE", "node"), &["--test"], remedy),
        Language::Python => {
            let arguments = ["-m", "unittest", "--quiet"];
            tool(kit, &program("PYTHON", "python3"), &arguments, remedy)
        }
        Language::C => {
            let arguments = ["-Wall", "-Wextra", "-o", "build/test", "test/greeting.c"];
            tool(kit, &program("CC", "cc"), &arguments, remedy)?;
            let test =
                std::path::absolute(kit.folder.join("build/test")).map_err(Failure::cannot)?;
            tool(kit, &test.display().to_string(), &[""; 0], remedy)
        }
    }
}
