//! `strowger serve`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use strowger_flow::diagnostic::Language;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Failure, OK, data_folder, own_files, start_log};
use crate::centre::{Centre, Live, is_centre};
use crate::clock::Clock;
use crate::http::{Api, Gate, NoToken, Tls, router};
use crate::media::{Media, MediaConfig};
use crate::project::{Config, ConfigError, Project};
use crate::retention::{Rules, recordings_weigher, sweeper};
use crate::runtime::{Chats, Ladders, Node, Outgoing, Returns, close_orphans, open_project, warm};
use crate::serve::{Server, Traffic, advertised};
use crate::sip::{LADDER_QUEUE, Sip, SipConfig, bind_remedy};
use crate::store::{Place, Store, weigher};
use crate::vault::Vault;
use crate::webhooks::{couriers, give_up_others};

/// Takes calls for a project until it is told to stop.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger serve flows/aurora
  strowger serve flows/aurora --sip 0.0.0.0:5060 --http 127.0.0.1:8080 --data /var/lib/strowger

SIGINT or SIGTERM: no new calls are taken, those that are up may end within 30 seconds; a second signal ends
them at once. With TLS, SIGHUP reads the certificate again. STROWGER_LOG chooses what is logged, such as `info` or `strowger_server=debug`.

Exit code: 0 stopped as asked, 1 flows or plugins have errors, 2 it could not start: configuration, address, data
folder.")]
pub(super) struct Serve {
    /// The project's folder, or a centre's: one with `tenants/`.
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
    /// Begin with an empty store where the data folder shows that it had one.
    #[arg(long)]
    new_store: bool,
}

