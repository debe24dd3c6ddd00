//! `strowger check` of a project: what is wrong in one file is told of that file.

use anyhow::Result;
use strowger_tests::program::strowger;

const CALLS: &str = "flow: calls\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    call: called\n    with: { number: \"${call.from}\" }\n    \
                     then: { done: bye, error: bye }\n  bye: { hangup: completed }\n";
const CALLED: &str = "flow: called\nformat: 1\nlanguages: [en]\ninputs: { number: phone }\noutcomes: [done]\nsteps:\n  start:\n    - say: \"${number | phone}\"\n    \
                      - return: done\n";

/// The findings of a project of two flows, one a line.
fn findings(called: &str) -> Result<Vec<String>> {
    let folder = tempfile::TempDir::new()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("strowger.toml", "[project]\nname = \"x\"\n")?;
    write("routes.yaml", "routes:\n  - { to: \"400\", flow: calls }\n")?;
    write("calls.flow.yaml", CALLS)?;
    write("called.flow.yaml", called)?;
    let shown = folder.path().display().to_string();
    let (_, out, _) = strowger(&["check", "--format", "concise", &shown])?;
    Ok(out.lines().map(str::to_owned).collect())
}

#[test]
fn a_flow_that_cannot_be_read_is_one_finding() -> Result<()> {
    assert_eq!(findings(CALLED)?, [""; 0]);
    for (right, broken) in [
        ("outcomes: [done]", "outcomes: [done"),
        ("inputs: {", "inputs: {{"),
        ("\"${number | phone}\"", "\"${number | phone}"),
        ("flow: called", "flow: called ["),
        ("flow: called", "flow: \"called"),
        ("steps:", "\tsteps:"),
        ("flow: called\n", ""),
    ] {
        assert!(CALLED.contains(right), "{right}");
        let found = findings(&CALLED.replacen(right, broken, 1))?;
        assert_eq!(found.len(), 1, "{broken}: {found:?}");
        assert!(found[0].contains("called.flow.yaml"), "{found:?}");
    }
    Ok(())
}

#[test]
fn a_slip_is_one_finding_in_a_project_too() -> Result<()> {
    for (right, slip) in [
        ("inputs:", "inptus:"),
        ("outcomes:", "outcoms:"),
        ("flow: called", "flwo: called"),
        ("steps:", "stepz:"),
        ("say:", "sya:"),
        ("return: done", "return: doen"),
        ("return: done", "retrun: done"),
    ] {
        assert!(CALLED.contains(right), "{right}");
        let found = findings(&CALLED.replacen(right, slip, 1))?;
        assert_eq!(found.len(), 1, "{slip}: {found:?}");
        assert!(found[0].contains("called.flow.yaml"), "{found:?}");
    }
    Ok(())
}

#[test]
fn a_file_that_cannot_be_read_is_told_of_itself_and_names_are_as_forges_want_them() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let project = folder.path().join("客服 项目");
    std::fs::create_dir(&project)?;
    std::fs::write(project.join("strowger.toml"), "[project]\nname = \"x\"\n")?;
    let flow = CALLED.replace("steps:", "stepz:");
    std::fs::write(project.join("主菜单 #1%.flow.yaml"), flow)?;
    let shown = project.display().to_string();
    let sarif = |expected: i32| -> Result<serde_json::Value> {
        let (code, out, err) = strowger(&["check", "--format", "sarif", &shown])?;
        assert_eq!(code, expected, "{out}{err}");
        Ok(serde_json::from_str(&out)?)
    };
    let places = |document: &serde_json::Value| -> Vec<String> {
        let results = document["runs"][0]["results"].as_array();
        let uris = results.into_iter().flatten().map(|found| {
            found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        });
        uris.collect()
    };
    let found = places(&sarif(1)?);
    let of_flow = "%E4%B8%BB%E8%8F%9C%E5%8D%95%20%231%25.flow.yaml";
    assert!(found.iter().any(|uri| uri.ends_with(of_flow)), "{found:?}");
    std::os::unix::fs::symlink("/nowhere", project.join("gone.flow.yaml"))?;
    let found = places(&sarif(2)?);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("/gone.flow.yaml"), "{found:?}");
    Ok(())
}

#[test]
fn a_centres_own_file_is_told_once_with_its_line() -> Result<()> {
    let centre = tempfile::TempDir::new()?;
    std::fs::create_dir(centre.path().join("tenants"))?;
    std::fs::write(centre.path().join("tenants/vega.toml"), "")?;
    let own = "[project]\nname = \"hall\"\ncolour = \"red\"\n";
    std::fs::write(centre.path().join("strowger.toml"), own)?;
    let folder = centre.path().display().to_string();
    let (code, out, err) = strowger(&["check", &folder])?;
    let said = format!("{out}{err}");
    assert_eq!(code, 1, "{said}");
    assert_eq!(said.matches("error[project]").count(), 1, "{said}");
    assert!(said.contains("strowger.toml:3"), "{said}");
    assert!(said.contains("a centre, 1 error"), "{said}");
    Ok(())
}

