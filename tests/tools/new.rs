//! `strowger new`: a project that checks, passes its tests and answers a call, and what is refused.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use strowger_tests::program::{binary, copy_project, strowger};
use strowger_tests::{Engine, Phone, Prompts};

/// Longest time until a prompt was heard to its end.
const PROMPT: std::time::Duration = std::time::Duration::from_secs(25);

fn make(arguments: &[&str]) -> Result<(String, String)> {
    let (code, out, err) = strowger(&[&["new"], arguments].concat())?;
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    Ok((out, err))
}

/// The sentence of a refusal.
fn refused(arguments: &[&str]) -> Result<String> {
    let (code, out, err) = strowger(&[&["new"], arguments].concat())?;
    assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
    Ok(err)
}

/// What is in a folder, by name.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// No finding, all tests passed, everything walked, nothing to lay out.
fn is_well(project: &Path) -> Result<()> {
    let shown = project.display().to_string();
    let (code, out, err) = strowger(&["check", "--format", "json", &shown])?;
    assert_eq!(code, 0, "{out}{err}");
    let findings = out
        .lines()
        .filter(|line| !line.contains(r#""level":"note""#));
    assert_eq!(findings.count(), 0, "{out}");
    let (code, out, err) = strowger(&["test", "--coverage", &shown])?;
    assert_eq!(code, 0, "{out}{err}");
    let coverage: Vec<&str> = out
        .lines()
        .filter(|line| line.starts_with("coverage of"))
        .collect();
    assert!(
        !coverage.is_empty() && coverage.iter().all(|line| line.ends_with(" 100 %")),
        "{out}"
    );
    let (code, out, err) = strowger(&["fmt", "--check", &shown])?;
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    Ok(())
}

/// Every flow of the project and what stands beside it is valid by the schemas that its first lines name.
fn editors_are_helped(project: &Path) -> Result<()> {
    for name in names(project)? {
        let text = match Path::new(&name).extension() {
            Some(ext) if ext == "yaml" || ext == "toml" => {
                std::fs::read_to_string(project.join(&name))?
            }
            _ => continue,
        };
        let first = text.lines().next().unwrap_or_default();
        let schema = match name.ends_with(".toml") {
            true => first.strip_prefix("#:schema "),
            false => first.strip_prefix("# yaml-language-server: $schema="),
        };
        let schema = project.join(schema.with_context(|| format!("{name} begins with {first}"))?);
        let schema = serde_json::from_str(&std::fs::read_to_string(schema)?)?;
        let value: serde_json::Value = match name.ends_with(".toml") {
            true => serde_json::to_value(text.parse::<toml::Table>()?)?,
            false => crate::schema::read(&text)?,
        };
        let validator = jsonschema::draft202012::new(&schema)?;
        assert!(
            validator.is_valid(&value),
            "{name}: {:?}",
            validator.validate(&value).err()
        );
    }
    Ok(())
}

#[test]
fn a_project_is_well_in_every_language() -> Result<()> {
    for (languages, first, others) in [
        (&["--language", "en"][..], "[en]", &[][..]),
        (&["--language", "zh"], "[zh]", &[]),
        (&[], "[en, zh]", &["README.zh.md", "language.flow.yaml"]),
        (
            &["--language", "zh,en"],
            "[zh, en]",
            &["README.en.md", "language.flow.yaml"],
        ),
    ] {
        let folder = tempfile::TempDir::new()?;
        let project = folder.path().join("lamp-shop");
        let shown = project.display().to_string();
        let (out, err) = make(&[&[&shown[..]], languages].concat())?;
        let mut expected = vec![
            ".gitignore",
            ".strowger",
            "README.md",
            "message.flow.yaml",
            "queues.yaml",
            "reception.flow.yaml",
            "routes.yaml",
            "strowger.toml",
        ];
        expected.extend(others);
        expected.sort_unstable();
        assert_eq!(names(&project)?, expected);
        assert_eq!(names(folder.path())?, ["lamp-shop"]);
        for name in &expected {
            assert!(out.contains(&format!("{shown}/{name}\n")), "{out}");
        }
        for next in [
            "strowger check",
            "strowger test",
            "strowger call",
            "strowger serve",
        ] {
            assert!(err.contains(next), "{err}");
        }
        let text = |name: &str| std::fs::read_to_string(project.join(name));
        let reception = text("reception.flow.yaml")?;
        assert!(
            reception.contains(&format!("languages: {first}\n")),
            "{reception}"
        );
        assert!(text("strowger.toml")?.contains("name = \"lamp-shop\"\ntitle = \"Lamp Shop\"\n"));
        // Nothing is left of a language that nobody speaks.
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for name in expected.iter().filter(|name| **name != ".strowger") {
            let text = text(name)?;
            assert!(
                !text.contains("Acme") && !text.contains("acme"),
                "{name}: {text}"
            );
            match first {
                "[en]" => assert!(!han(&text), "{name}: {text}"),
                "[zh]" => assert!(!text.contains("    en: "), "{name}: {text}"),
                _ => {}
            }
        }
        is_well(&project)?;
        editors_are_helped(&project)?;
    }
    Ok(())
}

#[test]
fn it_answers_a_call_at_once() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let project = folder.path().join("acme");
    make(&[
        &project.display().to_string(),
        "--title",
        "Miller & \"Sons\"",
        "--language",
        "en",
    ])?;
    let engine = Engine::serve(|copy| copy_project(&project, copy))?;
    let prompts = Prompts::new(&engine.project, &engine.data.join("prompts"))?;
    let mut phone = Phone::dial(engine.sip, "100", "call", &[])?;
    let choices = "To hear our opening hours, press 1. To leave a message, press 2. To speak to someone, press 0.";
    let greeting = format!("Welcome to Miller & \"Sons\". {choices}");
    phone.hear(&*prompts.text("en", &greeting)?, PROMPT)?;
    phone.press("1")?;
    let hours = "We are here Monday to Friday from nine in the morning to six in the evening.";
    phone.hear(&*prompts.text("en", hours)?, PROMPT)
}

#[test]
fn a_title_is_said_as_it_is_whatever_stands_in_it() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    for (index, title) in [
        "${call.from}",
        "$${x",
        "<loud>A</loud> & \"Sons\"",
        "A < B, C > D # 1: 'x' \\ %",
        "*Lamps* &co",
    ]
    .into_iter()
    .enumerate()
    {
        let language = if index % 2 == 0 { "en" } else { "zh" };
        let project = folder.path().join(format!("shop-{index}"));
        let shown = project.display().to_string();
        make(&[&shown, "--title", title, "--language", language])?;
        is_well(&project)?;
        let config: toml::Table =
            std::fs::read_to_string(project.join("strowger.toml"))?.parse()?;
        assert_eq!(config["project"]["title"].as_str(), Some(title));
        let (code, out, err) =
            strowger(&["call", "reception", "-p", &shown, "--script", "hangup"])?;
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains(title), "{title}: {out}");
    }
    // Braces look like an insertion that is written wrongly, however they are written.
    let shown = folder.path().join("braces").display().to_string();
    let (code, _, err) = strowger(&["new", &shown, "--title", "{{ name }}"])?;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("choose another --title"), "{err}");
    Ok(())
}

