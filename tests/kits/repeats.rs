//! Every step of the standard plugins and of the examples does the same, to the last call and its data, whether it keeps its
//! instance or is built anew at each host call. Those of the kits' languages are walked so by `strowger plugin test`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use strowger_contact::call::{Bytes, HttpRequest};
use strowger_plugin::{Grants, Host, HostCallFuture, HostCalls, HostConfig, Limits};
use strowger_server::runtime::Script;
use strowger_server::trial::{Caller, Drops, walk};
use strowger_tests::program::{built, repository};
use strowger_tests::{OrderService, http};

/// What callers do.
const SCRIPTS: [&str; 6] = ["", "1", "7,9,1", "20260302#,1", "hangup", "transfer=busy,2"];
/// Where callers' time begins: a Monday at noon.
const NOW: u64 = 1_772_452_800_000;

/// A caller, and a service that answers requests for real.
struct World {
    caller: Caller,
    orders: SocketAddr,
    /// What the requests of this walk are called, so that the same walk on other instances orders nothing twice.
    name: String,
    requests: usize,
}

impl HostCalls for World {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Json>,
    ) -> HostCallFuture<'a> {
        if (interface, function) != ("http", "fetch") {
            return self.caller.call(interface, function, args);
        }
        self.requests += 1;
        let answer = self.fetch(&args).map_or_else(
            |error| json!({ "err": { "failed": error.to_string() } }),
            |response| json!({ "ok": response }),
        );
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl World {
    fn fetch(&self, args: &[Json]) -> Result<Json> {
        let request: HttpRequest =
            serde_json::from_value(args.first().context("a request")?.clone())?;
        let base = format!("http://{}", self.orders);
        let path = request.url.strip_prefix(&base).context("another service")?;
        let key = format!("{}:{}", self.name, self.requests);
        let body = request
            .body
            .map(|Bytes(body)| String::from_utf8(body))
            .transpose()?;
        let fields = [("Idempotency-Key", key.as_str())];
        let response = http::send(self.orders, &request.method, path, &fields, body.as_deref())?;
        Ok(json!({
            "status": response.status,
            "headers": [{ "name": "content-type", "value": "application/json" }],
            "body": Bytes(response.body.into_bytes()),
        }))
    }
}

/// The components of the standard steps and of every example, each once.
fn components() -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut take = |path: std::path::PathBuf| -> Result<()> {
        let bytes = std::fs::read(&path)
            .with_context(|| format!("{}: run `make guests`", path.display()))?;
        if seen.insert(Sha256::digest(&bytes)) {
            found.insert(path.display().to_string(), bytes);
        }
        Ok(())
    };
    for step in std::fs::read_dir(repository().join("plugins/std"))? {
        let step = step?;
        if step.path().join("description.json").is_file() {
            take(built(&format!(
                "std-{}",
                step.file_name().to_string_lossy()
            )))?;
        }
    }
    for project in std::fs::read_dir(repository().join("flows"))? {
        let plugins = project?.path().join("plugins");
        for plugin in plugins.read_dir().into_iter().flatten() {
            take(plugin?.path())?;
        }
    }
    Ok(found)
}

#[test]
fn every_step_does_the_same_on_an_instance_that_is_dropped_at_each_host_call() -> Result<()> {
    let orders = OrderService::start()?;
    let host = Host::new(HostConfig::default())?;
    let limits = Limits::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let config = json!({ "base_url": format!("http://{}", orders.address) }).to_string();
    let mut walked = BTreeMap::new();
    for (path, component) in components()? {
        let plugin = runtime
            .block_on(host.load(&component, &Grants::all(), &limits))
            .map_err(|complaints| anyhow::anyhow!("{path}: {complaints:?}"))?;
        for (step, described) in &plugin.description().steps {
            ensure!(
                !described.examples.is_empty(),
                "{path}: {step} has no example"
            );
            for (number, example) in described.examples.iter().enumerate() {
                for script in SCRIPTS {
                    let name = format!("{path} {step} {number} {script}");
                    let world = || -> Result<World> {
                        let script = Script::parse(script).map_err(anyhow::Error::msg)?;
                        Ok(World {
                            caller: Caller::new(script, config.clone(), |_| {}).begins_at(NOW),
                            orders: orders.address,
                            name: name.clone(),
                            requests: 0,
                        })
                    };
                    let input = example["input"].to_string();
                    let kept = runtime.block_on(walk(
                        &plugin,
                        step,
                        &input,
                        &limits,
                        world()?,
                        Drops::Never,
                    ));
                    let anew = runtime.block_on(walk(
                        &plugin,
                        step,
                        &input,
                        &limits,
                        world()?,
                        Drops::AtEachCall,
                    ));
                    ensure!(
                        kept.differs(&anew).is_none(),
                        "{name}: {:?}",
                        kept.differs(&anew)
                    );
                    assert_eq!(
                        (kept.dropped, anew.dropped),
                        (0, anew.calls.len()),
                        "{name}"
                    );
                    let plugin = plugin.description().name.clone();
                    *walked.entry(format!("{plugin}/{step}")).or_insert(0) += anew.dropped;
                }
            }
        }
    }
    // None of them is spared by what it is given: each was built anew many times.
    let spared: Vec<_> = walked
        .iter()
        .filter(|(step, calls)| **calls < 2 && *step != "vip/decide")
        .collect();
    assert!(spared.is_empty(), "{spared:?} of {walked:?}");
    assert!(walked.len() >= 14, "{walked:?}");
    Ok(())
}

#[test]
fn whatever_could_differ_between_two_runs_does_not_between_two_instances() -> Result<()> {
    let host = Host::new(HostConfig::default())?;
    let limits = Limits::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let component = std::fs::read(built("guest-dice"))?;
    let plugin = runtime
        .block_on(host.load(&component, &Grants::all(), &limits))
        .map_err(|complaints| anyhow::anyhow!("{complaints:?}"))?;
    let caller = || Caller::new(Script::default(), "{}".to_owned(), |_| {}).begins_at(NOW);
    let kept = runtime.block_on(walk(&plugin, "go", "{}", &limits, caller(), Drops::Never));
    let anew = runtime.block_on(walk(
        &plugin,
        "go",
        "{}",
        &limits,
        caller(),
        Drops::AtEachCall,
    ));
    ensure!(kept.differs(&anew).is_none(), "{kept:?} {anew:?}");
    assert_eq!(anew.dropped, anew.calls.len());
    Ok(())
}
