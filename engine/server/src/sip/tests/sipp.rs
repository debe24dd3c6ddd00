//! SIPp as the caller: a stranger's idea of SIP.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::super::{CallEvent, Sip, SipConfig, SipStats};
use super::SDP;

/// The head of every request of a scenario.
fn request(method: &str, uri: &str, to_tag: &str, cseq: &str, lines: &str, body: &str) -> String {
    format!(
        "<![CDATA[\n\n{method} {uri} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         Max-Forwards: 70\nFrom: <sip:sipp@[local_ip]:[local_port]>;tag=[pid]t[call_number]\n\
         To: <sip:1000@[remote_ip]:[remote_port]>{to_tag}\nCall-ID: [call_id]\nCSeq: {cseq}\n\
         Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n{lines}Content-Length: [len]\n\n{body}\n]]>"
    )
}

fn offer(direction: &str) -> String {
    format!(
        "v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio 6000 RTP/AVP 0\na={direction}\n"
    )
}

fn invite() -> String {
    let body = offer("sendrecv");
    let invite = request(
        "INVITE",
        "sip:[service]@[remote_ip]:[remote_port]",
        "",
        "1 INVITE",
        "Content-Type: application/sdp\n",
        &body,
    );
    format!(
        "<send retrans=\"500\">{invite}</send>\n<recv response=\"100\" optional=\"true\"/>\n<recv response=\"180\" optional=\"true\"/>\n"
    )
}

fn in_dialog(method: &str, cseq: &str, lines: &str, body: &str, retransmit: bool) -> String {
    let text = request(method, "[next_url]", "[peer_tag_param]", cseq, lines, body);
    let attributes = if retransmit { " retrans=\"500\"" } else { "" };
    format!("<send{attributes}>{text}</send>\n")
}

const OK: &str = "<recv response=\"200\" rrs=\"true\"/>\n";

/// Runs SIPp against an endpoint whose calls are answered, except those to `ring`.
async fn run(name: &str, steps: &str, arguments: &[&str]) -> SipStats {
    let (sip, mut incoming) = Sip::bind(SipConfig::new("127.0.0.1:0".parse().expect("an address")))
        .await
        .expect("a port");
    let answering = tokio::spawn(async move {
        while let Some(mut call) = incoming.recv().await {
            tokio::spawn(async move {
                if call.to_user == "ring" {
                    call.call.ringing().await.expect("it rings");
                } else {
                    call.call
                        .answer(SDP.into())
                        .await
                        .expect("it waits for an answer");
                }
                while let Some(event) = call.events.recv().await {
                    match event {
                        CallEvent::Reinvite { reply, offer } => reply
                            .answer(offer.unwrap_or_else(|| SDP.into()))
                            .await
                            .expect("the endpoint lives"),
                        CallEvent::Key { reply, .. } => reply.heard().await,
                        _ => {}
                    }
                }
            });
        }
    });
    let folder: PathBuf =
        std::env::temp_dir().join(format!("strowger-sipp-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the scenario");
    let scenario = folder.join("scenario.xml");
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario name=\"{name}\">\n{steps}</scenario>\n"
    );
    std::fs::write(&scenario, text).expect("written");
    let port = free_port();
    let running = Command::new("sipp")
        .arg(sip.local_addr().to_string())
        .arg("-sf")
        .arg(&scenario)
        .args([
            "-i",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-nostdin",
            "-timeout",
            "40s",
            "-trace_err",
        ])
        .args(arguments)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    let status = timeout(Duration::from_secs(60), running)
        .await
        .expect("SIPp ends in time");
    let status = status.expect("SIPp runs; install it with `apt-get install sip-tester`");
    let errors: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with("_errors.log"))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    assert!(status.success(), "{name}: {status}\n{}", errors.join("\n"));
    let stats = sip.meter().read();
    sip.shutdown().await;
    answering.abort();
    std::fs::remove_dir_all(&folder).expect("removed");
    stats
}

/// A port that is free for UDP and TCP, and not of those that the system gives to others' connections meanwhile.
fn free_port() -> u16 {
    // Processes of tests that run beside this one begin elsewhere.
    let first = 10_000 + (std::process::id() % 2_000) as u16 * 10;
    let free = |port: &u16| {
        UdpSocket::bind(("127.0.0.1", *port)).is_ok()
            && std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()
    };
    (first..32_000).find(free).expect("a free port")
}

