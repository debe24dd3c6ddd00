//! Runs a program: bytes in, bytes out, within limits.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// How a run that was no success ended.
#[derive(Debug)]
pub enum Failure {
    /// There is no such program.
    Missing,
    /// It cannot be started, or its pipes broke.
    Io(std::io::Error),
    /// It ended with an error.
    Status {
        /// Exit status or signal.
        status: String,
        /// The beginning of its error output.
        message: String,
    },
    /// It took too long.
    Timeout,
    /// It wrote more than it may; at least so many bytes.
    TooMuch(u64),
}

/// Runs `program` with `arguments` (no shell), `input` on its standard input, and gives its standard output.
///
/// It runs in a process group of its own and at a low priority, so that it takes no time from the media
/// threads; the whole group is killed when the time is over, too much comes out or this future is dropped.
pub async fn run(
    program: &str,
    arguments: &[String],
    input: &[u8],
    timeout: Duration,
    output_limit: usize,
) -> Result<Vec<u8>, Failure> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::Missing,
            _ => Failure::Io(error),
        })?;
    let group = Group::of(&child);
    let ended = tokio::time::timeout(timeout, talk(&mut child, input, output_limit)).await;
    match ended {
        Err(_elapsed) => Err(Failure::Timeout),
        Ok(Err(failure)) => Err(failure),
        Ok(Ok((output, message))) => {
            // Both ends of its pipes are closed: it is ending. What it leaves behind is killed all the same.
            let status = match tokio::time::timeout(timeout, child.wait()).await {
                Err(_elapsed) => return Err(Failure::Timeout),
                Ok(status) => status.map_err(Failure::Io)?,
            };
            drop(group);
            if status.success() {
                return Ok(output);
            }
            let message = String::from_utf8_lossy(&message).trim().to_owned();
            Err(Failure::Status {
                status: status.to_string(),
                message,
            })
        }
    }
}

/// Writes the input while reading both outputs, so that no full pipe stops either side.
async fn talk(
    child: &mut Child,
    input: &[u8],
    output_limit: usize,
) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program that does not read its input to the end closes the pipe: its own affair.
            let _ = stdin.write_all(input).await;
            let _ = stdin.shutdown().await;
        }
        Ok(())
    };
    let output = async {
        let output = read(stdout, output_limit + 1).await?;
        if output.len() > output_limit {
            Err(Failure::TooMuch(output.len() as u64))
        } else {
            Ok(output)
        }
    };
    let message = async {
        let Some(mut stderr) = stderr else {
            return Ok(Vec::new());
        };
        let message = read(Some(&mut stderr), MESSAGE_LIMIT).await?;
        // The rest is read and dropped, or the program would stop at a full pipe.
        tokio::io::copy(&mut stderr, &mut tokio::io::sink())
            .await
            .map_err(Failure::Io)?;
        Ok(message)
    };
    let ((), output, message) = tokio::try_join!(write, output, message)?;
    Ok((output, message))
}

async fn read(source: Option<impl AsyncRead + Unpin>, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    if let Some(source) = source {
        source
            .take(limit as u64)
            .read_to_end(&mut bytes)
            .await
            .map_err(Failure::Io)?;
    }
    Ok(bytes)
}

/// A child's process group, killed when dropped: a script's children die with it.
struct Group(libc::pid_t);

impl Group {
    fn of(child: &Child) -> Option<Group> {
        let group = libc::pid_t::try_from(child.id()?).ok()?;
        // SAFETY: a plain system call; no memory is involved. It may fail, then the priority stays.
        unsafe { libc::setpriority(libc::PRIO_PGRP, group.cast_unsigned(), NICENESS.into()) };
        Some(Group(group))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: a plain system call; no memory is involved. The number is not in use for another group as
        // long as one process of this one lives; when none does, the call fails or, at worst within the
        // instant between the child's end and this line, would have to meet 32,768 new processes.
        unsafe { libc::killpg(self.0, libc::SIGKILL) };
    }
}

/// Error output that is kept for the message, in bytes.
const MESSAGE_LIMIT: usize = 2_048;

/// Priority of speech programs and of threads that decode (nice): far below the media threads at 0 or less, above idle at 19.
pub(super) const NICENESS: u8 = 10;
