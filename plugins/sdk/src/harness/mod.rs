//! A scripted caller, for testing steps on the author's machine without an engine.
//!
//! ```text
//! let ran = Script::new().press("7").silence().press("1").run(|| plugin::run("menu", &input));
//! assert_eq!(ran.outcome(), ("1", json!({"no_input": 1, "no_match": 1})));
//! assert_eq!(ran.heard, ["p:1", "p:5 p:1", "p:6 p:1"]);
//! ```
//!
//! The script answers the capabilities by the rules of the contract: a handle that the test did not
//! think of is still a handle, a key that is no choice is `unmatched`. What it cannot do is speak: a
//! given prompt is written as its handle. Steps run one at a time on the test's own thread.

mod capabilities;
mod description;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use crate::bindings::strowger as wit;
use crate::{Error, Failure, Outcome};
use wit::contact::contact::{Channel, Facts};
use wit::env::env::Civil;
use wit::http::client::{Request, Response};
use wit::media::media::Recording;
use wit::route::route::{QueueOptions, Queued, TransferOptions, Transferred};

pub(crate) use capabilities::host;
pub use description::{check_description, described_default, read_description};

/// What the caller does when the step listens.
#[derive(Debug, Clone)]
enum Act {
    Press(String),
    Send(String),
    Silence,
    Refuse(Error),
}

/// Answers requests; `None` when it does not know the request.
type Service = Box<dyn Fn(&Request) -> Option<Result<Response, Error>>>;
/// Evaluates expressions by handle and bound values.
type Evaluator = Box<dyn Fn(&str, &BTreeMap<String, Value>) -> Value>;

/// The world around a step under test. Everything is consumed in the order in which it was given.
pub struct Script {
    facts: Facts,
    now: u64,
    civil: Civil,
    config: String,
    acts: VecDeque<Act>,
    service: Option<Service>,
    evaluator: Option<Evaluator>,
    transferred: Option<Result<Transferred, Error>>,
    queued: Option<Result<Queued, Error>>,
    recorded: Option<Result<Recording, Error>>,
    kept: BTreeMap<String, Vec<u8>>,
    secrets: BTreeMap<String, String>,
    heard: Vec<String>,
    requests: Vec<Request>,
    transfers: Vec<(String, TransferOptions)>,
    queues: Vec<(String, QueueOptions)>,
    log: Vec<String>,
}

/// How a step ran.
#[derive(Debug)]
pub struct Ran {
    /// What it answered.
    pub result: Result<Outcome, Failure>,
    /// What the caller heard, one line per `say` or `listen`: prompts with a space between them, given
    /// ones by their handles, then the bound names as `name=value`.
    pub heard: Vec<String>,
    /// The HTTP requests it made.
    pub requests: Vec<Request>,
    /// The transfers it asked for.
    pub transfers: Vec<(String, TransferOptions)>,
    /// The queues it asked for.
    pub queues: Vec<(String, QueueOptions)>,
    /// What the plugin's store holds afterwards.
    pub kept: BTreeMap<String, Vec<u8>>,
    /// Its log lines.
    pub log: Vec<String>,
    /// What the caller would have done next, had the step listened: the number of unused acts.
    pub unused: usize,
}

thread_local! {
    static WORLD: RefCell<Option<Script>> = const { RefCell::new(None) };
}

impl Default for Script {
    fn default() -> Script {
        Script::new()
    }
}

impl Script {
    /// A telephone call in English on Monday 2026-03-02 at 10:00, from a caller who says nothing and
    /// hangs up when the script is over.
    pub fn new() -> Script {
        Script {
            facts: Facts {
                id: "c-1".to_owned(),
                channel: Channel::Voice,
                from: "+8613800138000".to_owned(),
                to: "4001".to_owned(),
                language: "en".to_owned(),
                priority: 50,
                started_at: 1_772_416_800_000,
            },
            now: 1_772_416_800_000,
            civil: Civil {
                year: 2026,
                month: 3,
                day: 2,
                weekday: 1,
                hour: 10,
                minute: 0,
                second: 0,
            },
            config: "{}".to_owned(),
            acts: VecDeque::new(),
            service: None,
            evaluator: None,
            transferred: None,
            queued: None,
            recorded: None,
            kept: BTreeMap::new(),
            secrets: BTreeMap::new(),
            heard: Vec::new(),
            requests: Vec::new(),
            transfers: Vec::new(),
            queues: Vec::new(),
            log: Vec::new(),
        }
    }

