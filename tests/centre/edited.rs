//! What an operator changes in the tenants' files stands in the audit log, and so does what a release accepts.

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::attack::{Attack, attacker};
use strowger_tests::projects::says;
use strowger_tests::{Hall, http};

/// The lines of the audit log that have an action, the newest first: who, the object and the detail.
fn lines(hall: &Hall, action: &str) -> Result<Vec<Json>> {
    let log = hall.get("/v1/audit")?;
    let items = log["items"].as_array().context("items")?;
    let of_action = items.iter().filter(|line| line["action"] == action);
    Ok(of_action
        .map(|line| json!([line["who"], line["tenant"], line["detail"]["changed"]]))
        .collect())
}

#[test]
fn what_is_changed_in_the_tenants_files_is_written_down() -> Result<()> {
    let vega = "numbers = [\"2*\"]\n[limits]\ncontacts = 5\n";
    let mut hall = Hall::open(&[("vega", vega), ("altair", "numbers = [\"3\"]")])?;
    hall.rule(
        "vega",
        "numbers = [\"2*\"]\n[grants]\nhttp = [\"api.example:443\"]\n[limits]\ncontacts = 7\n",
    )?;
    hall.rule("deneb", "numbers = [\"4\"]")?;
    std::fs::remove_file(hall.engine.project.join("tenants/altair.toml"))?;
    hall.reload("the tenants' files are read again")?;
    ensure!(
        lines(&hall, "tenant.change")?
            == [json!([
                "operator (file)",
                "vega",
                { "grants.http": [null, "[\"api.example:443\"]"], "limits.contacts": ["5", "7"] }
            ])],
        "{:?}",
        lines(&hall, "tenant.change")
    );
    let added = json!(["operator (file)", "deneb", { "numbers": [null, "[\"4\"]"] }]);
    ensure!(lines(&hall, "tenant.add")? == [added]);
    let removed = json!(["operator (file)", "altair", { "numbers": ["[\"3\"]", null] }]);
    ensure!(lines(&hall, "tenant.remove")? == [removed]);
    Ok(())
}

#[test]
fn what_a_release_accepts_is_written_down_by_name() -> Result<()> {
    let hall = Hall::open(&[("mallory", "numbers = [\"6*\"]\n[grants]\nkv = true\n")])?;
    let keep = Attack {
        number: "601",
        step: "guest-kv/get",
        with: "{ key: \"k\" }".to_owned(),
    };
    let project = attacker("mallory", "kv = true", &[keep])?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder])?;
    let release = ["release", "1", "--tenant", "mallory", "--accept"];
    let (code, said) = hall.run(&[&release[..], &["nothing of the kind"]].concat())?;
    ensure!(
        code != 0 && said.contains("`nothing of the kind` is nothing that revision 1 has"),
        "{code} {said}"
    );
    hall.done(&[&release[..], &["all"]].concat())?;
    let log = hall.get("/v1/audit")?;
    let items = log["items"].as_array().context("items")?;
    let line = items.iter().find(|line| line["action"] == "release.make");
    let accepted = &line.context("a release")?["detail"]["accepted"];
    let names: Vec<&str> = accepted
        .as_array()
        .context("names")?
        .iter()
        .filter_map(Json::as_str)
        .collect();
    ensure!(
        !names.contains(&"all") && names.iter().any(|name| name.ends_with(": kv")),
        "{names:?}"
    );
    Ok(())
}

#[test]
fn a_plugin_for_no_project_is_refused_before_it_is_looked_at() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"2*\"]\n")])?;
    let push = || {
        http::send(
            hall.engine.http,
            "POST",
            "/v1/tenants/vega/plugins",
            &[("Content-Type", "application/octet-stream")],
            Some("no component"),
        )
    };
    let told = push()?;
    ensure!(
        told.status == 409 && told.body.contains("has pushed no project yet"),
        "{} {}",
        told.status,
        told.body
    );
    hall.done(&[
        "push",
        &says("vega", "2", "Hello.")?.path().display().to_string(),
    ])?;
    ensure!(push()?.status == 422);
    Ok(())
}
