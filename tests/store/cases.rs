//! What holds on either database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use serde_json::json;
use strowger_server::retention::expired_keys;
use strowger_server::store::{
    AccessError, Audited, ContactFilter, KvError, KvLimits, Page, Record, RecordFilter, SealedBy,
    Space, Store, StoreError, VaultRow, Writer,
};

use crate::world::{Database, began, begin, ended, ended_at, has_keys, key, open};

const SPACE: Space = Space {
    tenant: "aurora",
    plugin: "orders",
    limits: &KvLimits::DEFAULT,
};

pub async fn contacts_are_found_and_journals_come_back_as_written(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    writer.write(began("a", "call-a")).await;
    writer.write(key("a", 0)).await;
    writer.write(began("b", "call-b")).await;
    let recorded = Record::Recorded {
        id: "a".into(),
        path: Some("/recordings/a.wav".into()),
    };
    writer.write(recorded).await;
    writer.write(ended_at("a", 7)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;

    let a = store.contact("a").await?.context("it is there")?;
    assert_eq!(
        (a.tenant.as_str(), a.flow.as_str()),
        ("aurora", "main-menu")
    );
    assert_eq!((a.from.as_str(), a.to.as_str()), ("+861300000", "100"));
    assert_eq!((a.hash.as_str(), a.content.as_deref()), ("00", Some("ff")));
    assert_eq!((a.started_at, a.ended_at), (1, Some(7)));
    assert_eq!(a.reason.as_deref(), Some("completed"));
    assert_eq!(a.recording.as_deref(), Some("/recordings/a.wav"));
    assert!(store.contact("c").await?.is_none());

    let of_call = |call_id: &str| ContactFilter {
        sip_call_id: Some(call_id.to_owned()),
        ..ContactFilter::default()
    };
    let found = store.contacts(&of_call("call-b")).await?;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id.as_str(), found[0].ended_at), ("b", None));
    assert!(store.contacts(&of_call("call-c")).await?.is_empty());
    let one = ContactFilter {
        limit: Some(1),
        ..ContactFilter::default()
    };
    assert_eq!(store.contacts(&one).await?.len(), 1);
    assert_eq!(store.ended_since(7).await?, ["a"]);
    assert!(store.ended_since(8).await?.is_empty());
    let Record::Entries(_, entries) = key("a", 0) else {
        unreachable!("a key is an entry");
    };
    assert_eq!(store.journal("a").await?.entries, entries);
    assert!(store.journal("b").await?.entries.is_empty());
    Ok(())
}

