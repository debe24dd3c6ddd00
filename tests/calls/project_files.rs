//! What `strowger.toml` and `routes.yaml` may say, and what lies in a project's folder.

use anyhow::Result;
use strowger_tests::program::strowger;
use tempfile::TempDir;

use crate::command_line::{HELLO, Project};

const SERVE: [&str; 5] = ["serve", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"];

/// Checks and serves a project with a mistake: each tells it once, with the words and the exit code.
fn refused(project: &Project, what: &str, code: i32, words: &[&str]) -> Result<()> {
    for verb in [&["check"][..], &SERVE] {
        let (got, out, err) = project.run(verb)?;
        let said = out + &err;
        assert_eq!(got, code, "{what}: {said}");
        for word in words {
            assert!(said.contains(word), "{what}: no `{word}` in {said}");
        }
        // One error: a sentence, its frame, and a line of help.
        assert_eq!(said.matches("error[").count(), 1, "{what}: {said}");
        assert_eq!(said.matches("help: ").count(), 1, "{what}: {said}");
    }
    told_in_chinese(project, what, code)
}

/// Checks the project in Chinese: whatever is found, message and help are in Chinese.
fn told_in_chinese(project: &Project, what: &str, code: i32) -> Result<()> {
    let (got, out, err) = project.run(&["check", "--language", "zh", "--format", "json"])?;
    assert_eq!(got, code, "{what}: {out}{err}");
    let han = |text: &str| text.contains(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for line in out.lines() {
        let found: serde_json::Value = serde_json::from_str(line)?;
        for member in ["message", "help"] {
            let text = found[member].as_str();
            assert!(text.is_none_or(han), "{what}: {member} of {line}");
        }
    }
    assert!(out.contains("\"error\""), "{what}: {out}");
    Ok(())
}

#[test]
fn a_component_lies_in_its_project_and_is_one() -> Result<()> {
    let project = Project::new(HELLO)?;
    let elsewhere = TempDir::new()?;
    let other = elsewhere.path().join("other.wasm");
    std::fs::write(&other, "\0asm")?;
    std::os::unix::fs::symlink(&other, project.path().join("link.wasm"))?;
    std::os::unix::fs::symlink(elsewhere.path(), project.path().join("linked"))?;
    std::fs::create_dir(project.path().join("plugins"))?;
    let module = b"\0asm\x01\0\0\0";
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("text", "这 is text\nof two lines\n".as_bytes()),
        ("module", module),
        ("half", b"\0asm\x0d\0\x01\0\x01\x7f\0"),
    ] {
        std::fs::write(project.path().join(format!("plugins/{name}.wasm")), bytes)?;
    }
    let outside = "lies outside the project";
    for (component, told, help) in [
        (
            &*other.display().to_string(),
            outside,
            "such as `plugins/other.wasm`",
        ),
        ("../other.wasm", outside, "copy the component"),
        ("plugins/../../other.wasm", outside, "copy the component"),
        ("link.wasm", outside, "copy the component"),
        ("linked/other.wasm", outside, "copy the component"),
        ("plugins", "cannot read", "build it"),
        ("plugins/none.wasm", "cannot read", "build it"),
        (
            "plugins/empty.wasm",
            "plugins/empty.wasm: this is not WebAssembly: the file is empty",
            "build the plugin",
        ),
        (
            "plugins/text.wasm",
            "the file holds text",
            "build the plugin",
        ),
        (
            "plugins/../plugins/module.wasm",
            "a core WebAssembly module, not a component",
            "componentize",
        ),
        ("plugins/half.wasm", "ends in the middle", "do so again"),
    ] {
        project.write(
            "strowger.toml",
            &format!("[project]\nname = \"x\"\n[plugins.orders]\ngrants = {{ kv = true }}\ncomponent = {component:?}\n"),
        )?;
        refused(&project, component, 1, &[told, help, "strowger.toml:5:1"])?;
    }
    Ok(())
}

#[test]
fn a_route_that_no_call_takes_is_an_error_at_its_line() -> Result<()> {
    let project = Project::new(HELLO)?;
    for (to, told, help) in [
        ("", "`to` is empty", "`*` takes every call"),
        ("1*2", "has a `*` within", "at the end of a number alone"),
        ("*1*2*", "has a `*` within", "at the end of a number alone"),
        ("sip:1@x", "`to: sip:1@x` is no number", "before the `@`"),
        ("1@x", "is no number", "before the `@`"),
        ("1 2", "is no number", "before the `@`"),
        ("1;x=y", "is no number", "before the `@`"),
        ("1\\n", "is no number", "before the `@`"),
    ] {
        let routes =
            format!("routes:\n  - {{ to: \"100\", flow: x }}\n  - {{ to: \"{to}\", flow: x }}\n");
        project.write("routes.yaml", &routes)?;
        refused(&project, to, 1, &[told, help, "routes.yaml:3:"])?;
    }
    project.write(
        "routes.yaml",
        "routes:\n  - { to: \"100\", flow: x }\n  - { to: \"100\", flow: x }\n",
    )?;
    refused(&project, "twice", 1, &["stands twice", "routes.yaml:3:"])?;
    let good = ["*", "**", "*98", "+86*", "anna.lee", "客服"]
        .map(|to| format!("  - {{ to: \"{to}\", flow: x }}\n"));
    project.write("routes.yaml", &format!("routes:\n{}", good.concat()))?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    Ok(())
}

#[test]
fn routes_are_read_as_flows_are_and_each_mistake_of_an_entry_is_told() -> Result<()> {
    let project = Project::new(HELLO)?;
    // Scalars are text: a number without quotes is one that can be called.
    project.write(
        "routes.yaml",
        "routes:\n  - { to: 0100, flow: x, resume: 10 }\n",
    )?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    let slips = "routes:\n  - { to: 100, flow: y, resume: ten, titel: t }\n";
    project.write("routes.yaml", slips)?;
    let (code, out, err) = project.run(&["check", "--language", "zh"])?;
    assert_eq!(code, 1, "{out}{err}");
    for told in ["`titel`", "\"ten\"，应为 分钟数", "`y`"] {
        assert!(out.contains(told), "{told}: {out}{err}");
    }
    assert_eq!(out.matches("error[").count(), 3, "{out}{err}");
    project.write("routes.yaml", "routes: []\n")?;
    project.write(
        "queues.yaml",
        "suppliers:\n  p: { sip: \"sip:\", how: brige, titl: x }\n",
    )?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 1, "{out}{err}");
    for told in ["`sip:` is not a SIP URI", "`brige`", "`titl`"] {
        assert!(out.contains(told), "{told}: {out}{err}");
    }
    assert!(!out.contains("rsip"), "{out}");
    assert_eq!(out.matches("error[").count(), 3, "{out}{err}");
    Ok(())
}

