//! Records of real contacts: by the API, and in each form that `strowger export` writes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value as Json;
use strowger_tests::http;
use strowger_tests::program::{edit, strowger};

use crate::world::{World, always_open};

/// A flow that tags what the caller entered, which is no formula.
const FLOW: &str = r#"flow: tagged
format: 1
languages: [en]
vars: { number: text }
steps:
  start:
    - ask: "Your number?"
      into: number
      expect: { digits: 1..4 }
      then: { ok: mark, no_input: bye, no_match: bye }
  mark:
    - tag: { entered: "${number}", word: "=1+1" }
    - goto: bye
  bye: { hangup: completed }
"#;

fn tagged(project: &Path) -> Result<()> {
    always_open(project)?;
    std::fs::write(project.join("tagged.flow.yaml"), FLOW)?;
    edit(&project.join("routes.yaml"), |text| {
        text + "  - to: \"700\"\n    flow: tagged\n"
    })
}

#[test]
fn a_call_leaves_a_record_that_is_told_and_exported_in_every_form() -> Result<()> {
    let mut world = World::edited(tagged)?;
    let mut phone = world.dial("700")?;
    phone.listen(Duration::from_millis(300));
    phone.press("42#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    let contact = world.engine.contact(&phone.call_id)?;
    let id = contact["id"].as_str().context("an id")?;

    let record = http::get(world.engine.http, &format!("/v1/contacts/{id}/record"))?.json()?;
    assert_eq!(record["reason"], "completed");
    assert_eq!(record["ended_by"], "flow");
    assert_eq!(record["tags"]["entered"], "42");
    assert_eq!(record["sip_call_id"], phone.call_id.as_str());
    let path: Vec<_> = record["path"].as_array().into_iter().flatten().collect();
    let told: Vec<_> = path
        .iter()
        .map(|hop| (hop["step"].as_str(), hop["outcome"].as_str()))
        .collect();
    assert_eq!(told[0], (Some("start"), Some("ok")));
    assert_eq!(told.last().map(|hop| hop.0), Some(Some("bye")));
    assert!(
        record["plugins"]["std"]["cpu_us"].as_u64() > Some(0),
        "{record}"
    );
    assert!(
        record["plugins"]["std"]["memory_bytes"].as_u64() > Some(0),
        "{record}"
    );
    let sum: u64 = ["flow_ms", "waiting_ms", "transferred_ms"]
        .iter()
        .filter_map(|name| record[*name].as_u64())
        .sum();
    assert_eq!(record["total_ms"].as_u64(), Some(sum));
    let ended = record["ended_at"].as_u64().context("a time")?;

    // One that is not over has none yet.
    let mut open = world.dial("700")?;
    open.listen(Duration::from_millis(300));
    let lasting = world.engine.contact(&open.call_id)?;
    let lasting = lasting["id"].as_str().context("an id")?;
    let refused = http::get(world.engine.http, &format!("/v1/contacts/{lasting}/record"))?;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let list = http::get(world.engine.http, "/v1/records?flow=tagged&limit=1")?.json()?;
    assert_eq!(list["records"][0]["id"], id);
    let after = list["next"].as_str().context("a full page has a next")?;
    let list = http::get(world.engine.http, &format!("/v1/records?after={after}"))?.json()?;
    assert_eq!(
        (&list["records"], &list["next"]),
        (&Json::Array(vec![]), &Json::Null)
    );
    let list = http::get(
        world.engine.http,
        &format!("/v1/records?from={}", ended + 1),
    )?
    .json()?;
    assert_eq!(list["records"], Json::Array(vec![]));
    for query in ["from=yesterday", "after=x", "limit=-1", "form=1"] {
        let refused = http::get(world.engine.http, &format!("/v1/records?{query}"))?;
        assert_eq!(refused.status, 400, "{query}: {}", refused.body);
    }

    let project = world.engine.project.display().to_string();
    let data = world.engine.data.display().to_string();
    let export = |further: &[&str]| {
        let own = ["export", "-p", &project, "--data", &data];
        strowger(&[&own[..], further].concat())
    };
    let (code, out, errors) = export(&["--format", "jsonl"])?;
    assert_eq!((code, errors.as_str()), (0, "1 records\n"));
    assert_eq!(serde_json::from_str::<Json>(&out)?, record);
    let (_, none, _) = export(&["--format", "jsonl", "--flow", "main-menu"])?;
    assert_eq!(none, "");
    let (code, out, _) = export(&["--format", "csv"])?;
    assert_eq!(code, 0);
    let mut table = csv::Reader::from_reader(out.as_bytes());
    let names = table.headers()?.clone();
    let row = table.records().next().context("a row")??;
    let cell = |name: &str| {
        let column = names.iter().position(|known| known == name);
        column
            .and_then(|column| row.get(column))
            .unwrap_or_default()
    };
    assert_eq!(cell("id"), id);
    assert!(
        cell("path").starts_with("tagged/start ask=ok > "),
        "{}",
        cell("path")
    );
    assert!(cell("ended_at").ends_with('Z'), "{}", cell("ended_at"));
    let file = world.engine.data.join("out.parquet");
    let shown = file.display().to_string();
    let (code, _, errors) = export(&["--format", "parquet", "--output", &shown])?;
    assert_eq!(code, 0, "{errors}");
    assert!(!Path::new(&format!("{shown}.unfinished")).exists());
    let reader = SerializedFileReader::new(std::fs::File::open(&file)?)?;
    let rows: Vec<_> = reader.get_row_iter(None)?.collect::<Result<_, _>>()?;
    assert_eq!(rows.len(), 1);
    let row = rows[0].to_json_value();
    assert_eq!(row["id"], id);
    assert_eq!(row["total_ms"], record["total_ms"]);
    assert!(
        row["tags"]
            .as_str()
            .is_some_and(|tags| tags.contains("=1+1")),
        "{row}"
    );
    let (code, _, errors) = export(&["--format", "csv", "--output", "/nowhere/x.csv"])?;
    assert_eq!(code, 2);
    assert!(errors.contains("/nowhere/x.csv"), "{errors}");

    // Killed in mid-call: the next start writes what there is.
    world.engine.program.kill()?;
    world.engine.restart()?;
    let record = http::get(world.engine.http, &format!("/v1/contacts/{lasting}/record"))?.json()?;
    assert_eq!(record["reason"], "engine-stopped");
    assert_eq!(record["path"][0]["step"], "start");
    Ok(())
}
