//! The SIP messages of contacts: kept, read, copied and removed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use strowger_server::retention::Number;
use strowger_server::sip::{Signal, Way};
use strowger_server::store::{Place, Record, Rung, Sightings, Store, Swept, Writer, backup};
use tempfile::TempDir;

use crate::world::{Database, began, ended_at, open};

fn signal(leg: u32, n: u32, at: u64, what: &str) -> Signal {
    Signal {
        n,
        at,
        leg,
        way: Way::In,
        what: what.to_owned(),
        cseq: "1 INVITE".to_owned(),
        peer: "udp 192.0.2.1:5060".to_owned(),
        headers: BTreeMap::from([("from".to_owned(), "8613011112222".to_owned())]),
        body: None,
        again: 0,
    }
}

async fn filled(place: &Place) -> Result<Store> {
    let store = open(place).await?;
    let (writer, _) = Writer::start(store.clone());
    writer.write(began("a", "call-a")).await;
    for (leg, seq, rungs) in [
        (0, 0, vec![Rung::Sip(signal(0, 0, 10, "INVITE 100"))]),
        (7, 0, vec![Rung::Sip(signal(7, 0, 20, "INVITE desk"))]),
        (
            0,
            1,
            vec![
                Rung::SipAgain {
                    leg: 0,
                    n: 0,
                    times: 2,
                },
                Rung::Sip(signal(0, 1, 30, "BYE")),
                Rung::SipCut { leg: 0, times: 5 },
            ],
        ),
    ] {
        let id = "a".to_owned();
        writer
            .write(Record::Rungs {
                id,
                leg,
                seq,
                rungs,
            })
            .await;
    }
    writer.write(ended_at("a", 40)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    Ok(store)
}

pub async fn messages_come_back_in_order_and_go_with_the_journal(
    database: &Database<'_>,
) -> Result<()> {
    let store = filled(&database.place).await?;
    let ladder = store.ladder("a").await?;
    let what: Vec<_> = ladder
        .signals
        .iter()
        .map(|signal| (signal.leg, signal.what.as_str(), signal.again))
        .collect();
    assert_eq!(
        what,
        [(0, "INVITE 100", 2), (7, "INVITE desk", 0), (0, "BYE", 0)]
    );
    assert_eq!((ladder.cut, ladder.lost), (5, 0));
    assert!(store.ladder("b").await?.signals.is_empty());

    // A backup has it, and what is restored from it too.
    let folder = TempDir::new()?;
    let (Place::File { folder: data, .. } | Place::Server { folder: data, .. }) = &database.place;
    let copy = folder.path().join("backup");
    backup::backup(&database.place, data, &copy).await?;
    let copied = Store::look(&Place::file(&copy)).await?;
    assert_eq!(copied.ladder("a").await?, ladder);

    store.remove(Swept::Journal, &["a".to_owned()]).await?;
    assert!(store.ladder("a").await?.signals.is_empty());
    store.contact("a").await?.context("the contact stays")?;
    Ok(())
}

pub async fn a_number_in_a_ladder_is_a_mention(database: &Database<'_>) -> Result<()> {
    let store = filled(&database.place).await?;
    let sought = async |number: &str| {
        let number = Number::read(number, None)?;
        let found = store.sought_after("", &number, None).await?;
        Ok::<_, anyhow::Error>(found.context("there is a contact")?.1)
    };
    let found = sought("+8613011112222").await?;
    assert_eq!((found.own.len(), found.mentions.len()), (0, 1));
    assert_eq!(sought("+8613099999999").await?, Sightings::default());
    store.remove(Swept::Record, &["a".to_owned()]).await?;
    assert!(store.ladder("a").await?.signals.is_empty());
    Ok(())
}
