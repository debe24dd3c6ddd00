//! The service as an operator meets it: a program with arguments, signals and exit codes.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::client::Client;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aurora-service"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> (Output, String, String) {
    let output = program(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// A running service; ended with the test whatever happens.
struct Running {
    child: Child,
    base: String,
}

impl Running {
    fn start(db: &Path) -> Self {
        let db = db.to_str().unwrap();
        let mut child = program(&["--listen", "127.0.0.1:0", "--db", db])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut base)
            .unwrap();
        Self {
            child,
            base: base.trim_end().to_owned(),
        }
    }

    /// Asks it to stop, and waits: its exit code and what it said.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (code, said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn orders_outlive_the_program_and_are_seeded_once() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("aurora.db");
    let first = Running::start(&db);
    let service = Client::new(&first.base);
    let wish = r#"{"phone":"110","sku":"aurora-lamp","quantity":1}"#;
    let placed = service.post("/orders", Some("before"), wish).await;
    assert_eq!(placed.status, 201);
    let (code, said) = first.stop("TERM");
    assert_eq!(code, Some(0), "{said}");

    let second = Running::start(&db);
    let service = Client::new(&second.base);
    let again = service.post("/orders", Some("before"), wish).await;
    assert_eq!(
        again.json, placed.json,
        "a key is remembered across a restart"
    );
    assert_eq!(service.get("/stats").await.json["replays"], 1);
    assert_eq!(service.get("/orders/20260302").await.status, 200);
    let (code, said) = second.stop("INT");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_taken_port_is_one_clear_sentence_and_exit_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (output, stdout, stderr) = output(&["--listen", &address, "--db", ":memory:"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout, "");
    assert!(
        stderr.contains(&format!("cannot listen on {address}")),
        "{stderr}"
    );
    assert!(stderr.contains("--listen"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn an_unusable_database_is_one_clear_sentence_and_exit_2() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/aurora.db");
    let foreign = folder.path().join("letter.txt");
    std::fs::write(&foreign, "Dear customer, ".repeat(1000)).unwrap();
    for path in [&missing, &foreign] {
        let path = path.to_str().unwrap();
        let (output, _, stderr) = output(&["--listen", "127.0.0.1:0", "--db", path]);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(&format!("cannot open the database {path}")),
            "{stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn help_has_examples_and_mistakes_exit_2() {
    let (help, stdout, _) = output(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for expected in ["Examples:", "--listen", "--db", "Exit codes:"] {
        assert!(stdout.contains(expected), "{stdout}");
    }
    for wrong in [
        &[][..],
        &["--db", ":memory:", "--listen", "nowhere"],
        &["--db", "x", "--no"],
    ] {
        assert_eq!(output(wrong).0.status.code(), Some(2), "{wrong:?}");
    }
}
