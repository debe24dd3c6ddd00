//! What is not let in: errors with their lines, overwritten and old versions, foreign signatures, too much.

use anyhow::{Error, Result, ensure};
use sha2::{Digest as _, Sha256};
use strowger_server::centre::signature::{SigningKey, Statement};
use strowger_tests::Hall;
use strowger_tests::OrderService;
use strowger_tests::http;
use strowger_tests::program::{built, component};
use strowger_tests::program::{edit, strowger};
use strowger_tests::projects::{altered, aurora, flow, project, says};

#[test]
fn what_is_wrong_is_told_at_once_and_nothing_of_it_is_kept() -> Result<()> {
    let orders = OrderService::start()?;
    let hall = Hall::open(&[
        ("aurora", "numbers = [\"1*\"]\n"),
        ("vega", "numbers = [\"2*\"]\n"),
    ])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    // The operator has granted nothing.
    hall.refused(
        &["push", &folder],
        &[
            "plugin orders asks for `http",
            "plugin crm asks for `http",
            "strowger.toml:",
            "what was pushed has",
        ],
    )?;
    // Two mistakes in two files come in one answer, by the names that the pusher knows.
    let vega = says("vega", "*", "nowhere")?;
    edit(&vega.path().join("routes.yaml"), |text| {
        text.replace("greeting", "greetings")
    })?;
    let folder = vega.path().display().to_string();
    hall.refused(
        &["push", &folder],
        &[
            "greeting.flow.yaml:6:",
            "error[unknown-prompt]",
            "routes.yaml:2:",
        ],
    )?;
    let (_, said) = hall.run(&["push", &folder])?;
    ensure!(
        !said.contains("revisions/"),
        "a folder of the engine's is shown: {said}"
    );
    // Somebody else's project.
    let other = says("lyra", "*", "Hello.")?;
    let (code, said) = hall.run(&["push", &other.path().display().to_string()])?;
    ensure!(
        code == 2 && said.contains("no tenant `lyra`"),
        "{code} {said}"
    );
    for tenant in ["aurora", "vega"] {
        let revisions = hall.get(&format!("/v1/tenants/{tenant}/revisions"))?;
        assert_eq!(
            revisions["items"].as_array().map(Vec::len),
            Some(0),
            "{tenant}: {revisions}"
        );
    }
    let left = std::fs::read_dir(hall.engine.data.join("revisions"))?.count();
    assert_eq!(left, 0, "folders of what was refused");
    // Without a project there is nothing that a plugin could be put into.
    let crm = built("aurora-crm").display().to_string();
    hall.refused(
        &["plugin", "push", &crm, "--tenant", "vega"],
        &["has pushed no project yet"],
    )?;
    Ok(())
}

