//! The documentation is true: its tables are those of the program, its commands exist, its links lead somewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value as Json;
use strowger_flow::RULES;
use strowger_flow::expr::FILTERS;
use strowger_server::access::{PERMISSIONS, Role};
use strowger_tests::program::{repository, strowger};

fn page(path: &str) -> Result<String> {
    std::fs::read_to_string(repository().join(path)).with_context(|| path.to_owned())
}

/// The rows of the table that begins with this line, without the line below it.
fn table(page: &str, head: &str) -> Result<Vec<String>> {
    let mut lines = page.lines().skip_while(|line| *line != head).skip(1);
    lines
        .next()
        .with_context(|| format!("there is no table {head}"))?;
    Ok(lines
        .take_while(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect())
}

/// Compares a table with what it should be, and says so in a form to be copied.
fn same(found: &[String], expected: &[String]) {
    assert!(
        found == expected,
        "the table in the documentation should be\n\n{}\n",
        expected.join("\n")
    );
}

#[test]
fn the_table_of_rules_is_that_of_the_program() -> Result<()> {
    let found = table(&page("docs/flow-language.md")?, "| rule | | finds |")?;
    let rows = RULES.iter().map(|rule| {
        let (slug, level) = (rule.slug, rule.level.name());
        // What its page says first.
        let words: Vec<&str> = rule.page.split_whitespace().collect();
        let text = words.join(" ");
        let finds = text.trim_start_matches("What it finds: ");
        let finds = finds.split_once(". ").map_or(finds, |(first, _)| first);
        format!("| `{slug}` | {level} | {} |", finds.replace('|', "\\|"))
    });
    same(&found, &rows.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_table_of_filters_is_that_of_the_program() -> Result<()> {
    let head = "| filter | takes | what it does | example | English | Chinese |";
    let found = table(&page("docs/flow-language.md")?, head)?;
    let rows = FILTERS.iter().map(|filter| {
        let takes = filter.takes_text();
        let (name, takes) = (filter.name, takes.english());
        let argument = filter.argument.as_ref();
        let argument = argument.map_or(String::new(), |argument| format!("({})", argument.name));
        let (example, english, chinese) = filter.example;
        let example = example.replace('|', "\\|");
        format!(
            "| `{name}{argument}` | {takes} | {} | `{example}` | {english} | {chinese} |",
            filter.summary
        )
    });
    same(&found, &rows.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_table_of_roles_is_that_of_the_program() -> Result<()> {
    let page = page("docs/operations.md")?;
    let permissions = PERMISSIONS.iter().map(|row| row.permission.name());
    let names: Vec<&str> = permissions.collect();
    let head = format!("| role | | {} |", names.join(" | "));
    let found = table(&page, &head)?;
    let rows = Role::ALL.iter().map(|role| {
        let may = PERMISSIONS
            .iter()
            .map(|row| match role.may(row.permission) {
                true => "yes",
                false => "–",
            });
        let about = role.about();
        format!(
            "| `{}` | {about} | {} |",
            role.name(),
            may.collect::<Vec<_>>().join(" | ")
        )
    });
    same(&found, &rows.collect::<Vec<_>>());
    for row in PERMISSIONS {
        let line = format!("- `{}`: {}", row.permission.name(), row.what);
        assert!(
            page.lines().any(|told| told == line),
            "docs/operations.md has no line\n{line}"
        );
    }
    Ok(())
}

/// The verbs of a table: the first word in backticks of each row, with the row.
fn verbs(rows: &[String]) -> Vec<(String, &str)> {
    let verb = |row: &str| {
        let word = row.split('`').nth(1)?;
        Some(word.split(':').next()?.to_owned())
    };
    rows.iter()
        .filter_map(|row| Some((verb(row)?, row.as_str())))
        .collect()
}

#[test]
fn the_engines_verbs_are_those_of_the_program() -> Result<()> {
    let rows = table(
        &page("docs/flow-language.md")?,
        "| verb | options | outcomes |",
    )?;
    let told: BTreeSet<String> = verbs(&rows).into_iter().map(|(verb, _)| verb).collect();
    // Without any step there are the engine's own verbs alone; `use` needs one to be described.
    let schema = strowger_flow::schema::flow(&strowger_flow::Catalog::default());
    let actions = schema["$defs"]["action"]["anyOf"].as_array();
    let mut known: BTreeSet<String> = actions
        .context("the schema has actions")?
        .iter()
        .filter_map(|action| Some(action["required"][0].as_str()?.to_owned()))
        .collect();
    known.insert("use".to_owned());
    assert_eq!(told, known);
    Ok(())
}

#[test]
fn the_standard_steps_are_those_of_their_descriptions() -> Result<()> {
    let rows = table(
        &page("docs/flow-language.md")?,
        "| verb | options and defaults | outcomes |",
    )?;
    let rows = verbs(&rows);
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(repository().join("plugins/std"))? {
        folders.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    let told: BTreeSet<String> = rows.iter().map(|(verb, _)| verb.clone()).collect();
    assert_eq!(told, folders);
    for (verb, row) in rows {
        let description: Json =
            serde_json::from_str(&page(&format!("plugins/std/{verb}/description.json"))?)?;
        let step = &description["steps"][&verb];
        let options = step["input"]["properties"].as_object().context("inputs")?;
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        for (option, schema) in options {
            if step["main"] == **option || (option == "hours" && verb == "hours") {
                continue;
            }
            let told = cells[1].split_once(&format!("`{option}"));
            let (_, told) =
                told.with_context(|| format!("`{option}` of `{verb}` is not in {row}"))?;
            // The default stands behind the option.
            let told = told.split(',').next().unwrap_or_default();
            if let Some(default) = spelt(schema) {
                assert!(
                    told.contains(&default),
                    "`{option}` of `{verb}` is {default}: {row}"
                );
            }
        }
        for outcome in step["outcomes"].as_object().context("outcomes")?.keys() {
            assert!(
                cells[2].contains(outcome.as_str()),
                "{verb} can end in {outcome}: {row}"
            );
        }
    }
    Ok(())
}

/// The default of an input as a designer would write it.
fn spelt(schema: &Json) -> Option<String> {
    let default = schema.get("default")?;
    Some(match (schema["format"].as_str(), default) {
        (Some("duration"), default) => match default.as_u64()? / 1000 {
            seconds if seconds % 3600 == 0 && seconds > 0 => format!("{}h", seconds / 3600),
            seconds if seconds % 60 == 0 && seconds > 60 => format!("{}m", seconds / 60),
            seconds => format!("{seconds}s"),
        },
        // Its own words are as long as they are.
        (Some("prompt"), _) => return None,
        (Some("key"), _) => "hash".to_owned(),
        (_, Json::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    })
}

#[test]
fn the_readme_has_every_command_and_no_other() -> Result<()> {
    let (code, help, err) = strowger(&["--help"])?;
    assert_eq!(code, 0, "{err}");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let known: BTreeSet<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(known.len() > 10, "{help}");
    let readme = page("README.md")?;
    let first = |row: &String| {
        let word = row.split('`').nth(1)?.trim_start_matches("strowger ");
        Some(word.split(' ').next()?.to_owned())
    };
    for head in ["| command | what |", "| | 0 | 1 | 2 |"] {
        let rows = table(&readme, head)?;
        let told: BTreeSet<String> = rows.iter().filter_map(first).collect();
        assert_eq!(
            told.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            known,
            "{head}"
        );
    }
    // Every option of a row is one that the command has.
    for row in table(&readme, "| command | what |")? {
        let written = row.split('`').nth(1).context("a command")?;
        let verb: Vec<&str> = written
            .split_whitespace()
            .skip(1)
            .take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
            .collect();
        let (_, help, _) = strowger(&[&verb[..], &["--help"]].concat())?;
        let options = written.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        for option in options.filter(|word| word.starts_with('-') && word.len() > 1) {
            let mut words = help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            assert!(words.any(|word| word == option), "{verb:?} has no {option}");
        }
    }
    Ok(())
}

/// All Markdown of the repository, without what was built.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&&*name)
        {
            pages(&path, found)?;
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    Ok(())
}

/// As forges make an anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let mut all = Vec::new();
    pages(repository(), &mut all)?;
    let mut seen = 0;
    for path in all {
        let text = std::fs::read_to_string(&path)?;
        for link in text.split("](").skip(1) {
            let Some((link, _)) = link.split_once(')') else {
                continue;
            };
            if link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().context("a file lies in a folder")?.join(file),
            };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if !place.is_empty() {
                let text = std::fs::read_to_string(&target)?;
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                assert!(
                    headings.any(|heading| anchor(heading) == place),
                    "{}: {link} has no such heading",
                    path.display()
                );
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} links");
    Ok(())
}