pub async fn all_of_many_contacts_is_there_in_order(database: &Database<'_>) -> Result<()> {
    const CONTACTS: usize = 60;
    const KEYS: u32 = 100;
    let store = open(&database.place).await?;
    let (writer, written) = Writer::start(store.clone());
    let ids: Vec<String> = (0..CONTACTS).map(|number| format!("c{number}")).collect();
    let calls = ids.iter().map(|id| {
        let (writer, id) = (writer.clone(), id.clone());
        tokio::spawn(async move {
            writer.write(began(&id, &id)).await;
            for seq in 0..KEYS {
                writer.write(key(&id, seq)).await;
                if seq % 25 == 0 {
                    writer.flush().await?;
                }
            }
            writer.write(ended_at(&id, 9)).await;
            Ok::<_, String>(())
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await?.map_err(anyhow::Error::msg)?;
    }
    drop(writer);
    // Whoever goes last closes the queue, and what is in it is written first.
    written.await?;
    for id in &ids {
        assert!(has_keys(&store, id, KEYS).await?, "{id}");
    }
    assert!(ended(&store).await?.iter().all(|(_, at)| *at == Some(9)));
    assert_eq!((store.health().waiting(), store.health().lost()), (0, 0));
    Ok(())
}

pub async fn a_key_is_set_read_compared_and_gone_in_time(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let get = async |now| store.kv_get(SPACE, "k", now).await;
    let swap = async |expected: Option<&[u8]>, value: &[u8], now| {
        store
            .kv_compare_and_set(SPACE, "k", expected, value, now)
            .await
    };
    assert_eq!(get(1).await?, None);
    assert!(swap(None, b"first", 1).await?);
    assert!(!swap(None, b"never", 1).await?);
    assert!(swap(Some(b"first"), b"second \xff\x00", 1).await?);
    assert!(!swap(Some(b"first"), b"never", 1).await?);
    assert_eq!(get(1).await?.as_deref(), Some(&b"second \xff\x00"[..]));
    store.kv_delete(SPACE, "k").await?;
    store.kv_delete(SPACE, "k").await?;
    assert_eq!(get(1).await?, None);
    store.kv_set(SPACE, "k", b"brief", Some(10), 1).await?;
    assert_eq!(get(9).await?.as_deref(), Some(&b"brief"[..]));
    assert_eq!(get(10).await?, None);
    assert!(swap(None, b"later", 10).await?, "what is gone is not there");
    assert_eq!(get(u64::MAX).await?.as_deref(), Some(&b"later"[..]));
    Ok(())
}

pub async fn spaces_are_apart(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let spaces = [
        ("aurora", "orders"),
        ("aurora", "crm"),
        ("borealis", "orders"),
    ];
    for (tenant, plugin) in spaces {
        let space = Space {
            tenant,
            plugin,
            limits: &KvLimits::DEFAULT,
        };
        let value = format!("{tenant} {plugin}");
        store.kv_set(space, "k", value.as_bytes(), None, 1).await?;
    }
    store.kv_delete(SPACE, "k").await?;
    for (tenant, plugin) in spaces {
        let value = store
            .kv_get(
                Space {
                    tenant,
                    plugin,
                    limits: &KvLimits::DEFAULT,
                },
                "k",
                1,
            )
            .await?;
        let left = (tenant, plugin) != ("aurora", "orders");
        assert_eq!(
            value,
            left.then(|| format!("{tenant} {plugin}").into_bytes())
        );
    }
    Ok(())
}

pub async fn of_changes_at_the_same_time_each_sees_the_one_before(
    database: &Database<'_>,
) -> Result<()> {
    const TASKS: usize = 8;
    const CHANGES: usize = 10;
    let store = open(&database.place).await?;
    let count = |store: Store| async move {
        for _ in 0..CHANGES {
            loop {
                let seen = store.kv_get(SPACE, "count", 1).await?;
                let number = seen.as_deref().map_or(Ok(0), |seen| {
                    std::str::from_utf8(seen)?
                        .parse::<usize>()
                        .map_err(anyhow::Error::from)
                })?;
                let next = (number + 1).to_string();
                let set = store
                    .kv_compare_and_set(SPACE, "count", seen.as_deref(), next.as_bytes(), 1)
                    .await?;
                if set {
                    break;
                }
            }
        }
        anyhow::Ok(())
    };
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| tokio::spawn(count(store.clone())))
        .collect();
    for task in tasks {
        task.await??;
    }
    let all = (TASKS * CHANGES).to_string();
    assert_eq!(
        store.kv_get(SPACE, "count", 1).await?,
        Some(all.into_bytes())
    );
    Ok(())
}

pub async fn bytes_and_a_tenants_sums_are_held(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let limits = KvLimits {
        bytes: 100,
        tenant_keys: 4,
        tenant_bytes: 150,
        ..KvLimits::DEFAULT
    };
    let of = |plugin| Space {
        tenant: "aurora",
        plugin,
        limits: &limits,
    };
    let set = async |plugin, key, bytes: usize| {
        let done = store
            .kv_set(of(plugin), key, &vec![0; bytes], Some(10), 1)
            .await;
        match done {
            Ok(()) => Ok(None),
            Err(KvError::Limit { rule, .. }) => Ok(Some(rule)),
            Err(error) => Err(error),
        }
    };
    // A key counts with its own bytes, and one that is replaced counts once.
    assert_eq!(set("orders", "a", 99).await?, None);
    assert_eq!(set("orders", "a", 99).await?, None);
    assert_eq!(set("orders", "b", 0).await?, Some("kv.bytes"));
    assert_eq!(set("orders", "a", 100).await?, Some("kv.bytes"));
    assert_eq!(set("orders", "a", 59).await?, None);
    assert_eq!(set("crm", "a", 95).await?, Some("kv.tenant_bytes"));
    assert_eq!(set("crm", "a", 79).await?, None);
    store.kv_delete(of("crm"), "a").await?;
    for key in ["a", "b", "c"] {
        assert_eq!(set("crm", key, 0).await?, None);
    }
    assert_eq!(set("vip", "a", 0).await?, Some("kv.tenant_keys"));
    let other = Space {
        tenant: "borealis",
        ..of("orders")
    };
    store.kv_set(other, "a", &[0; 99], None, 1).await?;
    // What is over is gone with the next change of its plugin.
    assert_eq!(set("crm", "d", 0).await?, Some("kv.tenant_keys"));
    store.kv_set(of("crm"), "d", b"", None, 10).await?;
    Ok(())
}

pub async fn keys_that_are_over_count_against_nobody_and_go(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let limits = KvLimits {
        tenant_keys: 3,
        tenant_bytes: 100,
        ..KvLimits::DEFAULT
    };
    let of = |plugin| Space {
        tenant: "aurora",
        plugin,
        limits: &limits,
    };
    for key in ["a", "b", "c"] {
        store
            .kv_set(of("orders"), key, &[0; 30], Some(10), 1)
            .await?;
    }
    let set = async |bytes: usize, now| {
        let done = store
            .kv_set(of("crm"), "k", &vec![0; bytes], None, now)
            .await;
        match done {
            Ok(()) => Ok(None),
            Err(KvError::Limit { rule, .. }) => Ok(Some(rule)),
            Err(error) => Err(error),
        }
    };
    assert_eq!(set(0, 9).await?, Some("kv.tenant_keys"));
    // Of the other plugin nobody writes any more. Its keys are over, and what is too large by itself is so still.
    assert_eq!(set(100, 10).await?, Some("kv.tenant_bytes"));
    assert_eq!(set(99, 10).await?, None);
    assert_eq!(store.tenants_with_expired_keys(u64::MAX).await?, [""; 0]);
    // And they go where nobody writes at all: of every tenant, and no other ones.
    store.kv_delete(of("crm"), "k").await?;
    let generous = |tenant, plugin| Space {
        tenant,
        plugin,
        limits: &KvLimits::DEFAULT,
    };
    for (tenant, plugin) in [("aurora", "orders"), ("aurora", "crm"), ("vega", "orders")] {
        let space = generous(tenant, plugin);
        for number in 0..150 {
            let key = format!("brief-{number}");
            store.kv_set(space, &key, b"v", Some(20), 11).await?;
        }
        store.kv_set(space, "later", b"v", Some(21), 11).await?;
        store.kv_set(space, "for ever", b"v", None, 11).await?;
    }
    let at_once = std::time::Duration::ZERO;
    assert_eq!(expired_keys(&store, 19, at_once).await?, 0);
    assert_eq!(
        store.tenants_with_expired_keys(20).await?,
        ["aurora", "vega"]
    );
    assert_eq!(store.remove_expired_keys("aurora", 20, 7).await?, 7);
    assert_eq!(expired_keys(&store, 20, at_once).await?, 443);
    assert_eq!(store.tenants_with_expired_keys(20).await?, [""; 0]);
    let four = KvLimits {
        tenant_keys: 4,
        ..KvLimits::DEFAULT
    };
    for (tenant, plugin) in [("aurora", "orders"), ("aurora", "crm"), ("vega", "orders")] {
        for key in ["later", "for ever"] {
            let kept = store.kv_get(generous(tenant, plugin), key, 20).await?;
            assert_eq!(kept.as_deref(), Some(&b"v"[..]), "{tenant} {plugin} {key}");
        }
    }
    // What went is no longer counted: there are four, and no fifth.
    let crm = Space {
        limits: &four,
        ..of("crm")
    };
    store.kv_set(crm, "later", b"w", Some(30), 20).await?;
    let fifth = store.kv_set(crm, "fifth", b"", None, 20).await;
    assert!(
        matches!(
            fifth,
            Err(KvError::Limit {
                rule: "kv.tenant_keys",
                ..
            })
        ),
        "{fifth:?}"
    );
    Ok(())
}

pub async fn a_vault_is_kept_replaced_and_sealed_anew(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let row = |name: &str, sealed: &[u8]| VaultRow {
        tenant: "aurora".into(),
        name: name.into(),
        hosts: "[\"a.example:443\"]".into(),
        key: "k1".into(),
        sealed: sealed.into(),
        set_at: 1,
        set_by: "cli".into(),
    };
    let change = crate::access::change("orders", Some("aurora"));
    for entry in [
        row("orders", b"old"),
        row("orders", b"new"),
        row("crm", b"c"),
    ] {
        let _ = set(&store, &entry).await?;
    }
    let kept = store.vault(Some("aurora")).await?;
    let names: Vec<&str> = kept.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["crm", "orders"]);
    assert_eq!(kept[1].sealed, b"new");
    assert_eq!(kept[1].hosts(), ["a.example:443"]);
    assert!(store.vault(Some("borealis")).await?.is_empty());
    assert!(store.vault_entry("borealis", "orders").await?.is_none());
    // What is refused is neither kept nor in the log; it was told of all that is there.
    let lines = store.audit_log(None, None, 100).await?.len();
    let refused = store.set_vault_entry(&change, |there| {
        let there: Vec<[&str; 3]> = there
            .iter()
            .map(|entry| [&*entry.tenant, &*entry.name, &*entry.key])
            .collect();
        assert_eq!(there, [["aurora", "crm", "k1"], ["aurora", "orders", "k1"]]);
        Err::<VaultRow, _>(AccessError::Limit("no".into()))
    });
    assert!(matches!(refused.await, Err(AccessError::Limit(_))));
    // All or none are sealed anew, and what is refused at the end stops it, too.
    let anew = |row: &VaultRow| Ok([&row.sealed[..], b"+"].concat());
    let first = |row: &VaultRow| match row.name == "crm" {
        true => anew(row),
        false => Err(no()),
    };
    let stopped = store.rekey_vault("k2", &change, first, || Ok(()));
    assert!(stopped.await.is_err());
    let stopped = store.rekey_vault("k2", &change, anew, || Err(no()));
    assert!(stopped.await.is_err());
    assert!(store.vault(None).await?.iter().all(|row| row.key == "k1"));
    assert_eq!(store.audit_log(None, None, 100).await?.len(), lines);
    let done = store.rekey_vault("k2", &change, anew, || Ok::<_, StoreError>(()));
    assert_eq!(done.await?.0, 2);
    let rows = store.vault(None).await?;
    assert!(rows.iter().all(|row| row.key == "k2"));
    assert_eq!(rows[1].sealed, b"new+");
    assert_eq!(store.audit_log(None, None, 100).await?.len(), lines + 1);
    let removed = store.remove_vault_entry("aurora", "crm", &change).await?;
    assert!(removed.is_some());
    let again = store.remove_vault_entry("aurora", "crm", &change).await?;
    assert!(again.is_none());
    Ok(())
}

/// Keeps an entry as it is, whatever else is there.
pub async fn set(store: &Store, row: &VaultRow) -> Result<Audited, AccessError> {
    let change = crate::access::change(&row.name, Some(&row.tenant));
    let kept = store.set_vault_entry(&change, |_| Ok::<_, AccessError>(row.clone()));
    kept.await.map(|(_, audited)| audited)
}

fn no() -> StoreError {
    StoreError::Gone("no".into())
}

/// Four write beside one who changes the key six times.
pub async fn what_is_set_while_the_key_changes_is_of_the_key_that_holds(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    let key = Arc::new(Mutex::new(0));
    let now = |key: &Mutex<u32>| *key.lock().expect("nobody panicked");
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let (store, key) = (store.clone(), key.clone());
        writers.spawn(async move {
            for number in 0..20 {
                let name = format!("entry{writer}-{}", number % 8);
                let change = crate::access::change(&name, Some("aurora"));
                let seal = |there: &[SealedBy]| {
                    let held = now(&key).to_string();
                    for other in there {
                        assert_eq!(other.key, held, "{name} beside {}", other.name);
                    }
                    Ok::<_, AccessError>(VaultRow {
                        tenant: "aurora".into(),
                        name: name.clone(),
                        hosts: "[]".into(),
                        sealed: held.clone().into_bytes(),
                        key: held,
                        set_at: 1,
                        set_by: "cli".into(),
                    })
                };
                let _ = store.set_vault_entry(&change, seal).await?;
            }
            anyhow::Ok(())
        });
    }
    for next in 1..=6_u32 {
        let seal = |row: &VaultRow| {
            assert_eq!(row.sealed, (next - 1).to_string().into_bytes());
            Ok::<_, StoreError>(next.to_string().into_bytes())
        };
        let ready = || {
            *key.lock().expect("nobody panicked") = next;
            Ok(())
        };
        let change = crate::access::change("*", None);
        let _ = store
            .rekey_vault(&next.to_string(), &change, seal, ready)
            .await?;
    }
    for done in writers.join_all().await {
        done?;
    }
    let rows = store.vault(None).await?;
    assert_eq!(rows.len(), 32);
    for row in rows {
        assert_eq!((&*row.key, &*row.sealed), ("6", &b"6"[..]), "{}", row.name);
    }
    Ok(())
}

