//! A message that is a secret: heard in its own file alone, and named nowhere.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_contact::{Entry, EntryKind};
use strowger_tests::program::{edit, strowger};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;
use strowger_voice::wav::Wav;

use crate::world::World;

/// Longest wait for a prompt, a step or a file.
const SOON: Duration = Duration::from_secs(20);
/// Between two looks at the journal.
const POLL: Duration = Duration::from_millis(50);
/// What is said into the message, and how much of it must be there.
const MESSAGE: Duration = Duration::from_millis(1_500);
/// What is said before and after it.
const ASIDE: Duration = Duration::from_millis(600);
/// Samples in a millisecond.
const PER_MS: u128 = 8;

const FLOW: &str = "flow: message
format: 1
languages: [en]
steps:
  start:
    - say: \"Please tell us your secret after the tone, then press the hash key. We are listening.\"
    - record: { max: 20s, silence: 0s }
      sensitive: true
      into: message
    - say: \"Thank you. We keep it to ourselves, and shall not tell it to anybody else in the world.\"
    - hangup: completed
";

/// What the caller's voice is on the line: one loud level, µ-law.
const VOICE: u8 = 0x10;

/// The caller's voice for a time.
fn voice(time: Duration) -> Clip {
    let samples = vec![VOICE; (time.as_millis() * PER_MS) as usize];
    Clip::new(Codec::Pcmu, &samples)
}

fn loud(samples: impl Iterator<Item = i16>) -> u128 {
    let voice = Codec::Pcmu.decode(VOICE);
    samples.filter(|sample| *sample == voice).count() as u128
}

#[test]
fn a_secret_message_is_in_its_own_file_alone_and_named_nowhere() -> Result<()> {
    let mut world = World::edited(|project| {
        std::fs::write(project.join("message.flow.yaml"), FLOW)?;
        edit(&project.join("routes.yaml"), |text| {
            format!(
                "{}\n  - {{ to: \"700\", flow: message }}\n",
                text.trim_end()
            )
        })
    })?;
    let mut phone = world.dial("700")?;
    phone.first_sound(SOON)?;
    phone.say(&voice(ASIDE))?;
    let call_id = phone.call_id.clone();
    let until = |phone: &mut strowger_tests::Phone, verb: &str, count: usize| -> Result<()> {
        let end = Instant::now() + SOON;
        let there = |entry: &&Entry| matches!(&entry.kind, EntryKind::Entered { verb: doing, .. } if doing == verb);
        while world
            .engine
            .journal(&call_id)
            .map_or(0, |journal| journal.iter().filter(there).count())
            < count
        {
            ensure!(Instant::now() < end, "never at `{verb}`");
            phone.listen(POLL);
        }
        Ok(())
    };
    until(&mut phone, "record", 1)?;
    // The tone, and the moment in which the step asks for the recording.
    phone.listen(Duration::from_millis(900));
    phone.say(&voice(MESSAGE))?;
    phone.press("#")?;
    until(&mut phone, "say", 2)?;
    phone.listen(Duration::from_millis(300));
    phone.say(&voice(ASIDE))?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");

    let contact = world.engine.contact(&phone.call_id)?;
    let id = contact["id"].as_str().context("an id")?.to_owned();
    let whole = contact["recording"].as_str().context("it was recorded")?;
    let folder = std::path::Path::new(whole).parent().context("a folder")?;
    let mut messages = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        if path != std::path::Path::new(whole) {
            messages.push(path);
        }
    }
    let [message] = messages.as_slice() else {
        anyhow::bail!("one message, not {messages:?}");
    };

    // The message is all there, for the engine's user alone to read.
    let said = loud(Wav::parse(&std::fs::read(message)?)?.samples.into_iter());
    let spoken = MESSAGE.as_millis() * PER_MS;
    ensure!(said * 10 >= spoken * 9, "{said} of {spoken} samples");
    let mode = message.metadata()?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // In the recording of the call the caller is heard before and after it, and not meanwhile.
    let call = Wav::parse(&std::fs::read(whole)?)?;
    assert_eq!(call.channels, 2);
    let heard = loud(call.samples.into_iter().step_by(2));
    let asides = 2 * ASIDE.as_millis() * PER_MS;
    ensure!(
        heard * 10 >= asides * 7 && heard <= asides,
        "{heard} of {asides} samples"
    );

    // Nobody says what it is called.
    let name = message
        .file_stem()
        .and_then(|name| name.to_str())
        .context("a name")?;
    let (project, data) = (world.engine.project.clone(), world.engine.data.clone());
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let mut told = vec![world.engine.program.log()];
    for path in ["", "/journal", "/transcript", "/trace"] {
        let address = format!("/v1/contacts/{id}{path}");
        let answer = strowger_tests::http::get(world.engine.http, &address)?;
        assert_eq!(answer.status, 200, "{address}");
        told.push(answer.body);
    }
    for verb in ["trace", "replay"] {
        let (code, out, errors) = strowger(&[verb, &id, "-p", &project, "--data", &data])?;
        assert_eq!(code, 0, "{verb}: {out}{errors}");
        told.extend([out, errors]);
    }
    for told in &told {
        ensure!(!told.contains(name), "{name} is named in:\n{told}");
    }
    assert!(
        told.iter().any(|told| told.contains("s:1")),
        "the handle is"
    );
    Ok(())
}
