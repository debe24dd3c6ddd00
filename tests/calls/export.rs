//! `strowger export`: what is read back from each form is the same, field by field, and the same as the API gives.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value as Json, json};
use strowger_tests::program::{edit, strowger};
use strowger_tests::{Engine, Phone, Supplier, http};

use crate::world::PROMPT;

/// Three standard steps, words that look like formulas, and a supplier that nobody reaches.
const FLOW: &str = r#"flow: over
format: 1
languages: [en]
vars: { number: text }
steps:
  start:
    - menu: "Press 1."
      press: { 1: number }
      then: { no_input: bye, no_match: bye }
  number:
    - ask: "Your number?"
      into: number
      expect: { digits: 1..4 }
      then: { ok: over, no_input: bye, no_match: bye }
  over:
    - tag: { entered: "${number}", word: "=1+1", quoted: "'tis", "a > b/c=d": true }
    - transfer: "sip:desk@127.0.0.1:${call.to}"
      then: { done: bye, busy: bye, no_answer: nobody, declined: bye, failed: bye }
  nobody: { hangup: nobody }
  bye: { hangup: completed }
"#;

/// A record as one object, whatever it was read from: times in milliseconds, what is not there null, lists and maps as such.
type Row = Map<String, Json>;

/// Columns that hold JSON in a text.
const NESTED: [&str; 6] = ["tags", "path", "transfers", "queues", "drops", "plugins"];

/// What a text of the table was before it was made harmless.
fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

fn nested(name: &str, text: &str) -> Result<Json> {
    serde_json::from_str(text).with_context(|| format!("{name}: {text}"))
}

/// Rows of the table, with the kind of each cell taken from the rows of JSON, as from the table of the documentation.
fn from_csv(text: &str, like: &[Row]) -> Result<(Vec<String>, Vec<Row>)> {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = table.headers()?.iter().map(str::to_owned).collect();
    let mut rows = Vec::new();
    for (read, like) in table.records().zip(like) {
        let read = read?;
        let mut row = Row::new();
        for (name, cell) in names.iter().zip(read.iter()) {
            let value = match like.get(name) {
                _ if NESTED.contains(&name.as_str()) => nested(name, cell)?,
                Some(Json::Null) if cell.is_empty() => Json::Null,
                _ if name.ends_with("_at") && !cell.is_empty() => {
                    json!(cell.parse::<jiff::Timestamp>()?.as_millisecond())
                }
                Some(Json::Number(_)) => json!(cell.parse::<i64>()?),
                _ => json!(plain(cell)),
            };
            row.insert(name.clone(), value);
        }
        rows.push(row);
    }
    Ok((names, rows))
}

fn from_parquet(path: &std::path::Path) -> Result<(Vec<String>, Vec<Row>)> {
    let reader = SerializedFileReader::new(std::fs::File::open(path)?)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
    let mut rows = Vec::new();
    for read in reader.get_row_iter(None)? {
        let mut row = Row::new();
        for (name, field) in read?.get_column_iter() {
            let value = match field {
                Field::Null => Json::Null,
                Field::Long(number) => json!(number),
                Field::TimestampMillis(at) if name.ends_with("_at") => json!(at),
                Field::Str(text) if NESTED.contains(&name.as_str()) => nested(name, text)?,
                Field::Str(text) => json!(text),
                other => anyhow::bail!("{name}: {other:?}"),
            };
            row.insert(name.clone(), value);
        }
        rows.push(row);
    }
    Ok((names, rows))
}

/// The rows of the table in `docs/operations.md`: each field's name and what it is in JSON.
fn documented() -> Result<Vec<(String, String)>> {
    let path = strowger_tests::program::repository().join("docs/operations.md");
    let text = std::fs::read_to_string(path)?;
    let table = text
        .split("| field | JSON lines, API | CSV | Parquet | |\n|---|---|---|---|---|\n")
        .nth(1)
        .context("the table of a record's fields")?;
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let mut fields = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for name in cells[1].split(", ") {
            fields.push((name.trim_matches('`').to_owned(), cells[2].to_owned()));
        }
    }
    Ok(fields)
}

