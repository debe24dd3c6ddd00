//! Texts of plugins where people read them: they make no lines of their own, turn nothing around them and command no terminal.

use anyhow::{Context, Result, ensure};
use strowger_tests::Hall;
use strowger_tests::Talk;
use strowger_tests::program::{component, strowger};
use strowger_tests::projects::{flow, project};

/// What no text of a stranger's may bring to a screen.
fn unseen(text: &str) -> Option<char> {
    let odd = |c: &char| {
        c.is_control() && *c != '\n'
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().find(odd)
}

/// A centre in which mallory's one step runs to its end beside a neighbour; the contact.
fn walked(plugin: &str) -> Result<(Hall, String)> {
    let hall = Hall::beside_a_victim("")?;
    let step = flow("attack", &format!("{plugin}/go"), "done", &[]);
    let plugins = [(plugin, component(plugin)?)];
    let project = project("mallory", &plugins, "", &[("6600", "attack", step)])?;
    hall.publish(&project)?;
    let id = hall.beside_a_neighbour(|| {
        let mut talk = Talk::begin(hall.engine.http, "6600", None)?;
        let reason = talk.ended()?;
        ensure!(
            reason == "unharmed",
            "{reason}: {}",
            hall.journal(&talk.id)?
        );
        Ok(talk.id)
    })?;
    Ok((hall, id))
}

#[test]
fn a_plugins_log_lines_are_its_own() -> Result<()> {
    let (hall, _) = walked("guest-ventriloquist")?;
    let log = hall.engine.program.log();
    // The line is there, on one line, with what it tried written out.
    let mut lines = log.lines();
    let forged = lines.find(|line| line.contains("victim is broken"));
    let forged = forged.with_context(|| format!("no such line: {log}"))?;
    ensure!(forged.contains("innocent\\n2026-01-01"), "{forged}");
    ensure!(
        log.contains("\\u{1b}[2J") && log.contains("\\u{202e}"),
        "{log}"
    );
    ensure!(unseen(&log).is_none(), "{:?} in {log}", unseen(&log));
    let giant = log.lines().find(|line| line.contains("giant"));
    let giant = giant.with_context(|| format!("no such line: {log}"))?;
    ensure!(giant.len() < 3_000, "{} bytes in a line", giant.len());
    hall.neighbour()
}

#[test]
fn a_plugins_words_make_no_lines_in_transcripts() -> Result<()> {
    let (hall, id) = walked("guest-babel")?;
    let http = hall.engine.http;
    let get = |part: &str| strowger_tests::http::get(http, &format!("/v1/contacts/{id}/{part}"));
    let transcript = get("transcript")?.body;
    let (project, data) = (
        hall.engine.project.display().to_string(),
        hall.engine.data.display().to_string(),
    );
    let (code, trace, said) = strowger(&["trace", &id, "-p", &project, "--data", &data])?;
    ensure!(code == 0, "{said}");
    for (name, text) in [("transcript", &transcript), ("trace", &trace)] {
        ensure!(text.contains("Hello."), "{name}: {text}");
        ensure!(
            unseen(text).is_none(),
            "{name}: {:?} in {text}",
            unseen(text)
        );
        for forged in ["0:01.0  caller  pressed", "0:02.0  caller  agreed"] {
            let alone = |line: &str| line.trim_start().starts_with(forged);
            ensure!(!text.lines().any(alone), "{name}: {text}");
        }
    }
    hall.neighbour()
}
