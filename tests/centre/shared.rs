//! Several engines on one store, and what is left of many pushes.

use std::time::Duration;

use anyhow::{Result, ensure};
use strowger_tests::Hall;
use strowger_tests::hall::{PROMPT, hears};
use strowger_tests::projects::says;
use strowger_tests::{Phone, Postgres};

/// Longest time until another engine has taken over a release: it looks every second, and compiles.
const TAKEN_OVER: Duration = Duration::from_secs(30);

fn sure(hall: &Hall, tenant: &str, revision: u64) -> Result<()> {
    let until = std::time::Instant::now() + TAKEN_OVER;
    loop {
        let live = hall.live(tenant)?;
        if live == Some(revision) {
            return Ok(());
        }
        ensure!(
            std::time::Instant::now() < until,
            "{tenant} has {live:?} live here, not {revision}: {}",
            hall.engine.program.log()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_one_engine_releases_is_live_in_another_on_the_same_store() -> Result<()> {
    let server = Postgres::start()?;
    server.create("hall")?;
    let store = format!("[store]\nurl = \"{}\"\n", server.url("hall"));
    let tenants = [("vega", "numbers = [\"20*\"]\n")];
    let one = Hall::open_with(&store, &tenants)?;
    let two = Hall::open_with(&store, &tenants)?;
    Phone::dial(two.engine.sip, "200", "refused-480", &[])?.ended()?;

    let at = |folder: &tempfile::TempDir| folder.path().display().to_string();
    let (first, second) = (
        says("vega", "*", "The first words.")?,
        says("vega", "*", "Other words.")?,
    );
    one.done(&["push", &at(&first), "--release"])?;
    sure(&two, "vega", 1)?;
    hears(&two, first.path(), "200", "The first words.")?;
    // Whoever pushes to the other one goes on from there.
    two.done(&["push", &at(&second), "--release"])?;
    sure(&one, "vega", 2)?;
    hears(&one, second.path(), "200", "Other words.")?;
    one.done(&["release", "--tenant", "vega", "--roll-back"])?;
    sure(&two, "vega", 1)?;
    hears(&two, first.path(), "200", "The first words.")?;
    Ok(())
}

#[test]
fn old_revisions_go_and_those_that_somebody_walks_stay() -> Result<()> {
    let server = Postgres::start()?;
    server.create("hall")?;
    let store = format!("[store]\nurl = \"{}\"\n", server.url("hall"));
    let mut hall = Hall::open_with(
        &store,
        &[("vega", "numbers = [\"20*\"]\n[limits]\nrevisions = 2\n")],
    )?;
    let push = |hall: &Hall, words: &str, options: &[&str]| -> Result<tempfile::TempDir> {
        let folder = says("vega", "*", words)?;
        let at = folder.path().display().to_string();
        hall.done(&[&["push", &at], options].concat())?;
        Ok(folder)
    };
    let revisions = |hall: &Hall| -> Result<Vec<u64>> {
        let page = hall.get("/v1/tenants/vega/revisions")?;
        let items = page["items"].as_array().into_iter().flatten();
        Ok(items.filter_map(|item| item["number"].as_u64()).collect())
    };
    let folders = |hall: &Hall| -> Result<usize> {
        Ok(std::fs::read_dir(hall.engine.data.join("revisions"))?.count())
    };
    push(&hall, "Words of revision 1.", &[])?;
    let live = push(
        &hall,
        "Words of revision 2, which are many, so that the call is still up when others come and go. They go on, and on, and on, and on, and on, and on, and on, and on.",
        &["--release"],
    )?;
    let mut call = Phone::dial(hall.engine.sip, "200", "call", &[])?;
    call.first_sound(PROMPT)?;
    for number in 3..=14 {
        push(
            &hall,
            &format!("Words of revision {number}."),
            &["--release"],
        )?;
    }
    push(&hall, "Words of revision 15.", &[])?;
    // All are of today, and count against the pushes of a day.
    assert_eq!(revisions(&hall)?.len(), 15);
    server.sql("hall", "UPDATE revisions SET pushed_at = 1")?;
    push(&hall, "Words of revision 16.", &[])?;
    // The last ten releases are of 5 to 14, and a call walks 2.
    assert_eq!(
        revisions(&hall)?,
        [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 2]
    );
    assert_eq!(folders(&hall)?, 13);
    call.ended()?;
    push(&hall, "Words of revision 17.", &[])?;
    assert_eq!(
        revisions(&hall)?,
        [17, 16, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5]
    );
    // A folder that another engine's pruning left behind goes at the next start.
    server.sql("hall", "DELETE FROM revisions WHERE number = 16")?;
    hall.engine.program.kill()?;
    hall.engine.restart()?;
    assert_eq!(folders(&hall)?, 11);
    hall.done(&["release", "13", "--tenant", "vega"])?;
    assert_eq!(hall.live("vega")?, Some(13));
    drop(live);
    Ok(())
}