const QUEUED: &str = "format: 1\nlanguages: [en]\nsteps:\n  start:\n    - queue: front-desk\n      max_wait: 5s\n      then: { done: bye, else: bye }\n  bye: { hangup: completed }\n";

/// The findings of a project of three flows that lead to a queue, one a line; the second of them to this one.
fn findings_of_queues(queues: &str, second: &str) -> Result<Vec<String>> {
    let folder = tempfile::TempDir::new()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write(
        "strowger.toml",
        "[project]\nname = \"x\"\n[transfer]\nhow = \"refer\"\n",
    )?;
    write("routes.yaml", "routes:\n  - { to: \"400\", flow: one }\n")?;
    write("queues.yaml", queues)?;
    let transferred = QUEUED.replace(
        "  bye: {",
        "  bye:\n    transfer: partner\n    then: { else: gone }\n  gone: {",
    );
    for (name, text) in [
        ("one", transferred.clone()),
        ("two", QUEUED.replace("front-desk", second)),
        ("three", transferred.replace("front-desk", "\"front-desk\"")),
    ] {
        write(
            &format!("{name}.flow.yaml"),
            &format!("flow: {name}\n{text}"),
        )?;
    }
    let shown = folder.path().display().to_string();
    let (_, out, _) = strowger(&["check", "--format", "concise", &shown])?;
    Ok(out.lines().map(str::to_owned).collect())
}

#[test]
fn a_queue_that_is_misspelt_where_it_is_defined_is_one_finding() -> Result<()> {
    let good = "queues:\n  front-desk: { title: Desk }\nsuppliers:\n  partner: { sip: \"sip:a@b.example\" }\n";
    assert_eq!(findings_of_queues(good, "front-desk")?, [""; 0]);
    for (right, slip, line) in [("front-desk", "front-dek", 2), ("partner", "parnter", 4)] {
        let found = findings_of_queues(&good.replacen(right, slip, 1), "front-desk")?;
        assert_eq!(found.len(), 1, "{slip}: {found:?}");
        let place = format!("queues.yaml:{line}:");
        assert!(found[0].contains(&place), "{found:?}");
        let meant = format!("several places to `{right}`");
        assert!(found[0].contains(&meant), "{found:?}");
    }
    // A name that some flow uses as it is defined is none that is misspelt there.
    let found = findings_of_queues(&good.replacen("front-desk", "front-dek", 1), "front-dek")?;
    assert_eq!(found.len(), 2, "{found:?}");
    let mut places = found.iter();
    assert!(
        places.all(|found| found.contains(".flow.yaml:")),
        "{found:?}"
    );
    Ok(())
}

#[test]
fn a_plugin_under_another_name_than_its_own_is_one_finding() -> Result<()> {
    let component = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../plugins/target/components/aurora-orders.wasm");
    for built in [true, false] {
        let folder = tempfile::TempDir::new()?;
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        if built {
            std::fs::copy(&component, folder.path().join("orders.wasm"))?;
        }
        write(
            "strowger.toml",
            "[project]\nname = \"x\"\n[plugins.order]\ncomponent = \"orders.wasm\"\ngrants = { http = [\"127.0.0.1:9\"] }\n",
        )?;
        write("routes.yaml", "routes:\n  - { to: \"400\", flow: one }\n")?;
        let uses = "    - { use: orders/lookup@1, with: { order_no: \"20260302\" }, then: { else: next } }\n";
        let last = uses.replace("next", "bye");
        write(
            "one.flow.yaml",
            &format!(
                "flow: one\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n{uses}  next:\n{last}  bye: {{ hangup: completed }}\n"
            ),
        )?;
        let shown = folder.path().display().to_string();
        let (_, out, _) = strowger(&["check", "--format", "concise", &shown])?;
        let errors: Vec<&str> = out
            .lines()
            .filter(|found| found.contains(": error["))
            .collect();
        assert_eq!(errors.len(), 1, "{built}: {out}");
        assert!(errors[0].contains("strowger.toml:4:"), "{out}");
    }
    Ok(())
}

#[test]
fn a_transfer_that_the_engine_cannot_place_is_told_where_it_stands() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("routes.yaml", "routes:\n  - { to: \"400\", flow: one }\n")?;
    write(
        "one.flow.yaml",
        "flow: one\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    transfer: \"sips:desk@example.com\"\n    then: { else: bye }\n  bye: { hangup: completed }\n",
    )?;
    for (how, told) in [("bridge", true), ("refer", false)] {
        write(
            "strowger.toml",
            &format!("[project]\nname = \"x\"\n[transfer]\nhow = \"{how}\"\n"),
        )?;
        let shown = folder.path().display().to_string();
        let (code, out, _) = strowger(&["check", "--format", "concise", &shown])?;
        assert_eq!(code, 0, "{out}");
        let found = out.contains("calls `sip:` URIs alone, not `sips:desk@example.com`");
        assert_eq!(
            (found, out.contains("one.flow.yaml:6:5")),
            (told, told),
            "{how}: {out}"
        );
    }
    Ok(())
}
