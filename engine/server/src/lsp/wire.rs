//! Messages on a stream: JSON-RPC 2.0 in frames with `Content-Length` (LSP 3.17, base protocol).

use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};

/// Largest message, in bytes. A flow has at most 1 MiB; this leaves room for large files that an editor opens
/// all the same, and keeps a wrong length from taking the machine's memory.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Longest header line, in bytes: two headers are known, and both are short.
const MAX_HEADER: u64 = 4 * 1024;

/// Most header lines of a message.
const MAX_HEADERS: usize = 32;

/// JSON-RPC: the message is not JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC: the message is no request, or it comes at the wrong time.
pub(super) const INVALID_REQUEST: i32 = -32600;
/// JSON-RPC: nobody knows the method.
pub(super) const METHOD_NOT_FOUND: i32 = -32601;
/// JSON-RPC: the parameters are not those of the method.
pub(super) const INVALID_PARAMS: i32 = -32602;
/// LSP: a request before `initialize`.
pub(super) const NOT_INITIALIZED: i32 = -32002;
/// LSP: the request was understood and cannot be fulfilled.
pub(super) const REQUEST_FAILED: i32 = -32803;

/// Why a stream of messages cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream broke.
    #[error(
        "the connection to the editor broke: {0}; start the language server again from the editor"
    )]
    Broken(#[from] std::io::Error),
    /// A header that cannot be understood: where the next message begins is not known.
    #[error(
        "`{0}` is no header of the Language Server Protocol: `strowger lsp` is started by an editor and reads \
         `Content-Length: N`, an empty line and N bytes of JSON"
    )]
    Header(String),
    /// A message without a length.
    #[error(
        "a message has no Content-Length: every message of the Language Server Protocol begins with it"
    )]
    NoLength,
    /// A message that is too large.
    #[error("a message of {0} bytes is too large: at most {MAX_MESSAGE} are read")]
    TooLarge(usize),
}

/// A message that was read.
#[derive(Debug)]
pub(super) enum Incoming {
    /// Somebody waits for the answer with this id.
    Request {
        id: Value,
        method: String,
        params: Value,
    },
    /// Nobody waits.
    Notification { method: String, params: Value },
    /// The answer to a request of ours.
    Response,
    /// Not a message; what to say of it.
    Malformed { id: Value, code: i32, why: String },
    /// The stream cannot be read on.
    Failed(WireError),
}

/// Reads the next message; `None` at the end of the stream.
pub(super) async fn read(input: &mut (impl AsyncBufRead + Unpin)) -> Option<Incoming> {
    match frame(input).await {
        Ok(Some(body)) => Some(understand(&body)),
        Ok(None) => None,
        Err(error) => Some(Incoming::Failed(error)),
    }
}

async fn frame(input: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Vec<u8>>, WireError> {
    let mut length = None;
    for index in 0..MAX_HEADERS {
        let mut line = Vec::new();
        let mut limited = (&mut *input).take(MAX_HEADER);
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return match index {
                0 => Ok(None),
                _ => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
            };
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            let Some(length) = length else {
                return Err(WireError::NoLength);
            };
            if length > MAX_MESSAGE {
                return Err(WireError::TooLarge(length));
            }
            let mut body = vec![0; length];
            input.read_exact(&mut body).await?;
            return Ok(Some(body));
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(WireError::Header(shown(line)));
        };
        if name.trim().eq_ignore_ascii_case("content-length") {
            let parsed = value.trim().parse::<usize>();
            length = Some(parsed.map_err(|_| WireError::Header(shown(line)))?);
        }
    }
    Err(WireError::NoLength)
}

/// The beginning of what somebody sent, for a message to people.
fn shown(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn understand(body: &[u8]) -> Incoming {
    let message: Value = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(error) => {
            return Incoming::Malformed {
                id: Value::Null,
                code: PARSE_ERROR,
                why: format!("the message is not JSON: {error}"),
            };
        }
    };
    let malformed = |id: Value, why: &str| Incoming::Malformed {
        id,
        code: INVALID_REQUEST,
        why: why.to_owned(),
    };
    let Value::Object(mut message) = message else {
        return malformed(
            Value::Null,
            "a message is a JSON object; batches are not part of LSP",
        );
    };
    let id = message.remove("id");
    let params = message.remove("params").unwrap_or(Value::Null);
    match (message.remove("method"), id) {
        (Some(Value::String(method)), Some(id @ (Value::Number(_) | Value::String(_)))) => {
            Incoming::Request { id, method, params }
        }
        (Some(Value::String(method)), None) => Incoming::Notification { method, params },
        (Some(_), _) => malformed(
            Value::Null,
            "`method` is a text, and `id` a number or a text",
        ),
        (None, Some(_)) if message.contains_key("result") || message.contains_key("error") => {
            Incoming::Response
        }
        (None, id) => malformed(id.unwrap_or(Value::Null), "the message has no `method`"),
    }
}

/// Where messages go.
pub(super) struct Writer<W> {
    output: W,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub fn new(output: W) -> Writer<W> {
        Writer { output }
    }

    /// Answers a request.
    pub async fn answer(&mut self, id: Value, result: Value) -> Result<(), WireError> {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
            .await
    }

    /// Refuses a request.
    pub async fn refuse(&mut self, id: Value, code: i32, message: &str) -> Result<(), WireError> {
        let error = json!({ "code": code, "message": message });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
            .await
    }

    /// Tells something.
    pub async fn notify(&mut self, method: &str, params: impl Serialize) -> Result<(), WireError> {
        let params = serde_json::to_value(params).map_err(std::io::Error::other)?;
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
            .await
    }

    /// Asks something.
    pub async fn ask(&mut self, id: &str, method: &str, params: Value) -> Result<(), WireError> {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await
    }

    async fn send(&mut self, message: &Value) -> Result<(), WireError> {
        let body = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.output.write_all(frame.as_bytes()).await?;
        self.output.flush().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn first(text: &str) -> Option<Incoming> {
        read(&mut text.as_bytes()).await
    }

    #[tokio::test]
    async fn messages_that_are_none_are_told_apart() {
        let broken = first("Content-Length: 3\r\n\r\n{a}").await;
        assert!(matches!(
            broken,
            Some(Incoming::Malformed {
                code: PARSE_ERROR,
                ..
            })
        ));
        let batch = first("Content-Length: 2\r\n\r\n[]").await;
        assert!(matches!(
            batch,
            Some(Incoming::Malformed {
                code: INVALID_REQUEST,
                ..
            })
        ));
        let huge = first("Content-Length: 99999999999\r\n\r\n").await;
        assert!(matches!(
            huge,
            Some(Incoming::Failed(WireError::TooLarge(_)))
        ));
        let person = first("hello?\n").await;
        assert!(matches!(
            person,
            Some(Incoming::Failed(WireError::Header(_)))
        ));
        let cut = first("Content-Length: 30\r\n\r\n{").await;
        assert!(matches!(cut, Some(Incoming::Failed(WireError::Broken(_)))));
        assert!(first("").await.is_none());
    }

    #[tokio::test]
    async fn headers_stand_in_any_case_and_order() {
        let text = "content-type: x\r\nCONTENT-LENGTH: 16\r\n\r\n{\"method\":\"ping\"}";
        let text = text.replace("16", &"{\"method\":\"ping\"}".len().to_string());
        let read = first(&text).await;
        assert!(matches!(read, Some(Incoming::Notification { method, .. }) if method == "ping"));
    }
}