#[test]
fn a_flow_that_needs_inputs_cannot_be_called_alone() -> Result<()> {
    let project = Project::new(HELLO)?;
    let needs = "flow: needs\nformat: 1\nlanguages: [en]\ninputs: { who: text, how: { type: text, default: well } }\nsteps:\n  start:\n    - say: \"${who}, ${how}.\"\n    - hangup: done\n";
    project.write("needs.flow.yaml", needs)?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = project.run(&["call", "needs", "--script", ""])?;
    assert_eq!(code, 2, "{out}{err}");
    let told = "the flow `needs` needs who, and a call gives it nothing";
    assert!(err.contains(told) && err.contains("with:"), "{err}");
    project.write(
        "routes.yaml",
        "routes:\n  - { to: \"1\", flow: x }\n  - { to: \"2\", flow: needs }\n",
    )?;
    let help = "give the input a default in `needs`";
    refused(&project, "needs", 1, &[told, help, "routes.yaml:3:"])?;
    // With a default it is a flow like any other.
    project.write(
        "needs.flow.yaml",
        &needs.replace("who: text", "who: { type: text, default: you }"),
    )?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = project.run(&["call", "needs", "--script", ""])?;
    assert!(code == 0 && out.contains("you, well."), "{code} {out}{err}");
    Ok(())
}

