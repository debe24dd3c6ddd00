//! Events, and what is still to be told of them.

use anyhow::{Context, Result};
use strowger_server::store::{Record, Writer};

use crate::world::{Database, began, ended_at, open};

pub async fn what_happened_is_noted_once_for_each_webhook(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    let flush = async || writer.flush().await.map_err(anyhow::Error::msg);
    writer.write(began("before", "call-before")).await;
    flush().await?;
    let ended = ["contact.ended".to_owned()];
    // A webhook that is new is told what happens from now on.
    assert!(!store.note_deliveries("crm", &ended, 10, 8).await?);
    let mut news = store.news();
    news.mark_unchanged();
    for id in ["a", "b", "c"] {
        writer.write(began(id, &format!("call-{id}"))).await;
        writer.write(ended_at(id, 20)).await;
    }
    // A commit whose answer was lost is done again.
    writer.write(ended_at("a", 20)).await;
    flush().await?;
    assert!(news.has_changed()?);
    // Six events in pages of four.
    assert!(store.note_deliveries("crm", &ended, 30, 4).await?);
    assert!(!store.note_deliveries("crm", &ended, 30, 4).await?);
    assert!(!store.note_deliveries("crm", &ended, 30, 4).await?);
    let due = store.deliveries("crm", "aurora", 10).await?;
    assert_eq!(due.len(), 3);
    assert!(
        due.iter()
            .all(|delivery| (delivery.since, delivery.attempts) == (30, 0))
    );
    let event = store.event(due[0].event).await?.context("it is there")?;
    assert_eq!(
        (event.kind.as_str(), event.contact.as_str()),
        ("contact.ended", "a")
    );

    store.delivered("crm", due[0].event).await?;
    store
        .undelivered("crm", due[1].event, Some(99), "refused\0")
        .await?;
    store.undelivered("crm", due[2].event, None, "gone").await?;
    let left = store.deliveries("crm", "aurora", 10).await?;
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].due, left[0].attempts), (99, 1));
    let dead = store.dead_letters(None, 10).await?;
    assert_eq!((dead.len(), dead[0].delivery.event), (1, due[2].event));
    assert_eq!(dead[0].delivery.error.as_deref(), Some("gone"));
    // Nobody is still to be told of the others.
    assert_eq!(store.prune_events(1_000, 0).await?, 5);
    assert_eq!(store.revive(Some("other"), None, 200).await?, 0);
    assert_eq!(store.revive(Some("crm"), None, 200).await?, 1);
    assert!(store.dead_letters(None, 10).await?.is_empty());
    let again = store.deliveries("crm", "aurora", 10).await?;
    assert!(
        again
            .iter()
            .any(|delivery| delivery.event == due[2].event && delivery.attempts == 0)
    );
    Ok(())
}

pub async fn what_was_to_be_told_to_a_webhook_that_is_gone_is_a_dead_letter(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    let ended = ["contact.ended".to_owned()];
    for hook in ["crm", "old.example"] {
        assert!(!store.note_deliveries(hook, &ended, 10, 8).await?);
    }
    for id in ["a", "b"] {
        writer.write(began(id, &format!("call-{id}"))).await;
        writer.write(ended_at(id, 20)).await;
    }
    writer.flush().await.map_err(anyhow::Error::msg)?;
    for hook in ["crm", "old.example"] {
        store.note_deliveries(hook, &ended, 30, 8).await?;
    }
    let first = store.deliveries("old.example", "aurora", 8).await?[0].event;
    store
        .undelivered("old.example", first, None, "refused")
        .await?;
    let there = ["crm".to_owned()];
    let given_up = store.give_up_others(&there, "gone").await?;
    assert_eq!(given_up, [("old.example".to_owned(), 1)]);
    assert_eq!(store.deliveries("crm", "aurora", 8).await?.len(), 2);
    assert!(
        store
            .deliveries("old.example", "aurora", 8)
            .await?
            .is_empty()
    );
    let dead = store.dead_letters(None, 8).await?;
    let why = dead.iter().map(|letter| {
        let delivery = &letter.delivery;
        (delivery.hook.as_str(), delivery.error.as_deref())
    });
    // What was given up before keeps its own reason.
    assert_eq!(
        why.collect::<Vec<_>>(),
        [
            ("old.example", Some("refused")),
            ("old.example", Some("gone"))
        ]
    );
    assert!(store.give_up_others(&there, "gone").await?.is_empty());
    Ok(())
}

pub async fn tenants_are_told_of_in_turn(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    let ended = ["contact.ended".to_owned()];
    store.note_deliveries("crm", &ended, 10, 8).await?;
    assert!(store.to_be_told_of("crm").await?.is_empty());
    for (id, whose) in [("a", "vega"), ("b", "aurora"), ("c", "vega"), ("d", "lyra")] {
        let mut record = began(id, &format!("call-{id}"));
        if let Record::Began { tenant, .. } = &mut record {
            *tenant = whose.to_owned();
        }
        writer.write(record).await;
        writer.write(ended_at(id, 20)).await;
    }
    writer.flush().await.map_err(anyhow::Error::msg)?;
    store.note_deliveries("crm", &ended, 30, 8).await?;
    assert_eq!(
        store.to_be_told_of("crm").await?,
        ["aurora", "lyra", "vega"]
    );
    assert!(store.to_be_told_of("other").await?.is_empty());
    let of_vega = store.deliveries("crm", "vega", 8).await?;
    assert_eq!(of_vega.len(), 2);
    assert!(of_vega.iter().all(|delivery| delivery.tenant == "vega"));
    assert_eq!(store.deliveries("crm", "vega", 1).await?, of_vega[..1]);
    let of_lyra = store.deliveries("crm", "lyra", 8).await?;
    store.delivered("crm", of_lyra[0].event).await?;
    // What was given up waits no more.
    for delivery in &of_vega {
        store
            .undelivered("crm", delivery.event, None, "gone")
            .await?;
    }
    assert_eq!(store.to_be_told_of("crm").await?, ["aurora"]);
    Ok(())
}

pub async fn an_event_is_known_to_its_tenant_alone(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    let (writer, _) = Writer::start(store.clone());
    writer.write(began("a", "call-a")).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    let tenant = store.contact("a").await?.context("it is there")?.tenant;
    let events = store.events_after(0, 8).await?;
    let event = events.first().context("it began")?;
    let known = async |contact: &str, tenant: Option<&str>| {
        store.event_of(contact, &event.kind, tenant).await
    };
    assert_eq!(known("a", None).await?, Some(event.id));
    assert_eq!(known("a", Some(&tenant)).await?, Some(event.id));
    // To another it is as one that never was.
    assert_eq!(known("a", Some("another")).await?, None);
    assert_eq!(known("b", Some("another")).await?, None);
    Ok(())
}
