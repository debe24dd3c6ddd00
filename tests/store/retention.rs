//! What goes, in which order, and what is found of a number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use strowger_server::project::{KeepAudit, KeepFiles, KeepRows, RetentionSection};
use strowger_server::records::ContactRecord;
use strowger_server::retention::{Forgetting, Gone, Number, Rules, Sweep, forget};
use strowger_server::store::{KvLimits, Place, Record, RecordFilter, Space, Store, Writer};

use crate::world::{Database, began, key, open, record};

const DAY: u64 = 86_400_000;
/// Now, in days after 1970.
const NOW: u64 = 1_000;

/// The data folder of a database.
fn folder(place: &Place) -> &Path {
    match place {
        Place::File { folder, .. } | Place::Server { folder, .. } => folder,
    }
}

fn sound(place: &Place, name: &str) -> PathBuf {
    folder(place).join("recordings").join(name)
}

/// Contacts that are over: id, the day of the end, the path, whether it failed. Each has a journal and a recording.
async fn filled(database: &Database<'_>, contacts: &[(&str, u64, &str, bool)]) -> Result<Store> {
    let store = open(&database.place).await?;
    fill(database, &store, "aurora", contacts).await?;
    Ok(store)
}

/// The same of a tenant.
async fn fill(
    database: &Database<'_>,
    store: &Store,
    tenant: &str,
    contacts: &[(&str, u64, &str, bool)],
) -> Result<()> {
    let (writer, _) = Writer::start(store.clone());
    std::fs::create_dir_all(folder(&database.place).join("recordings"))?;
    for (id, day, path, failed) in contacts {
        let mut beginning = began(id, id);
        if let Record::Began { tenant: whose, .. } = &mut beginning {
            *whose = tenant.to_owned();
        }
        writer.write(beginning).await;
        writer.write(key(id, 0)).await;
        let kept = ContactRecord {
            tenant: tenant.to_owned(),
            path_hash: (*path).to_owned(),
            failures: u32::from(*failed),
            ..record(id, day * DAY)
        };
        writer
            .write(Record::Ended {
                id: (*id).to_owned(),
                reason: "completed".into(),
                at: day * DAY,
                record: Some(Box::new(kept)),
            })
            .await;
        std::fs::write(sound(&database.place, &format!("{id}.wav")), [0; 1_000])?;
    }
    writer.flush().await.map_err(anyhow::Error::msg)
}

async fn swept(
    database: &Database<'_>,
    store: &Store,
    rules: &RetentionSection,
    dry: bool,
) -> Result<Gone> {
    let rules = Rules {
        tenant: Some("aurora".to_owned()),
        all: rules.clone(),
        ..Rules::default()
    };
    let gone = swept_all(database, store, &rules, dry).await?;
    gone.get("aurora").copied().context("it was swept")
}

/// What goes, by tenant.
async fn swept_all(
    database: &Database<'_>,
    store: &Store,
    rules: &Rules,
    dry: bool,
) -> Result<BTreeMap<String, Gone>> {
    let sweep = Sweep {
        store,
        recordings: folder(&database.place).join("recordings"),
        rules,
        now: NOW * DAY,
        dry,
        pause: Duration::ZERO,
    };
    Ok(sweep.run().await?)
}

/// The contacts that still have a journal, and those that have a record.
async fn left(store: &Store, contacts: &[(&str, u64, &str, bool)]) -> Result<(String, String)> {
    let mut journals = String::new();
    for (id, ..) in contacts {
        if !store.journal(id).await?.entries.is_empty() {
            journals.push_str(id.split('-').next().unwrap_or_default());
        }
    }
    let records = store.records(&RecordFilter::default()).await?.records;
    let mut records: Vec<_> = records
        .iter()
        .filter_map(|r| r.id.split('-').next())
        .collect();
    records.sort_unstable();
    Ok((journals, records.concat()))
}

