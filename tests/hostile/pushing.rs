//! Attacks by what is uploaded: refused with a reason, nothing of it kept, and the engine serves on.

use anyhow::{Result, ensure};
use strowger_tests::Hall;
use strowger_tests::http;
use strowger_tests::program::{built, component};
use strowger_tests::projects::{flow, project, says};

use crate::forged;
use crate::guest::{self, Guest};

/// What is pushed, and the code of its refusal. Some can be refused for either of two reasons.
type Pushed = (&'static str, Vec<u8>, &'static [&'static str]);

fn components() -> Result<Vec<Pushed>> {
    let whole = component("guest-env")?;
    let mut flipped = whole.clone();
    for at in (1_000..flipped.len()).step_by(997) {
        flipped[at] ^= 0x5a;
    }
    let looping = |items: &str| forged::with_items("starting", guest::OK, items);
    Ok(vec![
        (
            "loop in describe",
            component("guest-describe-loop")?,
            &["plugin-describe"],
        ),
        (
            "trap in describe",
            component("guest-describe-trap")?,
            &["plugin-describe"],
        ),
        (
            "memory in describe",
            component("guest-describe-memory")?,
            &["plugin-describe"],
        ),
        (
            "a megabyte of description",
            component("guest-describe-huge")?,
            &["plugin-describe"],
        ),
        (
            "host calls in describe",
            component("guest-describe-calls")?,
            &["plugin-describe"],
        ),
        (
            "lies in describe",
            component("guest-describe-liar")?,
            &["plugin-description"],
        ),
        (
            "patterns in describe",
            component("guest-describe-pattern")?,
            &["plugin-description"],
        ),
        (
            "patterns by the thousand",
            forged::patterned(),
            &["plugin-description"],
        ),
        (
            "a function that takes long to compile",
            forged::endless_function(),
            &["plugin-function-too-large"],
        ),
        (
            "references in describe",
            component("guest-describe-reference")?,
            &["plugin-description"],
        ),
        (
            "what nobody sees in describe",
            component("guest-describe-unseen")?,
            &["plugin-description"],
        ),
        (
            "loop at the start",
            looping("(func $begin (loop $again (br $again))) (start $begin)"),
            &["plugin-describe"],
        ),
        (
            "trap at the start",
            looping("(func $begin unreachable) (start $begin)"),
            &["plugin-describe"],
        ),
        (
            "memory at the start",
            forged::named(
                "large",
                Guest {
                    memory: "300",
                    ..Guest::default()
                },
            ),
            &["plugin-describe"],
        ),
        (
            "random bytes",
            (0..9_999_u32).map(|n| ((n * 7919) >> 3) as u8).collect(),
            &["plugin-not-wasm"],
        ),
        ("nothing", Vec::new(), &["plugin-not-wasm"]),
        (
            "half of it",
            whole[..whole.len() / 2].to_vec(),
            &["plugin-cut-off", "plugin-invalid"],
        ),
        (
            "its head",
            whole[..8].to_vec(),
            &["plugin-missing-export", "plugin-cut-off"],
        ),
        (
            "flipped bits",
            flipped,
            &["plugin-invalid", "plugin-cut-off"],
        ),
        (
            "a module",
            Guest::default().module(),
            &["plugin-not-a-component"],
        ),
        (
            "25 MiB",
            [&whole[..], &vec![0_u8; 25 << 20][..]].concat(),
            &["plugin-too-large"],
        ),
        (
            "5,000 deep",
            guest::nested(5_000),
            &["plugin-invalid", "plugin-missing-export"],
        ),
        (
            "a thousand memories",
            guest::crowd(),
            &["plugin-unsupported", "plugin-invalid"],
        ),
        (
            "a thousand imports",
            forged::importer(),
            &["plugin-unknown-import"],
        ),
        (
            "sockets",
            forged::wants("wasi:sockets/tcp@9.9.9"),
            &["plugin-wasi", "plugin-unknown-import"],
        ),
        (
            "the engine's own",
            forged::wants("strowger:engine/control@1.0.0"),
            &["plugin-unknown-import"],
        ),
        (
            "more than granted",
            component("guest-http")?,
            &["plugin-not-granted"],
        ),
    ])
}

#[test]
fn components_that_attack_whoever_takes_them_in() -> Result<()> {
    let hall = Hall::beside_a_victim("[grants]\nkv = true\n[limits]\nuploads_per_day = 1000\n")?;
    // Without a project nothing would be looked at.
    let own = says("mallory", "6600", "Hello.")?;
    hall.publish(&own)?;
    let folder = tempfile::TempDir::new()?;
    let mut wrong = Vec::new();
    hall.beside_a_neighbour(|| {
        for (what, bytes, codes) in components()? {
            let file = folder.path().join("attack.wasm");
            std::fs::write(&file, bytes)?;
            let push = [
                "plugin",
                "push",
                &file.display().to_string(),
                "--tenant",
                "mallory",
            ];
            let (code, said) = hall.run(&push)?;
            let told = codes
                .iter()
                .any(|code| said.contains(&format!("error[{code}]")));
            if code != 1 || !told {
                wrong.push(format!("{what}: exit code {code}: {said}"));
            }
        }
        Ok(())
    })?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let kept = http::get(hall.engine.http, "/v1/tenants/mallory/plugins")?.json()?;
    assert_eq!(kept["items"].as_array().map(Vec::len), Some(0), "{kept}");
    hall.neighbour()
}

#[test]
fn archives_that_attack_whoever_unpacks_them() -> Result<()> {
    let hall = Hall::beside_a_victim(
        "[limits]\nuploads_per_day = 1000\nupload_bytes = 1048576\nfiles = 50\n",
    )?;
    let push = |body: &[u8]| {
        http::send_raw(
            hall.engine.http,
            "POST",
            "/v1/tenants/mallory/revisions",
            None,
            body,
            &[("Content-Type", "application/x-tar")],
        )
    };
    let refused = |what: &str, body: &[u8], words: &[&str]| -> Result<()> {
        let answer = push(body)?;
        ensure!(
            (400..500).contains(&answer.status)
                && words.iter().any(|word| answer.body.contains(word)),
            "{what}: {} {}",
            answer.status,
            answer.body
        );
        Ok(())
    };
    hall.beside_a_neighbour(|| {
        refused("no archive", b"hello", &["archive", "tar"])?;
        refused(
            "out of the folder",
            &tar(&[("../../evil.yaml", b'0', "")]),
            &["evil.yaml"],
        )?;
        refused(
            "from the root",
            &tar(&[("/etc/evil.yaml", b'0', "")]),
            &["evil.yaml"],
        )?;
        refused(
            "a link",
            &tar(&[("routes.yaml", b'2', "/etc/passwd")]),
            &["routes.yaml"],
        )?;
        refused(
            "a hard link",
            &tar(&[("routes.yaml", b'1', "../../strowger.db")]),
            &["routes.yaml"],
        )?;
        refused(
            "a device",
            &tar(&[("routes.yaml", b'3', "")]),
            &["routes.yaml"],
        )?;
        let many: Vec<String> = (0..60).map(|n| format!("f{n}.flow.yaml")).collect();
        let many: Vec<(&str, u8, &str)> =
            many.iter().map(|name| (name.as_str(), b'0', "")).collect();
        refused("too many files", &tar(&many), &["files"])?;
        refused("a bomb", &bomb()?, &["bytes", "MiB"])?;
        let whole = tar(&[("routes.yaml", b'0', "")]);
        refused("cut off", &whole[..300], &["archive", "tar", "cut", "ends"])?;
        Ok(())
    })?;
    let revisions = http::get(hall.engine.http, "/v1/tenants/mallory/revisions")?.json()?;
    assert_eq!(
        revisions["items"].as_array().map(Vec::len),
        Some(0),
        "{revisions}"
    );
    let left = std::fs::read_dir(hall.engine.data.join("revisions"))?.count();
    assert_eq!(left, 1, "the victim's revision alone");
    Ok(())
}

#[test]
fn a_name_that_is_somebody_elses() -> Result<()> {
    let hall = Hall::beside_a_victim("[grants]\nkv = true\n[limits]\nuploads_per_day = 1000\n")?;
    // The victim has a plugin of this name too: it stays the victim's.
    hall.publish(&project_of_burglar()?)?;
    hall.neighbour()?;
    let squatter = built("guest-squatter").display().to_string();
    let (code, said) = hall.run(&["plugin", "push", &squatter, "--tenant", "mallory"])?;
    ensure!(code == 1 && said.contains("std"), "{code}: {said}");
    // Neither under its own name in a project nor under another one.
    for (name, step) in [("std", "say"), ("mine", "mine/say@1")] {
        let flow = format!(
            "flow: say\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: {step}\n    then: {{ done: fine, else: fine }}\n  \
             fine: {{ hangup: said }}\n"
        );
        let project = project(
            "mallory",
            &[(name, component("guest-squatter")?)],
            "kv = true",
            &[("6600", "say", flow)],
        )?;
        let (code, said) = hall.run(&["push", &project.path().display().to_string()])?;
        ensure!(code != 0 && said.contains("std"), "{name}: {code}: {said}");
    }
    hall.neighbour()
}

fn project_of_burglar() -> Result<tempfile::TempDir> {
    project(
        "mallory",
        &[("guest-burglar", component("guest-burglar")?)],
        "kv = true",
        &[(
            "6600",
            "look",
            flow("look", "guest-burglar/look", "done", &[]),
        )],
    )
}

/// The head of an entry (POSIX.1-1988 ustar): name, type flag, where a link leads, how many bytes follow.
fn head(name: &str, kind: u8, link: &str, bytes: usize) -> [u8; 512] {
    let mut head = [0_u8; 512];
    let mut put =
        |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{bytes:011o}\0"));
    put(136, "00000000000\0");
    // The sum is made as if blanks stood in its place.
    put(148, "        ");
    put(157, link);
    put(257, "ustar\x0000");
    head[156] = kind;
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    head
}

/// An archive with empty entries of any kind.
fn tar(entries: &[(&str, u8, &str)]) -> Vec<u8> {
    let heads = entries
        .iter()
        .map(|(name, kind, link)| head(name, *kind, link, 0));
    let mut archive: Vec<u8> = heads.flatten().collect();
    archive.extend([0_u8; 1024]);
    archive
}

/// A file of a hundred megabytes of zeros, by gzip a hundred kilobytes.
fn bomb() -> Result<Vec<u8>> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    const ZEROS: usize = 100 << 20;
    let mut archive = head("bomb.wav", b'0', "", ZEROS).to_vec();
    archive.resize(512 + ZEROS + 1024, 0);
    let mut gzip = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = gzip.stdin.take().expect("it was asked for");
    let writer = std::thread::spawn(move || input.write_all(&archive));
    let output = gzip.wait_with_output()?;
    writer.join().expect("it does not panic")?;
    Ok(output.stdout)
}
