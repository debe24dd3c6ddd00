//! From a push to a call, and from one revision to the next while calls are up.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use strowger_tests::Hall;
use strowger_tests::hall::{etag, hears};
use strowger_tests::program::{component, edit};
use strowger_tests::projects::{altered, aurora, says};
use strowger_tests::{OrderService, Phone, Talk, http};

use crate::shop::Shop;

#[test]
fn each_tenant_has_its_numbers_revisions_and_releases() -> Result<()> {
    let mut hall = Hall::open(&[
        ("vega", "numbers = [\"20*\"]\n"),
        ("lyra", "numbers = [\"30*\"]\n"),
    ])?;
    // Nothing is live yet: the number is known, and nobody is there.
    Phone::dial(hall.engine.sip, "200", "refused-480", &[])?.ended()?;

    let (vega, lyra) = (
        says("vega", "*", "Good morning from Vega.")?,
        says("lyra", "*", "Lyra here.")?,
    );
    let at = |folder: &tempfile::TempDir| folder.path().display().to_string();
    let said = hall.done(&["push", &at(&vega), "--note", "the first"])?;
    ensure!(
        said.contains("revision 1") && said.contains("nothing is live of it yet"),
        "{said}"
    );
    ensure!(
        hall.live("vega")?.is_none(),
        "a push alone makes nothing live"
    );
    hall.done(&["release", "1", "--tenant", "vega"])?;
    hall.done(&["push", &at(&lyra), "--release"])?;

    // Each says its own, though both route every number.
    hears(&hall, vega.path(), "200", "Good morning from Vega.")?;
    hears(&hall, lyra.path(), "300", "Lyra here.")?;
    Phone::dial(hall.engine.sip, "400", "refused-404", &[])?.ended()?;
    let contacts = hall.get("/v1/contacts")?;
    let whose = |number: &str| {
        let rows = contacts["items"].as_array().into_iter().flatten();
        rows.filter(|row| row["to"] == number)
            .map(|row| row["tenant"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    // The first came while nothing was live; nobody's number is nobody's contact.
    assert_eq!(whose("200"), ["vega", "vega"]);
    assert_eq!(whose("400"), [""]);
    assert_eq!(whose("300"), ["lyra"]);

    // A second revision, withdrawn again.
    let other = says("vega", "*", "Vega has moved.")?;
    hall.done(&["push", &at(&other), "--release"])?;
    hears(&hall, vega.path(), "200", "Vega has moved.")?;
    let said = hall.done(&["release", "--tenant", "vega", "--roll-back"])?;
    ensure!(said.contains("revision 1 is live"), "{said}");
    hears(&hall, vega.path(), "200", "Good morning from Vega.")?;
    assert_eq!(hall.live("lyra")?, Some(1));

    // Whoever releases on what was seen before is told that it is no longer so.
    let path = "/v1/tenants/vega/release";
    let seen = etag(&http::get(hall.engine.http, path)?)?;
    let release = |tag: &str| {
        let fields = [("if-match", tag)];
        let body = Some("{\"revision\":2}");
        http::send(hall.engine.http, "PUT", path, &fields, body).map(|answer| answer.status)
    };
    // Also where all come at once.
    let released = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| release(&seen))).collect();
        let all = all.into_iter().map(|one| one.join().expect("an answer"));
        all.collect::<Result<Vec<_>>>()
    })?;
    let of = |status: u16| released.iter().filter(|answer| **answer == status).count();
    assert_eq!([of(200), of(412)], [1, 7], "{released:?}");
    assert_eq!(release(&seen)?, 412);
    let back = format!("{path}/rollback");
    let rolled = |tag: &str| {
        http::send(hall.engine.http, "POST", &back, &[("if-match", tag)], None)
            .map(|answer| answer.status)
    };
    assert_eq!(rolled(&seen)?, 412);
    assert_eq!(rolled(&etag(&http::get(hall.engine.http, path)?)?)?, 200);

    // A part of the callers, always the same ones; and all of it survives the engine.
    hall.done(&["release", "2", "--tenant", "vega", "--percent", "30"])?;
    hall.engine.program.kill()?;
    hall.engine.restart()?;
    let release = hall.get("/v1/tenants/vega")?;
    assert_eq!(release["release"]["live"], 1);
    assert_eq!(release["release"]["candidate"], 2);
    assert_eq!(release["release"]["percent"], 30);
    hears(&hall, lyra.path(), "300", "Lyra here.")?;
    hall.done(&["release", "--tenant", "vega", "--roll-back"])?;
    hears(&hall, vega.path(), "200", "Good morning from Vega.")?;
    let revision = hall.get("/v1/tenants/vega/revisions/1")?;
    assert_eq!(revision["note"], "the first");
    Ok(())
}

