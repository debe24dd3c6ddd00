//! `aurora-service`: the demo tenant's order service as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use aurora_service::api;
use aurora_service::store::Store;

/// Longest wait for running requests after the signal to stop, in seconds.
const DRAIN: Duration = Duration::from_secs(5);

/// Longest `--delay-ms`: a minute.
const MAX_DELAY_MS: u64 = 60_000;

/// Order service of the demo tenant Aurora.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Arguments {
    /// Where to listen; port 0 takes any free one. The address is printed on standard output
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,

    /// SQLite file, made and filled with demo data when missing; `:memory:` keeps nothing
    #[arg(long, value_name = "PATH")]
    db: PathBuf,

    /// Milliseconds by which every business answer is delayed, to try a flow on a slow service
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=MAX_DELAY_MS))]
    delay_ms: u64,
}

const EXAMPLES: &str = "\
Examples:
  aurora-service --db /tmp/aurora.db
  aurora-service --listen 127.0.0.1:0 --db :memory:
  aurora-service --db /tmp/aurora.db --delay-ms 2000     # a slow day

  curl 'http://127.0.0.1:8090/orders/20260302'
  curl 'http://127.0.0.1:8090/customers?phone=%2B8613800138000&lang=zh'

Log: RUST_LOG=aurora_service=debug (default info), on standard error.
Exit codes: 0 stopped by SIGTERM or Ctrl-C, 1 failed while running, 2 could not start.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "aurora_service=info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return refused(&format!("cannot start threads: {error}")),
    };
    runtime.block_on(async {
        let (listener, store) = match start(&arguments).await {
            Ok(started) => started,
            Err(error) => return refused(&format!("{error:#}")),
        };
        match run(listener, store, Duration::from_millis(arguments.delay_ms)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("aurora-service: {error:#}");
                ExitCode::FAILURE
            }
        }
    })
}

async fn start(arguments: &Arguments) -> anyhow::Result<(TcpListener, Store)> {
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        let address = arguments.listen;
        format!("cannot listen on {address} (give another with --listen, or stop who has it)")
    })?;
    let store = Store::open(&arguments.db).await?;
    Ok((listener, store))
}

async fn run(listener: TcpListener, store: Store, delay: Duration) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "http://{}", listener.local_addr()?).context("cannot print the address")?;
    stdout.flush().context("cannot print the address")?;

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, api::router(store.clone(), delay))
        .with_graceful_shutdown(async { stopped.await.unwrap_or_default() })
        .into_future();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return ended.context("the listener failed"),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new requests, {DRAIN:?} for the running ones");
    let _ = stop.send(());
    if tokio::time::timeout(DRAIN, server).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    store.close().await;
    Ok(())
}

fn refused(reason: &str) -> ExitCode {
    eprintln!("aurora-service: {reason}");
    ExitCode::from(2)
}
