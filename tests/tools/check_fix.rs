//! `strowger check --fix`

use anyhow::Result;
use strowger_tests::program::strowger;

#[test]
fn what_is_certain_is_mended_and_told() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    let shown = file.display().to_string();
    let text = "flow: a\nformat: 1\nsteps:\n  start: { say: \"Hello.\", then: leavee }  # on\n  leave: { wait: 3, then: end }\n  end: { hangup: done }\n";
    std::fs::write(&file, text)?;
    let (code, out, err) = strowger(&["check", "--fix", &shown])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        err.contains(&format!(
            "{shown}:4:33: fixed unknown-step: `leavee` is now `leave`"
        )),
        "{err}"
    );
    assert!(err.contains("fixed missing-unit: `3` is now `3s`"), "{err}");
    let mended = text
        .replace("leavee", "leave")
        .replace("wait: 3", "wait: 3s");
    assert_eq!(std::fs::read_to_string(&file)?, mended);
    let (code, _, err) = strowger(&["check", "--fix", &shown])?;
    assert_eq!((code, err.as_str()), (0, ""));
    Ok(())
}

#[test]
fn what_is_not_certain_stays_as_it_is() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    let text = "flow: a\nformat: 1\nsteps:\n  start: { say: \"Hello.\", then: elsewhere }\n";
    std::fs::write(&file, text)?;
    let (code, out, _) = strowger(&["check", "--fix", &file.display().to_string()])?;
    assert_eq!(code, 1);
    assert!(out.contains("error[unknown-step]"), "{out}");
    assert_eq!(std::fs::read_to_string(&file)?, text);
    Ok(())
}

/// The neighbour of a file that was not recorded yet says other words, perhaps in another language.
#[test]
fn no_other_sound_is_put_in_the_place_of_a_missing_one() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("strowger.toml", "[project]\nname = \"x\"\n")?;
    write("press-2.wav", "")?;
    let text = "flow: a\nformat: 1\nlanguages: [en]\nprompts:\n  one: { en: { audio: press-1.wav, text: Press one. } }\n  \
                only: { en: { audio: press-3.wav } }\nsteps:\n  start:\n    - say: one\n    - say: only\n    - hangup: done\n";
    write("a.flow.yaml", text)?;
    let (code, out, _) = strowger(&["check", "--fix", &folder.path().display().to_string()])?;
    assert_eq!(code, 1, "{out}");
    assert_eq!(
        out.matches("did you mean `press-2.wav`?").count(),
        2,
        "{out}"
    );
    let after = std::fs::read_to_string(folder.path().join("a.flow.yaml"))?;
    assert_eq!(after, text);
    Ok(())
}
