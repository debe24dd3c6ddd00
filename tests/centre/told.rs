//! What a push is told: all that is wrong at once, what of it does nothing here, queues that are not its tenant's.

use anyhow::{Result, ensure};
use serde_json::json;
use strowger_tests::Hall;
use strowger_tests::OrderService;
use strowger_tests::attack::{Attack, attacker};
use strowger_tests::hall::CHATS;
use strowger_tests::program::component;
use strowger_tests::program::edit;
use strowger_tests::projects::{altered, aurora, says};

#[test]
fn complaints_of_files_versions_signatures_and_examples_come_together() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let rules = |signed: &str| {
        format!(
            "numbers = [\"1*\"]\n{signed}\n[grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n"
        )
    };
    let mut hall = Hall::open(&[("aurora", &rules(""))])?;
    let project = aurora(orders.address)?;
    let folder = project.path().display().to_string();
    hall.done(&["push", &folder])?;

    // Other bytes of a version that is there, twice; the example of one does not go as it says; a route leads nowhere.
    let alter = |plugin: &str, from: &str, to: &str| -> Result<()> {
        let bytes = altered(&component(plugin)?, from, to)?;
        let place = project.path().join(format!("plugins/{plugin}.wasm"));
        Ok(std::fs::write(place, bytes)?)
    };
    alter(
        "aurora-orders",
        "Aurora's orders: look",
        "Aurora's orders; look",
    )?;
    alter(
        "aurora-vip",
        "\"tier\": \"platinum\"",
        "\"tier\": \"standard\"",
    )?;
    edit(&project.path().join("routes.yaml"), |text| {
        format!("{text}\n  - {{ to: \"19999\", flow: nowhere }}\n")
    })?;
    hall.refused(
        &["push", &folder],
        &[
            "routes.yaml:",
            "nowhere",
            "orders@1.0.0 is there already with other bytes",
            "vip@1.0.0 is there already with other bytes",
            "error[plugin-example]",
            "what was pushed has 4 errors",
        ],
    )?;

    // Nothing is run of what is not signed; that is told of each.
    let key = tempfile::TempDir::new()?;
    let key = key.path().join("acme.key").display().to_string();
    let (_, public, _) = strowger_tests::program::strowger(&["plugin", "key", &key])?;
    let signed = format!("signed = true\n[publishers]\nacme = \"{}\"", public.trim());
    hall.rule("aurora", &rules(&signed))?;
    hall.reload("the tenants' files are read again")?;
    let (code, said) = hall.run(&["push", &folder])?;
    ensure!(code == 1, "{code} {said}");
    for words in ["and orders@1.0.0 is not", "and vip@1.0.0 is not", "nowhere"] {
        ensure!(said.contains(words), "no `{words}`: {said}");
    }
    ensure!(!said.contains("plugin-example"), "{said}");
    Ok(())
}

#[test]
fn that_there_are_more_findings_than_are_told_is_said() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"2*\"]\n")])?;
    let project = says("vega", "*", "Hello.")?;
    edit(&project.path().join("greeting.flow.yaml"), |_| {
        let steps = (0..600).map(|number| format!("  s{number}: {{ zz: 1 }}\n"));
        let steps: String = steps.collect();
        format!(
            "flow: greeting\nformat: 1\nlanguages: [en]\nsteps:\n  start: {{ goto: s0 }}\n{steps}"
        )
    })?;
    let folder = project.path().display().to_string();
    hall.refused(
        &["push", &folder],
        &[
            "what was pushed has ",
            " errors and more: ",
            "or more further findings are not shown",
        ],
    )
}