#[test]
fn versions_are_never_overwritten_never_older_and_signed_where_that_is_asked() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let keys = tempfile::TempDir::new()?;
    let key = keys.path().join("acme.key").display().to_string();
    let (code, public, err) = strowger(&["plugin", "key", &key])?;
    assert_eq!(code, 0, "{err}");
    let stranger = keys.path().join("stranger.key").display().to_string();
    strowger(&["plugin", "key", &stranger])?;
    let rules = |signed: bool| by_acme(&public, &address, signed);
    let mut hall = Hall::open(&[("aurora", &rules(false))])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder, "--release", "--accept", "all"])?;
    hall.rule("aurora", &rules(true))?;
    hall.reload("the tenants' files are read again")?;

    let built = component("aurora-orders")?;
    let make = |name: &str, from: &str, to: &str| -> Result<String> {
        let file = keys.path().join(name);
        std::fs::write(&file, altered(&built, from, to)?)?;
        Ok(file.display().to_string())
    };
    let version = "\"version\": \"1.0.0\"";
    let newer = make("newer.wasm", version, "\"version\": \"1.2.0\"")?;
    let older = make("older.wasm", version, "\"version\": \"1.1.9\"")?;
    let forged = make("forged.wasm", "not_found", "not_fount")?;
    let push = ["plugin", "push"];
    let to = ["--tenant", "aurora"];
    let with = |file: &str, more: &[&str]| {
        let all = push.iter().chain([&file]).chain(&to).chain(more);
        all.map(|word| (*word).to_owned()).collect::<Vec<String>>()
    };
    let refused = |hall: &Hall, arguments: Vec<String>, words: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        hall.refused(&arguments, words)
    };
    refused(
        &hall,
        with(&newer, &[]),
        &["must be signed", "orders@1.2.0"],
    )?;
    refused(
        &hall,
        with(&newer, &["--key", &stranger]),
        &["none of tenant aurora's publishers"],
    )?;
    let signed = with(&newer, &["--key", &key]);
    let signed: Vec<&str> = signed.iter().map(String::as_str).collect();
    let said = hall.done(&signed)?;
    ensure!(
        said.contains("plugin orders@1.2.0, new, signed by acme"),
        "{said}"
    );
    // The same again is no new version, and no harm.
    let said = hall.done(&signed)?;
    ensure!(!said.contains("new"), "{said}");
    // A version that is there, with other bytes. It breaks a flow too, which is told with the flow's line.
    refused(
        &hall,
        with(&forged, &["--key", &key]),
        &["order-status.flow.yaml:", "error["],
    )?;
    let same = make(
        "same.wasm",
        "Aurora's orders: look",
        "Aurora's orders; look",
    )?;
    refused(
        &hall,
        with(&same, &["--key", &key]),
        &["orders@1.0.0 is there already with other bytes"],
    )?;
    // What was not released is in nobody's way: the project comes again with the version that is live and another word.
    edit(&project.path().join("routes.yaml"), |text| {
        format!("{text}# mended\n")
    })?;
    let said = hall.done(&["push", &folder])?;
    ensure!(!said.contains(", new"), "{said}");
    // The others were kept before signatures were asked for. They are not released again, until that is given up.
    let release = ["release", "2", "--tenant", "aurora", "--accept", "all"];
    hall.refused(&release, &["it is not signed"])?;
    hall.rule("aurora", &rules(false))?;
    hall.reload("the tenants' files are read again")?;
    let http = hall.engine.http;
    let limit = std::time::Duration::from_secs(30);
    hall.engine.program.wait_until("unsigned", limit, || {
        let tenant = strowger_tests::http::get(http, "/v1/tenants/aurora");
        tenant.is_ok_and(|tenant| tenant.body.contains("\"signed\":false"))
    })?;
    hall.done(&release)?;
    // Now it is live, and old ones do not come back, though they are signed well: neither a new one nor one that is there, by a
    // push in the open and by one of the project's folder, which still has it.
    refused(
        &hall,
        with(&older, &["--key", &key]),
        &["orders@1.1.9 is older than orders@1.2.0, which is live"],
    )?;
    let known = component_file("aurora-orders");
    refused(
        &hall,
        with(&known, &["--key", &key]),
        &["orders@1.0.0 is older than orders@1.2.0, which is live"],
    )?;
    hall.refused(
        &["push", &folder],
        &["orders@1.0.0 is older than orders@1.2.0, which is live"],
    )?;
    // A plugin that the project does not know.
    let guest = strowger_tests::program::built("guest-kv")
        .display()
        .to_string();
    refused(
        &hall,
        with(&guest, &["--key", &key]),
        &["no plugin", "strowger.toml"],
    )?;
    let versions = hall.get("/v1/tenants/aurora/plugins")?;
    let names: Vec<String> = versions["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            format!(
                "{}@{}",
                row["name"].as_str().unwrap_or(""),
                row["version"].as_str().unwrap_or("")
            )
        })
        .collect();
    assert!(names.contains(&"orders@1.2.0".to_owned()), "{names:?}");
    assert_eq!(
        names
            .iter()
            .filter(|name| name.starts_with("orders@"))
            .count(),
        2,
        "{names:?}"
    );
    Ok(())
}

/// A new key of a publisher: its file, and its public part.
fn new_key(keys: &tempfile::TempDir, name: &str) -> Result<(String, String)> {
    let file = keys.path().join(name).display().to_string();
    let (code, public, err) = strowger(&["plugin", "key", &file])?;
    ensure!(code == 0, "{err}");
    Ok((file, public.trim().to_owned()))
}