#[test]
fn an_empty_folder_is_filled_and_a_full_one_left_alone() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    // A repository that has just been made is as good as empty.
    std::fs::create_dir(folder.path().join(".git"))?;
    let output = Command::new(binary("strowger")?)
        .args(["new", ".", "--name", "here", "--language", "en"])
        .current_dir(folder.path())
        .output()?;
    assert!(output.status.success(), "{output:?}");
    is_well(folder.path())?;
    let shown = folder.path().display().to_string();
    let before = names(folder.path())?;
    let said = refused(&[&shown, "--name", "here"])?;
    assert!(
        said.contains("a project already") && said.contains("new --flow"),
        "{said}"
    );
    assert_eq!(names(folder.path())?, before);

    let other = tempfile::TempDir::new()?;
    std::fs::write(other.path().join("notes.txt"), "mine")?;
    let said = refused(&[&other.path().display().to_string(), "--name", "x"])?;
    assert!(said.contains("not empty: notes.txt is in it"), "{said}");
    let file = other.path().join("notes.txt").display().to_string();
    let said = refused(&[&file, "--name", "x"])?;
    assert!(said.contains("is no folder"), "{said}");
    let said = refused(&[&format!("{shown}/a/b")])?;
    assert!(said.contains("mkdir -p"), "{said}");
    assert_eq!(names(other.path())?, ["notes.txt"]);
    assert_eq!(names(folder.path())?, before);
    Ok(())
}

