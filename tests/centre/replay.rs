//! Contacts of a tenant, walked again on revisions that its store keeps, while the engine serves.

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use strowger_tests::Hall;
use strowger_tests::hall::CHATS;
use strowger_tests::program::strowger;
use strowger_tests::projects::project;

use crate::shop::{SHOP, Shop};

#[test]
fn a_contact_is_replayed_on_its_own_revision_on_a_draft_and_with_another_plugin() -> Result<()> {
    let shop = Shop::open()?;
    let found = shop.chat("1")?;
    let failed = shop.chat("2")?;
    let asked = shop.asked();
    let draft = shop.draft(|flow| flow.replace("1: { to: lookup", "1: { to: bye"))?;
    let menu = shop.line_of("menu: welcome")?;

    // What it walked is what it is replayed on, whatever is newest.
    let (code, out, errors) = shop.replay(&[&found])?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(errors.contains("on revision 1 of shop"), "{errors}");
    assert!(out.contains("flows and plugins are those of then"), "{out}");

    for on in ["draft", &draft.to_string()] {
        let (code, out, errors) = shop.replay(&[&found, "--on", on])?;
        assert_eq!(code, 1, "{out}{errors}");
        assert!(out.contains(&format!("  {menu}  step")), "{menu}: {out}");
        assert!(errors.contains("on revision 2 of shop"), "{errors}");
    }
    // The draft changes nothing for whoever chose the other.
    let (code, out, errors) = shop.replay(&[&failed, "--on", "draft", "--format", "json"])?;
    let told: Json = serde_json::from_str(&out)?;
    assert_eq!(
        (
            code,
            &told["verdict"],
            &told["revision"],
            &told["unchanged"]
        ),
        (0, &json!("same"), &json!(draft), &json!(false)),
        "{out}{errors}"
    );

    // Another component for one plugin, the revision otherwise as it was: a request that was never made.
    let other = format!("orders={}", shop.plugin("/orders/", "/0rders/")?);
    let (code, out, errors) = shop.replay(&[&found, "--plugin", &other, "--format", "json"])?;
    let told: Json = serde_json::from_str(&out)?;
    assert_eq!(code, 1, "{out}{errors}");
    assert_eq!(told["cause"], "plugin");
    assert_eq!(told["new_request"], "http.fetch");
    assert_eq!(told["file"], "desk.flow.yaml");
    assert_eq!(told["revision"], 1);
    assert!(
        told["now"]["text"]
            .as_str()
            .context("now")?
            .contains("/0rders/20260302")
    );

    // One that answers otherwise to the same: it tells a failure in other words.
    let words = shop.plugin("the order service", "the order SERVICE")?;
    let other = format!("orders={words}");
    let (code, out, errors) = shop.replay(&[&failed, "--plugin", &other])?;
    assert_eq!(code, 1, "{out}{errors}");
    assert!(out.contains("the order SERVICE"), "{out}");
    assert!(out.contains("the plugin is another one"), "{out}");
    let (code, out, errors) = shop.replay(&[&found, "--plugin", &other])?;
    assert_eq!(code, 0, "{out}{errors}");

    assert_eq!(shop.asked(), asked, "a replay asks nobody");
    Ok(())
}

#[test]
fn what_a_draft_would_change_for_a_tenant_s_contacts_is_counted_by_edge() -> Result<()> {
    let shop = Shop::open()?;
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(shop.chat("1")?);
    }
    let failed = shop.chat("2")?;
    let asked = shop.asked();
    // A revision that changes both ways, each on its edge.
    shop.draft(|flow| {
        flow.replace("1: { to: lookup", "1: { to: bye")
            .replace("say: \"Sorry.\"", "say: \"Sorry indeed.\"")
    })?;
    let set = ["--against", "last-1d", "--tenant", SHOP];
    let (code, out, errors) = shop.replay(&set)?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(errors.contains("on revision 1 of shop"), "{errors}");
    assert!(out.contains("5 contacts: 5 the same"), "{out}");

    let (code, out, errors) = shop.replay(&[&set[..], &["--on", "draft"]].concat())?;
    assert_eq!(code, 1, "{out}{errors}");
    assert!(
        out.contains("5 contacts: 0 the same, 5 differ, 0 not replayed"),
        "{out}"
    );
    let (menu, said) = (
        shop.line_of("menu: welcome")?,
        shop.line_of("Sorry indeed")?,
    );
    assert!(out.contains(&menu) && out.contains(&said), "{out}");

    let further = ["--on", "2", "--format", "json"];
    let (code, out, errors) = shop.replay(&[&set[..], &further].concat())?;
    assert_eq!(code, 1, "{out}{errors}");
    let lines: Vec<Json> = out
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(lines.len(), 6, "a line a contact, and the sum");
    let summary = &lines[5]["summary"];
    assert_eq!(summary["revision"], 2);
    assert_eq!(
        (&summary["same"], &summary["differ"]),
        (&json!(0), &json!(5))
    );
    let groups = summary["groups"].as_array().context("groups")?;
    assert_eq!(groups.len(), 2, "{summary}");
    assert_eq!(groups[0]["contacts"], 4);
    assert_eq!(groups[0]["examples"], json!(found[..3]));
    assert_eq!(groups[0]["place"], json!(menu));
    assert_eq!(groups[1]["examples"], json!([failed]));
    assert_eq!(shop.asked(), asked, "a replay asks nobody");
    Ok(())
}

