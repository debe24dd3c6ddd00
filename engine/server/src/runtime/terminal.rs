//! A call in the terminal: prompts are printed, keys are typed.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::Arc;

use serde_json::json;
use strowger_contact::call::RecordOptions;
use strowger_contact::{Input, Segment, TransferResult};
use strowger_flow::unseen::in_its_lines;
use strowger_voice::g711::Codec;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::engine::Engine;
use super::line::{Handover, Line};
use crate::project::How;

/// One act of a scripted caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Presses keys, one after another.
    Keys(String),
    /// Says and presses nothing until the time is over.
    Silence,
    /// Hangs up.
    HangUp,
}

impl Act {
    /// Reads a script: acts with commas between, each keys, `silence` (or nothing at all), or `hangup`.
    pub fn script(text: &str) -> Result<VecDeque<Act>, String> {
        if text.trim().is_empty() {
            return Ok(VecDeque::new());
        }
        text.split(',')
            .map(|act| match act.trim() {
                "" | "silence" | "-" => Ok(Act::Silence),
                "hangup" => Ok(Act::HangUp),
                keys if keys.chars().all(|c| matches!(c, '0'..='9' | '*' | '#')) => Ok(Act::Keys(keys.to_owned())),
                other => Err(format!("`{other}` in the script: use keys (0-9 * #), `silence` or `hangup`, with commas between")),
            })
            .collect()
    }
}

/// How a transfer ends, in the words of a script and of a flow's edges.
const TRANSFERS: [(&str, TransferResult); 5] = [
    ("done", TransferResult::Done),
    ("busy", TransferResult::Busy),
    ("no_answer", TransferResult::NoAnswer),
    ("declined", TransferResult::Declined),
    ("failed", TransferResult::Failed),
];

fn transfer_result(word: &str) -> Option<TransferResult> {
    TRANSFERS
        .iter()
        .find(|(known, _)| *known == word)
        .map(|(_, result)| *result)
}

/// What a script says: the caller's acts, and how the transfers end that are made meanwhile.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// In order, one at each turn.
    pub acts: VecDeque<Act>,
    /// In the order of the transfers; what comes after them ends as `done`.
    pub transfers: VecDeque<TransferResult>,
}

impl Script {
    /// Reads a script: the acts of [`Act::script`], and `transfer=OUTCOME` anywhere among them.
    pub fn parse(text: &str) -> Result<Script, String> {
        let mut transfers = VecDeque::new();
        let mut acts = Vec::new();
        for part in text.split(',') {
            match part.trim().strip_prefix("transfer=") {
                Some(word) => transfers.push_back(transfer_result(word).ok_or_else(|| {
                    let known: Vec<_> = TRANSFERS.iter().map(|(word, _)| *word).collect();
                    format!(
                        "`transfer={word}` in the script: a transfer ends in one of {}",
                        known.join(", ")
                    )
                })?),
                None => acts.push(part),
            }
        }
        Ok(Script {
            acts: Act::script(&acts.join(",")).map_err(|e| format!("{e}, or `transfer=busy`"))?,
            transfers,
        })
    }
}

/// Where a terminal call's acts come from.
enum Caller {
    /// A person at the keyboard: a line is keys, `hangup`, or nothing.
    Keyboard(Lines<BufReader<Stdin>>),
    /// A script. What it says is done when the engine has said what it has to say.
    Script(VecDeque<Act>),
}

/// A call in the terminal.
pub struct TerminalLine {
    caller: Caller,
    quiet: bool,
    inputs: VecDeque<Input>,
    /// A prompt is over and the engine may be listening: the script's next act is due.
    turn: bool,
    closed: bool,
    /// How the next transfers of a script end.
    transfers: VecDeque<TransferResult>,
    /// A transfer whose end the person at the keyboard is asked for.
    asked: Option<u32>,
    /// What is typed is a secret, and is printed as dots.
    masked: bool,
    /// Where audio files are tried.
    engine: Option<Arc<Engine>>,
}

impl TerminalLine {
    /// A call whose keys a person types.
    pub fn keyboard() -> TerminalLine {
        let lines = BufReader::new(tokio::io::stdin()).lines();
        TerminalLine::new(Caller::Keyboard(lines), false)
    }