pub async fn errors_and_the_first_of_each_path_outlive_the_rest(
    database: &Database<'_>,
) -> Result<()> {
    let contacts = [
        ("a-0", 700, "menu", false),  // too old even for a rare one
        ("b-0", 900, "menu", false),  // the first of its path that is left
        ("c-0", 901, "menu", false),  // ordinary and old
        ("d-0", 902, "menu", true),   // an error
        ("e-0", 903, "order", false), // the first of its path
        ("f-0", 995, "menu", false),  // young
    ];
    let store = filled(database, &contacts).await?;
    let journals = RetentionSection {
        journals: Some(KeepRows {
            days: Some(30),
            rare_days: Some(200),
            max_contacts: None,
        }),
        ..RetentionSection::default()
    };
    let gone = Gone {
        journals: 2,
        ..Gone::default()
    };
    assert_eq!(
        swept(database, &store, &journals, true).await?,
        Gone {
            journals: 3,
            ..gone
        },
        "told without a removal: b goes while a is there"
    );
    assert_eq!(left(&store, &contacts).await?.0, "abcdef");
    assert_eq!(swept(database, &store, &journals, false).await?, gone);
    assert_eq!(
        left(&store, &contacts).await?,
        ("bdef".into(), "abcdef".into())
    );
    assert_eq!(
        swept(database, &store, &journals, false).await?,
        Gone::default()
    );

    // With a record goes all else of its contact.
    let records = RetentionSection {
        records: Some(KeepRows {
            days: Some(30),
            rare_days: Some(99),
            max_contacts: None,
        }),
        ..RetentionSection::default()
    };
    let gone = swept(database, &store, &records, false).await?;
    assert_eq!(
        (gone.records, gone.recordings, gone.files, gone.bytes),
        (2, 2, 2, 2_000)
    );
    let (journals, records) = left(&store, &contacts).await?;
    assert_eq!((journals.as_str(), records.as_str()), ("def", "cdef"));
    assert!(store.contact("b-0").await?.is_none());
    assert!(!sound(&database.place, "b-0.wav").exists());
    assert!(sound(&database.place, "c-0.wav").exists());
    Ok(())
}

pub async fn above_the_bound_the_ordinary_go_before_the_rare(
    database: &Database<'_>,
) -> Result<()> {
    let contacts = [
        ("a-0", 990, "menu", true),
        ("b-0", 991, "menu", false),
        ("c-0", 992, "menu", false),
        ("d-0", 993, "menu", false),
        ("e-0", 994, "menu", false),
    ];
    let store = filled(database, &contacts).await?;
    let bound = |journals, recordings| RetentionSection {
        journals: Some(KeepRows {
            max_contacts: Some(journals),
            ..KeepRows::default()
        }),
        recordings: Some(KeepFiles {
            max_mb: Some(recordings),
            ..KeepFiles::default()
        }),
        ..RetentionSection::default()
    };
    let rules = bound(3, 1);
    assert_eq!(swept(database, &store, &rules, true).await?.journals, 2);
    assert_eq!(swept(database, &store, &rules, false).await?.journals, 2);
    // c and d are the oldest that are not rare.
    assert_eq!(left(&store, &contacts).await?.0, "abe");
    assert_eq!(
        swept(database, &store, &bound(1, 1), false).await?.journals,
        2
    );
    assert_eq!(
        left(&store, &contacts).await?.0,
        "b",
        "e went as ordinary, then the oldest"
    );

    // A megabyte of recordings: the message of one is too much.
    std::fs::write(sound(&database.place, "d-0-3.wav"), vec![0; 999_000])?;
    let gone = swept(database, &store, &rules, false).await?;
    assert_eq!((gone.recordings, gone.files, gone.bytes), (2, 3, 1_001_000));
    for (name, there) in [
        ("a-0", true),
        ("b-0", true),
        ("c-0", false),
        ("d-0", false),
        ("d-0-3", false),
        ("e-0", true),
    ] {
        let file = sound(&database.place, &format!("{name}.wav"));
        assert_eq!(file.exists(), there, "{name}");
    }
    Ok(())
}

