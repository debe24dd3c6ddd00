//! Compiled code on disk: used when it is ours and whole, never otherwise.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use strowger_plugin::{Grants, Host, HostConfig, HostError, Limits, LoadError, STACKS, StepError};

use crate::guest::{self, Guest};
use crate::world::{go, load};

fn host(folder: &Path) -> Host {
    try_host(folder).expect("the cache can be used")
}

fn try_host(folder: &Path) -> Result<Host, HostError> {
    Host::new(HostConfig {
        cache_dir: Some(folder.to_owned()),
        pool: Some(16),
        ..HostConfig::default()
    })
}

/// Loads and runs the default guest; gives cache hits and refused files of the host.
async fn load_and_run(host: &Host) -> (u64, u64) {
    let plugin = load(host, &Guest::default().build()).await.unwrap();
    plugin
        .run(go("{}"))
        .await
        .result
        .expect("the step ends well");
    let report = host.report();
    (report.cache_hits, report.cache_rejected)
}

/// The one file of compiled code.
fn compiled(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cwasm")
        });
    let file = files.next().expect("one file");
    assert_eq!(files.next(), None);
    file
}

#[tokio::test]
async fn all_stacks_share_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    assert_eq!(load_and_run(&host).await, (0, 0));
    for (hits, stack_bytes) in (1..).zip(STACKS) {
        let limits = Limits {
            stack_bytes,
            ..Limits::default()
        };
        let component = Guest::default().build();
        let plugin = host.load(&component, &Grants::all(), &limits).await;
        let report = plugin.expect("it is as it was").run(go("{}")).await;
        report.result.expect("the step ends well");
        let report = host.report();
        assert_eq!((report.cache_hits, report.cache_rejected), (hits, 0));
    }
    compiled(folder.path());
}

#[tokio::test]
async fn code_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(load_and_run(&host(folder.path())).await, (0, 0));
    assert_eq!(load_and_run(&host(folder.path())).await, (1, 0));
    for file in [compiled(folder.path()), folder.path().join("node.key")] {
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// Which of some guests, by their number, have their code on the disk, and how many bytes that is in all.
fn on_disk(folder: &Path, guests: &[Vec<u8>]) -> (Vec<usize>, u64) {
    let digest = |guest: &[u8]| {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(guest);
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let names: Vec<(String, u64)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                entry.metadata().unwrap().len(),
            )
        })
        .filter(|(name, _)| name.ends_with(".cwasm") || name.ends_with(".description"))
        .collect();
    let there = guests.iter().enumerate().filter(|(_, guest)| {
        let digest = digest(guest);
        names
            .iter()
            .any(|(name, _)| name.starts_with(&digest) && name.ends_with(".cwasm"))
    });
    (
        there.map(|(at, _)| at).collect(),
        names.iter().map(|(_, bytes)| bytes).sum(),
    )
}

#[tokio::test]
async fn beyond_its_bound_goes_what_was_used_the_longest_ago_and_never_what_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Of one size, and different.
    let guests: Vec<Vec<u8>> = (0..8)
        .map(|n| guest::answers("number", &format!("{{\"n\":{n}}}")))
        .collect();
    let bounded = |bytes: u64| {
        Host::new(HostConfig {
            cache_dir: Some(folder.to_owned()),
            cache_bytes: bytes,
            pool: Some(16),
            ..HostConfig::default()
        })
        .expect("the cache can be used")
    };
    let host = bounded(1 << 30);
    let first = load(&host, &guests[0]).await.unwrap();
    let (_, one) = on_disk(folder, &guests);
    drop((first, host));

    // Room for three.
    let most = 3 * one + one / 2;
    let host = bounded(most);
    let loaded = load(&host, &guests[0]).await.unwrap();
    for guest in &guests[1..5] {
        drop(load(&host, guest).await.unwrap());
    }
    let (there, bytes) = on_disk(folder, &guests);
    assert_eq!(there, [0, 3, 4], "the oldest is loaded and stays");
    assert!(bytes <= most, "{bytes} of {most}");
    // What is loaded anew is young again.
    drop(load(&host, &guests[3]).await.unwrap());
    drop(load(&host, &guests[5]).await.unwrap());
    assert_eq!(on_disk(folder, &guests).0, [0, 3, 5]);
    // Used no more, it goes as any other.
    loaded
        .run(go("{}"))
        .await
        .result
        .expect("the step ends well");
    drop(loaded);
    drop(load(&host, &guests[6]).await.unwrap());
    assert_eq!(on_disk(folder, &guests).0, [3, 5, 6]);
    // More is loaded than there is room for: nothing of it goes, and what is not loaded does.
    let mut held = Vec::new();
    for guest in &guests[..4] {
        held.push(load(&host, guest).await.unwrap());
    }
    assert_eq!(on_disk(folder, &guests).0, [0, 1, 2, 3]);
    drop((held, host));
    // A start with less room keeps what was loaded last.
    drop(bounded(one + one / 2));
    assert_eq!(on_disk(folder, &guests).0, [3]);
}

