//! A test's `run:`: the caller's acts, one after the other, and what must be so between them.

use strowger_contact::{Input, Millis};
use strowger_flow::{Act, Expectation, Test};

use super::expect;
use super::record::Entered;
use super::world::{Asked, Moved, World};

/// Why a test failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// The line of the flow's file, from 1.
    pub line: u32,
    /// What was expected.
    pub expected: String,
    /// What there was instead.
    pub got: Vec<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Miss {
    fn new(line: u32, expected: impl Into<String>, got: impl Into<String>) -> Miss {
        Miss {
            line,
            expected: expected.into(),
            got: vec![got.into()],
            help: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Miss {
        self.help = Some(help.into());
        self
    }
}

/// When a line drops for good.
const DROPPED_FOR_GOOD: &str = "nobody comes back to a chat, a transfer or a queue, to a goodbye, or once a secret was entered: \
                                write `hangup`";

/// Endings of a contact that no flow says on purpose.
const BROKEN: [&str; 2] = ["error", "fell-off"];

/// Walks the test to its end or its first failure.
pub(super) async fn play(world: &mut World<'_>, flow: &str, test: &Test) -> Result<(), Miss> {
    world.give(Input::Connected).await;
    // When the last act was: `within` counts from there.
    let mut acted = world.now;
    // After `wait` and `expect` the moment is the test's; else the caller acts when it is his turn.
    let mut at_once = false;
    let mut broken_end_expected = false;
    for (index, (line, act)) in test.run.iter().enumerate() {
        let line = *line;
        let before = index.checked_sub(1).map(|before| &test.run[before].1);
        match act {
            Act::Press(keys) => {
                // Which keys stays out of what is told: they may be a secret that nobody has asked for yet.
                if !matches!(before, Some(Act::Wait(_))) {
                    turn(world, line, "the caller can press keys").await?;
                }
                on_the_line(world, line, "the caller can press keys")?;
                match world.chat() {
                    true => {
                        let entered = Entered::new("presses", keys, false);
                        world.record.enter(world.now, entered);
                        world.give(Input::Text(keys.clone())).await;
                    }
                    false => {
                        world.record.press(world.now, keys);
                        for key in keys.chars() {
                            world.give(Input::Key(key)).await;
                        }
                    }
                }
                acted = world.now;
            }
            Act::Send(text) => {
                if !world.chat() {
                    return Err(
                        Miss::new(line, "a chat to send a message in", "a telephone call").help(
                            "write `given: { channel: chat }`, or `press:` instead of `send:`",
                        ),
                    );
                }
                // After a wait it is written at that very moment, as a key is pressed, whether or not the flow listens.
                if !matches!(before, Some(Act::Wait(_))) {
                    turn(world, line, "the contact can write").await?;
                }
                on_the_line(world, line, "the contact can write")?;
                let entered = Entered::new("writes", text, true);
                world.record.enter(world.now, entered);
                world.give(Input::Text(text.clone())).await;
                acted = world.now;
            }
            Act::Say(words) => {
                settle(world).await;
                troubled(world, line)?;
                let Asked::Recording { sensitive, .. } = *world.asked() else {
                    return Err(Miss::new(
                        line,
                        "a recording that the caller can speak into",
                        state(world),
                    )
                    .help("only recordings hear speech: write `press:` on the telephone, `send:` in a chat"));
                };
                let entered = Entered::new("says", words, true);
                world.record.enter(world.now, entered);
                if !sensitive {
                    world.record.told_words(words);
                }
                world.speak(words);
                acted = world.now;
            }
            Act::Silence(times) => {
                for _ in 0..*times {
                    settle(world).await;
                    on_the_line(world, line, "the caller can be silent")?;
                    world.record.act(world.now, "is silent".to_owned());
                    acted = world.now;
                    let before = world.replies;
                    while world.replies == before && world.step(None, true).await == Moved::On {}
                }
            }
            Act::Wait(ms) => {
                alive(world, line, "time can pass")?;
                world
                    .record
                    .act(world.now, format!("waits {}", seconds(*ms)));
                acted = world.now;
                let until = world.now.saturating_add(*ms);
                loop {
                    match world.step(Some(until), true).await {
                        Moved::On => {}
                        Moved::Waits => {
                            world.now = until;
                            break;
                        }
                        Moved::Limit | Moved::Over => break,
                    }
                }
            }
            Act::HangUp => {
                if !at_once {
                    settle(world).await;
                }
                alive(world, line, "the caller can hang up")?;
                let gone = world.contact.away() && !world.contact.asks_to_go_on();
                let told = match gone {
                    true => "does not come back",
                    false => "hangs up",
                };
                world.record.act(world.now, told.to_owned());
                match gone {
                    true => world.give(Input::GivenUp).await,
                    false => world.hang_up().await,
                }
                acted = world.now;
            }
            Act::Drop => {
                if !at_once {
                    settle(world).await;
                }
                let wanted = "a line that can drop so that the caller may come back";
                alive(world, line, wanted)?;
                if world.chat() || !world.contact.may_come_back() {
                    return Err(Miss::new(line, wanted, state(world)).help(DROPPED_FOR_GOOD));
                }
                world
                    .record
                    .act(world.now, "is gone, as the line drops".to_owned());
                world.drop_line().await;
                acted = world.now;
            }
            Act::CallBack => {
                let wanted = "a caller whose line has dropped, and who can call again";
                alive(world, line, wanted)?;
                if !world.contact.away() || world.contact.asks_to_go_on() {
                    return Err(Miss::new(line, wanted, state(world))
                        .help("write `drop` where the line drops"));
                }
                world.record.act(world.now, "calls again".to_owned());
                world.call_back().await;
                acted = world.now;
            }
            Act::Expect(expected) => {
                meet(world, flow, line, acted, expected).await?;
                broken_end_expected |= expected.ends.is_some();
            }
        }
        troubled(world, line)?;
        at_once = matches!(act, Act::Wait(_) | Act::Expect(_));
    }
    settle(world).await;
    let last = test.run.last().map_or(test.line, |(line, _)| *line);
    troubled(world, last)?;
    match &world.ended {
        Some(ending) if BROKEN.contains(&ending.reason.as_str()) && !broken_end_expected => {
            let why = ending.error.clone().unwrap_or_default();
            Err(Miss::new(
                last,
                "the contact does not break",
                format!("it ended with `{}`: {why}", ending.reason),
            ))
        }
        _ => Ok(()),
    }
}

/// Lets everything happen that needs no caller.
async fn settle(world: &mut World<'_>) {
    while world.step(None, false).await == Moved::On {}
}

/// Waits until it is the caller's turn.
async fn turn(world: &mut World<'_>, line: u32, expected: &str) -> Result<(), Miss> {
    settle(world).await;
    on_the_line(world, line, expected)?;
    match world.asked() {
        Asked::Nobody(name) => Err(Miss::new(line, expected, state(world)).help(mock_for(name))),
        _ => Ok(()),
    }
}

fn alive(world: &World<'_>, line: u32, expected: &str) -> Result<(), Miss> {
    troubled(world, line)?;
    match &world.ended {
        Some(_) => Err(Miss::new(line, expected, state(world))),
        None => Ok(()),
    }
}

/// Whether the caller is there.
fn on_the_line(world: &World<'_>, line: u32, expected: &str) -> Result<(), Miss> {
    alive(world, line, expected)?;
    match world.contact.away() && !world.contact.asks_to_go_on() {
        true => Err(Miss::new(line, expected, state(world))
            .help("write `call_back`, or `hangup` for a caller who does not come back")),
        false => Ok(()),
    }
}

fn troubled(world: &World<'_>, line: u32) -> Result<(), Miss> {
    match &world.trouble {
        Some(trouble) => Err(Miss::new(
            line,
            "a test that needs nothing from outside",
            trouble.what.clone(),
        )
        .help(trouble.help.clone())),
        None => Ok(()),
    }
}

/// Goes on until what is expected is there, or cannot come without the caller.
async fn meet(
    world: &mut World<'_>,
    flow: &str,
    line: u32,
    acted: Millis,
    expected: &Expectation,
) -> Result<(), Miss> {
    let hear =
        expect::Pattern::of(expected.hear.as_deref()).map_err(|why| bad_pattern(line, why))?;
    let not_hear =
        expect::Pattern::of(expected.not_hear.as_deref()).map_err(|why| bad_pattern(line, why))?;
    loop {
        if expect::missing(world, flow, expected, hear.as_ref()).is_none() {
            break;
        }
        let late = expected
            .within_ms
            .is_some_and(|within| world.now - acted > within);
        // An entry that has begun needs time alone to be complete.
        let alone = world.contact.entry_begun();
        if late || world.step(None, alone).await != Moved::On {
            break;
        }
    }
    troubled(world, line)?;
    if let Some((mut wanted, got)) = expect::missing(world, flow, expected, hear.as_ref()) {
        if let Some(within) = expected.within_ms {
            wanted = format!("{wanted} within {}", seconds(within));
        }
        let help = match world.asked() {
            Asked::Nobody(name) => Some(mock_for(name)),
            _ if world.ended.is_none() && world.waits() => Some(
                "the contact waits for the caller: let it `press:`, `send:` or be `silence`"
                    .to_owned(),
            ),
            _ => None,
        };
        return Err(Miss {
            line,
            expected: wanted,
            got,
            help,
        });
    }
    let took = world.now.saturating_sub(acted);
    if let Some(within) = expected.within_ms.filter(|within| took > *within) {
        return Err(Miss::new(
            line,
            format!("all this within {}", seconds(within)),
            format!("it took {}", seconds(took)),
        ));
    }
    if let Some(pattern) = not_hear {
        settle(world).await;
        troubled(world, line)?;
        if let Some((words, _)) = world
            .record
            .recently_heard()
            .find(|(words, _)| pattern.fits(words))
        {
            return Err(Miss::new(
                line,
                format!("not to hear {pattern}"),
                format!("heard “{words}”"),
            ));
        }
    }
    Ok(())
}

fn bad_pattern(line: u32, why: String) -> Miss {
    Miss::new(line, "a regular expression between slashes", why)
        .help("write it as the crate `regex` reads it, or leave the slashes out for plain text")
}

/// How to get on when nobody takes a call.
fn mock_for(name: &str) -> String {
    format!(
        "say how it ends: `mock: {{ {name}: {{ outcome: done }} }}`, or let the time pass with `silence`"
    )
}

/// What the contact does now, in words.
fn state(world: &World<'_>) -> String {
    if let Some(ending) = &world.ended {
        return format!("the contact has ended: `{}`", ending.reason);
    }
    if world.contact.away() && !world.contact.asks_to_go_on() {
        return "the line has dropped, and the caller has not called again".to_owned();
    }
    match world.asked() {
        Asked::Nobody(name) => format!("the contact waits in `{name}`"),
        Asked::Recording { .. } => "the contact is being recorded".to_owned(),
        Asked::Talk { listens: true, .. } | Asked::Input => {
            "the contact is asked for keys or words".to_owned()
        }
        Asked::Talk { listens: false, .. } => "something is being said".to_owned(),
        Asked::Nothing => "the flow is busy".to_owned(),
    }
}

/// A time in seconds, as flows write it.
pub(super) fn seconds(ms: Millis) -> String {
    match ms % 1_000 {
        0 => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}
