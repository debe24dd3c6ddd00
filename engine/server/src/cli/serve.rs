//! `strowger serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Failure, OK, data_folder, start_log};
use crate::http::{Api, router};
use crate::media::{Media, MediaConfig};
use crate::project::Project;
use crate::retention::sweeper;
use crate::runtime::{Outgoing, open_project, warm};
use crate::serve::{Server, Traffic, advertised};
use crate::sip::{Sip, SipConfig, bind_remedy};
use crate::webhooks::couriers;

/// Takes calls for a project until it is told to stop.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger serve flows/aurora
  strowger serve flows/aurora --sip 0.0.0.0:5060 --http 127.0.0.1:8080 --data /var/lib/strowger

SIGINT or SIGTERM: no new calls are taken, those that are up may end within 30 seconds; a second signal ends
them at once. STROWGER_LOG chooses what is logged, such as `info` or `strowger_server=debug`.

Exit code: 0 stopped as asked, 1 flows, plugins or routes have errors, 2 it could not start: configuration, address,
data folder.")]
pub(super) struct Serve {
    /// The project's folder.
    project: PathBuf,
    /// Where SIP listens, UDP and TCP; default from strowger.toml.
    #[arg(long)]
    sip: Option<SocketAddr>,
    /// Where HTTP listens; default from strowger.toml.
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Where journals, recordings and caches lie; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Serve {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let project = Project::read(&self.project)?;
        let config = project.config.clone();
        start_log(config.log.format);
        let data = data_folder(self.data, &self.project);
        let listen = self.sip.unwrap_or(config.sip.listen);
        let reached = advertised(listen.ip(), config.sip.advertise).map_err(Failure::cannot)?;
        let sip_config = SipConfig {
            advertised: config.sip.advertise,
            ..SipConfig::new(listen)
        };
        let at = self.http.unwrap_or(config.http.listen);
        let http = tokio::net::TcpListener::bind(at).await.map_err(|e| {
            Failure::cannot(format!(
                "cannot listen for HTTP on {at}: {e}; {}",
                bind_remedy(&e, "--http")
            ))
        })?;
        // A taken port is told before anything slow is done; calls are taken when all is ready.
        let (probe, _) = Sip::bind(sip_config.clone())
            .await
            .map_err(Failure::cannot)?;
        probe.shutdown().await;
        let media = Media::start(MediaConfig {
            bind: listen.ip(),
            advertised: reached,
            ports: config.media.first_port..=config.media.last_port,
            threads: config.media.threads,
            silent_after: match config.media.vanished_after_s {
                0 => None,
                seconds => Some(Duration::from_secs(seconds.into())),
            },
            ..MediaConfig::default()
        })
        .map_err(Failure::cannot)?;
        let (engine, routes) = open_project(project, &data, true).await?;
        let engine = Arc::new(engine);
        warm(&engine).await;
        let (sip, incoming) = Sip::bind(sip_config).await.map_err(Failure::cannot)?;

        let outgoing = Arc::new(Outgoing::new(sip.dialer(), &config.transfer));
        let traffic = Arc::new(Traffic::default());
        let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
        let api = router(Api {
            engine: engine.clone(),
            media: media.clone(),
            outgoing: outgoing.clone(),
            traffic: traffic.clone(),
            sip: sip.meter(),
        });
        let served = tokio::spawn(crate::http::listen(http, api, stop.clone()));
        tokio::spawn(signals(drain.clone(), stop.clone()));
        if let Some(store) = &engine.store {
            for courier in
                couriers(&config.webhooks, &config.telemetry, store).map_err(Failure::cannot)?
            {
                tokio::spawn(courier.run(stop.clone()));
            }
            let (store, rules) = (store.clone(), config.retention.clone());
            let (tenant, recordings) = (engine.tenant.clone(), engine.recordings.clone());
            tokio::spawn(sweeper(store, tenant, recordings, rules, stop.clone()));
        }
        eprintln!("{}", engine.host.report());
        eprintln!(
            "serving {} on sip:{} (UDP, TCP) and http://{at}",
            engine.tenant,
            sip.local_addr()
        );

        Server {
            engine: engine.clone(),
            media,
            routes,
            outgoing,
            traffic,
        }
        .run(sip, incoming, drain, stop.clone())
        .await;
        stop.cancel();
        let saved = engine.settled().await;
        // It ends by itself within a limit, whatever its peers do.
        let _ = served.await;
        if let Some(store) = &engine.store {
            store.close().await;
        }
        saved.map_err(|error| {
            Failure::cannot(format!("the last entries were not saved: {error}"))
        })?;
        eprintln!("stopped");
        Ok(OK)
    }
}

/// The first signal drains, the second stops.
async fn signals(drain: CancellationToken, stop: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        tracing::error!("signals cannot be watched: stop the engine with SIGKILL");
        return;
    };
    for (token, word) in [
        (
            drain,
            "draining: no new calls; another signal ends those that are up",
        ),
        (stop, "stopping"),
    ] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("{word}");
        token.cancel();
    }
}