    /// A call that follows a script; `quiet` prints nothing.
    pub fn script(acts: VecDeque<Act>, quiet: bool) -> TerminalLine {
        TerminalLine::new(Caller::Script(acts), quiet)
    }

    /// Says how the transfers of a scripted call end, one after another; after them as `done`.
    pub fn with_transfers(self, transfers: VecDeque<TransferResult>) -> TerminalLine {
        TerminalLine { transfers, ..self }
    }

    /// Tries audio files as the phone does: one that cannot be played is told, and the flow sees it.
    pub fn with_audio(self, engine: Arc<Engine>) -> TerminalLine {
        TerminalLine {
            engine: Some(engine),
            ..self
        }
    }

    fn new(caller: Caller, quiet: bool) -> TerminalLine {
        TerminalLine {
            caller,
            quiet,
            inputs: VecDeque::new(),
            turn: false,
            closed: false,
            transfers: VecDeque::new(),
            asked: None,
            masked: false,
            engine: None,
        }
    }

    /// Why these cannot be played, if an audio file among them cannot. Texts are printed, so the speech program
    /// is not asked.
    fn unplayable(&self, segments: &[Segment]) -> Option<String> {
        let engine = self.engine.as_ref()?;
        segments.iter().find_map(|segment| {
            let Segment::Audio { path, .. } = segment else {
                return None;
            };
            let error = match engine.prompt(segment.clone()) {
                crate::prompts::Segment::Text { .. } => None,
                // A file is decoded within a moment, and this process has this one call: a virtual clock must not
                // run on meanwhile.
                file => tokio::task::block_in_place(|| {
                    let clip = engine.prompts.clip(&file, Codec::Pcma);
                    tokio::runtime::Handle::current().block_on(clip).err()
                }),
            };
            if let Some(error) = error.as_ref().filter(|error| error.is_of_file(path)) {
                engine.damaged(path, error);
            }
            match (engine.prompt(segment.clone()), engine.unplayable(path)) {
                (crate::prompts::Segment::Text { .. }, Some(why)) => {
                    if !self.quiet {
                        eprintln!("audio file {path} is {why}: its text is spoken instead");
                    }
                    None
                }
                _ => error.map(|error| error.to_string()),
            }
        })
    }

    fn transferred(&mut self, effect: u32, result: TransferResult) -> Input {
        let result = result.to_json().into();
        Input::EffectDone { effect, result }
    }

    fn print(&self, who: &str, what: &str) {
        if !self.quiet {
            // A closed pipe is the reader's choice, and no reason to end the call.
            let what = in_its_lines(what);
            let _ = writeln!(std::io::stdout(), "{who:<7} {what}");
        }
    }

    fn act(&mut self, act: Act) -> Input {
        match act {
            Act::Keys(keys) => {
                let shown = match self.masked {
                    true => "•".repeat(keys.len()),
                    false => keys.clone(),
                };
                self.print("caller", &format!("presses {shown}"));
                self.inputs.extend(keys.chars().map(Input::Key));
                self.inputs.pop_front().unwrap_or(Input::Tick)
            }
            Act::Silence => {
                self.print("caller", "is silent");
                Input::Tick
            }
            Act::HangUp => {
                self.print("caller", "hangs up");
                Input::HungUp
            }
        }
    }
}

impl Line for TerminalLine {
    fn play(&mut self, play: u32, segments: Vec<Segment>, repeat: bool) {
        let words: Vec<String> = segments.iter().map(Segment::words).collect();
        self.print("engine", &words.join(" "));
        let error = self.unplayable(&segments);
        if let Some(error) = &error {
            self.print("engine", &format!("[could not say it: {error}]"));
        }
        if !repeat || error.is_some() {
            self.inputs.push_back(Input::PlayDone { play, error });
        }
        self.turn = true;
    }

    fn stop(&mut self) {
        self.inputs
            .retain(|input| !matches!(input, Input::PlayDone { .. }));
    }

    fn record(&mut self, effect: u32, options: RecordOptions) {
        if options.beep {
            self.print("engine", "[beep]");
        }
        let recording =
            json!({ "id": format!("terminal-{effect}"), "duration-ms": 0, "ended-by": "silence" });
        self.inputs.push_back(Input::EffectDone {
            effect,
            result: json!({ "ok": recording }).into(),
        });
    }