pub async fn limits_of_keys_are_held(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let long = "k".repeat(KvLimits::DEFAULT.key_bytes + 1);
    let large = vec![0; KvLimits::DEFAULT.value_bytes + 1];
    for (key, value, told) in [
        ("", &large[..1], "not empty"),
        ("a\0b", &large[..1], "NUL"),
        (&long, &large[..1], "(limits.kv.key_bytes)"),
        ("k", &large, "(limits.kv.value_bytes)"),
    ] {
        let refused = store.kv_set(SPACE, key, value, None, 1).await;
        let refused = refused.expect_err(told).to_string();
        assert!(refused.contains(told), "{refused}");
    }
    let (key, value) = (&long[1..], &large[1..]);
    store.kv_set(SPACE, key, value, None, 1).await?;
    assert_eq!(store.kv_get(SPACE, key, 1).await?.as_deref(), Some(value));
    store.kv_delete(SPACE, key).await?;
    // All but one go at 5.
    database.fill().await?;
    let refused = store.kv_set(SPACE, "one more", b"", None, 1).await;
    assert!(matches!(
        refused,
        Err(KvError::Limit {
            rule: "kv.keys",
            ..
        })
    ));
    store.kv_set(SPACE, "0", b"changed", None, 1).await?;
    store.kv_set(SPACE, "one more", b"", None, 5).await?;
    assert_eq!(
        store.kv_get(SPACE, "0", 5).await?.as_deref(),
        Some(&b"changed"[..])
    );
    Ok(())
}