#[test]
fn what_only_the_operator_says_is_named() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"2*\"]\n")])?;
    let vega = says("vega", "*", "Hello.")?;
    let folder = vega.path().display().to_string();
    let said = hall.done(&["push", &folder])?;
    ensure!(!said.contains("does nothing here"), "{said}");
    edit(&vega.path().join("strowger.toml"), |text| {
        format!(
            "{text}[[webhooks]]\nname = \"own\"\nurl = \"https://vega.example/\"\nsecret_env = \"OWN\"\n[retention.records]\ndays = 1\n[transfer]\nhow = \"refer\"\ncalls = 5\n"
        )
    })?;
    let said = hall.done(&["push", &folder])?;
    ensure!(
        said.contains("does nothing here: retention, webhooks, transfer.calls of strowger.toml"),
        "{said}"
    );
    // How long an instance may be held is bounded, since others need its place.
    edit(&vega.path().join("strowger.toml"), |text| {
        format!("{text}[steps]\ndrop_waiting_after_ms = 9223372036854775807\n")
    })?;
    let (code, said) = hall.run(&["push", &folder])?;
    ensure!(
        code == 2 && said.contains("steps.drop_waiting_after_ms is 0 to 60000"),
        "{code} {said}"
    );
    Ok(())
}

#[test]
fn queues_are_granted_by_name_and_held_to_at_each_use() -> Result<()> {
    let rules =
        |queues: &str| format!("numbers = [\"6*\"]\n[grants]\nroute = true\nqueues = {queues}\n");
    let neighbour = ("vega", "numbers = [\"900\"]\n");
    let mut hall = Hall::open_with(CHATS, &[("mallory", &rules("[\"desk\"]")), neighbour])?;
    hall.publish(&says("vega", "900", "Good morning from Vega.")?)?;
    let enqueue = |number, queue: &str| Attack {
        number,
        step: "guest-route/enqueue",
        with: format!("{{ queue: {queue} }}"),
    };
    let asks = "route = true, queues = [\"desk\"]";
    let mallory = attacker(
        "mallory",
        asks,
        &[enqueue("600", "desk"), enqueue("601", "vip")],
    )?;
    let folder = mallory.path().display().to_string();
    let write = |name: &str, text: &str| std::fs::write(mallory.path().join(name), text);
    write("queues.yaml", "queues:\n  vip: {}\n")?;
    // A queue that is not there, and one that is nobody's business here.
    hall.refused(
        &["push", &folder],
        &[
            "granted the queue `desk`, which is not there",
            "the queue `vip`, which the operator has not granted to mallory",
            // At the line of the queue.
            "queues.yaml:2:3",
        ],
    )?;
    write("queues.yaml", "queues:\n  desk: {}\n  vip: {}\n")?;
    // A flow of its own, whose step is none of its plugins.
    write(
        "plain.flow.yaml",
        "flow: plain\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - queue: desk\n      then: { error: failed, else: empty }\n  \
         empty: { hangup: empty }\n  failed: { hangup: failed }\n",
    )?;
    edit(&mallory.path().join("routes.yaml"), |text| {
        format!("{text}  - {{ to: \"602\", flow: plain }}\n")
    })?;
    hall.rule("mallory", &rules("[\"desk\", \"vip\"]"))?;
    hall.reload("the tenants' files are read again")?;
    let said = hall.done(&["push", &folder])?;
    for gain in ["route queue desk", "route transfer"] {
        ensure!(said.contains(&format!("guest-route: {gain}")), "{said}");
    }
    // What the project's own flows may lead to is a gain too.
    for gain in ["queue desk", "queue vip"] {
        ensure!(said.contains(&format!("queues.yaml: {gain}")), "{said}");
    }
    hall.refused(
        &["release", "1", "--tenant", "mallory"],
        &["route queue desk"],
    )?;
    hall.done(&["release", "1", "--tenant", "mallory", "--accept", "all"])?;
    let enqueued = |hall: &Hall, number: &str| -> Result<serde_json::Value> {
        let enqueued = hall.walked(number)?.data()?["enqueue"].clone();
        hall.calm("900")?;
        Ok(enqueued)
    };
    assert_eq!(enqueued(&hall, "600")?, json!({ "ok": "NoAgents" }));
    let other = enqueued(&hall, "601")?.to_string();
    ensure!(
        other.contains("queue vip: not granted to this plugin"),
        "{other}"
    );
    let plain = |hall: &Hall| -> Result<String> { Ok(hall.over(&hall.begin("602")?)?.reason) };
    assert_eq!(plain(&hall)?, "empty");

    // The operator takes the queue back.
    hall.rule("mallory", &rules("[\"vip\"]"))?;
    hall.reload("the tenants' files are read again")?;
    let address = hall.engine.http;
    let limit = std::time::Duration::from_secs(30);
    hall.engine.program.wait_until("a fault", limit, || {
        let shown = strowger_tests::http::get(address, "/v1/tenants/mallory");
        shown.is_ok_and(|shown| shown.body.contains("guest-route: route queue desk"))
    })?;
    let gone = enqueued(&hall, "600")?.to_string();
    ensure!(
        gone.contains("queue desk: the operator does not grant it"),
        "{gone}"
    );
    assert_eq!(plain(&hall)?, "failed");
    assert_eq!(hall.refusals("route.queues")?, 3);
    hall.refused(
        &["release", "1", "--tenant", "mallory", "--accept", "all"],
        &["has not granted to mallory", "queue desk"],
    )?;
    // From here on nobody is let in without a token.
    counters_are_shown_to_whom_they_belong(&hall)
}

