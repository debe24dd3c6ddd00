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
    // Each file of them, once.
    let copies = |hall: &Hall| -> Result<usize> {
        let shelves = std::fs::read_dir(hall.engine.data.join("files"))?;
        let counts = shelves.map(|shelf| Ok(std::fs::read_dir(shelf?.path())?.count()));
        counts.sum()
    };
    push(&hall, "Words of revision 1.", &[])?;
    // All but the words are the same in all of them.
    let common = copies(&hall)? - 1;
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
    assert_eq!(copies(&hall)?, 13 + common);
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
    assert_eq!(copies(&hall)?, 11 + common);
    hall.done(&["release", "13", "--tenant", "vega"])?;
    assert_eq!(hall.live("vega")?, Some(13));
    drop(live);
    Ok(())
}

/// Pushes of each tenant by each engine.
const PUSHES: usize = 10;

#[test]
fn old_revisions_go_beside_pushes_and_nothing_that_is_needed_goes_with_them() -> Result<()> {
    let server = Postgres::start()?;
    server.create("hall")?;
    let store = format!("[store]\nurl = \"{}\"\n", server.url("hall"));
    let rules = |numbers: &str| format!("numbers = [\"{numbers}\"]\n[limits]\nrevisions = 2\n");
    let tenants = [("vega", "200", rules("20*")), ("lyra", "300", rules("30*"))];
    let files = tenants
        .each_ref()
        .map(|(name, _, rules)| (*name, rules.as_str()));
    let mut halls = [
        Hall::open_with(&store, &files)?,
        Hall::open_with(&store, &files)?,
    ];
    // Whatever is pushed is old at once.
    for sql in [
        "CREATE FUNCTION aged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.pushed_at := 1; RETURN NEW; END $$",
        "CREATE TRIGGER aged BEFORE INSERT ON revisions FOR EACH ROW EXECUTE FUNCTION aged()",
    ] {
        server.sql("hall", sql)?;
    }
    let push = |hall: &Hall, tenant: &str, words: &str, release: bool| -> Result<()> {
        let folder = says(tenant, "*", words)?;
        let at = folder.path().display().to_string();
        let mut arguments = vec!["push", at.as_str()];
        arguments.extend(release.then_some("--release"));
        let (code, said) = hall.run(&arguments)?;
        // Of two who release at once one is overtaken, perhaps by so many that what it has pushed is old.
        let overtaken = said.contains("holds by now") || said.contains("is kept no longer");
        ensure!(
            code == 0 || (release && overtaken),
            "{tenant} {words}: {said}"
        );
        Ok(())
    };
    for (tenant, _, _) in &tenants {
        push(&halls[0], tenant, "The first words.", true)?;
    }
    std::thread::scope(|scope| -> Result<()> {
        let mut all = Vec::new();
        for (at, hall) in halls.iter().enumerate() {
            for (tenant, _, _) in &tenants {
                let push = &push;
                all.push(scope.spawn(move || -> Result<()> {
                    for turn in 0..PUSHES {
                        let words = format!("Words {turn} by engine {at}.");
                        push(hall, tenant, &words, turn % 2 == 0)?;
                    }
                    Ok(())
                }));
            }
        }
        for pushing in all {
            pushing.join().expect("a push does not panic")?;
        }
        Ok(())
    })?;

    let number = |sql: &str| -> Result<u64> { Ok(server.sql("hall", sql)?.trim().parse()?) };
    for (tenant, _, _) in &tenants {
        let of = format!("tenant = '{tenant}'");
        // None was lost: each has its number, and the newest are there.
        let pushes = 2 * PUSHES as u64 + 1;
        let newest = format!("SELECT max(number) FROM revisions WHERE {of}");
        assert_eq!(number(&newest)?, pushes);
        let kept = number(&format!("SELECT count(*) FROM revisions WHERE {of}"))?;
        ensure!((2..pushes).contains(&kept), "{kept} of {pushes} are kept");
        let gone = format!(
            "SELECT count(*) FROM (SELECT live FROM releases WHERE {of} ORDER BY number DESC LIMIT 1) l \
             WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.{of} AND r.number = l.live)"
        );
        assert_eq!(number(&gone)?, 0, "what is live of {tenant} is gone");
    }
    let without = "SELECT count(*) FROM revision_files f WHERE NOT EXISTS (SELECT 1 FROM blobs b WHERE b.sha256 = f.sha256)";
    assert_eq!(number(without)?, 0, "files of revisions are gone");
    let unneeded = "SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT 1 FROM revision_files f WHERE b.sha256 = f.sha256)";
    assert_eq!(number(unneeded)?, 0, "files of no revision are left");

    // What is live is served, by engines too that know nothing but the store.
    for hall in &mut halls {
        hall.engine.program.kill()?;
        std::fs::remove_dir_all(hall.engine.data.join("revisions"))?;
        hall.engine.restart()?;
        for (tenant, number, _) in &tenants {
            let live = format!(
                "SELECT live FROM releases WHERE tenant = '{tenant}' ORDER BY number DESC LIMIT 1"
            );
            let live = server.sql("hall", &live)?.trim().parse()?;
            sure(hall, tenant, live)?;
            let mut call = Phone::dial(hall.engine.sip, number, "call", &[])?;
            call.first_sound(PROMPT)?;
            call.ended()?;
        }
    }
    Ok(())
}
