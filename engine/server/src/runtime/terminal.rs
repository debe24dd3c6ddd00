//! A call in the terminal: prompts are printed, keys are typed.

use std::collections::VecDeque;
use std::io::Write as _;

use serde_json::json;
use strowger_contact::call::{RecordOptions, TransferOptions};
use strowger_contact::{Input, Segment};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::line::Line;

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
}

impl TerminalLine {
    /// A call whose keys a person types.
    pub fn keyboard() -> TerminalLine {
        let lines = BufReader::new(tokio::io::stdin()).lines();
        TerminalLine {
            caller: Caller::Keyboard(lines),
            quiet: false,
            inputs: VecDeque::new(),
            turn: false,
            closed: false,
        }
    }

    /// A call that follows a script; `quiet` prints nothing.
    pub fn script(acts: VecDeque<Act>, quiet: bool) -> TerminalLine {
        TerminalLine {
            caller: Caller::Script(acts),
            quiet,
            inputs: VecDeque::new(),
            turn: false,
            closed: false,
        }
    }

    fn print(&self, who: &str, what: &str) {
        if !self.quiet {
            // A closed pipe is the reader's choice, and no reason to end the call.
            let _ = writeln!(std::io::stdout(), "{who:<7} {what}");
        }
    }

    fn act(&mut self, act: Act) -> Input {
        match act {
            Act::Keys(keys) => {
                self.print("caller", &format!("presses {keys}"));
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
        if !repeat {
            self.inputs.push_back(Input::PlayDone { play, error: None });
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
            result: json!({ "ok": recording }),
        });
    }

    fn stop_recording(&mut self, _effect: u32) {}

    fn mask(&mut self, _masked: bool) {}

    fn transfer(&mut self, effect: u32, target: String, _options: TransferOptions) {
        self.print("engine", &format!("[transfers to {target}]"));
        self.inputs.push_back(Input::EffectDone {
            effect,
            result: json!({ "ok": "done" }),
        });
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
}
