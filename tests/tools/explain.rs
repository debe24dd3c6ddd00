//! `strowger explain`

use anyhow::Result;
use strowger_tests::program::strowger;

#[test]
fn a_rule_has_a_page_in_two_languages() -> Result<()> {
    let (code, out, err) = strowger(&["explain", "missing-outcome"])?;
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("# missing-outcome (error)\n"), "{out}");
    assert!(
        out.contains("\nWrite instead:\n\n```yaml\nlookup:\n"),
        "{out}"
    );
    let (code, out, _) = strowger(&["explain", "error[missing-outcome]:", "--language", "zh"])?;
    assert_eq!(code, 0);
    assert!(
        out.contains("错误") && out.contains("来电者会被挂断") && out.contains("not_found: ["),
        "{out}"
    );
    Ok(())
}

#[test]
fn an_unknown_rule_is_told_with_the_one_that_was_meant() -> Result<()> {
    let (code, out, err) = strowger(&["explain", "mising-outcome"])?;
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean `missing-outcome`?"), "{err}");
    let (code, _, err) = strowger(&["explain", "zebra"])?;
    assert_eq!(code, 2);
    assert!(err.contains("lists all rules"), "{err}");
    let (code, out, _) = strowger(&["explain"])?;
    // All rules, what is wrong beside the flows, and the worst case.
    assert_eq!(
        (code, out.lines().count()),
        (0, strowger_flow::RULES.len() + 2)
    );
    Ok(())
}

#[test]
fn what_is_wrong_beside_the_flows_has_a_page_too() -> Result<()> {
    let (code, out, _) = strowger(&["explain", "error[project]"])?;
    assert!(
        code == 0 && out.contains("strowger.toml") && out.contains("Write instead:"),
        "{out}"
    );
    let (code, out, _) = strowger(&["explain", "project", "--language", "zh"])?;
    assert!(code == 0 && out.contains("流程以外"), "{out}");
    Ok(())
}

#[test]
fn what_check_reckons_has_a_page_too() -> Result<()> {
    for written in ["worst-case", "note[worst-case]"] {
        let (code, out, _) = strowger(&["explain", written])?;
        assert!(code == 0 && out.contains("toPersonMs"), "{out}");
    }
    let (code, out, _) = strowger(&["explain", "worst-case", "--language", "zh"])?;
    assert!(code == 0 && out.contains("最坏情况"), "{out}");
    Ok(())
}