#[test]
fn a_time_for_coming_back_that_cannot_be_is_an_error_at_its_place() -> Result<()> {
    let project = Project::new(HELLO)?;
    let long = format!("{{ minutes: 5, say: {{ en: \"{}\" }} }}", "x".repeat(501));
    let write = |resume: &str| {
        let routes = format!(
            "routes:\n  - {{ to: \"100\", flow: x }}\n  - {{ to: \"200\", flow: x, resume: {resume} }}\n"
        );
        project.write("routes.yaml", &routes)
    };
    for (resume, told, help) in [
        ("0", "is 0 minutes", "resume: 10"),
        ("1441", "not 1 to 1440", "resume: 10"),
        ("{ minutes: 2000 }", "2000 minutes", "resume: 10"),
        (
            "{ minutes: 5, say: { en: \" \" } }",
            "the question in `en`",
            "that 1 goes on",
        ),
        (&long, "501 characters", "that 1 goes on"),
        (
            "{ minutes: 5, say: { fr: Oui } }",
            "does not speak `fr`",
            "languages are en",
        ),
    ] {
        write(resume)?;
        refused(&project, resume, 1, &[told, help, "routes.yaml:3:"])?;
    }
    for (resume, told) in [
        ("{ minutes: 5, ask: x }", "unknown field `ask`"),
        ("{ say: { en: x } }", "missing field `minutes`"),
        ("soon", "as in `resume: 10`"),
        ("-5", "as in `resume: 10`"),
        ("99999999999", "as in `resume: 10`"),
    ] {
        write(resume)?;
        let (code, out, err) = project.run(&["check"])?;
        assert_eq!(code, 1, "{resume}: {out}{err}");
        for word in [told, "a route is written", "routes.yaml:3:"] {
            assert!(out.contains(word), "{resume}: no `{word}` in {out}{err}");
        }
        told_in_chinese(&project, resume, 1)?;
    }
    for resume in [
        "10",
        "{ minutes: 1440 }",
        "{ minutes: 1, say: { en: \"One, or two?\" } }",
    ] {
        let routes = format!("routes:\n  - {{ to: \"200\", flow: x, resume: {resume} }}\n");
        project.write("routes.yaml", &routes)?;
        let (code, out, err) = project.run(&["check"])?;
        assert_eq!(code, 0, "{out}{err}");
    }
    Ok(())
}

