//! A service that plugins ask, which answers as the test says: bytes on a line, good or bad.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// Longest time that a connection waits for more of a request.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Request line and header lines.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Asked {
    /// The path.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// Everything.
    pub fn whole(&self) -> String {
        format!("{}\r\n\r\n{}", self.head, self.body)
    }
}

/// What serves one request: it writes the whole answer.
type Answer = dyn Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync;

/// A service on loopback; it ends with this value.
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl Upstream {
    /// Starts one.
    pub fn start(
        answer: impl Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Result<Upstream> {
        Upstream::serve(None, Arc::new(answer))
    }

    /// The same behind TLS.
    pub fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        answer: impl Fn(&Asked, &mut dyn Write) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Result<Upstream> {
        Upstream::serve(Some(tls), Arc::new(answer))
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>, answer: Arc<Answer>) -> Result<Upstream> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let upstream = Upstream {
            address: listener.local_addr()?,
            asked: Arc::default(),
            over: Arc::default(),
        };
        let (asked, over) = (upstream.asked.clone(), upstream.over.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (answer, asked, tls) = (answer.clone(), asked.clone(), tls.clone());
                // A client that goes away is what many of these are for.
                thread::spawn(move || {
                    let _ = one(stream, tls, &answer, &asked);
                });
            }
        });
        Ok(upstream)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
    }
}

fn one(
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    answer: &Arc<Answer>,
    asked: &Mutex<Vec<Asked>>,
) -> Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    match tls {
        None => talk(stream, answer, asked),
        Some(tls) => {
            let connection = rustls::ServerConnection::new(tls)?;
            talk(rustls::StreamOwned::new(connection, stream), answer, asked)
        }
    }
}

fn talk(
    mut stream: impl Read + Write,
    answer: &Arc<Answer>,
    asked: &Mutex<Vec<Asked>>,
) -> Result<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4_096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let read = stream.read(&mut piece)?;
        anyhow::ensure!(read > 0, "the request broke off");
        bytes.extend_from_slice(&piece[..read]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut body = bytes.split_off(end + 4);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    while body.len() < length.unwrap_or(0) {
        let read = stream.read(&mut piece)?;
        anyhow::ensure!(read > 0, "the body broke off");
        body.extend_from_slice(&piece[..read]);
    }
    let request = Asked {
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    answer(&request, &mut stream)?;
    stream.flush()?;
    Ok(())
}

/// A whole answer with a body.
pub fn reply(to: &mut dyn Write, status: &str, fields: &str, body: &[u8]) -> std::io::Result<()> {
    write!(
        to,
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    to.write_all(body)
}

/// Says all that was asked back to whoever asked.
pub fn echo(asked: &Asked, to: &mut dyn Write) -> std::io::Result<()> {
    reply(to, "200 OK", "", asked.whole().as_bytes())
}