#[test]
fn a_tenant_whose_plugins_must_be_signed_brings_its_first_project() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let keys = tempfile::TempDir::new()?;
    let (key, public) = new_key(&keys, "acme.key")?;
    let (stranger, other) = new_key(&keys, "stranger.key")?;
    let rules = |name: &str, public: &str| {
        format!(
            "numbers = [\"1*\"]\nsigned = true\n[publishers]\n{name} = \"{public}\"\n\
             [grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n"
        )
    };
    let mut hall = Hall::open(&[("aurora", &rules("acme", &public))])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.refused(&["push", &folder], &["must be signed", "strowger push"])?;
    hall.refused(
        &["push", &folder, "--key", &stranger],
        &["none of tenant aurora's publishers"],
    )?;
    let said = hall.done(&[
        "push",
        &folder,
        "--key",
        &key,
        "--release",
        "--accept",
        "all",
    ])?;
    ensure!(
        said.contains("plugin orders@1.0.0, new, signed by acme"),
        "{said}"
    );
    // No signature is a file of the revision.
    let revision = hall.get("/v1/tenants/aurora/revisions/1")?;
    ensure!(!revision.to_string().contains(".sig"), "{revision}");
    // A file of that name that is none is told.
    let beside = project.path().join("plugins/aurora-orders.wasm.sig");
    std::fs::write(&beside, "none")?;
    let (code, said) = hall.run(&["push", &folder])?;
    ensure!(
        code != 0 && said.contains("`plugins/aurora-orders.wasm.sig` is no signature"),
        "{code} {said}"
    );
    std::fs::remove_file(&beside)?;
    // A key of nobody's on bytes that are there is told, and not passed over.
    hall.refused(
        &["push", &folder, "--key", &stranger],
        &["none of tenant aurora's publishers for orders@1.0.0"],
    )?;
    let fault = |hall: &mut Hall, word: &str| {
        let http = hall.engine.http;
        let limit = std::time::Duration::from_secs(30);
        let word = word.to_owned();
        hall.engine.program.wait_until("a fault", limit, || {
            let shown = strowger_tests::http::get(http, "/v1/tenants/aurora");
            let shown = shown.and_then(|shown| shown.json());
            shown.is_ok_and(|shown| match shown["fault"].as_str() {
                Some(fault) => !word.is_empty() && fault.contains(&word),
                None => word.is_empty(),
            })
        })
    };
    let release = ["release", "1", "--tenant", "aurora", "--accept", "all"];
    // Its publisher is taken out of the file, or has another key there: what came by it goes on, which is told where faults
    // are, and is not released any more.
    for (rules, why) in [
        (
            rules("other", &other),
            "acme, who signed it, is no publisher any more",
        ),
        (
            rules("acme", &other),
            "acme, who signed it, has another key by now",
        ),
    ] {
        hall.rule("aurora", &rules)?;
        hall.reload("the tenants' files are read again")?;
        fault(&mut hall, &format!("revision 1, orders@1.0.0: {why}"))?;
        assert_eq!(hall.get("/healthz")?["tenants_at_fault"], 1);
        assert_eq!(hall.live("aurora")?, Some(1));
        ensure!(hall.engine.program.log().contains(why), "{why}");
        hall.refused(&release, &[why, "--key"])?;
    }
    // The same bytes come again, signed by the key of now: nothing new, and all is well.
    let said = hall.done(&["push", &folder, "--key", &stranger])?;
    ensure!(
        said.contains("signed anew: orders@1.0.0 by acme") && !said.contains(", new"),
        "{said}"
    );
    hall.done(&release)?;
    fault(&mut hall, "")?;
    assert_eq!(hall.get("/healthz")?["tenants_at_fault"], 0);
    Ok(())
}

/// The file of a tenant that has one publisher, and the demo tenant's grants.
fn by_acme(public: &str, address: &str, signed: bool) -> String {
    format!(
        "numbers = [\"1*\"]\nsigned = {signed}\n[publishers]\nacme = \"{}\"\n\
         [grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n",
        public.trim()
    )
}

