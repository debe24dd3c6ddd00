//! The vault: what is in it is used in requests to its hosts, and read by nobody.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::attack::{attacker, reach};
use strowger_tests::hall::{CHATS, etag};
use strowger_tests::http;
use strowger_tests::program::built;
use strowger_tests::program::{binary, strowger};
use strowger_tests::projects::says;
use strowger_tests::upstream::{Upstream, echo, reply};
use strowger_tests::{Engine, Hall};

const VALUE: &str = "t0p-s3cret/value=1";
const OTHERS: &str = "another-tenants-value";
/// A secret of figures alone, which a client may send as a number.
const NUMBER: u64 = 8_472_615_583_920_174;

/// Puts a value into a vault by the program, as an operator would.
fn set(hall: &Hall, tenant: &str, name: &str, host: &str, value: &str) -> Result<(i32, String)> {
    use std::io::Write;
    let mut child = Command::new(binary("strowger")?)
        .args([
            "vault", "set", name, "--tenant", tenant, "--host", host, "-p",
        ])
        .arg(&hall.engine.project)
        .arg("--data")
        .arg(&hall.engine.data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("stdin")?;
    stdin.write_all(format!("{value}\n").as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

fn vault(hall: &Hall, arguments: &[&str]) -> Result<(i32, String)> {
    let (project, data) = (
        hall.engine.project.display().to_string(),
        hall.engine.data.display().to_string(),
    );
    let fixed = ["-p", &project, "--data", &data];
    let (code, out, err) = strowger(&[&["vault"], arguments, &fixed].concat())?;
    Ok((code, format!("{out}{err}")))
}

#[test]
fn nothing_is_sealed_by_another_key_than_the_rest() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    std::fs::write(
        folder.path().join("strowger.toml"),
        "[project]\nname = \"solo\"\n",
    )?;
    let value = folder.path().join("value");
    std::fs::write(&value, "s3cret-value\n")?;
    let set = |name: &str, key: &str| -> Result<(Option<i32>, String)> {
        let output = Command::new(binary("strowger")?)
            .args([
                "vault",
                "set",
                name,
                "--tenant",
                "solo",
                "--host",
                "a.example:443",
            ])
            .args(["--file".as_ref(), value.as_os_str()])
            .args(["-p".as_ref(), folder.path().as_os_str()])
            .env("STROWGER_VAULT_KEY", key)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.code(), said))
    };
    let key = |name: &str| -> Result<String> {
        let file = folder.path().join(name).display().to_string();
        let (code, _, err) = strowger(&["vault", "key", &file])?;
        ensure!(code == 0, "{err}");
        Ok(std::fs::read_to_string(&file)?.trim().to_owned())
    };
    let (first, second) = (key("first.key")?, key("second.key")?);
    let (code, said) = set("one", &first)?;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = set("two", &second)?;
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("`one`") && said.contains("sealed by the master key"),
        "{said}"
    );
    // The one that stands there may be sealed anew: nothing else needs the old key.
    let (code, said) = set("one", &second)?;
    assert_eq!(code, Some(0), "{said}");
    Ok(())
}

/// Two tenants whose requests nobody counts.
const BOTH: [(&str, &str); 2] = [
    (
        "aurora",
        "[limits]\nrequests_per_second = 100000\nburst = 100000\n",
    ),
    (
        "vega",
        "[limits]\nrequests_per_second = 100000\nburst = 100000\n",
    ),
];

/// Makes a master key; its file.
fn master(folder: &Path, name: &str) -> Result<String> {
    let file = folder.join(name).display().to_string();
    let (code, _, said) = strowger(&["vault", "key", &file])?;
    ensure!(code == 0, "{said}");
    Ok(file)
}

/// Puts a value into a vault by the API.
fn put(hall: &Hall, tenant: &str, name: &str) -> Result<http::Response> {
    let path = format!("/v1/tenants/{tenant}/vault/{name}");
    let wanted = json!({ "value": VALUE, "hosts": ["a.example:443"] });
    http::ask(hall.engine.http, "PUT", &path, None, Some(&wanted))
}