#[test]
fn what_a_channel_cannot_do_is_told_where_a_number_leads_there() -> Result<()> {
    let project = Project::new(HELLO)?;
    let flow = |start: &str, more: &str| {
        format!(
            "flow: x\nformat: 1\nlanguages: [en]\n{more}start: a\nsteps:\n  a: {start}\n  b:\n    ask: What is it about?\n    \
             expect: text\n    into: about\n    then: {{ ok: c, no_input: c, no_match: c }}\n  c:\n    record:\n    into: spoken\n    \
             then: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    let check = |chat: bool, start: &str, more: &str| -> Result<(bool, bool)> {
        let enabled = if chat { "[chat]\nenabled = true\n" } else { "" };
        project.write(
            "strowger.toml",
            &format!("[project]\nname = \"p\"\n{enabled}"),
        )?;
        project.write("x.flow.yaml", &flow(start, more))?;
        let (code, out, err) = project.run(&["check", "--format", "concise"])?;
        assert_eq!(code, 0, "{out}{err}");
        let told = |line: &str, word: &str| {
            let mut lines = out.lines();
            lines.any(|told| told.contains(line) && told.contains("warning") && told.contains(word))
        };
        Ok((
            told("x.flow.yaml:8:", "nobody can answer"),
            told("x.flow.yaml:13:", "nothing to record"),
        ))
    };
    assert_eq!(check(false, "{ goto: b }", "")?, (true, false));
    assert_eq!(check(true, "{ goto: b }", "")?, (false, true));
    // A chat is asked for a text, and led to the recording after it.
    let branch = "{ if: call.channel == \"chat\", then: b, else: c }";
    assert_eq!(check(true, branch, "")?, (false, true));
    assert_eq!(check(false, branch, "")?, (false, false));
    for apart in [
        "{ if: call.channel == \"chat\", then: bye, else: c }",
        "{ if: call.channel != \"voice\" or call.priority > 9, then: bye, else: b }",
        "{ switch: call.channel, then: { chat: bye, voice: c } }",
        "{ choose: [ { when: \"not (call.channel in [\\\"voice\\\"])\", then: bye }, { else: c } ] }",
    ] {
        assert_eq!(check(true, apart, "")?, (false, false), "{apart}");
    }
    // What is kept of the channel may decide.
    let keeps =
        "[ { set: { w: \"${call.channel}\" } }, { if: w == \"chat\", then: bye, else: c } ]";
    check(true, keeps, "vars: { w: text }\n")?;
    let (_, out, _) = project.run(&["check", "--format", "concise"])?;
    assert!(!out.contains("nothing to record"), "{out}");
    // The channel is looked at, and decides nothing.
    for together in [
        "[ { say: \"On ${call.channel}.\" }, { goto: c } ]",
        "{ if: call.channel == \"chat\" and call.priority > 9, then: bye, else: c }",
        "{ if: call.channel == \"voice\", then: bye, else: c }",
    ] {
        assert_eq!(check(true, together, "")?, (false, true), "{together}");
    }
    // Called by one that a number leads to, and once.
    project.write(
        "y.flow.yaml",
        "flow: y\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    - record:\n    - return: done\n",
    )?;
    let calls = "{ call: y, then: { done: bye, error: bye } }";
    assert_eq!(check(true, calls, "")?, (false, false));
    let (_, out, _) = project.run(&["check", "--format", "concise"])?;
    assert_eq!(out.matches("y.flow.yaml:7:").count(), 1, "{out}");
    assert_eq!(check(false, calls, "")?, (false, false));
    let (_, out, _) = project.run(&["check", "--format", "concise"])?;
    assert_eq!(out.matches("y.flow.yaml:7:").count(), 0, "{out}");
    // Where the project takes no chats a test may be one, in a file that stands alone, too.
    let test =
        "tests: { one: { given: { channel: chat }, run: [ { expect: { ends: error } } ] } }\n";
    assert_eq!(check(false, calls, test)?, (false, false));
    let (_, out, _) = project.run(&["check", "--format", "concise"])?;
    assert_eq!(out.matches("y.flow.yaml:7:").count(), 1, "{out}");
    assert_eq!(check(false, "{ goto: c }", test)?, (false, false));
    let file = project.path().join("x.flow.yaml").display().to_string();
    let (_, out, _) = strowger(&["check", "--format", "concise", &file])?;
    assert_eq!(out.matches("nothing to record").count(), 1, "{out}");
    // One line more: what fails leads on.
    assert_eq!(
        check(true, "{ goto: b }", "global: { error: bye }\n")?,
        (false, false)
    );
    assert_eq!(check(true, "{ goto: b }", "")?, (false, true));
    let (_, out, _) = project.run(&["check", "--language", "zh"])?;
    assert!(out.contains("聊天中没有可录制的内容"), "{out}");
    Ok(())
}

#[test]
fn one_mistake_in_a_file_beside_the_flows_hides_no_other() -> Result<()> {
    let project = Project::new(HELLO)?;
    project.write(
        "routes.yaml",
        "routes:\n  - { too: \"100\", flow: x }\n  - { to: \"200\", flow: nowhere }\n  - { to: \"300\", flow: [x] }\n  \
         - { to: \"1 2\", flow: x }\n  - { to: \"400\", colour: red }\ncolour: red\n",
    )?;
    project.write(
        "queues.yaml",
        "queues:\n  desk: { tilte: Desk }\n  back: { closed: perhaps }\nsuppliers:\n  partner: { sip: nobody }\n  other: { title: Other }\n",
    )?;
    let (code, out, err) = project.run(&["check", "--format", "concise"])?;
    assert_eq!(code, 1, "{out}{err}");
    for place in [
        "routes.yaml:2:7: error[project]: unknown field `too`",
        "routes.yaml:3:24: error[project]: number `200` leads to flow `nowhere`",
        "routes.yaml:4:",
        "routes.yaml:5:",
        "routes.yaml:6:",
        "routes.yaml:7:1: error[project]: unknown field `colour`",
        "queues.yaml:2:",
        "queues.yaml:3:",
        "queues.yaml:5:",
        "queues.yaml:6:",
    ] {
        let told = out.lines().filter(|line| line.contains(place));
        assert_eq!(told.count(), 1, "{place}\n{out}{err}");
    }
    assert_eq!(out.matches("error[project]").count(), 10, "{out}");
    Ok(())
}

#[test]
fn a_value_of_the_wrong_kind_is_an_error_at_its_line() -> Result<()> {
    let project = Project::new(HELLO)?;
    let plugin = "[plugins.orders]\ncomponent = \"o.wasm\"\n";
    for (toml, told) in [
        (
            "[media]\n\nthreads = nan\n".to_owned(),
            "expected a whole number",
        ),
        (
            "[media]\n\nfirst_port = inf\n".to_owned(),
            "expected a whole number from 0 to 65535",
        ),
        (
            "[media]\n\nfirst_port = 2026-01-02\n".to_owned(),
            "expected a whole number from 0 to 65535",
        ),
        (
            "[sip]\n\nlisten = \"localhost:5060\"\n".to_owned(),
            "such as \"127.0.0.1:5060\"; names are not looked up",
        ),
        (
            "[http]\n\nlisten = 8080\n".to_owned(),
            "this is not an address with a port",
        ),
        (
            "[sip]\n\nadvertise = \"example.com\"\n".to_owned(),
            "such as \"203.0.113.5\"; names are not looked up",
        ),
        (
            "[sip]\n\nadvertise = \"0.0.0.0\"\n".to_owned(),
            "0.0.0.0 is no address that callers could reach",
        ),
        (
            "[sip]\n\nlisten = 2026-01-02\n".to_owned(),
            "this is not an address with a port",
        ),
        (
            "[log]\n\nformat = 2026-01-02T00:00:00Z\n".to_owned(),
            "wanted string",
        ),
        (
            format!("{plugin}config = {{ rate = nan }}\n"),
            "plugins.orders.config.rate is not a finite number",
        ),
        (
            format!("{plugin}config = {{ a = {{ b = [1, -inf] }} }}\n"),
            "plugins.orders.config.a.b is not a finite number",
        ),
        (
            format!("{plugin}config = {{ since = 2026-01-02 }}\n"),
            "plugins.orders.config.since is a date without quotes",
        ),
        (
            format!("{plugin}config = {{ list = [{{ at = 09:00:00 }}] }}\n"),
            "plugins.orders.config.list.at is a date",
        ),
    ] {
        project.write("strowger.toml", &format!("[project]\nname = \"x\"\n{toml}"))?;
        refused(&project, &toml, 2, &[told, "strowger.toml:5:"])?;
    }
    project.write("strowger.toml", "[project]\n\n\n\nname = 2026-01-02\n")?;
    refused(
        &project,
        "name",
        2,
        &["expected a string", "strowger.toml:5:"],
    )
}

#[test]
fn a_granted_service_is_a_host_and_a_port() -> Result<()> {
    let project = Project::new(HELLO)?;
    let toml = |service: &str| {
        format!(
            "[project]\nname = \"x\"\n[plugins.o]\ncomponent = \"o.wasm\"\ngrants = {{ http = [{service:?}] }}\n"
        )
    };
    for service in [
        "",
        "api.example.com",
        "api.example.com:0",
        "api.example.com:99999",
        ":443",
        "http://api.example.com:443",
        "api.example.com:443/orders",
        "me@api.example.com:443",
        "api example:443",
    ] {
        project.write("strowger.toml", &toml(service))?;
        let told = format!("plugins.o.grants.http `{service}` is not a host and a port");
        refused(
            &project,
            service,
            2,
            &[&told, "strowger.toml:5:12", "host:port"],
        )?;
    }
    for service in ["api.example.com:443", "127.0.0.1:80", "[::1]:8080"] {
        project.write("strowger.toml", &toml(service))?;
        let (code, out, err) = project.run(&["check"])?;
        // Its component is not there, and that is all.
        assert!(
            code == 1 && !out.contains("a host and a port"),
            "{out}{err}"
        );
    }
    Ok(())
}

#[test]
fn a_configuration_that_is_no_utf8_says_so() -> Result<()> {
    let project = Project::new(HELLO)?;
    std::fs::write(project.path().join("strowger.toml"), b"\xff\xfe[\0p\0r\0")?;
    for verb in [&["check"][..], &SERVE] {
        let (code, out, err) = project.run(verb)?;
        assert_eq!(code, 2, "{out}{err}");
        let sentence = err.contains("strowger.toml is not UTF-8 text: save it as UTF-8");
        assert!(sentence && err.lines().count() == 1, "{err}");
    }
    Ok(())
}

#[test]
fn a_range_of_ports_has_room_for_calls() -> Result<()> {
    let project = Project::new(HELLO)?;
    for (ports, told, line) in [
        ("first_port = 10001", "media.first_port 10001 is odd", 4),
        ("first_port = 65535\nlast_port = 65535", "would be 65536", 4),
        ("first_port = 80", "media.first_port 80 is below 1024", 4),
        (
            "first_port = 20000",
            "media.last_port 19998 is below media.first_port 20000",
            4,
        ),
        (
            "first_port = 20000\nlast_port = 10000",
            "media.last_port 10000 is below media.first_port 20000",
            5,
        ),
        (
            "first_port = 20000\nlast_port = 20000",
            "room for one call alone",
            5,
        ),
        (
            "first_port = 20000\nlast_port = 20001",
            "room for one call alone",
            5,
        ),
    ] {
        project.write(
            "strowger.toml",
            &format!("[project]\nname = \"x\"\n[media]\n{ports}\n"),
        )?;
        let at = format!("strowger.toml:{line}:1");
        refused(&project, ports, 2, &[told, &at, "RTP takes the even ports"])?;
    }
    project.write(
        "strowger.toml",
        "[project]\nname = \"x\"\n[media]\nfirst_port = 20000\nlast_port = 20002\n",
    )?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    Ok(())
}

#[test]
fn limits_of_transfers_and_their_trunk_are_checked() -> Result<()> {
    let project = Project::new(HELLO)?;
    for (line, told) in [
        ("calls = 0", "transfer.calls is 1 to 20000, not 0"),
        (
            "calls_per_minute = 6001",
            "transfer.calls_per_minute is 1 to 6000",
        ),
        ("longest_s = 0", "transfer.longest_s is 1 to 86400"),
        ("trunk = \"192.0.2.1\"", "is no SIP URI of a host"),
        ("trunk = \"sip:user@192.0.2.1\"", "is no SIP URI of a host"),
        ("how = \"blind\"", "unknown variant `blind`"),
    ] {
        project.write(
            "strowger.toml",
            &format!("[project]\nname = \"x\"\n[transfer]\n{line}\n"),
        )?;
        refused(&project, line, 2, &[told, "strowger.toml:4:"])?;
    }
    project.write(
        "strowger.toml",
        "[project]\nname = \"x\"\n[transfer]\nhow = \"bridge\"\ntrunk = \"sip:192.0.2.1:5060\"\n",
    )?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    Ok(())
}

#[test]
fn a_project_that_no_call_can_reach_is_told() -> Result<()> {
    let project = Project::new(HELLO)?;
    let message = "no call can come in: the project has no route in routes.yaml";
    for (routes, place) in [
        (None, "strowger.toml:1:"),
        (Some("# none yet\n"), "strowger.toml:1:"),
        (Some("routes: []\n"), "routes.yaml:1:"),
    ] {
        match routes {
            Some(text) => project.write("routes.yaml", text)?,
            None => std::fs::remove_file(project.path().join("routes.yaml"))?,
        }
        let (code, out, err) = project.run(&["check"])?;
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(out.matches("warning[project]").count(), 1, "{out}");
        assert!(out.contains(message) && out.contains(place), "{out}");
        let (_, out, _) = project.run(&["check", "--language", "zh"])?;
        assert!(out.contains("没有电话能打进来"), "{out}");
        // A warning keeps nobody from trying the flow.
        let (code, out, err) = project.run(&["call", "x", "--script", ""])?;
        assert!(code == 0 && out.contains("Hello."), "{out}{err}");
    }
    // One file is no project.
    let file = project.path().join("x.flow.yaml").display().to_string();
    let (code, out, err) = strowger(&["check", &file])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(!out.contains("no call can come in"), "{out}");
    // A file that cannot be read is one finding.
    project.write("routes.yaml", "routes: [ { to: 1 } ]\n")?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 1, "{out}{err}");
    assert!(!out.contains("no call can come in"), "{out}");
    // It is configuration: serving ends with 2, as with `strowger.toml`.
    for (file, text) in [
        ("routes.yaml", "routes: []\ncolour: red\n"),
        ("routes.yaml", "routes: ["),
        ("queues.yaml", "colour: red\n"),
    ] {
        std::fs::remove_file(project.path().join("routes.yaml")).ok();
        project.write(file, text)?;
        let (code, out, err) = project.run(&SERVE)?;
        assert_eq!(code, 2, "{file} {text}: {out}{err}");
        assert!(err.contains(file), "{file} {text}: {err}");
    }
    Ok(())
}