/// Time between two looks at a store that nobody writes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Serve {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let (config, project) = match is_centre(&self.project) {
            true => (centre_config(&self.project)?, None),
            false => {
                let project = Project::read(&self.project)?;
                if project.routes.routes.is_empty() && project.reads() {
                    eprintln!(
                        "warning: no call can come in: {} has no route; add `- {{ to: \"100\", flow: NAME }}` below `routes:` of routes.yaml",
                        self.project.display()
                    );
                }
                (project.config.clone(), Some(project))
            }
        };
        start_log(config.log.format);
        own_files();
        let data = data_folder(self.data, &self.project);
        let place = Place::of(&config.store, &self.project, &data).map_err(Failure::cannot)?;
        if self.new_store {
            let made = Store::open_or_begin(&place)
                .await
                .map_err(Failure::cannot)?;
            made.close().await;
        }
        let listen = self.sip.unwrap_or(config.sip.listen);
        let reached = advertised(listen.ip(), config.sip.advertise).map_err(Failure::cannot)?;
        let sip_config = SipConfig {
            advertised: config.sip.advertise,
            ..SipConfig::new(listen)
        };
        let at = self.http.unwrap_or(config.http.listen);
        let tls =
            Tls::of(&config.http, &self.project, Clock::start().now()).map_err(Failure::cannot)?;
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
        let centre = match project {
            Some(project) => {
                let (engine, routes) = open_project(project, &data, true).await?;
                Centre::of_project(engine, routes)
            }
            None => {
                let vault = Vault::of(&config.vault, &self.project);
                let node = Node::open(&place, &data, vault, &config.store).await?;
                close_orphans(&node, config.chat.enabled)
                    .await
                    .map_err(Failure::cannot)?;
                let centre = Centre::open(&self.project, node).await;
                centre.map_err(Failure::cannot)?
            }
        };
        let centre = Arc::new(centre);
        let node = centre.node.clone();
        let gate = Gate::open(node.store.clone(), at.ip(), &config.http)
            .await
            .map_err(Failure::cannot)?
            .map_err(|NoToken| {
                Failure::cannot(format!(
                    "HTTP would listen on {at}, where others can reach it, and no token was ever made: make one with \
                     `strowger token new --role owner --project {} --data {}`, or listen on 127.0.0.1",
                    self.project.display(),
                    data.display()
                ))
            })?;
        let gate = Arc::new(gate);
        // What they lack is told before anybody is answered.
        let couriers = match &node.store {
            Some(store) => couriers(&config.webhooks, &config.telemetry, store, &centre)
                .map_err(Failure::cannot)?,
            None => Vec::new(),
        };
        for tenant in centre.tenants() {
            for served in tenant.live().iter().flat_map(Live::served) {
                warm(&served.engine, progress).await;
            }
        }
        let (told, of_calls) = tokio::sync::mpsc::channel(LADDER_QUEUE);
        let sip_config = SipConfig {
            ladder: Some(told),
            ..sip_config
        };
        let (sip, incoming) = Sip::bind(sip_config).await.map_err(Failure::cannot)?;
        let ladders = Ladders::start(centre.clone(), of_calls);
        let outgoing = Outgoing::new(sip.dialer(), ladders.clone(), &config.transfer);
        let outgoing = Arc::new(outgoing);
        let traffic = Arc::new(Traffic::default());
        let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
        let chats = match config.chat.enabled {
            true => Some(Chats::new(centre.clone(), config.chat)),
            false => None,
        };
        if let Some(chats) = &chats {
            let open = chats.resume().await.map_err(Failure::cannot)?;
            if open > 0 {
                tracing::info!(chats = open, "chats that were open go on");
            }
        }
        let returns = Returns::new(centre.clone(), stop.clone());
        let broken = returns.resume().await.map_err(Failure::cannot)?;
        if broken > 0 {
            tracing::info!(calls = broken, "calls that dropped wait for their callers");
        }
        let api = router(Api {
            node: node.clone(),
            centre: centre.clone(),
            media: media.clone(),
            outgoing: outgoing.clone(),
            traffic: traffic.clone(),
            sip: sip.meter(),
            ladders: ladders.clone(),
            gate: gate.clone(),
            uploads: Default::default(),
            readings: Default::default(),
            chats: chats.clone(),
            returns: returns.clone(),
        });
        let scheme = if tls.is_some() { "https" } else { "http" };
        if let Some(tls) = tls.clone() {
            tokio::spawn(renew(tls));
        }
        let served = tokio::spawn(crate::http::listen(http, tls, api, stop.clone()));
        tokio::spawn(signals(drain.clone(), stop.clone()));
        if let Some(store) = &node.store {
            give_up_others(&couriers, store)
                .await
                .map_err(Failure::cannot)?;
            for courier in couriers {
                tokio::spawn(courier.run(stop.clone()));
            }
            tokio::spawn(watch(store.clone(), stop.clone()));
            tokio::spawn(weigher(store.clone(), stop.clone()));
            tokio::spawn(recordings_weigher(
                store.clone(),
                node.recordings(),
                node.shelves.clone(),
                stop.clone(),
            ));
            let rules = {
                let (centre, all) = (centre.clone(), config.retention.clone());
                let tenant = (!centre.publishes()).then(|| config.project.name.clone());
                move || Rules {
                    tenant: tenant.clone(),
                    all: all.clone(),
                    own: centre.retention(),
                }
            };
            tokio::spawn(sweeper(
                store.clone(),
                node.recordings(),
                node.shelves.clone(),
                rules,
                stop.clone(),
            ));
        }
        if centre.publishes() {
            tokio::spawn(reloads(centre.clone()));
            tokio::spawn(crate::centre::follow(centre.clone(), stop.clone()));
        }
        eprintln!("{}", node.host.report());
        if gate.is_open() {
            eprintln!(
                "no token was made yet: whoever is on this machine may use the HTTP API as owner; `strowger token new` ends that"
            );
        }
        eprintln!(
            "serving {} on sip:{} (UDP, TCP) and {scheme}://{at}",
            config.project.name,
            sip.local_addr()
        );

        Server {
            centre,
            media,
            ladders: ladders.clone(),
            outgoing,
            returns: returns.clone(),
            traffic,
        }
        .run(sip, incoming, drain, stop.clone())
        .await;
        if let Some(chats) = &chats {
            chats.close().await;
        }
        stop.cancel();
        returns.close().await;
        ladders.flush().await;
        let saved = node.settled().await;
        // It ends by itself within a limit, whatever its peers do.
        let _ = served.await;
        if let Some(store) = &node.store {
            store.close().await;
        }
        saved.map_err(|error| {
            Failure::cannot(format!("the last entries were not saved: {error}"))
        })?;
        eprintln!("stopped");
        Ok(OK)
    }
}

