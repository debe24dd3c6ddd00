//! `strowger graph`

use anyhow::Result;
use strowger_tests::program::{repository, strowger};

fn draw(flow: &str, format: &str) -> Result<String> {
    let aurora = repository().join("flows/aurora").display().to_string();
    let (code, out, err) = strowger(&["graph", flow, "--project", &aurora, "--format", format])?;
    assert_eq!(code, 0, "{err}");
    Ok(out)
}

#[test]
fn a_flow_is_drawn_in_three_ways() -> Result<()> {
    let mermaid = draw("main-menu", "mermaid")?;
    assert!(mermaid.contains("flowchart TD") && mermaid.contains("<b>operator</b>"));
    let dot = draw("main-menu", "dot")?;
    assert!(dot.starts_with("digraph \"main-menu\" {"));
    let svg = draw("main-menu", "svg")?;
    assert!(
        svg.starts_with("<svg ") && svg.contains("operator"),
        "{svg}"
    );
    // The same arrows everywhere.
    let arrows = dot.matches(" -> ").count();
    assert_eq!(svg.matches("marker-end").count(), arrows);
    assert_eq!(
        mermaid.matches("-->").count() + mermaid.matches("-.->").count(),
        arrows
    );
    Ok(())
}

#[test]
fn a_project_is_drawn_with_its_numbers_and_how_flows_lead_to_each_other() -> Result<()> {
    let aurora = repository().join("flows/aurora").display().to_string();
    let (code, out, err) = strowger(&["graph", &aurora])?;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("title: \"Aurora 极光商城\""), "{out}");
    assert!(
        out.contains("<b>main-menu</b><br/>100<br/>+864001234567"),
        "{out}"
    );
    assert!(out.contains("-->|\"call in orders\"|"), "{out}");
    assert!(out.contains("-->|\"from main\"|"), "{out}");
    Ok(())
}

#[test]
fn a_picture_goes_into_a_file_and_no_text_leaves_its_place() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    let picture = folder.path().join("a.svg");
    let text = "flow: a\nformat: 1\nvars: { x: { type: text, default: a } }\nsteps:\n  start:\n    switch: x\n    \
                then: { \"</text><script>&\": bye, else: bye }\n  bye: { hangup: done }\n";
    std::fs::write(&file, text)?;
    let (file, shown) = (file.display().to_string(), picture.display().to_string());
    let (code, out, err) = strowger(&["graph", &file, "--format", "svg", "-o", &shown])?;
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let svg = std::fs::read_to_string(&picture)?;
    assert!(
        !svg.contains("<script") && svg.contains("&lt;/text&gt;&lt;script&gt;&amp;"),
        "{svg}"
    );
    Ok(())
}

#[test]
fn what_cannot_be_drawn_is_told() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    std::fs::write(
        &file,
        "flow: a\nformat: 1\nsteps: { start: { goto: nowhere } }\n",
    )?;
    let (code, _, err) = strowger(&["graph", &file.display().to_string()])?;
    assert_eq!(code, 1);
    assert!(err.contains("strowger check"), "{err}");
    let aurora = repository().join("flows/aurora").display().to_string();
    let (code, _, err) = strowger(&["graph", "main", "--project", &aurora])?;
    assert_eq!(code, 2);
    assert!(err.contains("main-menu"), "{err}");
    Ok(())
}