pub async fn what_a_former_engine_left_open_is_closed(database: &Database<'_>) -> Result<()> {
    begin(&database.place, "left").await?;
    let store = open(&database.place).await?;
    assert_eq!(store.orphans().await?, ["left"]);
    store
        .found_recording("left", "/recordings/left.wav")
        .await?;
    store.found_recording("left", "/elsewhere.wav").await?;
    assert_eq!(store.close_orphans(5).await?, 1);
    assert_eq!(store.close_orphans(6).await?, 0);
    let left = store.contact("left").await?.context("it is there")?;
    assert_eq!(
        (left.ended_at, left.reason.as_deref()),
        (Some(5), Some("engine-stopped"))
    );
    assert_eq!(left.recording.as_deref(), Some("/recordings/left.wav"));
    Ok(())
}

pub async fn all_is_there_after_opening_again(database: &Database<'_>) -> Result<()> {
    begin(&database.place, "a").await?;
    let store = open(&database.place).await?;
    store.kv_set(SPACE, "k", b"v", None, 1).await?;
    store.close().await;
    for store in [
        open(&database.place).await?,
        Store::look(&database.place).await?,
    ] {
        assert!(has_keys(&store, "a", 1).await?);
        assert_eq!(
            store.kv_get(SPACE, "k", 1).await?.as_deref(),
            Some(&b"v"[..])
        );
    }
    Ok(())
}

