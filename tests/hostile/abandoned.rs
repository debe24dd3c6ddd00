//! Pushing and hanging up: what nobody waits for is counted as any push is, and takes no more than its tenant's part of the
//! compiler.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use strowger_tests::Hall;
use strowger_tests::http;
use strowger_tests::program::component;
use strowger_tests::projects::says;

use crate::{forged, guest};

/// Statements of a large component: with ten bytes each, it is none of those that are compiled beside the others.
const STATEMENTS: usize = 100_000;
/// Statements of a function.
const OF_A_FUNCTION: usize = 1_000;
/// How long somebody who hangs up waits before: long enough for the push to be read and to wait for its turn.
const HANGS_UP_AFTER: Duration = Duration::from_millis(300);
/// Who push and hang up at the same time.
const ATTACKERS: usize = 2;
/// Longest wait for what is sure to come.
const WAITED: Duration = Duration::from_secs(60);
/// Pushes of the victim's that are measured.
const MEASURED: usize = 7;
/// How much longer the victim's push may take beside one other tenant that does nothing but push: twice, since the
/// processor is halved, and as much again for a component of the other's whose compiling has begun.
const FAIR: u32 = 3;
/// What of a push's time is no compiling and no waiting for it.
const ASIDE: Duration = Duration::from_millis(300);

/// A component that takes long to compile, each number another one.
fn slow(number: u64) -> Vec<u8> {
    let statement =
        "(local.set 0 (i32.xor (i32.mul (local.get 0) (i32.const 77777)) (i32.const 33333)))";
    let body = statement.repeat(OF_A_FUNCTION);
    let functions: String = (0..STATEMENTS / OF_A_FUNCTION)
        .map(|_| format!("(func (param i32) (result i32) {body} (local.get 0))"))
        .collect();
    // The last one makes it another component.
    let items = format!("{functions} (func (result i64) (i64.const {number}))");
    forged::with_items("slow", guest::OK, &items)
}

/// The same component, as another one: bytes of its last function are changed.
fn another(slow: &[u8], number: u64) -> Result<Vec<u8>> {
    // `i64.const` of a number that takes ten bytes in LEB128.
    let mark = leb128(i64::MIN as u64);
    let at = slow
        .windows(mark.len())
        .rposition(|window| window == mark)
        .context("the number stands in it")?;
    let mut bytes = slow.to_vec();
    bytes[at..at + mark.len()].copy_from_slice(&leb128(i64::MIN as u64 | number));
    Ok(bytes)
}

/// A negative number of 64 bits whose upper bits are nought, in signed LEB128: ten bytes.
fn leb128(number: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    for (at, byte) in bytes.iter_mut().enumerate() {
        let more = if at == 9 { 0 } else { 0x80 };
        let sign = if at == 9 { 0x7e } else { 0 };
        *byte = ((number >> (7 * at)) & 0x7f) as u8 | more | sign;
    }
    bytes
}

/// Sends a push, and does not wait for its answer.
fn begin(hall: &Hall, tenant: &str, component: &[u8]) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(hall.engine.http)?;
    write!(
        stream,
        "POST /v1/tenants/{tenant}/plugins HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/wasm\r\nContent-Length: {}\r\n\r\n",
        component.len()
    )?;
    // A push that is refused at once is not read to its end.
    let _ = stream.write_all(component);
    Ok(stream)
}