#[test]
fn another_publisher_takes_no_plugin_over_unless_that_is_accepted() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let keys = tempfile::TempDir::new()?;
    let ((acme, first), (lyra, second)) = (new_key(&keys, "acme")?, new_key(&keys, "lyra")?);
    let rules = by_acme(&first, &address, true)
        .replace("[grants]", &format!("lyra = \"{second}\"\n[grants]"));
    let hall = Hall::open(&[("aurora", &rules)])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    let all = ["--release", "--accept", "all"];
    hall.done(&[&["push", &folder, "--key", &acme], &all[..]].concat())?;
    let version = "\"version\": \"1.0.0\"";
    let newer = altered(
        &component("aurora-orders")?,
        version,
        "\"version\": \"1.0.1\"",
    )?;
    let file = keys.path().join("newer.wasm");
    std::fs::write(&file, newer)?;
    let file = file.display().to_string();
    let gain = "orders: signed by lyra instead of acme";
    let to = ["--tenant", "aurora"];
    let said = hall.done(&[&["plugin", "push", &file, "--key", &lyra], &to[..]].concat())?;
    ensure!(said.contains(gain), "{said}");
    let release = |number: &'static str| [&["release", number], &to[..]].concat();
    hall.refused(&release("2"), &[gain])?;
    // Nor does a new signature below the bytes that are live make them somebody else's.
    hall.done(&["push", &folder, "--key", &lyra])?;
    hall.refused(
        &release("3"),
        &[gain, "crm: signed by lyra instead of acme"],
    )?;
    hall.refused(&release("2"), &[gain])?;
    assert_eq!(hall.live("aurora")?, Some(1));
    hall.done(&[&release("2")[..], &["--accept", gain]].concat())?;
    assert_eq!(hall.live("aurora")?, Some(2));
    Ok(())
}

/// A project of tenant aurora whose only plugin is `guest-hog` of a version.
fn hog(version: &str) -> Result<tempfile::TempDir> {
    let name = "guest-hog";
    let version = format!("\"version\":\"{version}\"");
    let component = altered(&component(name)?, "\"version\":\"1.0.0\"", &version)?;
    let flow = flow("waits", "guest-hog/go", "done", &[]);
    project(
        "aurora",
        &[(name, component)],
        "",
        &[("100", "waits", flow)],
    )
}

#[test]
fn an_older_component_that_nothing_names_is_no_plugin_of_its_revision() -> Result<()> {
    use strowger_server::centre::archive::{Tree, pack};
    let keys = tempfile::TempDir::new()?;
    let (acme, public) = new_key(&keys, "acme")?;
    let plain = "numbers = [\"1*\"]\n";
    let signed = format!(
        "{plain}signed = true\n[publishers]\nacme = \"{}\"\n",
        public.trim()
    );
    let mut hall = Hall::open(&[("aurora", plain)])?;
    let push = |hall: &Hall, folder: &tempfile::TempDir, more: &[&str]| {
        let folder = folder.path().display().to_string();
        hall.done(&[&["push", folder.as_str()], more].concat())
    };
    // Nobody has signed the one that is newer; the other is signed.
    let (unsigned, newer) = (hog("1.0.1")?, hog("1.0.0")?);
    push(&hall, &unsigned, &[])?;
    hall.rule("aurora", &signed)?;
    hall.reload("the tenants' files are read again")?;
    push(&hall, &newer, &["--key", &acme])?;
    // The other one lies in the archive, and nothing names it.
    let mut tree = Tree::new();
    for file in [
        "strowger.toml",
        "routes.yaml",
        "waits.flow.yaml",
        "plugins/guest-hog.wasm",
    ] {
        tree.insert(file.to_owned(), std::fs::read(newer.path().join(file))?);
    }
    let other = std::fs::read(unsigned.path().join("plugins/guest-hog.wasm"))?;
    tree.insert("plugins/older.wasm".to_owned(), other);
    let path = "/v1/tenants/aurora/revisions";
    let kind = [("content-type", "application/octet-stream")];
    let address = hall.engine.http;
    let pushed = strowger_tests::http::send_raw(address, "POST", path, None, &pack(&tree)?, &kind)?;
    ensure!(pushed.status == 201, "{} {}", pushed.status, pushed.body);
    let revision = pushed.json()?["revision"].to_string();
    let release = [
        "release", &revision, "--tenant", "aurora", "--accept", "all",
    ];
    hall.done(&release)?;
    // What is not named is not live either: the version there is newer, and the one that is named comes again.
    push(&hall, &newer, &["--key", &acme, "--release"])?;
    // Named, it is refused as ever.
    hall.refused(
        &["release", "1", "--tenant", "aurora", "--accept", "all"],
        &["guest-hog@1.0.1: it is not signed"],
    )?;
    Ok(())
}