#[test]
fn what_cannot_be_replayed_on_says_what_there_is() -> Result<()> {
    let shop = Shop::open()?;
    let found = shop.chat("1")?;
    for (arguments, words) in [
        (&["--on", "9", &found][..], "no revision 9, its newest is 1"),
        (
            &["--on", "draft", &found],
            "no revision beside the live one",
        ),
        (&["--on", "0", &found], "revisions count from 1"),
        (
            &["--tenant", "vega", &found],
            "one of tenant shop, not of vega",
        ),
        (
            &["--against", "all", "--on", "draft"],
            "--tenant (shop, vega)",
        ),
        (&["--against", "all"], "--tenant (shop, vega)"),
        (
            &["--against", "all", "--tenant", "vega"],
            "pushed no revision",
        ),
        (
            &["--against", "all", "--tenant", "nobody"],
            "pushed no revision",
        ),
        (
            &["--plugin", "ordres=x.wasm", &found],
            "its plugins are orders",
        ),
    ] {
        let (code, out, errors) = shop.replay(arguments)?;
        assert_eq!(code, 2, "{arguments:?}: {out}{errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    }
    Ok(())
}

#[test]
fn a_trace_tells_what_conditions_gave_on_the_revision_that_was_walked() -> Result<()> {
    let hall = Hall::open_with(CHATS, &[("lyra", "numbers = [\"*\"]\n")])?;
    let above = |limit: u32| {
        let flow = format!(
            "flow: gate\nformat: 1\nlanguages: [en]\nvars: {{ n: {{ type: number, default: 4 }} }}\nsteps:\n  \
             start: {{ if: n > {limit}, then: bye, else: lost }}\n  lost: {{ hangup: lost }}\n  bye: {{ hangup: done }}\n"
        );
        project("lyra", &[], "", &[("*", "gate", flow)])
    };
    let mut contacts = Vec::new();
    for (limit, told) in [
        (2, "n > 2 is true (n = 4): then, to gate:8 bye"),
        (7, "n > 7 is false (n = 4): else, to gate:7 lost"),
    ] {
        hall.publish(&above(limit)?)?;
        let contact = hall.begin("100")?;
        hall.over(&contact)?;
        contacts.push((contact, told));
    }
    let (centre, data) = (&hall.engine.project, &hall.engine.data);
    let (centre, data) = (centre.display().to_string(), data.display().to_string());
    for (contact, told) in contacts {
        let live = hall.get(&format!("/v1/contacts/{contact}/trace"))?;
        let events = live.as_array().context("a list")?;
        let texts = events.iter().filter_map(|event| event["text"].as_str());
        let texts: Vec<_> = texts.collect();
        assert!(texts.iter().any(|text| text.ends_with(told)), "{texts:#?}");
        let of = ["trace", &contact, "-p", &centre, "--data", &data];
        let (code, out, errors) = strowger(&of)?;
        assert_eq!(code, 0, "{errors}");
        assert!(out.lines().any(|line| line.ends_with(told)), "{out}");
        // The test is one of the tenant's flow as the contact walked it.
        let (code, case, errors) = strowger(&[&of[..], &["--save-as-test", "x"]].concat())?;
        assert_eq!(code, 0, "{case}{errors}");
        let on = errors.contains(" of lyra") && errors.contains("it passes");
        assert!(on, "{errors}");
        let ends = match told.contains("is true") {
            true => "ends: \"done\"",
            false => "ends: \"lost\"",
        };
        assert!(case.contains(ends), "{ends}: {case}");
    }
    Ok(())
}
