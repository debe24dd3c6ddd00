//! Barge-in, and every kind of audio file.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::world::{LANGUAGE_EN, LANGUAGE_ZH, MENU_EN, PROMPT, World, always_open};

#[test]
fn a_key_stops_the_prompt_and_the_next_one_comes_at_once() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    let menu = world.en(MENU_EN)?;
    let pressed = Instant::now();
    phone.press("2")?;
    phone.hear(&menu, PROMPT)?;
    let after = pressed
        .elapsed()
        .saturating_sub(Duration::from_millis(menu.duration_ms()));
    // Not a benchmark: only that the rest of the interrupted prompt was not played first.
    let rest = Duration::from_millis(world.en(LANGUAGE_EN)?.duration_ms());
    assert!(
        after < rest,
        "the menu was heard {after:?} late; the interrupted prompt lasts {rest:?}"
    );
    Ok(())
}

#[test]
fn wav_mp3_ogg_and_flac_are_played() -> Result<()> {
    let world = World::edited(|project| {
        std::fs::write(
            project.join("formats.flow.yaml"),
            "flow: formats\nformat: 1\nlanguages: [en]\nprompts:\n  wav: { any: { audio: audio/en/goodbye.wav } }\n  \
             flac: { any: { audio: audio/zh/goodbye.flac } }\n  ogg: { any: { audio: audio/hold.ogg } }\n  \
             mp3: { any: { audio: audio/en/closed.mp3 } }\nsteps:\n  start:\n    - say: wav\n    - say: flac\n    \
             - say: mp3\n    - say: ogg\n    - hangup: completed\n",
        )?;
        strowger_tests::program::edit(&project.join("routes.yaml"), |text| {
            format!("{text}  - to: \"400\"\n    flow: formats\n")
        })
    })?;
    let mut phone = world.dial("400")?;
    for path in [
        "audio/en/goodbye.wav",
        "audio/zh/goodbye.flac",
        "audio/en/closed.mp3",
        "audio/hold.ogg",
    ] {
        let clip = world.prompts.audio(path)?;
        assert!(
            clip.duration_ms() > 300,
            "{path} is too short to be anything"
        );
        phone.hear(&clip, PROMPT)?;
    }
    phone.ended()
}
