//! What tenants publish.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use strowger_server::store::{
    Change, Manifest, NewRevision, PluginVersion, PublishedError, Release, Store,
};

use crate::access::change;
use crate::world::{Database, open};

/// A version of the plugin `orders` whose component is a text.
pub fn version(version: &str, component: &str) -> PluginVersion {
    PluginVersion {
        number: 0,
        name: "orders".to_owned(),
        version: version.to_owned(),
        sha256: format!("sha-{component}"),
        size: component.len() as u64,
        imports: vec!["kv".to_owned()],
        publisher: Some("acme".to_owned()),
        signature: Some(vec![7; 64]),
        pushed_at: 7,
        pushed_by: "test".to_owned(),
    }
}

/// Pushes a revision with these versions.
pub async fn push(
    store: &Store,
    tenant: &str,
    versions: &[PluginVersion],
) -> Result<u64, PublishedError> {
    let blobs: BTreeMap<String, Vec<u8>> = versions
        .iter()
        .map(|version| (version.sha256.clone(), version.version.clone().into_bytes()))
        .collect();
    let files = versions
        .iter()
        .map(|v| (format!("{}.wasm", v.name), v.sha256.clone()));
    let manifest = Manifest {
        files: files.collect(),
        capabilities: [("orders".to_owned(), vec!["kv".to_owned()])].into(),
        publishers: [(tenant.to_owned(), Some("acme".to_owned()))].into(),
    };
    let new = NewRevision {
        content: "c0ffee",
        manifest: &manifest,
        blobs: &blobs,
        versions,
        note: "a note",
        change: &made(tenant, 8),
    };
    store.publish(tenant, new).await.map(|(number, _)| number)
}

/// What the audit log is told.
fn made(tenant: &str, at: u64) -> Change {
    Change {
        at,
        ..change(tenant, Some(tenant))
    }
}

/// What the audit log says was made of tenant aurora's, by name.
async fn written_down(store: &Store) -> Result<Vec<String>> {
    let log = store.audit_log(Some("aurora"), None, 10).await?;
    let mut made: Vec<String> = log.into_iter().map(|line| line.object).collect();
    made.sort();
    Ok(made)
}

/// A release of a revision for everybody.
pub fn release(live: u64) -> Release {
    Release {
        number: 0,
        live,
        candidate: None,
        percent: 0,
        restores: None,
        released_at: 9,
        released_by: "test".to_owned(),
    }
}

pub async fn versions_are_kept_once_and_revisions_counted(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    assert_eq!(push(&store, "aurora", &[version("1.0.0", "one")]).await?, 1);
    assert_eq!(push(&store, "vega", &[version("1.0.0", "other")]).await?, 1);
    // The same again is another revision and no other version; other bytes are refused, and nothing of it is kept.
    assert_eq!(push(&store, "aurora", &[version("1.0.0", "one")]).await?, 2);
    let forged = push(
        &store,
        "aurora",
        &[version("2.0.0", "x"), version("1.0.0", "two")],
    )
    .await;
    ensure!(
        matches!(forged, Err(PublishedError::Taken { .. })),
        "{forged:?}"
    );
    assert_eq!(
        push(&store, "aurora", &[version("1.1.0", "three")]).await?,
        3
    );
    // What was not kept was not written down either.
    let written = written_down(&store).await?;
    assert_eq!(written, ["aurora/1", "aurora/2", "aurora/3"]);
    let versions = store
        .plugin_versions("aurora", Some("orders"), None, 10)
        .await?;
    let shown: Vec<(u64, &str)> = versions
        .iter()
        .map(|v| (v.number, v.version.as_str()))
        .collect();
    assert_eq!(shown, [(2, "1.1.0"), (1, "1.0.0")]);
    assert_eq!(versions[1].imports, ["kv"]);
    ensure!(store.blob("sha-two").await?.is_none() && store.blob("sha-one").await?.is_some());
    let page = store.revisions("aurora", Some(3), 1).await?;
    assert_eq!(
        (page.len(), page[0].number, page[0].note.as_str()),
        (1, 2, "a note")
    );
    assert_eq!(store.revision_of("aurora", "c0ffee").await?, Some(3));
    assert_eq!(store.revision_of("aurora", "tea").await?, None);
    assert_eq!(store.revisions_since("aurora", 8).await?, 3);
    assert_eq!(store.revisions_since("aurora", 9).await?, 0);
    ensure!(store.revision("vega", 2).await?.is_none());
    Ok(())
}

