//! Many calls, one prompt: caches, single flight, limits.

use std::sync::Mutex;

use strowger_voice::g711::Codec;
use tokio::task::JoinSet;

use super::*;
use crate::prompts::{Loudness, PromptError, Prompts, PromptsConfig, Segment, SynthConfig};

fn text(text: &str) -> Segment {
    Segment::Text {
        text: text.to_owned(),
        language: "en".to_owned(),
        voice: None,
    }
}

fn audio(path: &str) -> Segment {
    Segment::Audio {
        path: path.to_owned(),
    }
}

/// Prompts whose speech program copies a sound of the folder and notes each run in `runs`.
fn prompts(folder: &Folder, before: &str) -> Prompts {
    folder.put("sound.wav", &wav(16_000, 1, &sine(16_000, 500.0, 0.3, 200)));
    let here = folder.path.display();
    let script = format!("cat >/dev/null; echo x >> {here}/runs; {before} cat {here}/sound.wav");
    Prompts::new(PromptsConfig {
        project_dir: folder.path.clone(),
        cache_dir: Some(folder.path.join("cache")),
        synth: SynthConfig {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script],
            version_arguments: Vec::new(),
            ..SynthConfig::default()
        },
        loudness: Loudness::Even,
    })
}

fn runs(folder: &Folder) -> usize {
    std::fs::read_to_string(folder.path.join("runs")).map_or(0, |runs| runs.lines().count())
}

#[tokio::test]
async fn two_hundred_calls_cause_one_synthesis() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "");
    let mut calls = JoinSet::new();
    for call in 0..200 {
        let prompts = prompts.clone();
        let codec = if call % 2 == 0 {
            Codec::Pcmu
        } else {
            Codec::Pcma
        };
        calls.spawn(async move { prompts.clip(&text("welcome"), codec).await });
    }
    let clips = calls.join_all().await;
    assert!(clips.iter().all(Result::is_ok));
    assert_eq!(runs(&folder), 1);
    let stats = prompts.stats();
    assert_eq!((stats.synthesised, stats.clips), (1, 2));
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_the_work() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "");
    let hung_up = tokio::time::timeout(
        std::time::Duration::ZERO,
        prompts.clip(&text("hello"), Codec::Pcmu),
    )
    .await;
    assert!(hung_up.is_err());
    assert!(prompts.clip(&text("hello"), Codec::Pcmu).await.is_ok());
    assert_eq!(runs(&folder), 1);
}

#[tokio::test]
async fn a_prompt_is_ready_once_it_was_made() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "");
    assert!(prompts.ready(&text("hello"), Codec::Pcmu).is_none());
    let made = prompts
        .clip(&text("hello"), Codec::Pcmu)
        .await
        .expect("made");
    let ready = prompts
        .ready(&text("hello"), Codec::Pcmu)
        .expect("in memory");
    assert!(std::sync::Arc::ptr_eq(&made, &ready));
    assert!(prompts.ready(&text("hello"), Codec::Pcma).is_none());
    assert!(prompts.ready(&text("hello!"), Codec::Pcmu).is_none());
}

#[tokio::test]
async fn the_disk_remembers_and_damage_is_made_good() {
    let folder = Folder::new();
    let first = prompts(&folder, "")
        .clip(&text("hello"), Codec::Pcmu)
        .await
        .expect("made");
    let again = prompts(&folder, "");
    assert_eq!(
        again
            .clip(&text("hello"), Codec::Pcmu)
            .await
            .expect("from disk"),
        first
    );
    assert_eq!((runs(&folder), again.stats().from_disk), (1, 1));
    let shelves = std::fs::read_dir(folder.path.join("cache"))
        .expect("there")
        .flatten();
    let files: Vec<_> = shelves
        .flat_map(|shelf| std::fs::read_dir(shelf.path()).expect("a folder").flatten())
        .collect();
    assert_eq!(files.len(), 1);
    std::fs::write(files[0].path(), b"RIFF, but not for long").expect("writable");
    let third = prompts(&folder, "");
    assert_eq!(
        third
            .clip(&text("hello"), Codec::Pcmu)
            .await
            .expect("made anew"),
        first
    );
    assert_eq!(runs(&folder), 2);
    assert_eq!(
        prompts(&folder, "")
            .clip(&text("hello"), Codec::Pcmu)
            .await
            .expect("from disk"),
        first
    );
    assert_eq!(runs(&folder), 2);
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_silences_nothing() {
    let folder = Folder::new();
    folder.put("cache", b"a file where the folder should be");
    let prompts = prompts(&folder, "");
    assert!(prompts.clip(&text("hello"), Codec::Pcmu).await.is_ok());
    assert_eq!(prompts.stats().not_stored, 1);
}

#[tokio::test]
async fn no_more_programs_run_at_once_than_allowed() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "sleep 0.02;");
    let texts = (0..12).map(|number| text(&format!("text {number}")));
    let heard = Mutex::new(Vec::new());
    let note = |done, total| heard.lock().expect("one thread").push((done, total));
    let failed = prompts.warm(texts, &[Codec::Pcmu, Codec::Pcma], note).await;
    assert_eq!(failed, []);
    assert_eq!(runs(&folder), 12);
    assert_eq!(prompts.stats().most_at_once, 2);
    let heard = heard.into_inner().expect("one thread");
    assert_eq!(heard, (0..=24).map(|done| (done, 24)).collect::<Vec<_>>());
}

#[tokio::test]
async fn warming_tells_what_cannot_be_made() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "");
    folder.put("bad.wav", b"no");
    let wanted = [
        audio("sound.wav"),
        audio("bad.wav"),
        audio("none.wav"),
        text("hello"),
    ];
    let mut failed = prompts
        .warm(wanted, &[Codec::Pcmu, Codec::Pcma], |_, _| ())
        .await;
    failed.sort_by_key(|(segment, _)| format!("{segment:?}"));
    assert_eq!(failed.len(), 2);
    assert!(
        matches!(&failed[0], (Segment::Audio { path }, PromptError::Audio { .. }) if path == "bad.wav")
    );
    assert!(
        matches!(&failed[1], (Segment::Audio { path }, PromptError::Missing { .. }) if path == "none.wav")
    );
    assert!(prompts.ready(&audio("sound.wav"), Codec::Pcma).is_some());
    assert!(prompts.exists("sound.wav") && !prompts.exists("none.wav") && !prompts.exists("../x"));
}

#[tokio::test]
async fn a_changed_file_is_read_again_when_told() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "");
    let first = prompts
        .clip(&audio("sound.wav"), Codec::Pcmu)
        .await
        .expect("readable");
    folder.put("sound.wav", &wav(8_000, 1, &sine(8_000, 700.0, 0.3, 300)));
    assert_eq!(
        prompts
            .clip(&audio("sound.wav"), Codec::Pcmu)
            .await
            .expect("in memory"),
        first
    );
    prompts.forget_audio();
    assert_ne!(
        prompts
            .clip(&audio("sound.wav"), Codec::Pcmu)
            .await
            .expect("readable"),
        first
    );
}