/// With tokens made: who says nothing sees no tenant's lines, a tenant its own, and whoever says something no more than it may.
fn counters_are_shown_to_whom_they_belong(hall: &Hall) -> Result<()> {
    use strowger_tests::http;
    let own = |role: &str, tenant: &str| hall.engine.token(role, &["--tenant", tenant]);
    let (mallory, vega) = (own("operator", "mallory")?, own("operator", "vega")?);
    let (designer, whole) = (own("designer", "mallory")?, own("auditor", "*")?);
    let metrics = |token: Option<&str>| http::ask(hall.engine.http, "GET", "/metrics", token, None);
    let line = "tenant=\"mallory\",limit=\"route.queues\"} 3";
    for (token, status, sees_mallory, sees_engine) in [
        (None, 200, false, true),
        (Some(&mallory), 200, true, false),
        (Some(&vega), 200, false, false),
        (Some(&whole), 200, true, true),
        (Some(&designer), 403, false, false),
        (Some(&format!("{whole}0")), 401, false, false),
    ] {
        let shown = metrics(token.map(String::as_str))?;
        assert_eq!(shown.status, status, "{}", shown.body);
        assert_eq!(shown.body.contains(line), sees_mallory, "{}", shown.body);
        let engine = shown.body.contains("strowger_store_up ");
        assert_eq!(engine, sees_engine, "{}", shown.body);
        ensure!(
            sees_mallory || !shown.body.contains("mallory\""),
            "{}",
            shown.body
        );
    }
    Ok(())
}