pub async fn of_two_who_release_at_once_one_is_overtaken(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    ensure!(store.released("aurora").await?.is_none());
    for number in 1..=2 {
        push(&store, "aurora", &[version(&format!("1.0.{number}"), "n")]).await?;
    }
    let (one, two) = (release(1), release(2));
    let audit = made("aurora", 9);
    let (first, second) = tokio::join!(
        store.release("aurora", 0, &one, &audit),
        store.release("aurora", 0, &two, &audit)
    );
    let done = usize::from(first.is_ok()) + usize::from(second.is_ok());
    assert_eq!(done, 1, "{first:?} {second:?}");
    let lost = first.err().or(second.err());
    ensure!(
        matches!(
            lost,
            Some(PublishedError::Overtaken {
                expected: 0,
                found: 1
            })
        ),
        "{lost:?}"
    );
    // Beside the two pushes.
    let pushed = ["aurora/1", "aurora/2"];
    let releases = async || -> Result<Vec<String>> {
        let mut all = written_down(&store).await?;
        for push in pushed {
            let at = all.iter().position(|object| object == push);
            all.remove(at.ok_or_else(|| anyhow::anyhow!("{push} is not written down"))?);
        }
        Ok(all)
    };
    assert_eq!(releases().await?, ["aurora/1"]);
    assert_eq!(store.release("aurora", 1, &two, &audit).await?.0, 2);
    assert_eq!(releases().await?, ["aurora/1", "aurora/2"]);
    assert_eq!(
        store.released("aurora").await?.map(|release| release.live),
        Some(2)
    );
    assert_eq!(store.releases("aurora", None, 10).await?.len(), 2);
    Ok(())
}

pub async fn twenty_thousand_versions_are_looked_through(database: &Database<'_>) -> Result<()> {
    let store = open(&database.place).await?;
    for hundred in 0..200 {
        let versions: Vec<PluginVersion> = (0..100)
            .map(|number| PluginVersion {
                name: format!("plugin-{hundred}-{number}"),
                ..version("1.0.0", "same")
            })
            .collect();
        push(&store, "aurora", &versions).await?;
    }
    let one = store
        .plugin_versions("aurora", Some("plugin-150-7"), None, 10)
        .await?;
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].number, 15_008);
    let page = store
        .plugin_versions("aurora", None, Some(20_001), 200)
        .await?;
    assert_eq!((page.len(), page[0].number), (200, 20_000));
    Ok(())
}