pub async fn above_the_bound_failures_alike_go_before_the_last_of_another_path(
    database: &Database<'_>,
) -> Result<()> {
    let contacts = [
        ("a-0", 990, "menu", false),
        ("b-0", 991, "order", false),
        ("c-0", 992, "broken", true),
        ("d-0", 993, "broken", true),
        ("e-0", 994, "broken", true),
        ("f-0", 995, "lost", true),
        ("g-0", 996, "broken", true),
        ("h-0", 997, "menu", false),
    ];
    let store = filled(database, &contacts).await?;
    let bound = |most| RetentionSection {
        journals: Some(KeepRows {
            max_contacts: Some(most),
            ..KeepRows::default()
        }),
        ..RetentionSection::default()
    };
    for (most, kept) in [
        (7, "abcdefg"), // the ordinary one
        (5, "abcfg"),   // failures of which there is one
        (4, "abcf"),
        (3, "bcf"), // none is there twice: the oldest
    ] {
        let gone = swept(database, &store, &bound(most), true).await?;
        assert_eq!(swept(database, &store, &bound(most), false).await?, gone);
        assert_eq!(left(&store, &contacts).await?.0, kept, "{most}");
    }
    // With the records go the recordings, of whatever path.
    let rules = RetentionSection {
        records: bound(1).journals,
        ..bound(1)
    };
    let told = swept(database, &store, &rules, true).await?;
    let gone = swept(database, &store, &rules, false).await?;
    assert_eq!((gone.records, gone.recordings, gone.files), (7, 7, 7));
    assert_eq!(told, gone);
    Ok(())
}

pub async fn each_tenant_is_held_to_its_own_days_and_bounds(database: &Database<'_>) -> Result<()> {
    // Of each: the first of its path, an ordinary one, an error, and a young ordinary one.
    let of = |letter: &str| ["1", "2", "3", "4"].map(|number| format!("{letter}{number}-0"));
    let store = open(&database.place).await?;
    let names: Vec<[String; 4]> = ["a", "b", "c"].map(of).into();
    for (tenant, ids) in ["aurora", "borealis", "corona"].into_iter().zip(&names) {
        let [first, ordinary, error, young] = ids;
        let contacts = [
            (first.as_str(), 900, "menu", false),
            (ordinary.as_str(), 901, "menu", false),
            (error.as_str(), 902, "menu", true),
            (young.as_str(), 995, "menu", false),
        ];
        fill(database, &store, tenant, &contacts).await?;
        // Together too much for a bound of 2 MB, each by itself not, but for the last.
        let bytes = if tenant == "corona" {
            1_200_000
        } else {
            400_000
        };
        for id in ids {
            std::fs::write(sound(&database.place, &format!("{id}.wav")), vec![0; bytes])?;
        }
    }
    // Whose file nobody knows stays, and weighs for nobody.
    std::fs::write(sound(&database.place, "z9-0.wav"), vec![0; 3_000_000])?;
    let days = |days| {
        Some(KeepRows {
            days: Some(days),
            ..KeepRows::default()
        })
    };
    let rules = Rules {
        tenant: None,
        all: RetentionSection {
            journals: days(50),
            recordings: Some(KeepFiles {
                max_mb: Some(2),
                ..KeepFiles::default()
            }),
            ..RetentionSection::default()
        },
        // One keeps its journals longer, by its own file; what that does not name is the centre's.
        own: BTreeMap::from([(
            "borealis".to_owned(),
            RetentionSection {
                journals: days(500),
                ..RetentionSection::default()
            },
        )]),
    };
    let dry = swept_all(database, &store, &rules, true).await?;
    let gone = swept_all(database, &store, &rules, false).await?;
    assert_eq!(dry, gone);
    let told = |tenant: &str| {
        gone.get(tenant)
            .map(|gone| (gone.journals, gone.recordings, gone.bytes))
    };
    assert_eq!(told("aurora"), Some((1, 0, 0)));
    assert_eq!(told("borealis"), Some((0, 0, 0)));
    // 4.8 MB: the ordinary ones go, and then the oldest of the rare.
    assert_eq!(told("corona"), Some((1, 3, 3_600_000)));
    for (id, journal, recording) in [
        ("a1-0", true, true),
        ("a2-0", false, true),
        ("a3-0", true, true),
        ("a4-0", true, true),
        ("b2-0", true, true),
        ("c1-0", true, false),
        ("c2-0", false, false),
        ("c3-0", true, true),
        ("c4-0", true, false),
        ("z9-0", false, true),
    ] {
        let there = !store.journal(id).await?.entries.is_empty();
        let file = sound(&database.place, &format!("{id}.wav")).exists();
        assert_eq!((there, file), (journal, recording), "{id}");
    }
    Ok(())
}