#[tokio::test]
async fn a_flipped_byte_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    load_and_run(&host(folder.path())).await;
    let file = compiled(folder.path());
    let whole = fs::read(&file).unwrap();
    for at in [
        0,
        31,
        32,
        4_096.min(whole.len() - 1),
        whole.len() / 2,
        whole.len() - 1,
    ] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_eq!(
            load_and_run(&host(folder.path())).await,
            (0, 1),
            "byte {at}"
        );
        assert_eq!(
            load_and_run(&host(folder.path())).await,
            (1, 0),
            "byte {at} was mended"
        );
    }
    for length in [0, 10, 32, whole.len() - 1] {
        fs::write(&file, &whole[..length]).unwrap();
        assert_eq!(
            load_and_run(&host(folder.path())).await,
            (0, 1),
            "{length} bytes"
        );
    }
}

#[tokio::test]
async fn code_from_another_node_is_compiled_anew() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    load_and_run(&host(theirs.path())).await;
    let file = compiled(theirs.path());
    let ours_host = host(ours.path());
    fs::copy(&file, ours.path().join(file.file_name().unwrap())).unwrap();
    assert_eq!(load_and_run(&ours_host).await, (0, 1));
}

#[tokio::test]
async fn a_components_code_under_anothers_name_is_compiled_anew() {
    let folder = tempfile::tempdir().unwrap();
    load_and_run(&host(folder.path())).await;
    let file = compiled(folder.path());
    let other = Guest {
        run: "unreachable".into(),
        ..Guest::default()
    };
    let host = host(folder.path());
    let plugin = load(&host, &other.build()).await.unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let swapped = name.replacen(&name[..64], plugin.digest(), 1);
    fs::copy(&file, folder.path().join(swapped)).unwrap();
    let plugin = load(&host, &other.build()).await.unwrap();
    assert_eq!(host.report().cache_rejected, 1);
    assert_eq!(
        plugin.run(go("{}")).await.result.unwrap_err().code(),
        "step-trap"
    );
}

/// The one description.
fn described(folder: &Path) -> PathBuf {
    compiled(folder).with_extension("description")
}

#[tokio::test]
async fn a_plugin_is_asked_once_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    load_and_run(&host(folder.path())).await;
    let file = described(folder.path());
    let whole = fs::read(&file).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(load_and_run(&host(folder.path())).await, (1, 0));

    // What was changed, or is code under the name of a description or a description under the name of code, is refused.
    let code = fs::read(compiled(folder.path())).unwrap();
    let mut changed = whole.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for (bytes, what) in [
        (changed.as_slice(), "changed"),
        (&whole[..20], "short"),
        (&code, "code"),
    ] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(load_and_run(&host(folder.path())).await, (1, 1), "{what}");
        assert_eq!(fs::read(&file).unwrap(), whole, "{what}: made anew");
    }
    fs::write(compiled(folder.path()), &whole).unwrap();
    assert_eq!(load_and_run(&host(folder.path())).await, (0, 1));
    fs::remove_file(&file).unwrap();
    assert_eq!(load_and_run(&host(folder.path())).await, (1, 0));
    assert_eq!(fs::read(&file).unwrap(), whole);
}

#[tokio::test]
async fn a_description_that_is_known_is_held_to_the_limits_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let guest = Guest::default().build();
    load_and_run(&host(folder.path())).await;
    let small = Limits {
        description_bytes: 10,
        ..Limits::default()
    };
    let told = host(folder.path())
        .load(&guest, &Grants::all(), &small)
        .await
        .unwrap_err();
    assert!(
        matches!(
            told[0],
            LoadError::Describe(StepError::OutputLimit { most: 10, .. })
        ),
        "{told:?}"
    );
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    host(folder.path());
    let key = folder.path().join("node.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(
        try_host(folder.path())
            .unwrap_err()
            .to_string()
            .contains("may be read by others")
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key, b"short").unwrap();
    assert!(
        try_host(folder.path())
            .unwrap_err()
            .to_string()
            .contains("32 bytes")
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let refusal = try_host(&file.join("cache")).unwrap_err();
    assert!(refusal.to_string().contains("cannot be used"), "{refusal}");
}