#[test]
fn a_plugin_that_was_removed_does_not_come_back_as_somebody_elses() -> Result<()> {
    let keys = tempfile::TempDir::new()?;
    let ((acme, first), (lyra, second)) = (new_key(&keys, "acme")?, new_key(&keys, "lyra")?);
    let rules = format!(
        "numbers = [\"1*\"]\nsigned = true\n[publishers]\nacme = \"{}\"\nlyra = \"{}\"\n",
        first.trim(),
        second.trim()
    );
    let hall = Hall::open(&[("aurora", &rules)])?;
    let push = |folder: &tempfile::TempDir, more: &[&str]| {
        let folder = folder.path().display().to_string();
        hall.run(&[&["push", folder.as_str()], more].concat())
    };
    let (code, said) = push(
        &hog("1.0.0")?,
        &["--key", &acme, "--release", "--accept", "all"],
    )?;
    ensure!(code == 0, "{said}");
    // It goes, and nothing is said of it.
    let (code, said) = push(&says("aurora", "100", "Gone.")?, &["--release"])?;
    ensure!(code == 0, "{said}");
    // Another publisher's comes under its name, more than once.
    let gain = "guest-hog: signed by lyra instead of acme";
    for version in ["1.0.1", "1.0.2"] {
        let (code, said) = push(&hog(version)?, &["--key", &lyra])?;
        ensure!(code == 0 && said.contains(gain), "{said}");
    }
    let to = ["--tenant", "aurora"];
    for revision in ["3", "4"] {
        hall.refused(&[&["release", revision], &to[..]].concat(), &[gain])?;
    }
    assert_eq!(hall.live("aurora")?, Some(2));
    // Since both have signed versions of it now, whoever brings it back is told apart from the other.
    let (code, said) = push(&hog("1.0.3")?, &["--key", &acme, "--release"])?;
    ensure!(
        code == 1 && said.contains("signed by acme instead of lyra"),
        "{said}"
    );
    // What it imports is new beside a revision without plugins.
    let accepted = [
        gain,
        "guest-hog: import env",
        "guest-hog: import media",
        "guest-hog: import wait",
    ];
    let accepted: Vec<&str> = accepted.iter().flat_map(|of| ["--accept", of]).collect();
    hall.done(&[&["release", "4"], &to[..], &accepted].concat())?;
    // What is live is whose it is now.
    let (code, said) = push(&hog("1.0.4")?, &["--key", &lyra, "--release"])?;
    ensure!(code == 0, "{said}");
    Ok(())
}

#[test]
fn a_part_of_callers_that_cannot_be_names_its_field() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"2*\"]\n")])?;
    hall.publish(&says("vega", "*", "Hello.")?)?;
    for percent in [0, 101, 255, 256, 300] {
        let order = serde_json::json!({ "revision": 1, "percent": percent });
        let path = "/v1/tenants/vega/release";
        let told = strowger_tests::http::ask(hall.engine.http, "PUT", path, None, Some(&order))?;
        assert_eq!(told.status, 422, "{}", told.body);
        let told = told.json()?;
        assert_eq!(told["field"], "percent", "{told}");
        let why = format!("percent is 1 to 100, not {percent}");
        assert_eq!(told["detail"], why.as_str(), "{told}");
    }
    Ok(())
}

#[test]
fn signatures_that_are_asked_for_later_are_missed_in_what_is_live() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let keys = tempfile::TempDir::new()?;
    let key = keys.path().join("acme.key").display().to_string();
    let (_, public, _) = strowger(&["plugin", "key", &key])?;
    let rules = |signed: bool| by_acme(&public, &address, signed);
    let mut hall = Hall::open(&[("aurora", &rules(false))])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder, "--release", "--accept", "all"])?;
    hall.rule("aurora", &rules(true))?;
    hall.reload("which go on all the same: revision 1, ")?;
    let fault = hall.get("/v1/tenants/aurora")?["fault"].to_string();
    ensure!(fault.contains("vip@1.0.0: it is not signed"), "{fault}");
    // It stays so over a restart.
    hall.engine.program.kill()?;
    hall.engine.restart()?;
    let fault = hall.get("/v1/tenants/aurora")?["fault"].to_string();
    ensure!(fault.contains("vip@1.0.0: it is not signed"), "{fault}");
    assert_eq!(hall.live("aurora")?, Some(1));
    Ok(())
}

