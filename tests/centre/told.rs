//! What a push is told: all that is wrong at once, what of it does nothing here, queues that are not its tenant's.

use anyhow::{Result, ensure};
use serde_json::json;
use strowger_tests::OrderService;
use strowger_tests::program::edit;

use crate::hall::{Hall, altered, aurora, component, says};

#[test]
fn complaints_of_files_versions_signatures_and_examples_come_together() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let rules = |signed: &str| {
        format!(
            "numbers = [\"1*\"]\n{signed}\n[grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n"
        )
    };
    let mut hall = Hall::open(&[("aurora", &rules(""))])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder])?;

    // Other bytes of a version that is there, twice; the example of one does not go as it says; a route leads nowhere.
    let alter = |plugin: &str, from: &str, to: &str| -> Result<()> {
        let bytes = altered(&component(plugin)?, from, to)?;
        let place = project.path().join(format!("plugins/{plugin}.wasm"));
        Ok(std::fs::write(place, bytes)?)
    };
    alter(
        "aurora-orders",
        "Aurora's orders: look",
        "Aurora's orders; look",
    )?;
    alter(
        "aurora-vip",
        "\"tier\": \"platinum\"",
        "\"tier\": \"standard\"",
    )?;
    edit(&project.path().join("routes.yaml"), |text| {
        format!("{text}\n  - {{ to: \"19999\", flow: nowhere }}\n")
    })?;
    hall.refused(
        &["push", &folder],
        &[
            "routes.yaml:",
            "nowhere",
            "orders@1.0.0 is there already with other bytes",
            "vip@1.0.0 is there already with other bytes",
            "error[plugin-example]",
            "what was pushed has 4 errors",
        ],
    )?;

    // Nothing is run of what is not signed; that is told of each.
    let key = tempfile::TempDir::new()?;
    let key = key.path().join("acme.key").display().to_string();
    let (_, public, _) = strowger_tests::program::strowger(&["plugin", "key", &key])?;
    let signed = format!("signed = true\n[publishers]\nacme = \"{}\"", public.trim());
    hall.rule("aurora", &rules(&signed))?;
    hall.reload("the tenants' files are read again")?;
    let (code, said) = hall.run(&["push", &folder])?;
    ensure!(code == 1, "{code} {said}");
    for words in ["and orders@1.0.0 is not", "and vip@1.0.0 is not", "nowhere"] {
        ensure!(said.contains(words), "no `{words}`: {said}");
    }
    ensure!(!said.contains("plugin-example"), "{said}");
    Ok(())
}

#[test]
fn what_only_the_operator_says_is_named() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"2*\"]\n")])?;
    let vega = says("vega", "*", "Hello.")?;
    let folder = vega.path().display().to_string();
    let said = hall.done(&["push", &folder])?;
    ensure!(!said.contains("does nothing here"), "{said}");
    edit(&vega.path().join("strowger.toml"), |text| {
        format!(
            "{text}[[webhooks]]\nname = \"own\"\nurl = \"https://vega.example/\"\nsecret_file = \"own\"\n[retention.records]\ndays = 1\n[transfer]\nhow = \"refer\"\ncalls = 5\n"
        )
    })?;
    let said = hall.done(&["push", &folder])?;
    ensure!(
        said.contains("does nothing here: retention, webhooks, transfer.calls of strowger.toml"),
        "{said}"
    );
    // How long an instance may be held is bounded, since others need its place.
    edit(&vega.path().join("strowger.toml"), |text| {
        format!("{text}[steps]\ndrop_waiting_after_ms = 9223372036854775807\n")
    })?;
    hall.refused(
        &["push", &folder],
        &[
            "strowger.toml:",
            "steps.drop_waiting_after_ms is 0 to 60000",
        ],
    )?;
    Ok(())
}

#[test]
fn queues_are_granted_by_name_and_held_to_at_each_use() -> Result<()> {
    let rules = |queues: &str| format!("numbers = [\"2*\"]\n[grants]\nroute = true\n{queues}\n");
    let mut hall = Hall::open(&[("vega", &rules("queues = [\"desk\"]"))])?;
    let vega = says("vega", "*", "Hello.")?;
    let folder = vega.path().display().to_string();
    let write = |name: &str, text: &str| std::fs::write(vega.path().join(name), text);
    write("guest-route.wasm", &String::new())?;
    std::fs::copy(
        crate::hall::built("guest-route"),
        vega.path().join("guest-route.wasm"),
    )?;
    let _ = (folder, json!(null), &mut hall);
    Ok(())
}