#[test]
fn roll_backs_go_back_one_after_the_other_to_the_first() -> Result<()> {
    const REVISIONS: u64 = 7;
    let hall = Hall::open(&[("vega", "numbers = [\"20*\"]\n")])?;
    for number in 1..=REVISIONS {
        let vega = says("vega", "*", &format!("This is number {number}."))?;
        hall.done(&["push", &vega.path().display().to_string(), "--release"])?;
    }
    let back = ["release", "--tenant", "vega", "--roll-back"];
    for live in (1..REVISIONS).rev() {
        let said = hall.done(&back)?;
        ensure!(said.contains(&format!("revision {live} is live")), "{said}");
    }
    // At the bottom it says so, and what to do.
    hall.refused(
        &back,
        &[
            "nothing was live before revision 1",
            "release another revision",
        ],
    )?;
    let path = "/v1/tenants/vega/release";
    let refused = http::request(hall.engine.http, "POST", &format!("{path}/rollback"))?;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(hall.live("vega")?, Some(1));

    // Roll-backs are marked: what holds, in the list and in the audit log.
    assert_eq!(hall.get(path)?["restores"], 1);
    assert_eq!(hall.get("/v1/tenants/vega")?["release"]["restores"], 1);
    let list = hall.get("/v1/tenants/vega/releases")?;
    let rows = list["items"].as_array().into_iter().flatten();
    let restores: Vec<Option<u64>> = rows.map(|row| row["restores"].as_u64()).collect();
    let backwards = (1..REVISIONS).map(Some);
    let expected: Vec<_> = backwards.chain((0..REVISIONS).map(|_| None)).collect();
    assert_eq!(restores, expected, "{list}");
    let said = hall.done(&["release", "--tenant", "vega", "--list"])?;
    let newest = said.lines().next().unwrap_or_default();
    ensure!(
        newest.starts_with("13  revision 1, a roll-back to release 1  "),
        "{said}"
    );
    let audit = hall.get("/v1/audit?limit=200")?;
    let rows = audit["items"].as_array().into_iter().flatten();
    let mut done = rows.filter(|row| row["action"] == "release.rollback");
    let newest = done.next().map(|row| row["detail"].clone());
    assert_eq!(
        newest,
        Some(serde_json::json!({ "live": 1, "restores": 1 }))
    );

    // What is released by hand is rolled back to where it came from.
    hall.done(&["release", "5", "--tenant", "vega"])?;
    hall.done(&back)?;
    assert_eq!(hall.live("vega")?, Some(1));
    hall.refused(&back, &["nothing was live before revision 1"])?;
    Ok(())
}

