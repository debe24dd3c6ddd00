//! Barge-in, and every kind of audio file.

use std::time::{Duration, Instant};

use anyhow::Result;
use strowger_tests::program::edit;
use strowger_tests::{Engine, Phone, Prompts};

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

#[test]
fn a_damaged_file_is_spoken_in_its_words() -> Result<()> {
    let engine = Engine::start("bench", |project| {
        std::fs::write(
            project.join("damaged.flow.yaml"),
            "flow: damaged\nformat: 1\nlanguages: [en]\nprompts:\n  told: { en: { audio: audio/told.wav, text: These are \
             its words. } }\nsteps:\n  start:\n    - say: told\n    - hangup: heard\n",
        )?;
        std::fs::write(project.join("audio/told.wav"), "RIFF is no sound")?;
        edit(&project.join("routes.yaml"), |text| {
            text + "  - { to: damaged, flow: damaged }\n"
        })
    })?;
    let prompts = Prompts::new(&engine.project, &engine.data.join("prompts"))?;
    for _ in 0..2 {
        let mut phone = Phone::dial(engine.sip, "damaged", "call", &[])?;
        phone.hear(&*prompts.text("en", "These are its words.")?, PROMPT)?;
    }
    let log = engine.program.log();
    let told = log.lines().filter(|line| line.contains("audio/told.wav"));
    assert_eq!(told.count(), 1, "once for all calls: {log}");
    assert!(log.contains("its text is spoken instead"), "{log}");
    Ok(())
}