pub async fn what_the_store_refuses_is_lost_alone(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    database.refuse_poison().await?;
    let (writer, _) = Writer::start(store.clone());
    for id in ["a", "poison", "b"] {
        let mut record = began(id, id);
        if let (Record::Began { flow, .. }, "poison") = (&mut record, id) {
            *flow = "poison".into();
        }
        writer.write(record).await;
        writer.write(key(id, 0)).await;
        writer.write(key(id, 1)).await;
    }
    writer.flush().await.map_err(anyhow::Error::msg)?;
    assert_eq!(
        ended(&store).await?,
        [("a".to_owned(), None), ("b".to_owned(), None)]
    );
    assert!(has_keys(&store, "a", 2).await? && has_keys(&store, "b", 2).await?);
    assert_eq!((store.health().lost(), store.health().waiting()), (1, 0));
    assert_eq!((store.health().outages(), store.health().gone()), (0, None));
    Ok(())
}

pub async fn a_caller_may_be_called_anything(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    let mut record = began("a", "'; DROP TABLE contacts; --");
    if let Record::Began { from, .. } = &mut record {
        *from = "张\0三 🙂 \"'\\".into();
    }
    writer.write(record).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let a = store.contact("a").await?.context("it is there")?;
    assert_eq!(a.from, "张\u{fffd}三 🙂 \"'\\");
    assert_eq!(a.sip_call_id.as_deref(), Some("'; DROP TABLE contacts; --"));
    Ok(())
}

