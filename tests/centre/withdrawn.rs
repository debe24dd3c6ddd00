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

#[test]
fn a_tenant_whose_file_is_gone_has_no_api() -> Result<()> {
    let rule = "numbers = [\"100\"]";
    let mut hall = Hall::open(&[("vega", rule), ("altair", "numbers = [\"200\"]")])?;
    let address = hall.engine.http;
    let vega = hall.engine.token("owner", &["--tenant", "vega"])?;
    let altair = hall.engine.token("owner", &["--tenant", "altair"])?;
    let all = hall.engine.token("owner", &[])?;
    let user = json!({ "password": "correct horse battery", "role": "owner" });
    let token = json!({ "name": "more", "role": "owner" });
    let ask = |who: &str, method: &str, path: &str| {
        let body = match (method, path) {
            ("PUT", _) => Some(&user),
            ("POST", _) => Some(&token),
            _ => None,
        };
        http::ask(address, method, path, Some(who), body)
    };
    let endpoints = [
        ("GET", "/v1/me"),
        ("GET", "/v1/contacts"),
        ("GET", "/v1/records"),
        ("GET", "/v1/events"),
        ("GET", "/v1/audit"),
        ("GET", "/metrics"),
        ("POST", "/v1/tokens"),
        ("PUT", "/v1/users/zed"),
    ];
    std::fs::remove_file(hall.engine.project.join("tenants/vega.toml"))?;
    hall.reload("the tenants' files are read again")?;
    for (method, path) in endpoints {
        let answer = ask(&vega, method, path)?;
        ensure!(
            answer.status == 403
                && answer
                    .body
                    .contains("tenant vega is not served here any more"),
            "{method} {path}: {} {}",
            answer.status,
            answer.body
        );
    }
    // The neighbour has its own, and the operator what is kept, such as that it was tried.
    ensure!(ask(&altair, "GET", "/v1/contacts")?.status == 200);
    let log = ask(&all, "GET", "/v1/audit")?.json()?;
    let refused = log["items"].as_array().map(|lines| {
        let refused = lines.iter().filter(|line| line["outcome"] == "refused");
        refused
            .map(|line| json!([line["tenant"], line["action"]]))
            .collect::<Vec<_>>()
    });
    ensure!(
        refused
            == Some(vec![
                json!(["vega", "PUT /v1/users/{name}"]),
                json!(["vega", "POST /v1/tokens"])
            ]),
        "{refused:?}"
    );
    // A tenant of the same name is that tenant again.
    hall.rule("vega", rule)?;
    hall.reload("the tenants' files are read again")?;
    hall.engine.program.wait_until("vega is back", READ, || {
        ask(&vega, "GET", "/v1/me").is_ok_and(|answer| answer.status == 200)
    })?;
    Ok(())
}