#[test]
fn a_number_that_the_engine_cannot_call_is_told_at_its_line() -> Result<()> {
    let flow = |target: &str, more: &str| {
        format!(
            "flow: x\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    transfer: \"{target}\"\n{more}    \
             then: {{ done: bye, else: bye }}\n  bye: {{ hangup: done }}\n"
        )
    };
    let whisper = "    whisper: A call for you.\n";
    let bridge = "[transfer]\nhow = \"bridge\"\n";
    let trunk = "[transfer]\nhow = \"bridge\"\ntrunk = \"sip:192.0.2.1\"\n";
    let project = Project::new(HELLO)?;
    for (target, more, settings, told) in [
        ("+864001234567", "", "", None),
        ("+864001234567", whisper, "", Some("带 `whisper` 的转接")),
        ("+864001234567", "", bridge, Some("`transfer.how`")),
        ("+864001234567", whisper, trunk, None),
        ("sip:desk@example.com", whisper, bridge, None),
        ("${call.from}", whisper, bridge, None),
    ] {
        let what = format!("{target} {more} {settings}");
        project.write(
            "strowger.toml",
            &format!("[project]\nname = \"x\"\n{settings}"),
        )?;
        project.write("x.flow.yaml", &flow(target, more))?;
        let (code, out, err) = project.run(&["check"])?;
        assert_eq!(code, 0, "{what}: {out}{err}");
        let count = out.matches("no trunk to call `+864001234567` by").count();
        assert_eq!(count, usize::from(told.is_some()), "{what}: {out}");
        let (_, chinese, _) = project.run(&["check", "--language", "zh"])?;
        if let Some(told) = told {
            assert!(
                out.contains("x.flow.yaml:6:5") && out.contains("transfer.trunk"),
                "{out}"
            );
            assert!(chinese.contains(told), "{chinese}");
        }
    }
    Ok(())
}