pub async fn records_are_committed_with_the_end_and_come_in_pages(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    for (id, at) in [("a", 5), ("b", 5), ("c", 7), ("d", 9)] {
        writer.write(began(id, &format!("call-{id}"))).await;
        writer.write(ended_at(id, at)).await;
    }
    writer.write(began("e", "call-e")).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let ids = |page: &Page| -> String { page.records.iter().map(|r| r.id.as_str()).collect() };
    // Names of tags are any text.
    let mut tagged = ended_at("t", 11);
    if let Record::Ended {
        record: Some(record),
        ..
    } = &mut tagged
    {
        record.tags = BTreeMap::from([
            ("a \"'.tag".to_owned(), json!(null)),
            ("n\0l".to_owned(), json!("\\u0000")),
        ]);
    }
    writer.write(began("t", "call-t")).await;
    writer.write(tagged).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let mut filter = RecordFilter {
        to: Some(11),
        limit: Some(2),
        ..RecordFilter::default()
    };
    let first = store.records(&filter).await?;
    assert_eq!(
        (ids(&first).as_str(), first.next.clone()),
        ("ab", Some((5, "b".into())))
    );
    assert_eq!(first.records[0].sip_call_id.as_deref(), Some("call-a"));
    filter.after = first.next;
    let second = store.records(&filter).await?;
    assert_eq!(ids(&second), "cd");
    filter.after = second.next;
    let last = store.records(&filter).await?;
    assert!(last.records.is_empty() && last.next.is_none());
    let of = |from, to, flow: Option<&str>| RecordFilter {
        from,
        to,
        flow: flow.map(str::to_owned),
        ..RecordFilter::default()
    };
    let of_tag = |name: &str| RecordFilter {
        tag: Some(name.to_owned()),
        ..RecordFilter::default()
    };
    for (filter, found) in [
        (of(5, Some(7), None), "ab"),
        (of(6, None, None), "cdt"),
        (of(0, None, Some("main-menu")), "abcdt"),
        (of(0, None, Some("other")), ""),
        (of_tag("a \"'.tag"), "t"),
        (of_tag("a"), ""),
    ] {
        assert_eq!(ids(&store.records(&filter).await?), found);
        assert_eq!(store.count_records(&filter).await?, found.len() as u64);
    }
    assert!(store.record("e").await?.is_none(), "it is not over");
    // The commit whose answer was lost is done again.
    writer.write(ended_at("a", 6)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    assert_eq!(store.record("a").await?.context("it is there")?.ended_at, 5);
    Ok(())
}

pub async fn a_contact_cut_by_a_crash_gets_a_record_of_its_journal(
    database: &Database<'_>,
) -> Result<()> {
    // Where the clock went back meanwhile, nothing ends before it began.
    begin(&database.place, "back").await?;
    let store = open(&database.place).await?;
    assert_eq!(store.close_orphans(0).await?, 1);
    let record = store.record("back").await?.context("it is there")?;
    assert_eq!((record.started_at, record.ended_at), (1, 1));
    store.close().await;
    begin(&database.place, "cut").await?;
    let store = open(&database.place).await?;
    assert_eq!(store.close_orphans(90_000).await?, 1);
    let record = store.record("cut").await?.context("it is there")?;
    assert_eq!(
        (record.reason.as_str(), record.ended_by.as_str()),
        ("engine-stopped", "engine")
    );
    assert_eq!(
        (record.from.as_str(), record.flow.as_str()),
        ("+861300000", "main-menu")
    );
    // It lasted as long as its journal, not until somebody closed it.
    assert_eq!(
        (record.started_at, record.ended_at, record.total_ms),
        (1, 90_000, 0)
    );
    assert_eq!(store.close_orphans(90_001).await?, 0);
    Ok(())
}

pub async fn a_call_that_waits_for_its_caller_is_left_open(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    writer.write(began("a", "call-a")).await;
    writer.write(began("b", "call-b")).await;
    for (id, until) in [("a", 5), ("b", 6), ("a", 7)] {
        let dropped = Record::Dropped {
            id: id.into(),
            binding: "10*".into(),
            until,
        };
        writer.write(dropped).await;
    }
    writer.write(Record::NotDropped { id: "b".into() }).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let waiting = store.open_drops().await?;
    let [drop] = &waiting[..] else {
        anyhow::bail!("{waiting:?}");
    };
    assert_eq!(
        (drop.id.as_str(), drop.until_at),
        ("a", 7),
        "the last time holds"
    );
    assert_eq!(
        (drop.binding.as_str(), drop.caller.as_str()),
        ("10*", "+861300000")
    );
    assert_eq!(store.close_orphans(9).await?, 1, "the other one");
    writer.write(ended_at("a", 9)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    assert!(store.open_drops().await?.is_empty(), "it is over");
    Ok(())
}

pub async fn a_damaged_record_is_left_out_and_named(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    for (id, at) in [("a", 1), ("cut", 2), ("torn", 3), ("d", 4), ("e", 5)] {
        writer.write(began(id, id)).await;
        let mut end = ended_at(id, at);
        if let Record::Ended {
            record: Some(record),
            ..
        } = &mut end
        {
            let tag = if id == "d" { "other" } else { "asked" };
            record.tags.insert(tag.to_owned(), json!(1));
        }
        writer.write(end).await;
    }
    writer.flush().await.map_err(anyhow::Error::msg)?;
    database.damage_records().await?;
    let told = |page: &Page| {
        let ids: Vec<String> = page
            .records
            .iter()
            .map(|record| record.id.clone())
            .collect();
        (ids.join(" "), page.damaged.join(" "), page.next.clone())
    };
    let of = |tag: Option<&str>, limit, after| RecordFilter {
        tag: tag.map(str::to_owned),
        limit,
        after,
        ..RecordFilter::default()
    };
    let words = |records: &str, next| (records.to_owned(), "cut torn".to_owned(), next);
    let all = store.records(&of(None, None, None)).await?;
    assert_eq!(told(&all), words("a d e", None));
    // A page is as long as it is asked to be, with damaged ones in its stretch.
    let page = store.records(&of(None, Some(2), None)).await?;
    let next = Some((4, "d".to_owned()));
    assert_eq!(told(&page), words("a d", next.clone()));
    let rest = store.records(&of(None, Some(2), next)).await?;
    assert_eq!(told(&rest), ("e".to_owned(), String::new(), None));
    // Whether a damaged one had the tag is not known.
    let tagged = of(Some("asked"), None, None);
    assert_eq!(told(&store.records(&tagged).await?), words("a e", None));
    assert_eq!(store.count_records(&tagged).await?, 4);
    let page = store.records(&of(Some("asked"), Some(2), None)).await?;
    assert_eq!(told(&page), words("a e", Some((5, "e".to_owned()))));
    let error = store.record("cut").await.err().context("it is damaged")?;
    assert!(
        error.to_string().contains("contact cut is damaged"),
        "{error}"
    );
    assert_eq!(store.health().damaged(), 2);
    assert!(store.record("a").await?.is_some());
    Ok(())
}