    fn stop_recording(&mut self, _effect: u32) {}

    fn mask(&mut self, masked: bool) {
        self.masked = masked;
    }

    fn transfer(&mut self, effect: u32, handover: Handover) {
        let shown = match (handover.options.caller_id, handover.how) {
            (Some(number), How::Refer) => format!(", referred by {number}"),
            (Some(number), How::Bridge) => format!(", calling from {number}"),
            (None, _) => String::new(),
        };
        self.print("engine", &format!("[transfers to {}{shown}]", handover.uri));
        if !handover.whisper.is_empty() {
            let words: Vec<String> = handover.whisper.iter().map(Segment::words).collect();
            self.print(
                "engine",
                &format!("[whispers to whoever answers: {}]", words.join(" ")),
            );
        }
        if matches!(self.caller, Caller::Keyboard(_)) {
            let known: Vec<_> = TRANSFERS.iter().map(|(word, _)| *word).collect();
            eprintln!("how does it end? {} (Enter: done)", known.join(", "));
            self.asked = Some(effect);
            return;
        }
        let result = self.transfers.pop_front().unwrap_or(TransferResult::Done);
        let done = self.transferred(effect, result);
        self.inputs.push_back(done);
    }

    /// A transfer in the terminal is over as soon as it is asked for.
    fn cancel_transfer(&mut self, _effect: u32) {}

    fn hang_up(&mut self) {
        self.print("engine", "[hangs up]");
        self.closed = true;
    }

    async fn event(&mut self) -> Input {
        if let Some(input) = self.inputs.pop_front() {
            return input;
        }
        if self.closed {
            return std::future::pending().await;
        }
        match &mut self.caller {
            Caller::Script(acts) => {
                if std::mem::take(&mut self.turn)
                    && let Some(act) = acts.pop_front()
                {
                    return self.act(act);
                }
                std::future::pending().await
            }
            Caller::Keyboard(lines) => match lines.next_line().await {
                Ok(Some(line)) => match line.trim() {
                    "hangup" => Input::HungUp,
                    word if self.asked.is_some() => {
                        let word = word.strip_prefix("transfer=").unwrap_or(word);
                        let word = if word.is_empty() { "done" } else { word };
                        match (transfer_result(word), self.asked) {
                            (Some(result), Some(effect)) => {
                                self.asked = None;
                                self.transferred(effect, result)
                            }
                            _ => {
                                eprintln!("`{word}` is no end of a transfer");
                                Input::Tick
                            }
                        }
                    }
                    keys => {
                        self.inputs.extend(keys.chars().map(Input::Key));
                        self.inputs.pop_front().unwrap_or(Input::Tick)
                    }
                },
                // The end of the input is a caller who hangs up.
                _ => Input::HungUp,
            },
        }
    }

    async fn close(self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_keys_silence_and_hanging_up() {
        let acts = Act::script("1, 20260302#,,hangup").expect("valid");
        let expected = [
            Act::Keys("1".into()),
            Act::Keys("20260302#".into()),
            Act::Silence,
            Act::HangUp,
        ];
        assert_eq!(acts, expected);
        assert!(Act::script("").expect("empty").is_empty());
        assert!(Act::script("one").unwrap_err().contains("`one`"));
    }

    #[test]
    fn a_script_says_how_transfers_end() {
        let script = Script::parse("1,transfer=busy,2,transfer=no_answer").expect("valid");
        assert_eq!(script.acts, [Act::Keys("1".into()), Act::Keys("2".into())]);
        assert_eq!(
            script.transfers,
            [TransferResult::Busy, TransferResult::NoAnswer]
        );
        // What stands between two commas is still a silence, and nothing at all is no turn.
        assert_eq!(Script::parse("transfer=done").expect("valid").acts, []);
        assert_eq!(Script::parse(",").expect("valid").acts.len(), 2);
        assert!(
            Script::parse("transfer=lost")
                .unwrap_err()
                .contains("no_answer")
        );
        assert!(Script::parse("one").unwrap_err().contains("transfer=busy"));
    }
}
