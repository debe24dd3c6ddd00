//! `strowger chat`

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use clap::Args;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value as Json, json};
use strowger_flow::unseen::in_its_lines;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::sync::mpsc;

use super::exchange::{Answer, Caller, Trust};
use super::{FOUND, Failure, OK};

/// Longest time that an engine may be away, as when it is started again, in seconds.
const AWAY: Duration = Duration::from_secs(60);
/// Pause until it is asked again.
const AGAIN: Duration = Duration::from_millis(500);
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 4 << 20;
/// Events that wait to be printed.
const EVENTS: usize = 256;

/// Talks with a flow in writing, as a web page would: what it says is printed, lines are typed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger chat http://127.0.0.1:8080 100
  strowger chat http://127.0.0.1:8080 100 --language en --from +8613800138000
  printf '2\\n1\\n' | strowger chat http://127.0.0.1:8080 100      a line each time that the flow listens

The project needs `enabled = true` under [chat] in strowger.toml. Ctrl-D leaves the chat. While the engine is started
again the chat waits, and then goes on.

Exit code: 0 the chat came to a proper end, 1 it ended in an error, 2 it could not be begun or the engine is gone.")]
pub(super) struct Chat {
    /// The engine's HTTP address, such as http://127.0.0.1:8080.
    url: String,
    /// Whom to write to: an address of routes.yaml.
    to: String,
    /// Who writes.
    #[arg(long, default_value = "")]
    from: String,
    /// The language to begin in, one of the flow's; its first by default.
    #[arg(long)]
    language: Option<String>,
    #[command(flatten)]
    trust: Trust,
}

impl Chat {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let mut body = json!({ "to": self.to, "from": self.from });
        if let Some(language) = &self.language {
            body["language"] = json!(language);
        }
        let client = self.trust.caller(MAX_ANSWER)?;
        let base = self.url.trim_end_matches('/').to_owned();
        let begun = ask(
            &client,
            Method::POST,
            &format!("{base}/v1/chats"),
            None,
            Some(&body),
        )
        .await;
        let begun = begun.map_err(Failure::cannot)?;
        let word = |name: &str| begun.body[name].as_str().unwrap_or_default().to_owned();
        if begun.status != StatusCode::CREATED {
            return Err(Failure::cannot(begun.refusal()));
        }
        let talk = Talk {
            client,
            chat: format!("{base}/v1/chats/{}", word("id")),
            token: word("token"),
        };
        eprintln!("chat {}; Ctrl-D leaves", word("id"));
        talk.hold().await
    }
}

async fn ask(
    client: &Caller,
    method: Method,
    url: &str,
    token: Option<&str>,
    body: Option<&Json>,
) -> Result<Answer, String> {
    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = body.map(Json::to_string).unwrap_or_default();
    let answer = client.exchange(request, body.into_bytes()).await;
    answer.map_err(|why| why.told(url))
}

struct Talk {
    client: Caller,
    chat: String,
    token: String,
}

impl Talk {
    async fn hold(self) -> Result<u8, Failure> {
        let talk = std::sync::Arc::new(self);
        let (events, mut shown) = mpsc::channel(EVENTS);
        let watching = talk.clone();
        tokio::spawn(async move { watching.watch(events).await });
        let mut lines: Option<Lines<BufReader<Stdin>>> =
            Some(BufReader::new(tokio::io::stdin()).lines());
        // Written, and not yet sent: a line goes out each time that the flow listens.
        let mut listens = false;
        loop {
            let line = async {
                match &mut lines {
                    Some(lines) if listens => lines.next_line().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = shown.recv() => match event {
                    Some(Ok(event)) => {
                        if let Some(code) = print(&event) {
                            return Ok(code);
                        }
                        listens |= event["kind"] == "listening";
                    }
                    Some(Err(why)) => return Err(Failure::cannot(why)),
                    None => return Err(Failure::cannot("the chat can no longer be followed")),
                },
                line = line => match line {
                    Ok(Some(line)) => {
                        if !line.trim().is_empty() {
                            listens = false;
                            talk.write(line.trim()).await?;
                        }
                    }
                    _ => {
                        lines = None;
                        talk.leave().await?;
                    }
                },
            }
        }
    }

    /// Follows what is shown, over an engine that is started again meanwhile.
    async fn watch(&self, events: mpsc::Sender<Result<Json, String>>) {
        let mut after = 0;
        let mut gone: Option<Instant> = None;
        loop {
            let url = format!("{}/events?after={after}", self.chat);
            let answer = ask(&self.client, Method::GET, &url, Some(&self.token), None).await;
            let why = match answer {
                Ok(answer) if answer.status == StatusCode::OK => {
                    gone = None;
                    let seen: VecDeque<Json> = match answer.body["events"].as_array() {
                        Some(events) => events.iter().cloned().collect(),
                        None => VecDeque::new(),
                    };
                    for event in seen {
                        after = event["n"].as_u64().unwrap_or(after).max(after);
                        if events.send(Ok(event)).await.is_err() {
                            return;
                        }
                    }
                    if answer.body["over"] == true {
                        return;
                    }
                    continue;
                }
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => {
                    let _ = events.send(Err(answer.refusal())).await;
                    return;
                }
                Ok(answer) => answer.refusal(),
                Err(error) => error,
            };
            if gone.get_or_insert_with(Instant::now).elapsed() > AWAY {
                let _ = events.send(Err(why)).await;
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Writes a line. Sent again it is the same message, so it is taken once.
    async fn write(&self, text: &str) -> Result<(), Failure> {
        let chance: [u8; 8] = rand::random();
        let body = json!({ "text": text, "client_id": crate::project::hex(&chance) });
        let url = format!("{}/messages", self.chat);
        let since = Instant::now();
        loop {
            let answer = ask(
                &self.client,
                Method::POST,
                &url,
                Some(&self.token),
                Some(&body),
            )
            .await;
            let why = match answer {
                // A chat that is over tells so in its events.
                Ok(answer) if answer.status.is_success() || answer.status == StatusCode::GONE => {
                    return Ok(());
                }
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => answer.refusal(),
                Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => answer.refusal(),
                Ok(answer) => {
                    eprintln!("not taken: {}", in_its_lines(&answer.refusal()));
                    return Ok(());
                }
                Err(error) => error,
            };
            if since.elapsed() > AWAY {
                return Err(Failure::cannot(why));
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn leave(&self) -> Result<(), Failure> {
        let left = ask(
            &self.client,
            Method::DELETE,
            &self.chat,
            Some(&self.token),
            None,
        )
        .await;
        left.map(|_| ()).map_err(Failure::cannot)
    }
}

/// Prints what is shown; the exit code when that is the end.
fn print(event: &Json) -> Option<u8> {
    match event["kind"].as_str() {
        Some("text") => tell!(
            "{}",
            in_its_lines(event["text"].as_str().unwrap_or_default())
        ),
        Some("listening") => {
            for choice in event["choices"].as_array().into_iter().flatten() {
                let key = choice["key"].as_str().unwrap_or_default();
                match choice["label"].as_str() {
                    Some(label) => tell!("  [{key}] {}", in_its_lines(label)),
                    None => tell!("  [{key}]"),
                }
            }
        }
        Some("ended") => {
            let reason = event["reason"].as_str().unwrap_or_default();
            eprintln!("ended: {reason}");
            let broken = ["error", "fell-off", "too-long", "interrupted"].contains(&reason);
            return Some(if broken { FOUND } else { OK });
        }
        _ => {}
    }
    None
}