pub async fn a_number_is_forgotten_whole_and_again_after_a_cut(
    database: &Database<'_>,
) -> Result<()> {
    let contacts = [
        ("a-0", 1, "menu", false),
        ("b-0", 2, "menu", false),
        ("c-0", 3, "menu", false),
    ];
    let store = filled(database, &contacts).await?;
    let (writer, _) = Writer::start(store.clone());
    // Another caller whose journal names the number, and one of the number's own who is still there.
    for (id, from) in [("other-0", "anonymous"), ("lasting-0", "861300000")] {
        let mut record = began(id, id);
        if let Record::Began { from: caller, .. } = &mut record {
            *caller = from.to_owned();
        }
        writer.write(record).await;
    }
    let wrote = strowger_contact::Entry {
        seq: 0,
        at: 1,
        kind: strowger_contact::EntryKind::Wrote {
            text: "call me on 861300000".into(),
            message: None,
            late: false,
        },
    };
    writer
        .write(Record::Entries("other-0".into(), vec![wrote]))
        .await;
    let mut own = record("other-0", 5);
    own.from = "anonymous".into();
    writer
        .write(Record::Ended {
            id: "other-0".into(),
            reason: "completed".into(),
            at: 5,
            record: Some(Box::new(own)),
        })
        .await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let space = Space {
        tenant: "aurora",
        plugin: "callbacks",
        limits: &KvLimits::DEFAULT,
    };
    store.kv_set(space, "k", b"tel:861300000", None, 1).await?;
    let data = folder(&database.place);
    let number = Number::read("+86 1300-000", None)?;
    let forgetting = |tenant, mentioned, dry| Forgetting {
        store: &store,
        data,
        number: &number,
        tenant,
        mentioned,
        keys: false,
        dry,
        who: "cli:rosa",
        now: 9,
    };
    let nothing = forget(&forgetting(Some("borealis"), false, true)).await?;
    assert_eq!(
        (nothing.contacts, nothing.mentioned, nothing.lasting),
        (0, 0, 0)
    );
    let dry = forget(&forgetting(None, false, true)).await?;
    assert_eq!(
        (dry.contacts, dry.mentioned, dry.recordings, dry.lasting),
        (3, 1, 3, 1)
    );
    assert_eq!(dry.keys, [("callbacks".to_owned(), 1)]);
    assert!(dry.number_hash.is_none() && store.oblivions().await?.is_empty());

    // Cut off after the files of one and before its row.
    std::fs::remove_file(sound(&database.place, "b-0.wav"))?;
    let done = forget(&forgetting(None, true, false)).await?;
    assert_eq!((done.contacts, done.recordings, done.lasting), (3, 2, 1));
    for id in ["a-0", "b-0", "c-0", "other-0"] {
        assert!(
            store.contact(id).await?.is_none() && store.record(id).await?.is_none(),
            "{id}"
        );
        assert!(store.journal(id).await?.entries.is_empty(), "{id}");
    }
    assert!(store.contact("lasting-0").await?.is_some());
    let lines = store.oblivions().await?;
    assert_eq!(
        (lines.len(), lines[0].finished, lines[0].contacts),
        (1, 0, 4)
    );
    assert!(!lines[0].number.contains("1300000") && lines[0].number.len() == 64);
    // When the last is over, the same line is finished.
    writer.write(crate::world::ended_at("lasting-0", 9)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    forget(&forgetting(None, true, false)).await?;
    let lines = store.oblivions().await?;
    assert_eq!(
        (lines.len(), lines[0].finished, lines[0].contacts),
        (1, 1, 5)
    );
    assert_eq!(forget(&forgetting(None, true, false)).await?.contacts, 0);
    // Every run is in the audit log, and the number is not.
    let log = store.audit_log(None, None, 10).await?;
    let runs = log
        .iter()
        .map(|line| (line.action.as_str(), line.who.as_str()));
    assert_eq!(runs.collect::<Vec<_>>(), [("number.forget", "cli:rosa"); 3]);
    assert!(log.iter().all(|line| line.object == lines[0].number));
    let text = format!("{:?}{log:?}", store.oblivions().await?);
    assert!(!text.contains("1300000"));
    store
        .kv_get(space, "k", 1)
        .await?
        .context("what is a plugin's stays")?;
    Ok(())
}

/// How telephones, trunks, people and programs write one number. The last ones are of its country alone.
const SPELLINGS: [&str; 25] = [
    "+4930123456",
    "4930123456",
    "004930123456",
    "04930123456",
    "0114930123456",
    "tel:+4930123456",
    "tel:+49-30-123456;phone-context=example",
    "sip:+4930123456@trunk.example:5060;user=phone",
    "sips:004930123456@trunk.example",
    "\"Rosa\" <sip:%2B4930123456@trunk.example>",
    "+49 30 12 34 56",
    "+49 (0)30/123456",
    "+49.30.123456",
    "＋４９　３０　１２３４５６",
    "+49\u{a0}30\u{2011}123456",
    "+49 30 123456 (mobile)",
    "\"+4930123456\"",
    "+49\n30\n123456",
    "+49_30_123456",
    "+४९ ३० १२३४५६",
    "+4️⃣9️⃣3️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣",
    "四九三零幺二三四五六",
    "0301-23456",
    "030 123456",
    "tel:030-123456",
];
/// The last spellings, which lack the country.
const INLAND: usize = 3;

/// Voice contacts and chats from and to each spelling, each with a recording; one of somebody else that names it; a key of a
/// plugin with it.
async fn spelt(database: &Database<'_>, store: &Store) -> Result<Vec<String>> {
    let (writer, _) = Writer::start(store.clone());
    std::fs::create_dir_all(folder(&database.place).join("recordings"))?;
    let mut ids = Vec::new();
    for (n, spelling) in SPELLINGS.into_iter().enumerate() {
        for (kind, spoken, caller, called) in [
            ("v", "voice", spelling, "100"),
            ("o", "voice", "+8613800138000", spelling),
            ("c", "chat", spelling, "100"),
            ("m", "chat", "web", "100"),
        ] {
            let id = format!("{kind}-{n}");
            let mut beginning = began(&id, &id);
            if let Record::Began {
                channel, from, to, ..
            } = &mut beginning
            {
                *channel = spoken;
                caller.clone_into(from);
                called.clone_into(to);
            }
            writer.write(beginning).await;
            if kind == "m" {
                let text = format!("call me on {spelling}, please");
                // A journal has the bytes of a response in base64.
                let kind = match n % 2 {
                    0 => strowger_contact::EntryKind::Wrote {
                        text,
                        message: None,
                        late: false,
                    },
                    _ => strowger_contact::EntryKind::Call {
                        activation: 1,
                        call: 1,
                        function: "client.fetch".into(),
                        result: serde_json::json!({ "ok": { "status": 200, "headers": [], "body": strowger_contact::call::Bytes(text.into_bytes()) } }).into(),
                    },
                };
                let wrote = strowger_contact::Entry {
                    seq: 0,
                    at: 1,
                    kind,
                };
                writer.write(Record::Entries(id.clone(), vec![wrote])).await;
            } else {
                std::fs::write(sound(&database.place, &format!("{id}.wav")), [0; 9])?;
            }
            let mut own = record(&id, 5);
            (own.from, own.to) = (caller.to_owned(), called.to_owned());
            writer
                .write(Record::Ended {
                    id: id.clone(),
                    reason: "completed".into(),
                    at: 5,
                    record: Some(Box::new(own)),
                })
                .await;
            ids.push(id);
        }
        let space = Space {
            tenant: "aurora",
            plugin: "callbacks",
            limits: &KvLimits::DEFAULT,
        };
        store
            .kv_set(space, &format!("k{n}"), spelling.as_bytes(), None, 1)
            .await?;
    }
    // Somebody who types it, a key at a time, while their line drops.
    let mut beginning = began("k-0", "k-0");
    if let Record::Began { from, .. } = &mut beginning {
        "+8613800138000".clone_into(from);
    }
    writer.write(beginning).await;
    let pressed = |key| strowger_contact::EntryKind::Pressed { key };
    let dropped = strowger_contact::EntryKind::Dropped { vanished: true };
    let before = "2#0301".chars().map(pressed).chain([dropped]);
    let kinds = before.chain("23456".chars().map(pressed));
    for (seq, kind) in (0..).zip(kinds) {
        let entry = strowger_contact::Entry { seq, at: 1, kind };
        writer
            .write(Record::Entries("k-0".to_owned(), vec![entry]))
            .await;
    }
    writer
        .write(Record::Ended {
            id: "k-0".to_owned(),
            reason: "abandoned".into(),
            at: 5,
            record: Some(Box::new(record("k-0", 5))),
        })
        .await;
    // Whose numbers only look alike.
    for (id, from) in [
        ("x-0", "+4330123456"),
        ("x-1", "+493012345"),
        ("x-2", "4930123457"),
    ] {
        let mut beginning = began(id, id);
        if let Record::Began { from: caller, .. } = &mut beginning {
            from.clone_into(caller);
        }
        writer.write(beginning).await;
        let own = ContactRecord {
            from: from.to_owned(),
            ..record(id, 5)
        };
        writer
            .write(Record::Ended {
                id: id.to_owned(),
                reason: "completed".into(),
                at: 5,
                record: Some(Box::new(own)),
            })
            .await;
    }
    writer.flush().await.map_err(anyhow::Error::msg)?;
    Ok(ids)
}

/// A contact that ended, and whose recording is named.
pub async fn recorded(place: &Place, id: &str, file: &Path) -> Result<()> {
    let store = open(place).await?;
    let (writer, written) = Writer::start(store.clone());
    writer.write(began(id, id)).await;
    let recorded = Record::Recorded {
        id: id.to_owned(),
        path: Some(file.display().to_string()),
    };
    writer.write(recorded).await;
    writer.write(crate::world::ended_at(id, 5)).await;
    drop(writer);
    written.await?;
    store.close().await;
    Ok(())
}

pub async fn mentions_that_last_are_counted_as_lasting_alone(
    database: &Database<'_>,
) -> Result<()> {
    let store = filled(database, &[("a-0", 1, "menu", false)]).await?;
    let (writer, _) = Writer::start(store.clone());
    for id in ["over-0", "lasting-0"] {
        let mut record = began(id, id);
        if let Record::Began { from, .. } = &mut record {
            "anonymous".clone_into(from);
        }
        writer.write(record).await;
        let wrote = strowger_contact::Entry {
            seq: 0,
            at: 1,
            kind: strowger_contact::EntryKind::Wrote {
                text: "call me on 861300000".into(),
                message: None,
                late: false,
            },
        };
        writer.write(Record::Entries(id.into(), vec![wrote])).await;
    }
    let mut own = record("over-0", 5);
    own.from = "anonymous".into();
    writer
        .write(Record::Ended {
            id: "over-0".into(),
            reason: "completed".into(),
            at: 5,
            record: Some(Box::new(own)),
        })
        .await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let number = Number::read("+861300000", None)?;
    let run = async |mentioned, dry, now| {
        let forgetting = Forgetting {
            store: &store,
            data: folder(&database.place),
            number: &number,
            tenant: None,
            mentioned,
            keys: false,
            dry,
            who: "cli:rosa",
            now,
        };
        let told = forget(&forgetting).await?;
        anyhow::Ok((told.contacts, told.mentioned, told.lasting, told.recordings))
    };
    // Left alone they are what mentions it, whether they last or not.
    assert_eq!(run(false, true, 9).await?, (1, 2, 0, 1));
    for dry in [true, false] {
        assert_eq!(run(true, dry, 9).await?, (1, 1, 1, 1), "{dry}");
    }
    assert!(store.contact("lasting-0").await?.is_some());
    assert_eq!(run(true, false, 10).await?, (0, 0, 1, 0));
    // The log has what each run removed, the newest first.
    let log = store.audit_log(None, None, 10).await?;
    let counts = log.iter().map(|line| {
        let count = |name: &str| line.detail[name].as_u64();
        (count("contacts"), count("recordings"), count("lasting"))
    });
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [(Some(0), Some(0), Some(1)), (Some(2), Some(1), Some(1))]
    );
    Ok(())
}