#[test]
fn a_running_engine_seals_with_the_key_that_holds() -> Result<()> {
    let keys = tempfile::TempDir::new()?;
    let key = master(keys.path(), "vault.key")?;
    let settings = format!("[vault]\nkey_file = \"{key}\"\n{CHATS}");
    let mut hall = Hall::open_with(&settings, &BOTH)?;
    let rekey = |hall: &Hall, name: &str, entries: usize| -> Result<()> {
        let next = master(keys.path(), name)?;
        let (code, said) = vault(hall, &["rekey", "--new-key", &next])?;
        ensure!(
            code == 0 && said.contains(&format!("{entries} entries")),
            "{code} {said}"
        );
        ensure!(std::fs::read(&key)? == std::fs::read(&next)?, "{name}");
        let old = Path::new(&key).with_file_name("vault.key.old");
        ensure!(!old.exists(), "the key before {name} is still there");
        Ok(())
    };
    let (code, said) = set(&hall, "aurora", "orders", "a.example:443", VALUE)?;
    assert_eq!(code, 0, "{said}");
    rekey(&hall, "one.key", 1)?;
    let made = put(&hall, "vega", "orders")?;
    assert_eq!(made.status, 200, "{}", made.body);
    // It opens everything, or it would not go.
    rekey(&hall, "two.key", 2)?;
    // Where no entry says which key it is.
    for tenant in ["aurora", "vega"] {
        let (code, said) = vault(&hall, &["remove", "orders", "--tenant", tenant])?;
        assert_eq!(code, 0, "{said}");
    }
    rekey(&hall, "three.key", 0)?;
    let made = put(&hall, "vega", "orders")?;
    assert_eq!(made.status, 200, "{}", made.body);
    rekey(&hall, "four.key", 1)?;
    hall.engine.program.kill()?;
    hall.engine.restart()?;
    // A file that has another key than the rest, by mistake.
    let other = master(keys.path(), "five.key")?;
    std::fs::copy(&other, &key)?;
    for tenant in ["aurora", "vega"] {
        let refused = put(&hall, tenant, "orders")?;
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(refused.body.contains("vault.key_file"), "{}", refused.body);
        assert!(!refused.body.contains(&key), "{}", refused.body);
    }
    Ok(())
}

#[test]
fn with_a_key_that_was_changed_since_its_start_an_engine_seals_nothing() -> Result<()> {
    let keys = tempfile::TempDir::new()?;
    let (first, second) = (
        master(keys.path(), "first.key")?,
        master(keys.path(), "second.key")?,
    );
    let text =
        |file: &str| Ok::<_, anyhow::Error>(std::fs::read_to_string(file)?.trim().to_owned());
    let (before, after) = (text(&first)?, text(&second)?);
    let engine = Engine::serve_with(&[("STROWGER_VAULT_KEY", &before)], |centre| {
        std::fs::create_dir_all(centre.join("tenants"))?;
        let settings = format!("[project]\nname = \"hall\"\n{CHATS}");
        std::fs::write(centre.join("strowger.toml"), settings)?;
        for (tenant, text) in BOTH {
            std::fs::write(centre.join(format!("tenants/{tenant}.toml")), text)?;
        }
        Ok(())
    })?;
    let hall = Hall { engine };
    let program = |key: &str, arguments: &[&str]| -> Result<()> {
        let output = Command::new(binary("strowger")?)
            .arg("vault")
            .args(arguments)
            .args(["-p".as_ref(), hall.engine.project.as_os_str()])
            .args(["--data".as_ref(), hall.engine.data.as_os_str()])
            .env("STROWGER_VAULT_KEY", key)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {said}");
        Ok(())
    };
    let value = keys.path().join("value");
    std::fs::write(&value, VALUE)?;
    let value = value.display().to_string();
    let host = ["--host", "a.example:443", "--file", &value];
    program(
        &before,
        &[&["set", "orders-api-key", "--tenant", "aurora"], &host[..]].concat(),
    )?;
    program(&before, &["rekey", "--new-key", &second])?;
    // Beside others, and in place of the only one.
    for (tenant, name) in [("vega", "crm"), ("aurora", "orders-api-key")] {
        let refused = put(&hall, tenant, name)?;
        assert_eq!(refused.status, 409, "{}", refused.body);
        let kind = refused.header("content-type");
        assert_eq!(kind, Some("application/problem+json"));
        for word in ["STROWGER_VAULT_KEY", "start it again"] {
            assert!(refused.body.contains(word), "{}", refused.body);
        }
        // Whose entry it was found at is nobody else's business.
        assert!(!refused.body.contains("aurora"), "{}", refused.body);
        let log = hall.get("/v1/audit?limit=1")?;
        let line = &log["items"][0];
        assert_eq!(line["outcome"], "refused", "{log}");
        assert_eq!(line["tenant"], tenant, "{log}");
        assert_eq!(line["detail"]["status"], 409, "{log}");
    }
    assert_eq!(hall.get("/v1/tenants/vega/vault")?["items"], json!([]));
    // All is of the new key.
    program(&after, &["rekey", "--new-key", &first])
}

