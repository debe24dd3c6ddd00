//! What the journal costs, on SQLite: how many entries a second are durable, beside what the disk itself gives in the same
//! run, and how much processor time writing the journal adds to a contact.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strowger_contact::{Entry, EntryKind};
use strowger_server::runtime::open;
use strowger_server::store::{Place, Record, Store, Writer};

#[path = "common/day.rs"]
mod day;
#[path = "common/processor.rs"]
mod processor;

use processor::processor_time;

/// How long is measured.
const MEASURE: Duration = Duration::from_secs(4);
/// Contacts that each wait until their entry is on the disk, then write the next.
const WAITING: [u32; 3] = [1, 64, 512];
/// Contacts of a round whose processor time is measured.
const CONTACTS: u32 = 2_000;
/// Of these, how many at once.
const AT_ONCE: u32 = 64;
/// Rounds of each kind; the best counts.
const ROUNDS: u32 = 3;

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder =
        std::env::temp_dir().join(format!("strowger-journal-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = runtime.block_on(async {
        println!(
            "the disk: {:.0} appends of 4 KiB a second, each synchronised",
            disk(&folder)?
        );
        for contacts in WAITING {
            durable(&folder.join(contacts.to_string()), contacts).await?;
        }
        cost(&folder).await
    });
    std::fs::remove_dir_all(&folder)?;
    done
}

/// Appends a second that are on the disk before the next begins: the floor of whoever commits one by one.
fn disk(folder: &Path) -> std::io::Result<f64> {
    let mut file = File::create(folder.join("floor"))?;
    let (block, began, mut appends) = ([7; 4096], Instant::now(), 0_u32);
    while began.elapsed() < MEASURE / 4 {
        file.write_all(&block)?;
        file.sync_data()?;
        appends += 1;
    }
    Ok(f64::from(appends) / began.elapsed().as_secs_f64())
}

async fn durable(folder: &Path, contacts: u32) -> Result<(), Failed> {
    let store = Store::open(&Place::file(folder)).await?;
    let (writer, writing) = Writer::start(store);
    let (written, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + MEASURE);
    let tasks: Vec<_> = (0..contacts)
        .map(|contact| {
            let (writer, written) = (writer.clone(), written.clone());
            tokio::spawn(async move {
                let id = format!("contact-{contact}");
                writer.write(began(&id)).await;
                for seq in 0.. {
                    let entry = Entry {
                        seq,
                        at: u64::from(seq),
                        kind: EntryKind::Key { key: '5' },
                    };
                    writer.write(Record::Entries(id.clone(), vec![entry])).await;
                    writer.flush().await.expect("the store is there");
                    if Instant::now() >= end {
                        return;
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await?;
    }
    let rate = written.load(Ordering::Relaxed) as f64 / MEASURE.as_secs_f64();
    println!(
        "{contacts} contacts that each wait for every entry: {rate:.0} durable entries a second"
    );
    drop(writer);
    Ok(writing.await?)
}

fn began(id: &str) -> Record {
    Record::Began {
        id: id.to_owned(),
        tenant: "bench".to_owned(),
        flow: "main-menu".to_owned(),
        hash: String::new(),
        content: String::new(),
        channel: "voice",
        from: "+8613800138000".to_owned(),
        to: "bench".to_owned(),
        sip_call_id: None,
        at: 0,
    }
}

/// The same contacts with and without a store, in turn.
async fn cost(folder: &Path) -> Result<(), Failed> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flows/aurora");
    let mut best = [Duration::MAX; 2];
    for round in 0..ROUNDS {
        for (which, keep) in [(0, false), (1, true)] {
            let data = folder.join(format!("{round}-{keep}"));
            let (engine, _) = open(&project, &data, keep).await?;
            let (engine, next) = (Arc::new(engine), Arc::new(AtomicU32::new(0)));
            let used = processor_time();
            let tasks: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    let (engine, next) = (engine.clone(), next.clone());
                    tokio::spawn(async move {
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= CONTACTS {
                                return;
                            }
                            day::walk(&engine, number, false).await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await?;
            }
            best[which] = best[which].min(processor_time() - used);
        }
    }
    let each = best.map(|used| used.as_secs_f64() * 1e6 / f64::from(CONTACTS));
    println!(
        "processor time of a contact of ten steps, nothing heard or spoken: {:.0} us without a journal, {:.0} us with one, {:.0} us more",
        each[0],
        each[1],
        each[1] - each[0]
    );
    Ok(())
}