fn is(value: &Json, kind: &str) -> bool {
    match kind {
        "text" => value.is_string(),
        "text or null" => value.is_string() || value.is_null(),
        "number" | "milliseconds since 1970" => value.is_u64(),
        "milliseconds since 1970 or null" => value.is_u64() || value.is_null(),
        "list" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

#[test]
fn every_form_says_the_same_of_a_contact() -> Result<()> {
    let mut engine = Engine::start("bench", |project| {
        std::fs::write(project.join("over.flow.yaml"), FLOW)?;
        edit(&project.join("routes.yaml"), |text| {
            text + "  - { to: \"6*\", flow: over }\n"
        })?;
        edit(&project.join("strowger.toml"), |text| {
            text.replace("calls = false", "calls = true") + "\n[transfer]\nhow = \"bridge\"\n"
        })
    })?;
    let status = [("status", "480 Temporarily Unavailable")];
    let mut supplier = Supplier::wait("supplier-refuses", &status)?;
    let to = supplier.address.port().to_string();
    let mut phone = Phone::dial(engine.sip, &to, "call", &[])?;
    phone.first_sound(PROMPT)?;
    phone.press("1")?;
    phone.listen(Duration::from_millis(500));
    phone.press("42#")?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "nobody");
    // A second one, of which nearly everything lacks.
    let mut unknown = Phone::dial(engine.sip, "599999", "refused-404", &[])?;
    unknown.ended()?;
    assert_eq!(engine.reason(&unknown.call_id)?, "no-route");

    let data = engine.data.display().to_string();
    let project = engine.project.display().to_string();
    let export = |further: &[&str]| {
        let own = ["export", "-p", &project, "--data", &data];
        strowger(&[&own[..], further].concat())
    };
    let (code, lines, errors) = export(&["--format", "jsonl"])?;
    assert_eq!(code, 0, "{errors}");
    let json: Vec<Row> = lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(json.len() == 2, "{lines}");
    let (code, table, errors) = export(&["--format", "csv"])?;
    assert_eq!(code, 0, "{errors}");
    let (names, csv) = from_csv(&table, &json)?;
    let file = engine.data.join("out.parquet");
    let (code, _, errors) = export(&[
        "--format",
        "parquet",
        "--output",
        &file.display().to_string(),
    ])?;
    assert_eq!(code, 0, "{errors}");
    let (columns, parquet) = from_parquet(&file)?;

    // Behind a link it is the file that is written; a device stays one.
    let (behind, link) = (engine.data.join("behind.csv"), engine.data.join("link.csv"));
    std::fs::write(&behind, "old")?;
    std::os::unix::fs::symlink(&behind, &link)?;
    let (code, _, errors) = export(&["--format", "csv", "--output", &link.display().to_string()])?;
    assert_eq!(code, 0, "{errors}");
    assert!(link.symlink_metadata()?.is_symlink());
    assert_eq!(std::fs::read_to_string(&behind)?, table);
    let pipe = engine.data.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status()?;
    ensure!(made.success(), "a pipe is made");
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read_to_string(pipe))
    };
    let (code, _, errors) = export(&["--format", "csv", "--output", &pipe.display().to_string()])?;
    assert_eq!(code, 0, "{errors}");
    assert_eq!(reader.join().expect("it reads")?, table);
    assert!(!pipe.symlink_metadata()?.is_file(), "the pipe is still one");

    assert_eq!(names, columns, "columns of CSV and Parquet");
    assert_eq!(csv, json, "CSV and JSON lines");
    assert_eq!(parquet, json, "Parquet and JSON lines");
    for record in &json {
        let path = format!(
            "/v1/contacts/{}/record",
            record["id"].as_str().unwrap_or_default()
        );
        let told = http::get(engine.http, &path)?.json()?;
        assert_eq!(told, Json::Object(record.clone()), "the API and JSON lines");
    }
    let documented = documented()?;
    let told: Vec<&str> = documented.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(told, columns, "docs/operations.md");
    for (name, kind) in &documented {
        for record in &json {
            assert!(
                is(&record[name], kind),
                "{name} is {kind}: {}",
                record[name]
            );
        }
    }

    // The way, with its steps; the one word of an outcome, wherever it stands; each component that ran.
    let called = json.iter().find(|row| row["reason"] == "nobody");
    let called = called.context("the call")?;
    let path = called["path"].as_array().context("a list")?;
    let hop = path.iter().find(|hop| hop["verb"] == "transfer");
    assert_eq!(hop.context("a transfer")?["outcome"], "no_answer");
    assert_eq!(called["transfers"][0]["outcome"], "no_answer");
    assert_eq!(called["transfer_outcome"], "no_answer");
    assert_eq!(called["tags"]["quoted"], "'tis");
    let journal = engine.journal(&phone.call_id)?;
    let ran: BTreeMap<String, String> = journal
        .into_iter()
        .filter_map(|entry| match entry.kind {
            strowger_contact::EntryKind::Ran { plugin, digest, .. } => Some((plugin, digest)),
            _ => None,
        })
        .collect();
    assert_eq!(ran.len(), 3, "{ran:?}");
    assert_eq!(called["plugins"]["std"]["digests"], json!(ran));
    Ok(())
}