/// Hangs up on a push; what it was answered until then, which is nothing where it is under way.
fn hang_up(mut stream: TcpStream) -> Result<String> {
    stream.set_read_timeout(Some(HANGS_UP_AFTER))?;
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    if answer.is_empty() && ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset) {
        // The engine refuses without reading on, and what it says is lost where bytes are on their way to it.
        return Ok("refused".to_owned());
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A push, to its answer.
fn push(engine: SocketAddr, tenant: &str, component: &[u8]) -> Result<http::Response> {
    let path = format!("/v1/tenants/{tenant}/plugins");
    let kind = [("Content-Type", "application/wasm")];
    http::send_raw(engine, "POST", &path, None, component, &kind)
}

#[test]
fn what_nobody_waits_for_is_counted() -> Result<()> {
    const MOST: usize = 5;
    let hall = Hall::beside_a_victim(&format!("[limits]\nuploads_per_day = {MOST}\n"))?;
    // Without a project nothing would be compiled.
    let own = says("mallory", "6600", "Hello.")?;
    hall.publish(&own)?;
    let slow = slow(i64::MIN as u64);
    let told = |answer: &str| {
        answer.starts_with("HTTP/1.1 429")
            && answer.contains(&format!("has pushed {MOST} times in 24 hours"))
            && answer.contains("limits.uploads_per_day")
    };
    let (mut given_up, mut answered, mut number) = (0, 0, 0);
    hall.beside_a_neighbour(|| {
        let began = Instant::now();
        loop {
            number += 1;
            let answer = hang_up(begin(&hall, "mallory", &another(&slow, number)?)?)?;
            match answer {
                refused if told(&refused) => return Ok(()),
                nothing if nothing.is_empty() => given_up += 1,
                // Too many are under way: those that were given up are stopped first.
                busy if busy.starts_with("HTTP/1.1 429") || busy == "refused" => {}
                _ => answered += 1,
            }
            ensure!(
                began.elapsed() < WAITED,
                "{given_up} pushes were given up and {answered} answered, and more are let in"
            );
        }
    })?;
    // Were all answered in time, this would show nothing of those who hang up.
    ensure!(
        answered < MOST && given_up > 0,
        "{given_up} pushes were given up, {answered} answered"
    );
    hall.neighbour()
}

#[test]
fn load_pushing_and_hanging_up_slows_anothers_push_within_fairness() -> Result<()> {
    let rules = "[limits]\nuploads_per_day = 100000\nrequests_per_second = 10000\nburst = 10000\n";
    let hall = Hall::beside_a_victim(rules)?;
    // Without a project nothing would be compiled.
    let own = says("mallory", "6600", "Hello.")?;
    hall.publish(&own)?;
    let slow = slow(i64::MIN as u64);
    // It is compiled, and refused as what the victim's project has no place for.
    let own = component("guest-figures")?;
    let measured = |from: u64| -> Result<Duration> {
        let mut took = Vec::new();
        for number in 0..MEASURED as u64 {
            let mut bytes = own.clone();
            // A custom section (WebAssembly 2.0 §5.5.3) of one byte makes it another component.
            bytes.extend([0, 3, 1, b'n', (from + number) as u8]);
            let began = Instant::now();
            let answer = push(hall.engine.http, "victim", &bytes)?;
            ensure!(
                answer.status == 409 && answer.body.contains("has no plugin"),
                "{} {}",
                answer.status,
                answer.body
            );
            took.push(began.elapsed());
        }
        took.sort();
        Ok(took[MEASURED / 2])
    };
    let alone = measured(0)?;
    let (over, made, given_up) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let beside = std::thread::scope(|scope| -> Result<Duration> {
        let (gave_up, given) = mpsc::channel();
        let attackers: Vec<_> = (0..ATTACKERS)
            .map(|_| {
                let (gave_up, over, made, given_up) = (gave_up.clone(), &over, &made, &given_up);
                let (hall, slow) = (&hall, &slow);
                scope.spawn(move || -> Result<()> {
                    while !over.load(Ordering::Acquire) {
                        let number = made.fetch_add(1, Ordering::Relaxed) + 1;
                        let bytes = another(slow, number)?;
                        let answer = hang_up(begin(hall, "mallory", &bytes)?)?;
                        given_up.fetch_add(answer.is_empty().into(), Ordering::Relaxed);
                        // Nobody listens any more once the attack is under way.
                        let _ = gave_up.send(());
                    }
                    Ok(())
                })
            })
            .collect();
        // The attack is under way once as many were given up as there are attackers.
        let under_way = (0..ATTACKERS).try_for_each(|_| given.recv_timeout(WAITED));
        let beside = measured(100);
        over.store(true, Ordering::Release);
        for attacker in attackers {
            attacker.join().expect("it does not panic")?;
        }
        under_way.context("the attack began")?;
        beside
    })?;
    let given_up = given_up.into_inner();
    eprintln!("a push takes {alone:?} alone, {beside:?} beside {given_up} that were given up");
    ensure!(given_up > 5, "{given_up} pushes are no attack");
    ensure!(
        beside <= alone * FAIR + ASIDE,
        "a push takes {alone:?} alone and {beside:?} beside one who pushes and hangs up"
    );
    hall.neighbour()
}
