//! Uploads that break off, come twice at once, or find no room: nothing half-written is kept, and nothing old is lost.

use std::io::Write;
use std::net::TcpStream;

use anyhow::{Result, ensure};
use serde_json::json;
use strowger_server::centre::archive::{Tree, pack};
use strowger_tests::Hall;
use strowger_tests::attack::{attacker, reach};
use strowger_tests::hall::CHATS;
use strowger_tests::http;
use strowger_tests::program::component;
use strowger_tests::projects::{altered, says};
use tempfile::TempDir;

/// How many revisions a tenant has.
fn revisions(hall: &Hall, tenant: &str) -> Result<usize> {
    let list = hall.get(&format!("/v1/tenants/{tenant}/revisions"))?;
    Ok(list["items"].as_array().map_or(0, Vec::len))
}

/// Bytes that cannot be packed, other ones by each seed.
fn noise(seed: u32, bytes: usize) -> Vec<u8> {
    let mut noise = seed;
    std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    })
    .take(bytes)
    .collect()
}

/// Pushes a project of one flow and perhaps a recording, past the command line.
fn pushed(hall: &Hall, tenant: &str, project: &TempDir) -> Result<http::Response> {
    let mut tree = Tree::new();
    for name in [
        "strowger.toml",
        "routes.yaml",
        "greeting.flow.yaml",
        "long.wav",
    ] {
        let file = project.path().join(name);
        if file.exists() {
            tree.insert(name.to_owned(), std::fs::read(file)?);
        }
    }
    let path = format!("/v1/tenants/{tenant}/revisions");
    let kind = [("content-type", "application/octet-stream")];
    http::send_raw(hall.engine.http, "POST", &path, None, &pack(&tree)?, &kind)
}

/// Makes all revisions of an engine's store older than a day.
fn age(hall: &Hall) -> Result<()> {
    use sqlx::{Connection as _, Executor as _};
    let file = hall.engine.data.join("strowger.db");
    tokio::runtime::Runtime::new()?.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut store = sqlx::SqliteConnection::connect_with(&options).await?;
        store.execute("UPDATE revisions SET pushed_at = 1").await?;
        store.close().await?;
        Ok(())
    })
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing_behind() -> Result<()> {
    let hall = Hall::open_with(CHATS, &[("vega", "numbers = [\"900\"]\n")])?;
    hall.publish(&says("vega", "900", "Good morning from Vega.")?)?;
    let component = component("guest-reach")?;
    for path in ["revisions", "plugins"] {
        for part in [0, 1, component.len() / 2, component.len() - 1] {
            let mut stream = TcpStream::connect(hall.engine.http)?;
            write!(
                stream,
                "POST /v1/tenants/vega/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
                component.len()
            )?;
            stream.write_all(&component[..part])?;
        }
    }
    hall.calm("900")?;
    assert_eq!(revisions(&hall, "vega")?, 1);
    assert_eq!(hall.live("vega")?, Some(1));
    // And the next one goes through.
    hall.publish(&says("vega", "900", "Vega has moved.")?)?;
    hall.calm("900")?;
    assert_eq!(hall.live("vega")?, Some(2));
    Ok(())
}

/// A project of somebody else's could take along whatever its user can read.
#[test]
fn what_lies_outside_the_project_is_not_pushed() -> Result<()> {
    let hall = Hall::open_with(CHATS, &[("vega", "numbers = [\"900\"]\n")])?;
    let other = tempfile::tempdir()?;
    std::fs::write(other.path().join("private.yaml"), "secret: 48151623\n")?;
    for name in ["queues.yaml", "hold.wav", "more.flow.yaml"] {
        let folder = says("vega", "900", "Good morning from Vega.")?;
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(other.path().join("private.yaml"), link)?;
        let before = revisions(&hall, "vega")?;
        let (code, said) = hall.run(&["push", &folder.path().display().to_string()])?;
        ensure!(code == 2, "{name}: {code} {said}");
        ensure!(
            said.contains(name) && said.contains("leads out of the project"),
            "{said}"
        );
        ensure!(!said.contains("48151623"), "{said}");
        ensure!(revisions(&hall, "vega")? == before, "{name}");
    }
    Ok(())
}

