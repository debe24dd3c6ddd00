//! An engine that is killed again and again while chats are busy: all that was acknowledged is there once. Behind the last
//! commit lies each time the torn beginning of another one.
//!
//! `STROWGER_KILLS` says how often (25 on SQLite, 5 on PostgreSQL), `STROWGER_SEED` where the moments come from; both are printed.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use strowger_contact::EntryKind;
use strowger_tests::moments::number;
use strowger_tests::torn::Log;
use strowger_tests::{Moments, Postgres, http};

use crate::world::{BOOKED, OFFER, QUESTION, Talk, World, one};

/// Chats at any time.
const WRITERS: u64 = 4;
/// How long the order service takes, so that a kill often falls into a request. Milliseconds.
const DELAY_MS: u64 = 40;

/// What somebody who wrote knows at the end.
struct Had {
    talk: Talk,
    /// Names of the messages that were acknowledged.
    acknowledged: Vec<String>,
}

/// Has one chat from beginning to end, over an engine that comes and goes.
fn chat(http: SocketAddr) -> Result<Had> {
    let end = Instant::now() + Duration::from_secs(120);
    let mut talk = loop {
        match Talk::begin(http, "700", None) {
            Ok(talk) => break talk,
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    talk.asked(QUESTION)?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    talk.write("yes")?;
    let reason = talk.ended()?;
    ensure!(
        reason == "booked",
        "{} ended {reason}: {:?}",
        talk.id,
        talk.shown
    );
    Ok(Had {
        talk,
        acknowledged: vec!["m1".to_owned(), "m2".to_owned()],
    })
}

#[test]
fn load_what_was_acknowledged_is_there_once_however_often_the_engine_is_killed() -> Result<()> {
    series(None, 25)
}

#[test]
fn load_what_was_acknowledged_is_there_once_on_postgresql() -> Result<()> {
    let server = Postgres::start()?;
    server.create("strowger")?;
    series(Some(&server), 5)
}

fn series(server: Option<&Postgres>, kills: u64) -> Result<()> {
    let kills = number("STROWGER_KILLS", kills)?;
    let seed = number("STROWGER_SEED", 0x5eed_0001)?;
    eprintln!("{kills} kills, STROWGER_SEED={seed}");
    let mut moments = Moments::of(seed);
    let store = server.map(|server| format!("[store]\nurl = \"{}\"\n", server.url("strowger")));
    let store = store.unwrap_or_default();
    let settings = format!("[steps]\ndrop_waiting_after_ms = 50\n{store}");
    let mut world = World::start(DELAY_MS, &settings)?;
    let http = world.engine.http;
    let stop = AtomicBool::new(false);
    let had: Vec<Had> = std::thread::scope(|scope| -> Result<Vec<Had>> {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut had = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        had.push(chat(http)?);
                    }
                    Ok::<_, anyhow::Error>(had)
                })
            })
            .collect();
        let mut torn = 0;
        for kill in 0..kills {
            let pause = Duration::from_millis(moments.next(400));
            std::thread::sleep(pause);
            let again = world
                .engine
                .program
                .kill()
                .and_then(|()| {
                    // What the kill left of the next commit a loss of power would have left in pieces.
                    if let Some(log) = Log::read(&world.engine.data)? {
                        log.tear(&mut moments)?;
                        torn += 1;
                    }
                    world.engine.restart()
                })
                .with_context(|| format!("kill {kill} of seed {seed}"));
            if again.is_err()
                || writers
                    .iter()
                    .any(std::thread::ScopedJoinHandle::is_finished)
            {
                stop.store(true, Ordering::Relaxed);
                again?;
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        ensure!(server.is_some() || torn > 0, "no log was torn");
        let mut had = Vec::new();
        for writer in writers {
            match writer.join() {
                Ok(done) => had.extend(done?),
                Err(_) => bail!("a writer panicked"),
            }
        }
        Ok(had)
    })
    .with_context(|| format!("seed {seed}"))?;

    eprintln!("{} chats", had.len());
    ensure!(had.len() as u64 >= WRITERS, "{} chats", had.len());
    for Had { talk, acknowledged } in &had {
        for text in [QUESTION, OFFER, BOOKED] {
            let times = talk.times(text);
            ensure!(
                times == 1,
                "seed {seed}: {} heard “{text}” {times} times: {:?}",
                talk.id,
                talk.shown
            );
        }
        let journal = world.journal(&talk.id)?;
        ensure!(
            journal
                .iter()
                .map(|entry| entry.seq)
                .eq(0..journal.len() as u32),
            "seed {seed}: {} has a hole",
            talk.id
        );
        let wrote = journal.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Wrote { message, .. } => message.clone(),
            _ => None,
        });
        ensure!(
            wrote.eq(acknowledged.iter().cloned()),
            "seed {seed}: {} lost or doubled a message",
            talk.id
        );
        let contact = http::get(http, &format!("/v1/contacts/{}", talk.id))?.json()?;
        ensure!(contact["reason"] == "booked", "seed {seed}: {contact}");
    }
    let bookings = world.bookings()?;
    ensure!(
        bookings == had.len() as i64,
        "seed {seed}: {bookings} bookings of {} chats",
        had.len()
    );
    const BOOKED_ONES: &str = "SELECT COUNT(*) FROM contacts WHERE reason = 'booked'";
    let records = match server {
        Some(server) => server.sql("strowger", BOOKED_ONES)?.trim().parse()?,
        None => one(&world.engine.data.join("strowger.db"), BOOKED_ONES)?,
    };
    ensure!(
        records == had.len() as i64,
        "seed {seed}: {records} records of {} chats",
        had.len()
    );
    Ok(())
}
