//! Whoever leaves in the middle of a plugin's step that has asked a service: as a test of the flow.

use anyhow::{Result, ensure};
use strowger_tests::program::strowger;
use strowger_tests::projects::beside_a_service;
use strowger_tests::saved::{green, put};
use strowger_tests::upstream::reply;
use strowger_tests::{Engine, Talk, Upstream, http};

const FLOW: &str = r#"flow: order
format: 1
languages: [en]
global: { error: bye, hangup: gone }
steps:
  start:
    - say: One moment, please.
    - use: guest-look/look@1
      with: { url: "http://SERVICE/order" }
      timeout: 10s
      then: { done: more, error: bye, timeout: bye }
  more:
    menu: Anything else?
    press: { 1: bye }
    then: { no_input: bye, no_match: bye }
  gone:
    - tag: { left: early }
    - hangup: gone
  bye: { hangup: completed }
"#;

#[test]
fn who_leaves_a_step_that_talks_behind_its_request_makes_a_test_that_passes() -> Result<()> {
    let service = Upstream::start(|_, to| reply(to, "200 OK", "", b"ok"))?;
    let engine = Engine::serve(|project| {
        beside_a_service(project, "guest-look", ("order", FLOW), service.address, "")
    })?;
    let (project, data) = (&engine.project, &engine.data);

    let mut left = Talk::begin(engine.http, "700", None)?;
    left.asked("Your order answered 200. Press 1.")?;
    let path = format!("/v1/chats/{}", left.id);
    let gone = http::ask(engine.http, "DELETE", &path, Some(&left.token), None)?;
    ensure!(gone.status < 300, "{} {}", gone.status, gone.body);
    assert_eq!(left.ended()?, "gone");
    let case = green((project, data), &left.id, "order", "left early")?;
    for has in [
        "used: \"guest-look/look\"",
        "hangup",
        "\"left\":\"early\"",
        "ends: \"gone\"",
    ] {
        assert!(case.contains(has), "no `{has}` in {case}");
    }
    assert!(
        !case.contains("Your order answered"),
        "a mock says nothing: {case}"
    );

    // Who stays has the other end, and a test of it that passes too; so has who is still there.
    let mut stayed = Talk::begin(engine.http, "700", None)?;
    stayed.asked("Your order answered 200. Press 1.")?;
    green((project, data), &stayed.id, "order", "still there")?;
    stayed.write("1")?;
    stayed.asked("Anything else?")?;
    stayed.write("1")?;
    assert_eq!(stayed.ended()?, "completed");
    green((project, data), &stayed.id, "order", "stayed")?;

    // A call whose line drops there: the caller does not come back, begins anew, or goes on.
    let file = project.join("order.flow.yaml");
    for (name, then, ends) in [
        ("not back", "- wait: 90s\n        - hangup", "gone"),
        (
            "anew",
            "- wait: 5s\n        - call_back\n        - press: 2",
            "gone",
        ),
        (
            "goes on",
            "- wait: 5s\n        - call_back\n        - press: 1\n        - expect: { hear: Anything else? }\n        - press: 1",
            "completed",
        ),
    ] {
        let case = format!(
            "  \"{name}\":\n    given: {{ channel: voice }}\n    mock: {{ guest-look/look: [{{ outcome: done, after: 60s }}] }}\n    run:\n\
            \x20       - expect: {{ used: guest-look/look }}\n        - drop\n        {then}\n        - expect: {{ ends: {ends} }}\n"
        );
        put(&file, &case)?;
        let (code, out, errors) = strowger(&["test", &file.display().to_string(), "-k", name])?;
        assert_eq!(code, 0, "{name}: {out}{errors}");
    }
    Ok(())
}