#[test]
fn of_two_uploads_of_one_version_one_is_kept() -> Result<()> {
    let hall = Hall::open_with(
        CHATS,
        &[(
            "mallory",
            "numbers = [\"6*\"]\n[grants]\nhttp = [\"a.example:443\"]\n",
        )],
    )?;
    let grants = "http = [\"a.example:443\"]";
    hall.publish(&attacker("mallory", grants, &[reach("600", json!([]))])?)?;
    let folder = tempfile::TempDir::new()?;
    let newer = altered(
        &component("guest-reach")?,
        "\"version\":\"1.0.0\"",
        "\"version\":\"1.0.1\"",
    )?;
    let files = ["no-plan", "no-plam"].map(|word| {
        let file = folder.path().join(format!("{word}.wasm"));
        std::fs::write(&file, altered(&newer, "no-plan", word)?)?;
        anyhow::Ok(file.display().to_string())
    });
    let files: Vec<String> = files.into_iter().collect::<Result<_>>()?;
    let ends: Vec<(i32, String)> = std::thread::scope(|scope| {
        let pushes = files
            .iter()
            .map(|file| scope.spawn(|| hall.run(&["plugin", "push", file, "--tenant", "mallory"])));
        let pushes: Vec<_> = pushes.collect();
        let ended = pushes.into_iter().map(|push| push.join().expect("it ends"));
        ended.collect::<Result<_>>()
    })?;
    let kept = ends.iter().filter(|(code, _)| *code == 0).count();
    assert_eq!(kept, 1, "{ends:?}");
    let taken = "guest-reach@1.0.1 is there already with other bytes";
    assert_eq!(
        ends.iter().filter(|(_, said)| said.contains(taken)).count(),
        1,
        "{ends:?}"
    );
    assert_eq!(revisions(&hall, "mallory")?, 2);
    let versions = hall.get("/v1/tenants/mallory/plugins")?;
    assert_eq!(versions["items"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[test]
fn a_push_that_finds_no_room_leaves_what_was_there() -> Result<()> {
    let settings = format!("[store]\nmax_mb = 4\n{CHATS}");
    let hall = Hall::open_with(&settings, &[("vega", "numbers = [\"900\"]\n")])?;
    hall.publish(&says("vega", "900", "Good morning from Vega.")?)?;
    let large = says("vega", "900", "Vega has moved.")?;
    std::fs::write(large.path().join("long.wav"), noise(1, 6 << 20))?;
    let folder = large.path().display().to_string();
    let (code, said) = hall.run(&["push", &folder, "--release"])?;
    ensure!(code != 0 && said.contains("full"), "{code} {said}");
    // What it is told is no fault of the engine's, says what to do, and is in the API's description. The store itself is not
    // full: nothing was written.
    let refused = pushed(&hall, "vega", &large)?;
    assert_eq!(refused.status, 507, "{}", refused.body);
    let kind = refused.header("content-type");
    assert_eq!(kind, Some("application/problem+json"));
    ensure!(refused.body.contains("store.max_mb"), "{}", refused.body);
    assert_eq!(hall.get("/healthz")?["store"], "ok");
    let document = hall.get("/v1/openapi.json")?;
    for (path, method) in [("tenants/{tenant}/revisions", "post"), ("tokens", "post")] {
        let answers = &document["paths"][format!("/v1/{path}")][method]["responses"];
        ensure!(answers["507"].is_object(), "{path}: {answers}");
    }
    assert_eq!(revisions(&hall, "vega")?, 1);
    assert_eq!(hall.live("vega")?, Some(1));
    hall.calm("900")?;
    // There is room for a small one still.
    hall.publish(&says("vega", "900", "Vega is back.")?)?;
    assert_eq!(hall.live("vega")?, Some(2));
    assert_eq!(hall.get("/healthz")?["store"], "ok");
    hall.calm("900")?;
    Ok(())
}

#[test]
fn what_a_tenant_keeps_is_bounded_and_old_revisions_make_room() -> Result<()> {
    let tenants = [
        ("vega", "numbers = [\"900\"]\n[limits]\nstored_mb = 1\n"),
        ("altair", "numbers = [\"800\"]\n"),
    ];
    let hall = Hall::open_with(CHATS, &tenants)?;
    hall.publish(&says("vega", "900", "Good morning from Vega.")?)?;
    let with = |words: &str, seed| -> Result<TempDir> {
        let project = says("vega", "900", words)?;
        std::fs::write(project.path().join("long.wav"), noise(seed, 700 << 10))?;
        Ok(project)
    };
    let first = pushed(&hall, "vega", &with("Vega has moved.", 1)?)?;
    assert_eq!(first.status, 201, "{}", first.body);
    // What is there already takes no more, whatever else differs.
    let again = pushed(&hall, "vega", &with("Vega has moved again.", 1)?)?;
    assert_eq!(again.status, 201, "{}", again.body);
    let other = with("Vega is somewhere.", 2)?;
    let refused = pushed(&hall, "vega", &other)?;
    assert_eq!(refused.status, 507, "{}", refused.body);
    for word in [
        "limits.stored_mb",
        "keep 0.7 MiB",
        "add 0.7 MiB",
        "1.0 MiB together",
    ] {
        ensure!(
            refused.body.contains(word),
            "no `{word}` in {}",
            refused.body
        );
    }
    assert_eq!(revisions(&hall, "vega")?, 3);
    // A component comes by the same door, and nobody else is held to this.
    std::fs::write(
        other.path().join("strowger.toml"),
        "[project]\nname = \"altair\"\n",
    )?;
    let flow = says("altair", "800", "Altair is somewhere.")?;
    for name in ["routes.yaml", "greeting.flow.yaml"] {
        std::fs::copy(flow.path().join(name), other.path().join(name))?;
    }
    let neighbour = pushed(&hall, "altair", &other)?;
    assert_eq!(neighbour.status, 201, "{}", neighbour.body);
    // After a day what is spent goes for it: neither what is live nor the newest two.
    for words in ["One.", "Two."] {
        let small = pushed(&hall, "vega", &says("vega", "900", words)?)?;
        assert_eq!(small.status, 201, "{}", small.body);
    }
    age(&hall)?;
    let fits = pushed(&hall, "vega", &with("Vega is back.", 3)?)?;
    assert_eq!(fits.status, 201, "{}", fits.body);
    let list = hall.get("/v1/tenants/vega/revisions")?;
    let numbers = list["items"].as_array().into_iter().flatten();
    let numbers: Vec<u64> = numbers.filter_map(|one| one["number"].as_u64()).collect();
    assert_eq!(numbers, [6, 5, 4, 1]);
    hall.calm("900")?;
    Ok(())
}

#[test]
fn pushes_leave_room_for_contacts() -> Result<()> {
    let settings = format!("[store]\nmax_mb = 20\n{CHATS}");
    let tenants = [
        ("vega", "numbers = [\"900\"]\n"),
        ("altair", "numbers = [\"800\"]\n"),
    ];
    let hall = Hall::open_with(&settings, &tenants)?;
    hall.publish(&says("altair", "800", "Good morning from Altair.")?)?;
    let next = says("altair", "800", "Altair has moved.")?;
    assert_eq!(pushed(&hall, "altair", &next)?.status, 201);
    let (mut bytes, mut kept, mut told) = (6 << 20, 0, String::new());
    for seed in 0..60 {
        let project = says("vega", "900", "Good morning from Vega.")?;
        std::fs::write(project.path().join("long.wav"), noise(seed, bytes))?;
        let answer = pushed(&hall, "vega", &project)?;
        if answer.status == 201 {
            kept += 1;
            continue;
        }
        assert_eq!(answer.status, 507, "{}", answer.body);
        told = answer.body;
        bytes /= 2;
        if bytes < 1 << 10 {
            break;
        }
    }
    ensure!(kept > 1 && bytes < 1 << 10, "{kept} {bytes} {told}");
    ensure!(
        told.contains("8.0 MiB stay free for calls and chats") && told.contains("store.max_mb"),
        "{told}"
    );
    assert_eq!(hall.get("/healthz")?["store"], "ok");
    for _ in 0..20 {
        hall.calm("800")?;
    }
    // What others push finds no room either; what they release does.
    let late = says("altair", "800", "Altair is late.")?;
    assert_eq!(pushed(&hall, "altair", &late)?.status, 507);
    hall.done(&["release", "2", "--tenant", "altair"])?;
    assert_eq!(hall.live("altair")?, Some(2));
    hall.calm("800")?;
    Ok(())
}