pub async fn a_number_is_found_however_it_is_spelt(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let ids = spelt(database, &store).await?;
    let all = SPELLINGS.len() as u64;
    let inland = INLAND as u64;
    let data = folder(&database.place);
    let run = async |number: &Number, mentioned, keys, dry| {
        let forgetting = Forgetting {
            store: &store,
            data,
            number,
            tenant: None,
            mentioned,
            keys,
            dry,
            who: "cli:rosa",
            now: 9,
        };
        forget(&forgetting).await
    };
    // However it is asked for. As it is dialled in Germany it may be another country's, and is a mention; so is what has
    // its national digits, as a number of Austria's here.
    for asked in [
        "+49 30 123456",
        "0049-30-123456",
        "tel:+4930123456",
        "+49 (0)30 123456",
    ] {
        let number = Number::read(asked, None)?;
        let found = run(&number, false, false, true).await?;
        assert_eq!(
            (found.contacts, found.recordings, found.mentioned),
            (3 * (all - inland), 3 * (all - inland), 3 * inland + all + 2),
            "{asked}"
        );
        assert_eq!(found.keys, [("callbacks".to_owned(), all)], "{asked}");
    }
    for (asked, country) in [("030 123456", "49"), ("+4930123456", "+49")] {
        let number = Number::read(asked, Some(country))?;
        let found = run(&number, false, false, true).await?;
        assert_eq!(
            (found.contacts, found.mentioned),
            (3 * all, all + 2),
            "{asked}"
        );
    }
    // All of it goes, and nobody else's.
    let number = Number::read("030 123456", Some("49"))?;
    let done = run(&number, false, true, false).await?;
    assert_eq!((done.contacts, done.recordings), (3 * all, 3 * all));
    for id in &ids {
        let there = store.contact(id).await?.is_some() || store.record(id).await?.is_some();
        assert_eq!(there, id.starts_with('m'), "{id}");
    }
    for id in ["x-0", "x-1", "x-2"] {
        assert!(store.contact(id).await?.is_some(), "{id}");
    }
    let left = run(&number, true, false, true).await?;
    assert_eq!(
        (left.contacts, left.mentioned, left.recordings),
        (0, all + 2, 0)
    );
    assert!(left.keys.is_empty(), "{:?}", left.keys);
    Ok(())
}

