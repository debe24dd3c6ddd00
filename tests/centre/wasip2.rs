//! A plugin of the standard library's own WASI, as `cargo build --target wasm32-wasip2` makes it: the clock and chance are the
//! journal's, output is the log's, and there are no files, no sockets, no environment.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::Hall;
use strowger_tests::attack::Attack;
use strowger_tests::program::component;
use strowger_tests::program::strowger;

fn exercise() -> Attack<'static> {
    Attack {
        number: "600",
        step: "guest-wasip2/exercise",
        with: "{}".to_owned(),
    }
}

#[test]
fn a_guest_built_for_wasip2_lives_by_the_journal() -> Result<()> {
    component("guest-wasip2").context("run `scripts/guests`")?;
    let hall = Hall::attacked("", "", &[exercise()])?;
    let id = hall.begin("600")?;
    let over = hall.over(&id)?;
    assert_eq!(over.reason, "over", "{}", over.journal);
    let data = over.data()?;

    // What it was told stands in the journal.
    let entries: Vec<Json> = over
        .journal
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let calls = |function: &str| -> Vec<&Json> {
        let calls = entries.iter().filter(|entry| entry["kind"] == "call");
        calls
            .filter(|entry| entry["function"] == function)
            .collect()
    };
    let told: Vec<&Json> = calls("env.now")
        .into_iter()
        .map(|call| &call["result"])
        .collect();
    ensure!(told.contains(&&data["wall_ms"]), "{told:?} {data}");
    assert_eq!(calls("wait.sleep").len(), 1, "{}", over.journal);
    assert_eq!(calls("env.random").len(), 1, "{}", over.journal);
    ensure!(data["waited_ms"].as_u64() >= Some(1_500), "{data}");
    let order = data["order"].as_array().context("an order")?;
    assert_eq!(order.len(), 16, "{data}");

    // What it printed is the log's.
    let log = hall.engine.program.log();
    for line in ["a line of the output", "a line of the errors"] {
        ensure!(log.contains(line), "no `{line}`: {log}");
    }

    // There is nothing beside its contact.
    for tries in ["files", "sockets"] {
        let tries = data[tries].as_array().context("tries")?;
        ensure!(
            !tries.is_empty() && !tries.contains(&json!("it worked")),
            "{data}"
        );
    }
    assert_eq!(
        (&data["environment"], &data["arguments"]),
        (&json!(0), &json!(0))
    );

    // Walked again it says the same, the order of its hash map included.
    let (project, folder) = (&hall.engine.project, &hall.engine.data);
    let (project, folder) = (project.display().to_string(), folder.display().to_string());
    let (code, out, err) = strowger(&["replay", &id, "-p", &project, "--data", &folder])?;
    ensure!(code == 0, "{out}{err}");

    // Two contacts have different chance.
    let again = hall.over(&hall.begin("600")?)?.data()?;
    ensure!(again["order"] != data["order"], "{again}");
    Ok(())
}