#[test]
fn what_changes_a_release_gives_its_etag_and_says_which_field_is_wrong() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"20*\"]\n")])?;
    for words in ["One.", "Two."] {
        let vega = says("vega", "*", words)?;
        hall.done(&["push", &vega.path().display().to_string()])?;
    }
    let path = "/v1/tenants/vega/release";
    let send = |method: &str, path: &str, tag: Option<&str>, body: Option<&str>| {
        let fields: Vec<(&str, &str)> = tag.map(|tag| ("if-match", tag)).into_iter().collect();
        http::send(hall.engine.http, method, path, &fields, body)
    };
    for percent in [0, 101, 255, 300, 5_000_000_000_u64] {
        let body = format!("{{\"revision\":1,\"percent\":{percent}}}");
        let refused = send("PUT", path, None, Some(&body))?;
        assert_eq!(refused.status, 422, "{}", refused.body);
        let kind = refused.header("content-type");
        assert_eq!(kind, Some("application/problem+json"));
        let told = refused.json()?;
        assert_eq!(told["field"], "percent", "{told}");
        assert_eq!(
            told["detail"],
            format!("percent is 1 to 100, not {percent}")
        );
    }
    // Each answer's tag is what the next change names.
    let first = send("PUT", path, None, Some("{\"revision\":1}"))?;
    let tag = etag(&first)?;
    assert_eq!(tag, etag(&http::get(hall.engine.http, path)?)?);
    let second = send("PUT", path, Some(&tag), Some("{\"revision\":2}"))?;
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(
        send("PUT", path, Some(&tag), Some("{\"revision\":1}"))?.status,
        412
    );
    let tag = etag(&second)?;
    let back = send("POST", &format!("{path}/rollback"), Some(&tag), None)?;
    assert_eq!(back.status, 200, "{}", back.body);
    let third = send("PUT", path, Some(&etag(&back)?), Some("{\"revision\":2}"))?;
    assert_eq!(third.status, 200, "{}", third.body);
    Ok(())
}

#[test]
fn the_tenants_files_are_read_again() -> Result<()> {
    let mut hall = Hall::open(&[("vega", "numbers = [\"20*\"]\n")])?;
    let vega = says("vega", "*", "Good morning from Vega.")?;
    hall.done(&["push", &vega.path().display().to_string(), "--release"])?;
    hall.rule("lyra", "numbers = [\"20*\"]\n")?;
    hall.reload("the number `20*` stands in")?;
    hall.rule("lyra", "numbers = [\"30*\"]\n[limits]\ncontacts = 1\n")?;
    hall.reload("the tenants' files are read again")?;
    let lyra = says(
        "lyra",
        "*",
        "Lyra here, for quite a while, so that somebody else may call meanwhile.",
    )?;
    hall.done(&["push", &lyra.path().display().to_string(), "--release"])?;
    let mut first = Phone::dial(hall.engine.sip, "300", "call", &[])?;
    let http = hall.engine.http;
    hall.engine
        .program
        .wait_until("first call", Duration::from_secs(10), || {
            strowger_tests::http::get(http, "/v1/tenants/lyra")
                .and_then(|answer| answer.json())
                .is_ok_and(|tenant| tenant["contacts"] == 1)
        })?;
    // One tenant's rush is its own trouble.
    let mut refused = Phone::dial(hall.engine.sip, "301", "refused-503", &[])?;
    refused.ended()?;
    let contact = hall.engine.contact_up(&refused.call_id)?;
    assert_eq!(
        (&contact["tenant"], &contact["reason"]),
        (&"lyra".into(), &"overloaded".into())
    );
    // The record is of what is live at the number, though no flow was walked.
    let id = contact["id"].as_str().context("an id")?;
    let record = hall.get(&format!("/v1/contacts/{id}/record"))?;
    let revisions = hall.get("/v1/tenants/lyra/revisions")?;
    let content = &revisions["items"][0]["content"];
    ensure!(
        content.is_string() && record["content"] == *content,
        "{record} {revisions}"
    );
    let (centre, data) = (&hall.engine.project, &hall.engine.data);
    let (centre, data) = (centre.display().to_string(), data.display().to_string());
    let of = ["trace", &refused.call_id, "-p", &centre, "--data", &data];
    let (code, trace, errors) = strowger_tests::program::strowger(&of)?;
    assert_eq!(code, 0, "{errors}");
    for told in ["INVITE 301", "503 Too many calls", "ended: overloaded"] {
        assert!(trace.contains(told), "{told}: {trace}");
    }
    let mut nobodys = Phone::dial(hall.engine.sip, "999", "refused-404", &[])?;
    nobodys.ended()?;
    let contact = hall.engine.contact_up(&nobodys.call_id)?;
    assert_eq!(
        (&contact["tenant"], &contact["reason"]),
        (&"".into(), &"no-route".into())
    );
    hears(&hall, vega.path(), "200", "Good morning from Vega.")?;
    first.ended()?;
    assert_eq!(hall.get("/v1/tenants/lyra")?["refused"], 1);
    Ok(())
}

