//! What every test of chats needs: a project that books callbacks, and somebody who writes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
pub use strowger_tests::Talk;
use strowger_tests::http;
use strowger_tests::program::{callbacks, edit};
use strowger_tests::{Engine, OrderService};

pub const QUESTION: &str = "Which number shall we call?";
pub const OFFER: &str = "Shall we call you back?";
pub const BOOKED: &str = "We will call you back.";

/// As often as anybody likes.
const OFTEN: &str = "requests_per_second = 100000\nburst = 100000";

/// Asks for a number, asks again whether it is meant, and books.
pub const FLOW: &str = r#"flow: callback
format: 1
languages: [en, zh]
prompts:
  which: { en: "Which number shall we call?", zh: 请问回拨哪个号码？ }
  sure: { en: "Shall we call you back?", zh: 需要回拨吗？ }
  please: { en: please do, zh: 好的 }
  thanks: { en: no thanks, zh: 不用 }
  booked: { en: "We will call you back.", zh: 我们会回拨。 }
vars: { number: text }
defaults: { max_duration: 60m }
steps:
  start:
    ask: which
    into: number
    expect: { digits: 4..12 }
    timeout: 60s
    then: { ok: sure, no_input: silent, no_match: silent }
  sure:
    menu: sure
    timeout: 60s
    press:
      1: { to: book, label: please, match: ["yes"] }
      2: { to: refused, label: thanks, match: ["no"] }
    then: { no_input: silent, no_match: silent }
  book:
    - use: callbacks/book@1
      with: { phone: "+8613800138000" }
      timeout: 20s
      then: { booked: booked, error: unsaved, timeout: unsaved }
  booked:
    - say: booked
    - hangup: booked
  refused: { hangup: refused }
  unsaved: { hangup: unsaved }
  silent: { hangup: silent }
"#;

/// An engine that takes chats, and the order service it books at.
pub struct World {
    pub engine: Engine,
    pub orders: OrderService,
}

impl World {
    /// The project with one flow, at the address 700; `settings` are lines for `strowger.toml`.
    pub fn start(delay_ms: u64, settings: &str) -> Result<World> {
        World::of(("callback", FLOW), delay_ms, settings)
    }

    /// The project with this flow, by its name and text, in place of its own.
    pub fn with(flow: &str, text: &str) -> Result<World> {
        World::of((flow, text), 0, "")
    }

    /// The same with another flow, `callback`.
    pub fn on(flow: &str, delay_ms: u64, settings: &str) -> Result<World> {
        World::of(("callback", flow), delay_ms, settings)
    }

    fn of(flow: (&str, &str), delay_ms: u64, settings: &str) -> Result<World> {
        let orders = OrderService::slow(delay_ms)?;
        let address = orders.address;
        let engine = Engine::serve(|project| fill(project, flow, address, settings))?;
        Ok(World { engine, orders })
    }

    /// The project of [`World::start`], whose API is asked as often as these lines of `[http]` say.
    pub fn with_rate(http: &str) -> Result<World> {
        let world = World::start(0, "")?;
        let project = world.engine.project.join("strowger.toml");
        edit(&project, |text| text.replace(OFTEN, http))?;
        let mut world = world;
        world.crash()?;
        Ok(world)
    }

    /// The demo tenant, which takes chats.
    pub fn aurora() -> Result<World> {
        let orders = OrderService::start()?;
        let address = orders.address.to_string();
        let engine = Engine::start("aurora", |project| {
            edit(&project.join("strowger.toml"), |text| {
                text.replace("127.0.0.1:8090", &address) + "\n[chat]\nenabled = true\n"
            })
        })?;
        Ok(World { engine, orders })
    }

    pub fn begin(&self) -> Result<Talk> {
        Talk::begin(self.engine.http, "700", None)
    }

    /// Kills the engine and starts it again.
    pub fn crash(&mut self) -> Result<()> {
        self.engine.program.kill()?;
        self.engine.restart()
    }

    /// Callbacks that are booked.
    pub fn bookings(&self) -> Result<i64> {
        one(&self.orders.database(), "SELECT COUNT(*) FROM callbacks")
    }

    /// The journal of a chat, as far as it is written.
    pub fn journal(&self, id: &str) -> Result<Vec<strowger_contact::Entry>> {
        let text = http::get(self.engine.http, &format!("/v1/contacts/{id}/journal"))?.body;
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }
}

fn fill(
    project: &Path,
    (flow, text): (&str, &str),
    orders: SocketAddr,
    settings: &str,
) -> Result<()> {
    let settings = format!(
        "[http]\n{OFTEN}\n[chat]\nenabled = true\nnew_per_minute = 60000\nmessages_per_minute = 6000\n{settings}"
    );
    let routes = format!("routes:\n  - to: \"700\"\n    flow: {flow}\n");
    callbacks(project, "chats", orders, (flow, text), &routes, &settings)
}

/// A number out of an SQLite file.
pub fn one(file: &Path, sql: &'static str) -> Result<i64> {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_secs(10));
    run(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let number = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(number)
    })
}

pub use strowger_tests::change;

fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