/// Tells of a store that goes while nobody writes, within seconds, once each time.
async fn watch(store: Store, stop: CancellationToken) {
    let mut told = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let gone = store.gone();
        if let Some(why) = gone.as_ref().filter(|_| !told) {
            tracing::error!("the store takes nothing: {why}");
        }
        told = gone.is_some();
    }
}

/// Why a centre's own `strowger.toml` cannot be used.
pub(super) enum CentreFault {
    /// It cannot be read, or says what no file of the kind may.
    Config(ConfigError),
    /// It says what has no place in a centre's: a sentence.
    Misplaced(String),
}

impl From<ConfigError> for CentreFault {
    fn from(error: ConfigError) -> CentreFault {
        CentreFault::Config(error)
    }
}

impl From<CentreFault> for Failure {
    fn from(fault: CentreFault) -> Failure {
        match fault {
            CentreFault::Config(error) => Failure::of_project(&error.into(), Language::English),
            CentreFault::Misplaced(why) => Failure::cannot(why),
        }
    }
}

/// The configuration of a centre, which has no plugins of its own.
pub(super) fn centre_config(folder: &Path) -> Result<Config, CentreFault> {
    let source = Config::source(folder)?;
    let config = Config::parse(&source)?;
    // Where it is read, it holds for the folder's own plugins, of which a centre has none.
    let limits =
        toml::from_str::<toml::Table>(&source.text).is_ok_and(|all| all.contains_key("limits"));
    if limits {
        return Err(CentreFault::Misplaced(format!(
            "{}: limits: a centre's own file limits nobody; write [limits] into each tenant's file below {}",
            folder.join("strowger.toml").display(),
            folder.join("tenants").display()
        )));
    }
    match config.plugins.keys().next() {
        Some(plugin) => Err(CentreFault::Misplaced(format!(
            "{}: plugins.{plugin}: a centre has no plugins of its own; its tenants push theirs",
            folder.join("strowger.toml").display()
        ))),
        None => Ok(config),
    }
}

/// Says how many prompts are ready.
fn progress(done: usize, total: usize) {
    if done == total || done.is_multiple_of(25) {
        eprintln!("prompts: {done} of {total} ready");
    }
}

/// SIGHUP reads the tenants' files again.
async fn reloads(centre: Arc<Centre>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::error!(
            "SIGHUP cannot be watched: restart the engine to read the tenants' files again"
        );
        return;
    };
    while hangup.recv().await.is_some() {
        match centre.reload().await {
            Ok(()) => tracing::info!("the tenants' files are read again"),
            Err(why) => {
                tracing::error!("the tenants' files are not taken, what was before holds: {why}")
            }
        }
    }
}

/// SIGHUP reads the certificate and its key again.
async fn renew(tls: Tls) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::error!("SIGHUP cannot be watched: a new certificate is taken by a restart");
        return;
    };
    while hangup.recv().await.is_some() {
        let renewed = {
            let tls = tls.clone();
            tokio::task::spawn_blocking(move || tls.reload(Clock::start().now())).await
        };
        match renewed {
            Ok(Ok(())) => tracing::info!("the certificate was read again"),
            Ok(Err(error)) => tracing::error!("the certificate stays as it was: {error}"),
            Err(error) => tracing::error!("the certificate stays as it was: {error}"),
        }
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
    for token in [drain, stop] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        token.cancel();
    }
    eprintln!("stopping");
}