#[test]
fn a_plugin_that_goes_live_at_once_takes_nothing_else_with_it() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let grants = format!(
        "numbers = [\"*\"]\n[grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n"
    );
    let hall = Hall::open(&[("aurora", &grants)])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder, "--release", "--accept", "all"])?;
    // Somebody else prepares words that nobody shall hear yet.
    let flow = project.path().join("main-menu.flow.yaml");
    let words = std::fs::read_to_string(&flow)?;
    std::fs::write(&flow, words.replace("Welcome to Aurora.", "Not yet."))?;
    hall.done(&["push", &folder])?;
    let flows = |revision: u64| -> Result<serde_json::Value> {
        let of = hall.get(&format!("/v1/tenants/aurora/revisions/{revision}"))?;
        let sha256 = of["manifest"]["files"]["main-menu.flow.yaml"].clone();
        ensure!(sha256.is_string(), "{of}");
        Ok(sha256)
    };
    assert_ne!(flows(1)?, flows(2)?);

    let version = |patch: u32| -> Result<String> {
        let file = project.path().join(format!("orders-{patch}.wasm"));
        let version = format!("\"version\": \"1.0.{patch}\"");
        let built = component("aurora-orders")?;
        std::fs::write(&file, altered(&built, "\"version\": \"1.0.0\"", &version)?)?;
        Ok(file.display().to_string())
    };
    let push = ["plugin", "push", "--tenant", "aurora"];
    let said = hall.done(&[&push[..], &[&version(1)?, "--release"]].concat())?;
    ensure!(said.contains("revision 3, of revision 1\n"), "{said}");
    assert_eq!(hall.live("aurora")?, Some(3));
    assert_eq!(flows(3)?, flows(1)?);
    // What is not released goes into the newest, or where it is told to.
    let said = hall.done(&[&push[..], &[&version(2)?]].concat())?;
    ensure!(said.contains("revision 4, of revision 3\n"), "{said}");
    let said = hall.done(&[&push[..], &[&version(3)?, "--onto", "live"]].concat())?;
    ensure!(said.contains(", of revision 3\n"), "{said}");
    Ok(())
}

/// What differs in nothing but a plugin's `config` is the same content; a contact goes on with what it began with all the same, after
/// the engine was killed too.
#[test]
fn a_contact_goes_on_with_the_configuration_it_began_with() -> Result<()> {
    let mut shop = Shop::open()?;
    let toml = shop.project.path().join("strowger.toml");
    let here = shop.service.address;
    let begin = |shop: &Shop| -> Result<Talk> {
        let mut talk = Talk::begin(shop.hall.engine.http, "700", None)?;
        talk.asked("Welcome")?;
        Ok(talk)
    };
    let mut open = vec![("", begin(&shop)?)];
    for prefix in ["/second", "/third"] {
        edit(&toml, |text| {
            let from = text.find("http://").unwrap_or_default();
            let to = from + text[from..].find('"').unwrap_or_default();
            format!("{}http://{here}{prefix}{}", &text[..from], &text[to..])
        })?;
        shop.hall.publish(&shop.project)?;
        open.push((prefix, begin(&shop)?));
    }
    let revisions = shop.hall.get("/v1/tenants/shop/revisions")?;
    let contents: std::collections::BTreeSet<_> = revisions["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|revision| revision["content"].as_str())
        .collect();
    ensure!(contents.len() == 1, "{revisions}");
    shop.hall.engine.program.kill()?;
    shop.hall.engine.restart()?;
    for (prefix, mut talk) in open {
        talk.write("1")?;
        assert_eq!(talk.ended()?, "completed", "{prefix}: {:?}", talk.shown);
        let asked = shop.service.asked();
        let last = asked.last().map(|asked| asked.path().to_owned());
        assert_eq!(last, Some(format!("{prefix}/orders/20260302")));
    }
    Ok(())
}