#[test]
fn refusals_are_in_the_log_and_counters_are_their_tenants_own() -> Result<()> {
    use strowger_tests::http;
    let hall = Hall::open(&[
        ("vega", "numbers = [\"2*\"]\n"),
        ("lyra", "numbers = [\"3*\"]\n"),
    ])?;
    let vega = says("vega", "*", "Hello.")?;
    hall.done(&["push", &vega.path().display().to_string()])?;
    let keys = tempfile::TempDir::new()?;
    let token = |tenant: &str| hall.engine.token("owner", &["--tenant", tenant]);
    let (own, others) = (token("vega")?, token("lyra")?);
    let file = keys.path().join("vega").display().to_string();
    std::fs::write(&file, &own)?;
    let release = ["release", "9", "--tenant", "vega", "--token-file", &file];
    let (code, said) = hall.run(&release)?;
    ensure!(code != 0 && said.contains("no revision 9"), "{code} {said}");
    let part = ["--percent", "10"];
    let release = ["release", "1", "--tenant", "vega", "--token-file", &file];
    hall.refused(&[&release[..], &part].concat(), &["the first release"])?;
    let audit = |token: &str| http::ask(hall.engine.http, "GET", "/v1/audit", Some(token), None);
    let log = audit(&own)?.json()?;
    let rows = log["items"].as_array().into_iter().flatten();
    let refused: Vec<_> = rows.filter(|row| row["outcome"] == "refused").collect();
    assert_eq!(refused.len(), 2, "{log}");
    assert_eq!(refused[0]["action"], "PUT /v1/tenants/{tenant}/release");
    assert_eq!(refused[0]["detail"]["status"], 409, "{log}");
    ensure!(
        refused[0]["detail"]["why"]
            .to_string()
            .contains("the first release"),
        "{log}"
    );
    let log = audit(&others)?.body;
    ensure!(!log.contains("refused"), "another tenant's: {log}");

    // A tenant is shown nothing of others, and nothing of the engine.
    let metrics = |token| http::ask(hall.engine.http, "GET", "/metrics", token, None);
    let text = metrics(Some(&own))?.body;
    ensure!(
        !text.contains("lyra") && !text.contains("strowger_calls "),
        "{text}"
    );
    ensure!(metrics(None)?.body.contains("strowger_calls "), "{text}");

    // A slip in a tenant's name is told.
    let (project, data) = (
        hall.engine.project.display().to_string(),
        hall.engine.data.display().to_string(),
    );
    let new = ["token", "new", "--role", "owner", "--tenant", "vgea", "-p"];
    let (code, _, said) = strowger(&[&new[..], &[&project, "--data", &data]].concat())?;
    ensure!(
        code == 2 && said.contains("no tenant vgea"),
        "{code} {said}"
    );

    // The files can be tried before the engine reads them.
    let (code, _, said) = strowger(&["check", &project])?;
    ensure!(code == 0, "{said}");
    hall.rule("vega", "numbers = [1]\n")?;
    hall.rule("lyra", "[limits]\ncontacts = 0\n")?;
    let (code, out, said) = strowger(&["check", &project])?;
    let said = out + &said;
    ensure!(
        code == 1 && said.contains("vega.toml: line 1") && said.contains("lyra.toml: line 2"),
        "{code} {said}"
    );
    Ok(())
}

#[test]
fn a_note_turns_no_text_and_is_not_cut() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"2*\"]\n")])?;
    let vega = says("vega", "*", "Hello.")?;
    let folder = vega.path().display().to_string();
    for (note, words) in [
        ("a\u{202e}b", "U+202E"),
        ("a\nb", "U+000A"),
        (&"x".repeat(501), "at most 500 characters"),
    ] {
        hall.refused(&["push", &folder, "--note", note], &[words])?;
    }
    hall.done(&["push", &folder, "--note", "版本 1 – good"])?;
    Ok(())
}

fn component_file(name: &str) -> String {
    built(name).display().to_string()
}