fn basic() -> String {
    invite()
        + OK
        + &in_dialog("ACK", "1 ACK", "", "", false)
        + &in_dialog("BYE", "2 BYE", "", "", true)
        + OK
}

#[tokio::test]
async fn a_hundred_calls_over_udp() {
    let stats = run("basic", &basic(), &["-s", "1000", "-m", "100", "-r", "100"]).await;
    assert_eq!((stats.calls, stats.active_calls), (100, 0), "{stats:?}");
    assert_eq!(
        stats.malformed_dropped + stats.malformed_answered,
        0,
        "{stats:?}"
    );
}

#[tokio::test]
async fn calls_over_one_tcp_connection() {
    let stats = run(
        "tcp",
        &basic(),
        &["-s", "1000", "-m", "50", "-r", "100", "-t", "t1"],
    )
    .await;
    assert_eq!((stats.calls, stats.active_calls), (50, 0), "{stats:?}");
}

#[tokio::test]
async fn calls_over_a_tcp_connection_each() {
    let stats = run(
        "tcp-each",
        &basic(),
        &[
            "-s",
            "1000",
            "-m",
            "30",
            "-r",
            "30",
            "-t",
            "tn",
            "-max_socket",
            "60",
        ],
    )
    .await;
    assert_eq!((stats.calls, stats.active_calls), (30, 0), "{stats:?}");
}

#[tokio::test]
async fn ringing_calls_are_cancelled() {
    let cancel = request(
        "CANCEL",
        "sip:[service]@[remote_ip]:[remote_port]",
        "",
        "1 CANCEL",
        "",
        "",
    );
    let ack = request(
        "ACK",
        "sip:[service]@[remote_ip]:[remote_port]",
        "[peer_tag_param]",
        "1 ACK",
        "",
        "",
    );
    // The branch of CANCEL and of the ACK to a refusal is that of the INVITE, three and six messages before.
    let cancel = cancel.replace("[branch]", "[branch-3]");
    let ack = ack.replace("[branch]", "[branch-6]");
    let steps = invite().replace("180\" optional=\"true\"", "180\"")
        + &format!(
            "<send retrans=\"500\">{cancel}</send>\n<recv response=\"200\"/>\n<recv response=\"487\"/>\n"
        )
        + &format!("<send>{ack}</send>\n");
    let stats = run("cancel", &steps, &["-s", "ring", "-m", "20", "-r", "50"]).await;
    assert_eq!((stats.calls, stats.active_calls), (20, 0), "{stats:?}");
}

#[tokio::test]
async fn calls_are_held_and_resumed() {
    let mut steps = invite() + OK + &in_dialog("ACK", "1 ACK", "", "", false);
    for (cseq, direction) in [(2, "sendonly"), (3, "sendrecv")] {
        let lines = "Content-Type: application/sdp\n";
        steps += &in_dialog(
            "INVITE",
            &format!("{cseq} INVITE"),
            lines,
            &offer(direction),
            true,
        );
        steps += "<recv response=\"100\" optional=\"true\"/>\n";
        steps += OK;
        steps += &in_dialog("ACK", &format!("{cseq} ACK"), "", "", false);
    }
    steps += &in_dialog(
        "INFO",
        "4 INFO",
        "Content-Type: application/dtmf-relay\n",
        "Signal=5",
        true,
    );
    steps += OK;
    steps += &in_dialog("BYE", "5 BYE", "", "", true);
    steps += OK;
    let stats = run("reinvite", &steps, &["-s", "1000", "-m", "20", "-r", "50"]).await;
    assert_eq!((stats.calls, stats.active_calls), (20, 0), "{stats:?}");
}

#[tokio::test]
async fn options_are_answered() {
    let options = request(
        "OPTIONS",
        "sip:[remote_ip]:[remote_port]",
        "",
        "1 OPTIONS",
        "Accept: application/sdp\n",
        "",
    );
    let steps = format!("<send retrans=\"500\">{options}</send>\n{OK}");
    let stats = run("options", &steps, &["-m", "50", "-r", "100"]).await;
    assert_eq!(stats.requests.get("OPTIONS"), Some(&50), "{stats:?}");
}