#[test]
fn flows_hand_over_to_whom_the_operator_grants_alone() -> Result<()> {
    let rules = |grants: &str| format!("numbers = [\"6*\"]\n[grants]\n{grants}");
    let neighbour = ("vega", "numbers = [\"900\"]\n");
    let mut hall = Hall::open_with(CHATS, &[("mallory", &rules("")), neighbour])?;
    let vega = says("vega", "900", "Good morning from Vega.")?;
    hall.publish(&vega)?;
    let mallory = says("mallory", "600", "Hello.")?;
    let folder = mallory.path().display().to_string();
    let write = |name: &str, text: &str| std::fs::write(mallory.path().join(name), text);
    write(
        "queues.yaml",
        "suppliers:\n  desk: { sip: \"sip:desk@desk.example\" }\n  far: { sip: \"sip:far@far.example\" }\n",
    )?;
    write(
        "greeting.flow.yaml",
        "flow: greeting\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - transfer: far\n      then: { error: denied, else: tried }\n  \
         tried: { hangup: tried }\n  denied: { hangup: denied }\n",
    )?;
    // Without `transfers` any is granted, as ever, and what is gained is to be accepted.
    let said = hall.done(&["push", &folder])?;
    for gain in ["desk sip:desk@desk.example", "far sip:far@far.example"] {
        ensure!(
            said.contains(&format!("queues.yaml: supplier {gain}")),
            "{said}"
        );
    }
    hall.refused(
        &["release", "1", "--tenant", "mallory"],
        &["queues.yaml: supplier far sip:far@far.example"],
    )?;
    hall.done(&["release", "1", "--tenant", "mallory", "--accept", "all"])?;
    let ends = |hall: &Hall| -> Result<String> { Ok(hall.over(&hall.begin("600")?)?.reason) };
    assert_eq!(ends(&hall)?, "tried");
    // The same name with another address is another gain.
    edit(&mallory.path().join("queues.yaml"), |text| {
        text.replace("far.example", "farther.example")
    })?;
    let said = hall.done(&["push", &folder])?;
    ensure!(
        said.contains("may touch, new: queues.yaml: supplier far sip:far@farther.example"),
        "{said}"
    );
    ensure!(
        said.contains("may no longer touch: queues.yaml: supplier far sip:far@far.example"),
        "{said}"
    );

    // The operator names whom: what is live is refused at its use and told, with the flow's line; so are a push and a release.
    hall.rule("mallory", &rules("transfers = [\"sip:*@desk.example\"]\n"))?;
    hall.reload("greeting.flow.yaml:6: transfer sip:far@far.example")?;
    assert_eq!(ends(&hall)?, "denied");
    assert_eq!(hall.refusals("route.transfers")?, 1);
    hall.calm("900")?;
    hall.refused(
        &["push", &folder],
        &[
            "greeting.flow.yaml:6:",
            "transfer sip:far@farther.example",
            "[grants]",
        ],
    )?;
    hall.refused(
        &["release", "2", "--tenant", "mallory", "--accept", "all"],
        &["greeting.flow.yaml:6: transfer sip:far@farther.example"],
    )?;
    // The supplier that is granted is taken.
    edit(&mallory.path().join("greeting.flow.yaml"), |text| {
        text.replace("transfer: far", "transfer: desk")
    })?;
    hall.done(&["push", &folder, "--release", "--accept", "all"])?;
    assert_eq!(ends(&hall)?, "tried");
    ensure!(
        hall.get("/v1/tenants/mallory")?["fault"].is_null(),
        "a fault is left"
    );
    Ok(())
}

/// Adds a part to a project's `strowger.toml`, in place of what else was added.
fn settings(project: &tempfile::TempDir, plain: &str, more: &str) -> Result<()> {
    let at = project.path().join("strowger.toml");
    Ok(std::fs::write(at, format!("{plain}{more}"))?)
}