#[test]
fn names_titles_and_languages_that_will_not_do_leave_nothing_behind() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, more, words) in [
        ("Lamp Shop", &[][..], "--name lamp-shop"),
        ("客服", &[], "--name my-project"),
        (
            "a",
            &["--name", "1a"],
            "`1a` cannot be the name of a project",
        ),
        ("a", &["--title", " "], "--title is a line of text"),
        ("a", &["--title", "two\nlines"], "--title is a line of text"),
        (
            "a",
            &["--title", "Acme: press 7"],
            "no greeting can be made of the title",
        ),
        ("a", &["--language", "en,en"], "names a language twice"),
        ("a", &["--language", "de"], "invalid value 'de'"),
        ("a", &["--flow", "b"], "cannot be used with"),
    ] {
        let said = refused(&[&[&path(name)[..]], more].concat())?;
        assert!(said.contains(words), "{more:?}: {said}");
    }
    assert_eq!(names(folder.path())?, [""; 0]);
    assert!(refused(&[])?.contains("<FOLDER>"));
    Ok(())
}

#[test]
fn a_flow_is_added_in_the_languages_of_the_others() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let project = folder.path().join("acme");
    let shown = project.display().to_string();
    make(&[&shown, "--language", "zh"])?;
    let (out, err) = make(&["--flow", "complaints", "-p", &shown])?;
    let file = project.join("complaints.flow.yaml");
    assert_eq!(out, format!("{}\n", file.display()));
    assert!(err.contains("flow:complaints"), "{err}");
    let text = std::fs::read_to_string(&file)?;
    assert!(
        text.contains("flow: complaints\n") && text.contains("languages: [zh]\n"),
        "{text}"
    );
    is_well(&project)?;
    // The schema knows the new flow.
    let caller = project.join("reception.flow.yaml");
    let called = std::fs::read_to_string(&caller)?.replace("call: message", "call: complaints");
    std::fs::write(&caller, called)?;
    editors_are_helped(&project)?;
    let before = names(&project)?;
    for (name, words) in [
        ("complaints", "there is a flow `complaints` already"),
        ("../evil", "cannot be the name of a flow"),
        ("Big", "cannot be the name of a flow"),
    ] {
        let said = refused(&["--flow", name, "-p", &shown])?;
        assert!(said.contains(words), "{said}");
    }
    // A file of that name without a flow of that name.
    std::fs::write(project.join("mine.flow.yaml"), "flow: yours\n")?;
    let said = refused(&["--flow", "mine", "-p", &shown])?;
    assert!(
        said.contains("mine.flow.yaml") && said.contains("choose another name"),
        "{said}"
    );
    assert_eq!(
        std::fs::read_to_string(project.join("mine.flow.yaml"))?,
        "flow: yours\n"
    );
    assert_eq!(names(&project)?.len(), before.len() + 1);
    let nowhere = folder.path().display().to_string();
    let said = refused(&["--flow", "x", "-p", &nowhere])?;
    assert!(
        said.contains("a project is a folder with a strowger.toml"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_flow_goes_where_the_others_are() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let project = folder.path().join("acme");
    let shown = project.display().to_string();
    make(&[&shown])?;
    std::fs::create_dir(project.join("flows"))?;
    for flow in ["language", "reception", "message"] {
        let name = format!("{flow}.flow.yaml");
        std::fs::rename(project.join(&name), project.join("flows").join(&name))?;
    }
    make(&["--flow", "complaints", "--language", "en", "-p", &shown])?;
    let text = std::fs::read_to_string(project.join("flows/complaints.flow.yaml"))?;
    let first = text.lines().next().context("a line")?;
    let schema = first.split_once("$schema=").context("a schema")?.1;
    assert!(project.join("flows").join(schema).is_file(), "{first}");
    assert!(text.contains("languages: [en]\n"), "{text}");
    Ok(())
}

#[test]
fn a_plugin_in_rust_has_no_name_of_a_crate_that_it_is_made_with() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    for name in ["strowger-sdk", "serde-json"] {
        let begun = |lang: &str| {
            let at = folder.path().join(format!("{name}-{lang}"));
            let (code, _, told) = strowger(&[
                "plugin",
                "new",
                name,
                "--lang",
                lang,
                &at.display().to_string(),
            ])?;
            Ok::<_, anyhow::Error>((code, told, at.exists()))
        };
        let (code, told, there) = begun("rust")?;
        assert_eq!((code, there), (2, false), "{told}");
        assert!(
            told.contains(&format!("`{name}` is the name of a crate")),
            "{told}"
        );
        let (code, told, there) = begun("c")?;
        assert_eq!((code, there), (0, true), "{told}");
    }
    Ok(())
}

#[test]
fn the_standard_steps_name_is_no_plugins() -> Result<()> {
    let (code, _, told) = strowger(&["plugin", "new", "std", "--lang", "rust"])?;
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("`std` is the name of the standard steps"),
        "{told}"
    );
    Ok(())
}
