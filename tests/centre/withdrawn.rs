//! What the operator takes back: it holds at once, for whoever runs, and for the others' files it is no hindrance.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use strowger_tests::Hall;
use strowger_tests::attack::{Attack, reach};
use strowger_tests::http;
use strowger_tests::upstream::{Upstream, echo};

/// Longest time until the engine has read the files again.
const READ: Duration = Duration::from_secs(30);

/// Waits until a tenant's `fault` has a word; until it has none, without one.
fn fault(hall: &mut Hall, tenant: &str, word: Option<&str>) -> Result<()> {
    let (address, path) = (hall.engine.http, format!("/v1/tenants/{tenant}"));
    hall.engine.program.wait_until(&path, READ, || {
        let shown = http::get(address, &path).and_then(|answer| answer.json());
        shown.is_ok_and(|shown| match word {
            Some(word) => shown["fault"].as_str().is_some_and(|f| f.contains(word)),
            None => shown["fault"].is_null(),
        })
    })
}

#[test]
fn a_grant_that_is_withdrawn_is_gone_at_once_and_after_a_restart() -> Result<()> {
    let service = Upstream::start(echo)?;
    let address = service.address;
    let plan = json!([{ "url": format!("http://{address}/") }]);
    let keep = Attack {
        number: "601",
        step: "guest-kv/get",
        with: "{ key: \"k\" }".to_owned(),
    };
    let asks = format!("kv = true, http = [\"{address}\"]");
    let private = format!("[limits.http]\nprivate = [\"{address}\"]\n");
    let granted = format!("[grants]\nkv = true\nhttp = [\"{address}\"]\n{private}");
    let mut hall = Hall::attacked(&granted, &asks, &[reach("600", plan), keep])?;
    assert_eq!(hall.attack("600")?.answers()?[0]["ok"]["status"], 200);
    assert_eq!(hall.attack("601")?.data()?["get"], json!({ "ok": null }));
    let sent = service.asked().len();

    // The neighbour's file changes too, and is taken.
    hall.rule("mallory", &format!("numbers = [\"6*\"]\n{private}"))?;
    hall.rule(
        "victim",
        "title = \"Victim the second\"\nnumbers = [\"900\"]\n[grants]\nkv = true\n",
    )?;
    hall.reload("the tenants' files are read again")?;
    for again in [false, true] {
        if again {
            hall.engine.program.kill()?;
            hall.engine.restart()?;
        }
        fault(&mut hall, "mallory", Some("guest-kv: kv"))?;
        let mallory = hall.get("/v1/tenants/mallory")?;
        let told = mallory["fault"].as_str().unwrap_or_default();
        ensure!(
            told.contains(&format!("guest-reach: http {address}")),
            "{told}"
        );
        assert_eq!(mallory["release"]["live"], 1, "{mallory}");
        let victim = hall.get("/v1/tenants/victim")?;
        assert_eq!(victim["title"], "Victim the second");
        assert!(victim["fault"].is_null(), "{victim}");
        assert_eq!(hall.get("/healthz")?["tenants_at_fault"], 1);

        let answer = hall.attack("600")?.answers()?[0].to_string();
        ensure!(answer.contains("not among the hosts"), "{answer}");
        let answer = hall.attack("601")?.data()?["get"].to_string();
        ensure!(answer.contains("does not grant it"), "{answer}");
        assert_eq!(service.asked().len(), sent, "a request went out");
        // Nor is it released anew.
        hall.refused(
            &["release", "1", "--tenant", "mallory", "--accept", "all"],
            &["has not granted to mallory", "guest-kv: kv"],
        )?;
    }

    hall.rule("mallory", &format!("numbers = [\"6*\"]\n{granted}"))?;
    hall.reload("the tenants' files are read again")?;
    fault(&mut hall, "mallory", None)?;
    assert_eq!(hall.attack("600")?.answers()?[0]["ok"]["status"], 200);
    assert_eq!(hall.attack("601")?.data()?["get"], json!({ "ok": null }));
    assert_eq!(hall.get("/healthz")?["tenants_at_fault"], 0);
    Ok(())
}