#[test]
fn another_trunk_and_recording_that_begins_are_accepted_by_name() -> Result<()> {
    let hall = Hall::open(&[("vega", "numbers = [\"900\"]\n")])?;
    let vega = says("vega", "900", "Hello.")?;
    let folder = vega.path().display().to_string();
    let plain = std::fs::read_to_string(vega.path().join("strowger.toml"))?;
    let recorded = "strowger.toml: recording.calls true instead of false";
    let first = "strowger.toml: transfer.trunk sip:a.example instead of none";
    let other = "strowger.toml: transfer.trunk sip:b.example instead of sip:a.example";
    let both = "[recording]\ncalls = true\n[transfer]\ntrunk = \"sip:a.example\"\n";
    let release = |revision, accept: &[&str]| {
        let accept = accept.iter().flat_map(|gain| ["--accept", *gain]);
        let order = ["release", revision, "--tenant", "vega"].into_iter();
        order.chain(accept).map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = |order: Vec<String>, words: &[&str]| {
        let order: Vec<&str> = order.iter().map(String::as_str).collect();
        hall.refused(&order, words)
    };
    let done = |order: Vec<String>| {
        let order: Vec<&str> = order.iter().map(String::as_str).collect();
        hall.done(&order)
    };
    // The first release of all has them too.
    settings(&vega, &plain, both)?;
    let said = hall.done(&["push", &folder])?;
    for gain in [first, recorded] {
        ensure!(said.contains(&format!("may touch, new: {gain}")), "{said}");
    }
    refused(release("1", &[]), &[first, recorded])?;
    // One without the other is not enough.
    refused(release("1", &[first]), &[recorded])?;
    done(release("1", &[first, recorded]))?;
    // What is as it was is no gain.
    let said = hall.done(&["push", &folder, "--release"])?;
    ensure!(!said.contains("may touch"), "{said}");
    settings(&vega, &plain, &both.replace("a.example", "b.example"))?;
    let said = hall.done(&["push", &folder])?;
    ensure!(said.contains(&format!("may touch, new: {other}")), "{said}");
    refused(release("3", &[]), &[other])?;
    refused(release("3", &[first]), &["is nothing that revision 3 has"])?;
    done(release("3", &[other]))?;
    // Less is told, and asks for nothing.
    settings(&vega, &plain, "[recording]\ncalls = false\n")?;
    let said = hall.done(&["push", &folder, "--release"])?;
    for less in ["transfer.trunk sip:b.example", "recording.calls"] {
        ensure!(
            said.contains(&format!("may no longer touch: strowger.toml: {less}")),
            "{said}"
        );
    }
    assert_eq!(hall.live("vega")?, Some(4));
    Ok(())
}

#[test]
fn another_configuration_of_a_plugin_is_tried_and_accepted() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let rules = format!(
        "numbers = [\"1*\"]\n[grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n[limits.http]\nprivate = [\"{address}\"]\n"
    );
    let hall = Hall::open(&[("aurora", &rules)])?;
    let project = aurora(orders.address)?;
    hall.publish(&project)?;
    let folder = project.path().display().to_string();
    let toml = project.path().join("strowger.toml");
    let plain = std::fs::read_to_string(&toml)?;
    let config = format!("config = {{ base_url = \"http://{address}\" }}");
    let configured = |text: &str| std::fs::write(&toml, plain.replacen(&config, text, 1));
    // The first is `orders`, whose examples need to know where the service is: they do not go any more.
    configured("config = { private_word = \"melancholy\" }")?;
    hall.refused(&["push", &folder], &["error[plugin-example]", "orders"])?;
    configured(&config.replace(" }", ", private_word = \"melancholy\" }"))?;
    let said = hall.done(&["push", &folder])?;
    let gain = "orders: other config: private_word";
    ensure!(said.contains(&format!("may touch, new: {gain}")), "{said}");
    // Only the plugin that is configured otherwise is named, and never what is said to it.
    ensure!(!said.contains("crm: other config"), "{said}");
    ensure!(!said.contains("melancholy"), "{said}");
    let release = ["release", "2", "--tenant", "aurora"];
    hall.refused(&release, &[gain])?;
    hall.done(&[&release[..], &["--accept", gain]].concat())?;
    let said = hall.done(&["push", &folder, "--release"])?;
    ensure!(!said.contains("other config"), "{said}");
    Ok(())
}

#[test]
fn a_route_for_a_number_of_somebody_elses_is_warned_of() -> Result<()> {
    let tenants = [
        ("mallory", "numbers = [\"6*\"]\n"),
        ("vega", "numbers = [\"900\", \"66*\"]\n"),
    ];
    let hall = Hall::open_with(CHATS, &tenants)?;
    let mallory = says("mallory", "600", "Hello.")?;
    let folder = mallory.path().display().to_string();
    let said = hall.done(&["push", &folder])?;
    ensure!(!said.contains("warning"), "{said}");
    let others = ["6*", "*", "900", "66*", "661", "7000"];
    edit(&mallory.path().join("routes.yaml"), |text| {
        let more = others.map(|to| format!("  - {{ to: \"{to}\", flow: greeting }}\n"));
        format!("{text}{}", more.concat())
    })?;
    let said = hall.done(&["push", &folder, "--release"])?;
    for (line, to) in [(5, "900"), (6, "66*"), (7, "661"), (8, "7000")] {
        let told =
            format!("warning: routes.yaml:{line}: `to: {to}` is none of the numbers of mallory");
        ensure!(said.contains(&told), "{told}: {said}");
    }
    assert_eq!(said.matches("warning: ").count(), 4, "{said}");
    hall.calm("600")?;
    Ok(())
}