#[test]
fn what_is_set_while_the_key_changes_is_of_the_key_in_the_file() -> Result<()> {
    let keys = tempfile::TempDir::new()?;
    let key = master(keys.path(), "vault.key")?;
    let settings = format!("[vault]\nkey_file = \"{key}\"\n{CHATS}");
    let mut hall = Hall::open_with(&settings, &BOTH)?;
    let over = AtomicBool::new(false);
    let write = |writer: usize| -> Result<usize> {
        let mut written = 0;
        while !over.load(Ordering::Relaxed) {
            let made = put(&hall, "vega", &format!("k{writer}-{}", written % 8))?;
            ensure!(made.status == 200, "{} {}", made.status, made.body);
            written += 1;
        }
        Ok(written)
    };
    std::thread::scope(|scope| -> Result<()> {
        let write = &write;
        let writers: Vec<_> = (0..4)
            .map(|writer| scope.spawn(move || write(writer)))
            .collect();
        let changed = (0..6).try_for_each(|number| -> Result<()> {
            let next = master(keys.path(), &format!("next{number}.key"))?;
            let (code, said) = vault(&hall, &["rekey", "--new-key", &next])?;
            ensure!(code == 0, "{number}: {code} {said}");
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        for writer in writers {
            let written = writer
                .join()
                .map_err(|_| anyhow::anyhow!("a writer panicked"))?;
            ensure!(written? > 0, "nothing was written");
        }
        changed
    })?;
    // It starts when it can open all of them with the key in the file.
    hall.engine.program.kill()?;
    hall.engine.restart()
}

/// Whether any file below a folder holds some bytes.
fn holds(folder: &Path, what: &str) -> Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let found = match path.is_dir() {
            true => holds(&path, what)?,
            false => match std::fs::read(&path) {
                // The engine runs: what it was about to rename or remove is found under its name, or nowhere.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
                read => read?
                    .windows(what.len())
                    .any(|window| window == what.as_bytes()),
            },
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a caller types.
const CARD: &str = "4111111111111111";

#[test]
fn a_card_number_is_not_read_back_from_a_service_that_repeats_it() -> Result<()> {
    let service = Upstream::start(echo)?;
    let here = service.address.to_string();
    let rules = format!(
        "numbers = [\"6*\"]\n[grants]\nhttp = [\"{here}\"]\n[limits.http]\nprivate = [\"{here}\"]\n"
    );
    let tenants = [
        ("mallory", rules.as_str()),
        ("vega", "numbers = [\"900\"]\n"),
    ];
    let mut hall = Hall::open_with(CHATS, &tenants)?;
    hall.publish(&says("vega", "900", "Good morning from Vega.")?)?;
    let project = tempfile::TempDir::new()?;
    let at = |name: &str| project.path().join(name);
    std::fs::create_dir_all(at("plugins"))?;
    std::fs::copy(built("guest-thief"), at("plugins/guest-thief.wasm"))?;
    std::fs::write(
        at("strowger.toml"),
        format!(
            "[project]\nname = \"mallory\"\n[plugins.guest-thief]\ncomponent = \"plugins/guest-thief.wasm\"\ngrants = {{ http = [\"{here}\"] }}\n"
        ),
    )?;
    std::fs::write(
        at("routes.yaml"),
        "routes:\n  - { to: \"600\", flow: pay }\n",
    )?;
    std::fs::write(
        at("pay.flow.yaml"),
        format!(
            "flow: pay\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    ask: Your card number, please.\n    into: card\n    \
             expect: card\n    timeout: 60s\n    then: {{ ok: steal, no_input: late, no_match: late }}\n  steal:\n    \
             - use: guest-thief/go@1\n      with: {{ url: \"http://{here}/\", card: \"${{card}}\" }}\n      timeout: 20s\n      \
             then: {{ done: over, error: failed, timeout: late }}\n  over: {{ hangup: over }}\n  failed: {{ hangup: failed }}\n  \
             late: {{ hangup: late }}\n"
        ),
    )?;
    hall.publish(&project)?;
    let begun = json!({ "to": "600", "from": "+8613800138000" });
    let begun = http::ask(hall.engine.http, "POST", "/v1/chats", None, Some(&begun))?.json()?;
    let id = begun["id"].as_str().context("an id")?.to_owned();
    let token = begun["token"].as_str().context("a token")?;
    let events = format!("/v1/chats/{id}/events?after=0&wait=20");
    let mut shown = http::ask(hall.engine.http, "GET", &events, Some(token), None)?.body;
    while !shown.contains("listening") {
        shown = http::ask(hall.engine.http, "GET", &events, Some(token), None)?.body;
    }
    let message = json!({ "text": CARD, "client_id": "m1" });
    let path = format!("/v1/chats/{id}/messages");
    let taken = http::ask(hall.engine.http, "POST", &path, Some(token), Some(&message))?;
    ensure!(taken.status == 202, "{} {}", taken.status, taken.body);
    hall.calm("900")?;
    let over = hall.over(&id)?;
    ensure!(over.reason == "over", "{}", over.journal);
    let answers = over.answers()?;
    let asked = service.asked();
    assert_eq!(asked[0].body, format!("card={CARD};"));
    let told = answers[0]["ok"].as_str().context("a response")?;
    assert!(told.ends_with("card=•••;"), "{told}");
    for at in 1..5 {
        assert!(answers[at]["err"].is_object(), "{at}: {answers:?}");
    }
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(!over.journal.contains(CARD));
    hall.engine.program.kill()?;
    assert!(!hall.engine.program.log().contains(CARD));
    assert!(!holds(&hall.engine.data, CARD)?, "the data folder has it");
    Ok(())
}

#[test]
fn a_secret_in_a_redirect_is_told_to_nobody() -> Result<()> {
    const LOUD: &str = "Loud-Value-8472";
    let service = Upstream::start(|asked, to| {
        let location = match asked.path() {
            // Names of hosts come in lower case.
            "/host" => format!("http://{LOUD}.example/"),
            "/port" => format!("http://{LOUD}:99999/"),
            "/scheme" => format!("{LOUD}://x/"),
            _ => format!("http://x.example@/paid?t={LOUD}"),
        };
        let location = format!("Location: {location}\r\n");
        reply(to, "307 Temporary Redirect", &location, b"")
    })?;
    let keys = tempfile::TempDir::new()?;
    let key = keys.path().join("vault.key").display().to_string();
    let (code, _, said) = strowger(&["vault", "key", &key])?;
    assert_eq!(code, 0, "{said}");
    let here = service.address.to_string();
    let plan: Vec<Json> = ["/host", "/port", "/scheme", "/query"]
        .iter()
        .map(|path| {
            json!({
                "method": "POST", "url": format!("http://{here}{path}"), "body": "",
                "secrets": [["@k", "vault:orders-api-key"]], "headers": [["authorization", "Bearer @k"]],
            })
        })
        .collect();
    let grants = format!("http = [\"{here}\"], vault = [\"orders-api-key\"]");
    let rules = format!(
        "numbers = [\"6*\"]\n[grants]\nhttp = [\"{here}\"]\nvault = [\"orders-api-key\"]\n\
         [limits.http]\nredirects = 3\nprivate = [\"{here}\"]\n"
    );
    let settings = format!("[vault]\nkey_file = \"{key}\"\n{CHATS}");
    let mut hall = Hall::open_with(&settings, &[("mallory", rules.as_str())])?;
    let project = attacker("mallory", &grants, &[reach("600", json!(plan))])?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder])?;
    hall.done(&["release", "1", "--tenant", "mallory", "--accept", "all"])?;
    let (code, said) = set(&hall, "mallory", "orders-api-key", &here, LOUD)?;
    assert_eq!(code, 0, "{said}");
    let over = hall.walked("600")?;
    let answers = over.answers()?;
    assert_eq!(service.asked().len(), plan.len());
    hall.engine.program.kill()?;
    let places = [
        ("answers", json!(answers).to_string()),
        ("journal", over.journal.clone()),
        ("log", hall.engine.program.log()),
    ];
    for answer in &answers {
        assert!(answer["err"].is_object(), "{answer}");
    }
    for (place, text) in places {
        let text = text.to_lowercase();
        assert!(!text.contains(&LOUD.to_lowercase()), "{place}: {text}");
    }
    Ok(())
}

#[test]
fn a_secret_within_json_is_escaped_and_hidden_however_it_is_read() -> Result<()> {
    const ODD: &str = "k\"\\ey wörd-42";
    // As it came, and as who takes each byte for a letter reads it.
    let service = Upstream::start(|asked, to| {
        let latin: String = asked.body.bytes().map(char::from).collect();
        let told = json!({ "latin": latin, "plain": asked.body }).to_string();
        reply(to, "200 OK", "", told.as_bytes())
    })?;
    let keys = tempfile::TempDir::new()?;
    let key = master(keys.path(), "vault.key")?;
    let here = service.address.to_string();
    let plan = json!([{
        "method": "POST", "url": format!("http://{here}/"), "secrets": [["@k", "vault:orders-api-key"]],
        "headers": [["content-type", "application/json"]], "body": "{\"key\":\"@k\"}",
    }]);
    let grants = format!("http = [\"{here}\"], vault = [\"orders-api-key\"]");
    let rules = format!(
        "numbers = [\"6*\"]\n[grants]\nhttp = [\"{here}\"]\nvault = [\"orders-api-key\"]\n\
         [limits.http]\nprivate = [\"{here}\"]\n"
    );
    let settings = format!("[vault]\nkey_file = \"{key}\"\n{CHATS}");
    let hall = Hall::open_with(&settings, &[("mallory", rules.as_str())])?;
    hall.publish(&attacker("mallory", &grants, &[reach("600", plan)])?)?;
    let (code, said) = set(&hall, "mallory", "orders-api-key", &here, ODD)?;
    assert_eq!(code, 0, "{said}");
    let answers = hall.walked("600")?.answers()?;
    let asked: Json = serde_json::from_str(&service.asked()[0].body)?;
    assert_eq!(asked, json!({ "key": ODD }));
    let told = answers[0]["ok"]["text"].as_str().context("a response")?;
    let hidden = r#"{"latin":"{\"key\":\"•••\"}","plain":"{\"key\":\"•••\"}"}"#;
    assert!(told.ends_with(hidden), "{told}");
    Ok(())
}

#[test]
fn a_secret_goes_to_its_hosts_and_to_nobody_else() -> Result<()> {
    let (service, stranger) = (Upstream::start(echo)?, Upstream::start(echo)?);
    let keys = tempfile::TempDir::new()?;
    let key = keys.path().join("vault.key").display().to_string();
    let (code, _, said) = strowger(&["vault", "key", &key])?;
    assert_eq!(code, 0, "{said}");
    let (here, there) = (service.address.to_string(), stranger.address.to_string());
    let url = format!("http://{here}/");
    let bearer = json!([["authorization", "Bearer @k"]]);
    let with = |url: &str, secrets: Json, headers: Json, body: &str| json!({ "method": "POST", "url": url, "secrets": secrets, "headers": headers, "body": body });
    let own = json!([["@k", "vault:orders-api-key"]]);
    let plan = json!([
        with(&url, own.clone(), bearer.clone(), ""),
        with(&url, own.clone(), json!([]), "key=@k;"),
        // Where it does not belong, and what is not one's own.
        with(&format!("http://{there}/"), own.clone(), bearer.clone(), ""),
        with(&url, json!([["@k", "vault:vega-key"]]), bearer.clone(), ""),
        with(&url, json!([["@k", "vault:ungranted"]]), bearer.clone(), ""),
        with(&url, json!([["@k", "s:1"]]), bearer.clone(), "@k"),
        with(
            &url,
            own.clone(),
            json!([["x", "@k"], ["accept-encoding", "gzip"]]),
            ""
        ),
        with(
            &url,
            own.clone(),
            json!([["x", "@k"], ["range", "bytes=0-3"]]),
            ""
        ),
        // Looking for a part of it in what it becomes.
        with(
            &url,
            json!([
                ["@k", "vault:orders-api-key"],
                ["t0p", "vault:orders-api-key"]
            ]),
            bearer,
            ""
        ),
    ]);
    let grants =
        format!("http = [\"{here}\", \"{there}\"], vault = [\"orders-api-key\", \"vega-key\"]");
    let rules = format!(
        "numbers = [\"6*\"]\n[grants]\nhttp = [\"{here}\", \"{there}\"]\nvault = [\"orders-api-key\", \"vega-key\"]\n\
         [limits.http]\nprivate = [\"{here}\", \"{there}\"]\n"
    );
    let settings = format!("[vault]\nkey_file = \"{key}\"\n{CHATS}");
    let tenants = [
        ("mallory", rules.as_str()),
        ("vega", "numbers = [\"900\"]\n"),
    ];
    let mut hall = Hall::open_with(&settings, &tenants)?;
    hall.publish(&says("vega", "900", "Good morning from Vega.")?)?;

    // What is asked for must be granted by the operator, and is a gain that must be accepted.
    let greedy = attacker(
        "mallory",
        "vault = [\"ungranted\"]",
        &[reach("600", json!([]))],
    )?;
    let folder = greedy.path().display().to_string();
    hall.refused(
        &["push", &folder],
        &["plugin guest-reach asks for `vault ungranted`"],
    )?;
    let project = attacker("mallory", &grants, &[reach("600", plan)])?;
    let folder = project.path().display().to_string();
    hall.refused(
        &["push", &folder, "--release"],
        &["guest-reach: vault orders-api-key"],
    )?;
    hall.done(&["release", "1", "--tenant", "mallory", "--accept", "all"])?;

    let (code, said) = set(&hall, "mallory", "orders-api-key", &here, VALUE)?;
    assert_eq!(code, 0, "{said}");
    set(&hall, "vega", "vega-key", &here, OTHERS)?;
    let answers = hall.walked("600")?.answers()?;
    hall.calm("900")?;
    let told = |at: usize| answers[at].to_string();
    let asked = service.asked();
    assert_eq!(asked.len(), 2, "{answers:?}");
    assert!(
        asked[0].head.contains(&format!("Bearer {VALUE}")),
        "{}",
        asked[0].head
    );
    assert_eq!(asked[1].body, format!("key={VALUE};"));
    // The service repeats all that it was asked; the guest does not see it.
    assert!(told(0).contains("Bearer •••"), "{}", told(0));
    assert!(told(1).contains("key=•••;"), "{}", told(1));
    assert!(
        told(2).contains(&format!("it is for {here} only")),
        "{}",
        told(2)
    );
    assert_eq!(stranger.asked().len(), 0);
    assert!(told(3).contains("nothing of this name"), "{}", told(3));
    assert!(
        told(4).contains("vault ungranted: not granted"),
        "{}",
        told(4)
    );
    assert!(answers[5]["err"].is_object(), "{}", told(5));
    assert!(told(6).contains("accept-encoding"), "{}", told(6));
    assert!(told(7).contains("range"), "{}", told(7));
    assert!(told(8).contains("exactly once"), "{}", told(8));

    // By the API: names for their own tenant, no values.
    let list = hall.get("/v1/tenants/mallory/vault")?;
    assert_eq!(list["items"][0]["name"], "orders-api-key", "{list}");
    assert_eq!(list["items"][0]["hosts"], json!([here]));
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    let path = "/v1/tenants/vega/vault/second";
    let wanted = json!({ "value": OTHERS, "hosts": [here] });
    let made = http::ask(hall.engine.http, "PUT", path, None, Some(&wanted))?;
    ensure!(
        made.status == 200 && !made.body.contains(OTHERS),
        "{}",
        made.body
    );
    for (wanted, word) in [
        (json!({ "value": "short", "hosts": [here] }), "8 to 8192"),
        (json!({ "value": OTHERS, "hosts": [] }), "1 to 16 hosts"),
        (
            json!({ "value": OTHERS, "hosts": ["http://x/"] }),
            "not a host",
        ),
        // What is secret may stand where it does not belong.
        (json!({ "value": NUMBER, "hosts": [here] }), "a string"),
        (json!({ "value": VALUE, "hosts": [OTHERS] }), "host 1"),
        (json!({ "value": VALUE, "hosts": [NUMBER] }), "a string"),
        (json!({ "value": VALUE, OTHERS: here }), "`hosts`"),
    ] {
        let refused = http::ask(hall.engine.http, "PUT", path, None, Some(&wanted))?;
        ensure!(
            refused.status == 422 && refused.body.contains(word),
            "{}",
            refused.body
        );
        for secret in [VALUE, OTHERS, &NUMBER.to_string()] {
            ensure!(!refused.body.contains(secret), "{}", refused.body);
        }
    }
    // Only as it was when it was looked at.
    let seen = http::get(hall.engine.http, path)?;
    ensure!(
        seen.status == 200 && !seen.body.contains(OTHERS),
        "{}",
        seen.body
    );
    let seen = etag(&seen)?;
    let body = wanted.to_string();
    let conditional = |method: &str, tag: &str, body: Option<&str>| {
        http::send(hall.engine.http, method, path, &[("if-match", tag)], body)
    };
    let changed = conditional("PUT", &seen, Some(&body))?;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(conditional("PUT", &seen, Some(&body))?.status, 412);
    assert_eq!(conditional("DELETE", &seen, None)?.status, 412);
    // The change has told what it is now.
    let now = etag(&changed)?;
    assert_eq!(now, etag(&http::get(hall.engine.http, path)?)?);
    assert_eq!(conditional("DELETE", &now, None)?.status, 204);
    assert_eq!(conditional("PUT", "*", Some(&body))?.status, 412);
    assert_eq!(
        http::ask(hall.engine.http, "PUT", path, None, Some(&wanted))?.status,
        200
    );
    assert_eq!(
        http::ask(hall.engine.http, "DELETE", path, None, None)?.status,
        204
    );
    assert_eq!(
        http::ask(hall.engine.http, "DELETE", path, None, None)?.status,
        404
    );

    // Another master key, while the engine runs.
    let next = keys.path().join("next.key").display().to_string();
    strowger(&["vault", "key", &next])?;
    let (code, said) = vault(&hall, &["rekey", "--new-key", &next])?;
    assert_eq!(code, 0, "{said}");
    assert_eq!(std::fs::read(&key)?, std::fs::read(&next)?);
    assert!(
        hall.walked("600")?.answers()?[0]
            .to_string()
            .contains("Bearer •••")
    );
    assert_eq!(service.asked().len(), 4);

    let log = hall.get("/v1/audit?limit=200")?.to_string();
    for action in ["vault.set", "vault.remove", "vault.rekey"] {
        assert!(log.contains(action), "no {action}: {log}");
    }
    // Nowhere is what is in it: not in the log, the journals, the store, a backup.
    hall.engine.program.kill()?;
    let backup = keys.path().join("backup");
    let (project, data) = (hall.engine.project.clone(), hall.engine.data.clone());
    let (code, _, said) = strowger(&[
        "backup",
        &backup.display().to_string(),
        "-p",
        &project.display().to_string(),
        "--data",
        &data.display().to_string(),
    ])?;
    assert_eq!(code, 0, "{said}");
    for value in [VALUE, OTHERS] {
        assert!(!hall.engine.program.log().contains(value));
        assert!(!log.contains(value));
        assert!(!log.contains(&NUMBER.to_string()));
        assert!(!holds(&data, value)?, "the data folder has {value}");
        assert!(!holds(&backup, value)?, "the backup has {value}");
    }
    let (code, said) = vault(&hall, &["list", "--tenant", "mallory"])?;
    ensure!(
        code == 0 && said.contains("orders-api-key") && !said.contains(VALUE),
        "{said}"
    );
    ensure!(!said.contains("vega-key"), "{said}");

    // A key that others may read, another one, and none: one sentence each, and exit code 2.
    let refused = |words: &str| -> Result<()> {
        let (code, _, said) = strowger(&[
            "serve",
            &project.display().to_string(),
            "--data",
            &data.display().to_string(),
            "--sip",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ])?;
        ensure!(code == 2 && said.contains(words), "{words}: {code} {said}");
        Ok(())
    };
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644))?;
    refused("chmod 600")?;
    std::fs::remove_file(&key)?;
    refused("cannot be read")?;
    strowger(&["vault", "key", &key])?;
    refused("was sealed by the master key")?;
    std::fs::copy(&next, &key)?;
    let (code, said) = vault(&hall, &["remove", "orders-api-key", "--tenant", "mallory"])?;
    assert_eq!(code, 0, "{said}");
    let (code, _) = vault(&hall, &["remove", "orders-api-key", "--tenant", "mallory"])?;
    assert_eq!(code, 1);
    Ok(())
}