    /// In another language.
    #[must_use]
    pub fn language(mut self, tag: &str) -> Script {
        self.facts.language = tag.to_owned();
        self
    }

    /// As a chat.
    #[must_use]
    pub fn chat(mut self) -> Script {
        self.facts.channel = Channel::Chat;
        self
    }

    /// From another number; empty when it is withheld.
    #[must_use]
    pub fn from(mut self, number: &str) -> Script {
        self.facts.from = number.to_owned();
        self
    }

    /// At another local time, in whatever zone is asked for; `weekday` from 1 (Monday) to 7.
    #[must_use]
    pub fn at(mut self, date: (i32, u8, u8), weekday: u8, time: (u8, u8)) -> Script {
        let ((year, month, day), (hour, minute)) = (date, time);
        self.civil = Civil {
            year,
            month,
            day,
            weekday,
            hour,
            minute,
            second: 0,
        };
        self
    }

    /// With a configuration.
    #[must_use]
    pub fn config(mut self, config: &Value) -> Script {
        self.config = config.to_string();
        self
    }

    /// Then the caller presses keys, the end key among them where there is one.
    #[must_use]
    pub fn press(mut self, keys: &str) -> Script {
        self.acts.push_back(Act::Press(keys.to_owned()));
        self
    }

    /// Then the contact writes something.
    #[must_use]
    pub fn send(mut self, text: &str) -> Script {
        self.acts.push_back(Act::Send(text.to_owned()));
        self
    }

    /// Then the caller says nothing until the time is over.
    #[must_use]
    pub fn silence(mut self) -> Script {
        self.acts.push_back(Act::Silence);
        self
    }

    /// Then the engine refuses to listen, for instance with [`Error::Cancelled`].
    #[must_use]
    pub fn refuse(mut self, error: Error) -> Script {
        self.acts.push_back(Act::Refuse(error));
        self
    }

    /// Requests are answered so; a request that gets `None` finds nobody there.
    #[must_use]
    pub fn service(
        mut self,
        answer: impl Fn(&Request) -> Option<Result<Response, Error>> + 'static,
    ) -> Script {
        self.service = Some(Box::new(answer));
        self
    }

    /// Every request is answered with a status and a JSON body.
    #[must_use]
    pub fn answer(self, status: u16, body: &Value) -> Script {
        let body = body.to_string().into_bytes();
        self.service(move |_| {
            Some(Ok(Response {
                status,
                headers: Vec::new(),
                body: body.clone(),
            }))
        })
    }

    /// Expressions have these values.
    #[must_use]
    pub fn expressions(
        mut self,
        value: impl Fn(&str, &BTreeMap<String, Value>) -> Value + 'static,
    ) -> Script {
        self.evaluator = Some(Box::new(value));
        self
    }

    /// A transfer ends so.
    #[must_use]
    pub fn transferred(mut self, result: Result<Transferred, Error>) -> Script {
        self.transferred = Some(result);
        self
    }

    /// Queueing ends so.
    #[must_use]
    pub fn queued(mut self, result: Result<Queued, Error>) -> Script {
        self.queued = Some(result);
        self
    }

    /// A recording ends so.
    #[must_use]
    pub fn recorded(mut self, result: Result<Recording, Error>) -> Script {
        self.recorded = Some(result);
        self
    }

    /// Runs a step in this world.
    pub fn run(self, step: impl FnOnce() -> Result<Outcome, Failure>) -> Ran {
        WORLD.with_borrow_mut(|world| *world = Some(self));
        let result = step();
        let world = WORLD
            .with_borrow_mut(Option::take)
            .expect("only `run` takes the world away");
        Ran {
            result,
            heard: world.heard,
            requests: world.requests,
            transfers: world.transfers,
            queues: world.queues,
            kept: world.kept,
            log: world.log,
            unused: world.acts.len(),
        }
    }
}

impl Ran {
    /// The outcome's name and data. Panics, telling the failure, when the step failed.
    pub fn outcome(&self) -> (&str, Value) {
        match &self.result {
            Ok(outcome) => {
                let data = serde_json::from_str(&outcome.data).expect("an outcome's data is JSON");
                (&outcome.name, data)
            }
            Err(failure) => panic!("the step failed: {}: {}", failure.code, failure.message),
        }
    }

    /// The failure's code. Panics, telling the outcome, when the step did not fail.
    pub fn failure(&self) -> &str {
        match &self.result {
            Ok(outcome) => panic!("the step ended well: {} {}", outcome.name, outcome.data),
            Err(failure) => &failure.code,
        }
    }
}