pub async fn spent_revisions_go_with_files_that_no_other_has(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    // Each revision has a component of its own and one that all have; those of other tenants have both too.
    let shared = PluginVersion {
        name: "shared".to_owned(),
        ..version("1.0.0", "shared")
    };
    for number in 1..=20 {
        let own = version(&format!("1.0.{number}"), &format!("own-{number}"));
        push(&store, "aurora", &[own, shared.clone()]).await?;
    }
    push(&store, "vega", &[version("1.0.3", "own-3"), shared.clone()]).await?;
    // Releases of 1 to 12: the ten last are of 3 and later, but for the one that goes back to 2.
    for number in 0..12 {
        let live = if number == 11 { 2 } else { number + 1 };
        let release = release(live);
        let _ = store
            .release("aurora", number, &release, &made("aurora", 9))
            .await?;
    }
    assert_eq!(
        store.releases_now().await?,
        [("aurora".to_owned(), 12)].into()
    );
    let spent = |newest, before| store.spent_revisions("aurora", newest, before, 100);
    let numbers = |spent: Vec<strowger_server::store::Revision>| {
        spent.iter().map(|spent| spent.number).collect::<Vec<u64>>()
    };
    // All came at 8.
    assert_eq!(numbers(spent(5, 8).await?), [] as [u64; 0]);
    assert_eq!(numbers(spent(20, 9).await?), [] as [u64; 0]);
    assert_eq!(numbers(spent(5, 9).await?), [1, 12, 13, 14, 15]);
    for revision in spent(1, 9).await? {
        store.remove_revision("aurora", &revision).await?;
    }
    assert_eq!(numbers(spent(1, 9).await?), [] as [u64; 0]);
    let left = store.revisions("aurora", None, 100).await?;
    assert_eq!(numbers(left), [20, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    for (sha256, there) in [
        ("sha-own-1", false),
        ("sha-own-2", true),
        ("sha-own-12", false),
        ("sha-own-20", true),
        ("sha-shared", true),
    ] {
        assert_eq!(store.blob(sha256).await?.is_some(), there, "{sha256}");
    }
    // A version whose component went is not given to other bytes.
    let forged = push(&store, "aurora", &[version("1.0.1", "else")]).await;
    ensure!(
        matches!(forged, Err(PublishedError::Taken { .. })),
        "{forged:?}"
    );
    // What is left of another tenant keeps its files; numbers are never given twice.
    let three = store.revision("aurora", 3).await?;
    let three = three.ok_or_else(|| anyhow::anyhow!("revision 3 is there"))?;
    store.remove_revision("aurora", &three).await?;
    ensure!(store.blob("sha-own-3").await?.is_some());
    // The other tenant's is of the same files, whatever else is known of it.
    ensure!(store.has_revision_of(&three.manifest.files).await?);
    let mut others = three.manifest.files.clone();
    others.insert("routes.yaml".to_owned(), "sha-routes".to_owned());
    ensure!(!store.has_revision_of(&others).await?);
    assert_eq!(push(&store, "aurora", &[version("1.0.21", "n")]).await?, 21);
    assert_eq!(
        store.manifests(&("aurora".to_owned(), 20), 10).await?.len(),
        2
    );
    Ok(())
}

pub async fn what_another_engine_released_meanwhile_does_not_go(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    for number in 1..=3 {
        let own = version(&format!("1.0.{number}"), &format!("own-{number}"));
        push(&store, "aurora", &[own]).await?;
    }
    let spent = store.spent_revisions("aurora", 1, 9, 100).await?;
    assert_eq!(spent.len(), 2);
    let _ = store
        .release("aurora", 0, &release(1), &made("aurora", 9))
        .await?;
    let candidate = Release {
        candidate: Some(2),
        percent: 10,
        ..release(1)
    };
    for (revision, there) in [(0, true), (1, false)] {
        assert_eq!(
            store.remove_revision("aurora", &spent[revision]).await?,
            !there
        );
        let own = format!("sha-own-{}", revision + 1);
        assert_eq!(store.blob(&own).await?.is_some(), there);
    }
    // And what went is not released, by whoever had seen it.
    for gone in [release(2), candidate] {
        let refused = store.release("aurora", 1, &gone, &made("aurora", 9)).await;
        ensure!(
            matches!(refused, Err(PublishedError::Gone { revision: 2 })),
            "{refused:?}"
        );
    }
    assert_eq!(store.releases("aurora", None, 10).await?.len(), 1);
    Ok(())
}

pub async fn a_revision_whose_file_went_meanwhile_is_not_kept(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    let manifest = Manifest {
        files: [("orders.wasm".to_owned(), "sha-gone".to_owned())].into(),
        ..Manifest::default()
    };
    let new = NewRevision {
        content: "c0ffee",
        manifest: &manifest,
        blobs: &BTreeMap::new(),
        versions: &[],
        note: "",
        change: &made("aurora", 8),
    };
    ensure!(store.publish("aurora", new).await.is_err());
    ensure!(written_down(&store).await?.is_empty());
    ensure!(store.revisions("aurora", None, 1).await?.is_empty());
    Ok(())
}

pub async fn a_version_is_signed_anew_with_the_same_bytes_alone(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    let by = |publisher: &str, letter: u8, component: &str| PluginVersion {
        publisher: Some(publisher.to_owned()),
        signature: Some(vec![letter; 64]),
        ..version("1.0.0", component)
    };
    let unsigned = PluginVersion {
        publisher: None,
        signature: None,
        ..version("1.0.0", "one")
    };
    let signed = async || -> Result<(Option<String>, Option<u8>)> {
        let mut all = store.plugin_versions("aurora", None, None, 10).await?;
        ensure!(all.len() == 1, "{all:?}");
        let one = all.remove(0);
        Ok((one.publisher, one.signature.map(|signature| signature[0])))
    };
    push(&store, "aurora", std::slice::from_ref(&unsigned)).await?;
    assert_eq!(signed().await?, (None, None));
    push(&store, "aurora", &[by("acme", 1, "one")]).await?;
    assert_eq!(signed().await?, (Some("acme".to_owned()), Some(1)));
    push(&store, "aurora", &[by("lyra", 2, "one")]).await?;
    assert_eq!(signed().await?, (Some("lyra".to_owned()), Some(2)));
    // One that comes without keeps what is there; other bytes get nothing.
    push(&store, "aurora", &[unsigned]).await?;
    let forged = push(&store, "aurora", &[by("eve", 3, "two")]).await;
    ensure!(
        matches!(forged, Err(PublishedError::Taken { .. })),
        "{forged:?}"
    );
    assert_eq!(signed().await?, (Some("lyra".to_owned()), Some(2)));
    Ok(())
}

pub async fn roll_backs_of_before_are_known_by_the_audit_log(
    database: &Database<'_>,
) -> Result<()> {
    let store = open(&database.place).await?;
    for (tenant, revisions) in [("aurora", 7), ("aurora-2", 1)] {
        for number in 1..=revisions {
            push(&store, tenant, &[version(&format!("1.0.{number}"), "n")]).await?;
        }
    }
    // Two roll-backs, a release that goes back by hand, and a roll-back of another tenant's with the same number.
    for (number, live, back) in [
        (0, 5, false),
        (1, 6, false),
        (2, 7, false),
        (3, 6, true),
        (4, 5, true),
        (5, 6, false),
    ] {
        let change = Change {
            action: if back {
                "release.rollback"
            } else {
                "release.make"
            }
            .to_owned(),
            ..made("aurora", 9)
        };
        let _ = store
            .release("aurora", number, &release(live), &change)
            .await?;
    }
    for number in 0..6 {
        let change = Change {
            action: "release.rollback".to_owned(),
            ..made("aurora-2", 9)
        };
        let _ = store
            .release("aurora-2", number, &release(1), &change)
            .await?;
    }
    store.close().await;
    database.forget_the_roll_backs().await?;
    let store = open(&database.place).await?;
    let releases = store.releases("aurora", None, 10).await?;
    let restores: Vec<Option<u64>> = releases.iter().map(|release| release.restores).collect();
    assert_eq!(restores, [None, Some(1), Some(2), None, None, None]);
    let page = store.releases("aurora", Some(5), 2).await?;
    let numbers: Vec<u64> = page.iter().map(|release| release.number).collect();
    assert_eq!(numbers, [4, 3]);
    Ok(())
}
