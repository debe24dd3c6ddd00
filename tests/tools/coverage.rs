//! `strowger test --coverage`

use anyhow::Result;
use strowger_tests::program::strowger;

#[test]
fn of_chosen_tests_only_the_flows_are_told_that_ran() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let mut files = Vec::new();
    for name in ["first", "second"] {
        let file = folder.path().join(format!("{name}.flow.yaml"));
        let text = format!(
            "flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n  start: [{{ say: Hello. }}, {{ hangup: completed }}]\ntests:\n  {name} greets:\n    run: [{{ expect: {{ ends: completed }} }}]\n"
        );
        std::fs::write(&file, text)?;
        files.push(file.display().to_string());
    }
    let covered = |arguments: &[&str]| -> Result<Vec<String>> {
        let mut all = vec!["test", "--coverage"];
        all.extend(arguments);
        all.extend(files.iter().map(String::as_str));
        let (code, out, err) = strowger(&all)?;
        assert_eq!(code, 0, "{out}{err}");
        let lines = out
            .lines()
            .filter_map(|line| line.strip_prefix("coverage of "));
        let names = lines.filter_map(|line| line.split(' ').next());
        Ok(names.map(str::to_owned).collect())
    };
    assert_eq!(covered(&[])?, ["first", "second"]);
    assert_eq!(covered(&["-k", "first greets"])?, ["first"]);
    Ok(())
}
