//! A step that runs, and the host call that its guest waits for.

use std::sync::Arc;

use strowger_flow::plan::NodeId;

use crate::call::HostCall;
use crate::given::Given;
use crate::listening::Listening;

/// A step that runs.
#[derive(Debug)]
pub(crate) struct Activation {
    pub id: u32,
    pub node: NodeId,
    /// `plugin/step@major`.
    pub step: String,
    pub given: Given,
    /// Host calls so far.
    pub calls: u32,
    /// `interface.function` of the host call that is being answered.
    pub function: String,
    pub pending: Pending,
    /// That call, as long as it needs the caller: it is made again when the caller comes back.
    pub asks: Option<Arc<HostCall>>,
    /// Repetitions before this activation.
    pub retries: u32,
    /// The activation of the first attempt: a repetition makes the same requests.
    pub first: u32,
    /// The step has asked for a secret: until it ends nothing of what is entered may be seen.
    pub masked: bool,
    /// It asked for a secret, or about one, and got no answer; whatever comes now may be that answer.
    pub unanswered: bool,
    /// Its last call needed a secret that was lost.
    pub lost_secret: bool,
    /// It has asked the caller something that keys or words answer.
    pub listened: bool,
    /// The caller hung up while the step ran.
    pub interrupted: bool,
}

impl Activation {
    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        self.step
            .split_once('/')
            .map_or(&self.step, |(plugin, _)| plugin)
    }
}

/// The host call that the guest waits for.
#[derive(Debug)]
pub(crate) enum Pending {
    /// None: the guest computes.
    None,
    /// `media.say`
    Say { play: u32, barge_in: bool },
    /// `media.listen`
    Listen(Listening),
    /// `media.capture`
    Capture {
        effect: u32,
        end_key: Option<char>,
        sensitive: bool,
    },
    /// `wait.sleep`
    Sleep,
    /// `wait.wait-any`: the index of `elapsed` that comes first, and of `input`.
    WaitAny {
        elapsed: Option<u32>,
        input: Option<u32>,
    },
    /// An effect whose result is the answer.
    Effect { effect: u32, transfer: bool },
    /// A call that needs the caller, whose line dropped.
    Held,
}

impl Pending {
    /// Whether the step talks with the contact, so that the silence is not its work's.
    pub fn talks(&self) -> bool {
        matches!(
            self,
            Pending::Say { .. } | Pending::Listen(_) | Pending::Capture { .. }
        )
    }
}