#[test]
fn plugins_come_in_by_those_alone_who_may_push_them() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let hall = Hall::open(&[(
        "aurora",
        &format!(
            "numbers = [\"1*\"]\n[grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n"
        ),
    )])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    let keys = tempfile::TempDir::new()?;
    let token = |role: &str| -> Result<String> {
        let file = keys.path().join(role);
        std::fs::write(&file, hall.engine.token(role, &["--tenant", "aurora"])?)?;
        Ok(file.display().to_string())
    };
    let (designer, developer) = (token("designer")?, token("developer")?);
    hall.refused(
        &["push", &folder, "--token-file", &designer],
        &["is new here", "plugins:push"],
    )?;
    hall.done(&["push", &folder, "--token-file", &developer])?;
    strowger_tests::program::edit(&project.path().join("routes.yaml"), |text| {
        format!("{text}\n# another line\n")
    })?;
    hall.done(&["push", &folder, "--token-file", &designer])?;
    Ok(())
}

#[test]
fn too_many_pushes_and_too_large_ones_are_limits_with_names() -> Result<()> {
    let hall = Hall::open(&[(
        "vega",
        "numbers = [\"2*\"]\n[limits]\nuploads_per_day = 3\nupload_bytes = 20000\nfiles = 10\n",
    )])?;
    let vega = says("vega", "*", "Hello.")?;
    let folder = vega.path().display().to_string();
    hall.done(&["push", &folder])?;
    let wav = vega.path().join("long.wav");
    std::fs::write(&wav, vec![0; 30_000])?;
    // It counts: how large it is is known when it is unpacked.
    let (code, said) = hall.run(&["push", &folder])?;
    ensure!(
        code == 2 && said.contains("limits.upload_bytes"),
        "{code} {said}"
    );
    std::fs::remove_file(&wav)?;
    hall.done(&["push", &folder])?;
    let (code, said) = hall.run(&["push", &folder])?;
    ensure!(
        code == 2 && said.contains("limits.uploads_per_day"),
        "{code} {said}"
    );
    Ok(())
}

/// SHA-256 of bytes, in hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_push_that_lacked_its_signature_is_sent_again_with_it_and_the_same_key() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let keys = tempfile::TempDir::new()?;
    let (acme, public) = new_key(&keys, "acme")?;
    let hall = Hall::open(&[("aurora", &by_acme(&public, &address, true))])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder, "--key", &acme])?;
    let newer = altered(
        &component("aurora-orders")?,
        "\"version\": \"1.0.0\"",
        "\"version\": \"1.2.0\"",
    )?;
    let signing = SigningKey::read(&std::fs::read_to_string(&acme)?).map_err(Error::msg)?;
    let statement = Statement {
        tenant: "aurora",
        plugin: "orders",
        version: "1.2.0",
        sha256: &sha256(&newer),
    };
    let (signed, foreign) = (statement.sign(&signing), format!("{}==", "A".repeat(86)));
    let mangled = "A".repeat(88);
    let push = |key: &str, signature: Option<&str>| {
        let mut fields = vec![("Idempotency-Key", key)];
        fields.extend(signature.map(|signature| ("Strowger-Signature", signature)));
        let path = "/v1/tenants/aurora/plugins";
        http::send_raw(hall.engine.http, "POST", path, None, &newer, &fields)
    };
    // Each with its status, a word of it, and whether it is the answer that was given before.
    for (key, signature, status, word, again) in [
        ("one", None, 403, "must be signed", false),
        ("one", Some(&foreign), 403, "none of tenant", false),
        ("one", Some(&signed), 201, r#""version":"1.2.0""#, false),
        ("one", Some(&signed), 201, r#""version":"1.2.0""#, true),
        (
            "one",
            Some(&foreign),
            422,
            "another request had this",
            false,
        ),
        ("one", None, 422, "another request had this", false),
        ("two", Some(&mangled), 400, "no signature", false),
        ("two", Some(&mangled), 400, "no signature", true),
        ("two", Some(&signed), 422, "another request had this", false),
    ] {
        let answer = push(key, signature.map(String::as_str))?;
        let replayed = answer.header("idempotency-replayed") == Some("true");
        ensure!(
            (answer.status, replayed) == (status, again) && answer.body.contains(word),
            "{key} {signature:?}: {} {replayed} {}",
            answer.status,
            answer.body
        );
    }
    Ok(())
}
