//! A program that knows nothing of Strowger beyond its exports: built for `wasm32-wasip2`, it uses the clock, chance, output,
//! files and sockets of the standard library. Data: `wall_ms`, `waited_ms`, `order` (of a hash map, which chance decides),
//! `files` and `sockets`, what came of each try, `environment` and `arguments`, how many there are.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-wasip2", steps: ["exercise"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    println!("a line of the output");
    eprintln!("a line of the errors");
    let _ = std::io::stdout().flush();
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(1_500));
    let waited = begun.elapsed();
    let map: HashMap<u32, ()> = (0..16).map(|number| (number, ())).collect();
    let order: Vec<u32> = map.into_keys().collect();
    let files = [
        tried(std::fs::read("/etc/passwd")),
        tried(std::fs::write("out.txt", "x")),
        tried(std::fs::read_dir("/")),
        tried(std::fs::create_dir("made")),
    ];
    let sockets = [
        tried(TcpStream::connect(("127.0.0.1", 80))),
        tried(TcpListener::bind(("127.0.0.1", 0))),
        tried(UdpSocket::bind(("127.0.0.1", 0))),
    ];
    done(&json!({
        "wall_ms": wall.map(|wall| wall.as_millis() as u64).unwrap_or_default(),
        "waited_ms": waited.as_millis() as u64,
        "order": order,
        "files": files,
        "sockets": sockets,
        "environment": std::env::vars().count(),
        "arguments": std::env::args().count(),
    }))
}

fn tried<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "it worked".to_owned(),
        Err(error) => error.kind().to_string(),
    }
}