pub async fn old_lines_of_the_audit_log_go(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    for day in [1, 599, 600, 601, 999] {
        let change = strowger_server::store::Change {
            at: day * DAY,
            ..crate::access::change(&format!("day-{day}"), None)
        };
        let _ = store.audit(&change).await?;
    }
    let left = async || -> Result<Vec<String>> {
        let log = store.audit_log(None, None, 10).await?;
        Ok(log.into_iter().map(|line| line.object).collect())
    };
    // The log is no tenant's.
    let went = async |all: RetentionSection, dry: bool| -> Result<u64> {
        let rules = Rules {
            all,
            ..Rules::default()
        };
        let gone = swept_all(database, &store, &rules, dry).await?;
        Ok(gone.get("").map_or(0, |gone| gone.audit))
    };
    // Of itself a line is kept for 400 days.
    let rules = RetentionSection::default();
    assert_eq!(went(rules.clone(), true).await?, 2);
    assert_eq!(left().await?.len(), 5);
    assert_eq!(went(rules, false).await?, 2);
    assert_eq!(left().await?, ["day-999", "day-601", "day-600"]);
    let rules = RetentionSection {
        audit: Some(KeepAudit { days: 30 }),
        ..RetentionSection::default()
    };
    assert_eq!(went(rules, false).await?, 2);
    assert_eq!(left().await?, ["day-999"]);
    Ok(())
}
