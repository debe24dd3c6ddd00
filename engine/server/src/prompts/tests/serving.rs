//! Many calls, one prompt: caches, single flight, limits.

use std::sync::{Arc, Mutex};

use strowger_voice::g711::Codec;
use tokio::task::JoinSet;

use super::*;
use crate::prompts::{
    Library, LibraryLimits, Loudness, PromptError, Prompts, PromptsConfig, Segment, Studio,
    SynthConfig,
};

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
    Prompts::new(PromptsConfig {
        project_dir: folder.path.clone(),
        cache_dir: Some(folder.path.join("cache")),
        synth: copying(folder, before),
        loudness: Loudness::Even,
    })
}

/// A speech program that copies a sound of the folder and notes each run in `runs`.
fn copying(folder: &Folder, before: &str) -> SynthConfig {
    let here = folder.path.display();
    let script = format!("cat >/dev/null; echo x >> {here}/runs; {before} cat {here}/sound.wav");
    SynthConfig {
        program: "sh".to_owned(),
        arguments: vec!["-c".to_owned(), script],
        version_arguments: Vec::new(),
        ..SynthConfig::default()
    }
}

/// A tenant's, whose speech is in a folder of its name.
fn library(studio: &Arc<Studio>, folder: &Folder, owner: &str, memory: usize) -> Arc<Library> {
    let limits = LibraryLimits {
        memory,
        ..LibraryLimits::default()
    };
    let place = Some(folder.path.join(owner));
    Library::new(Arc::clone(studio), owner, place, limits)
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

/// Second of G.711.
const SECOND: usize = 8_000;

/// A sound of so many seconds that differs from others.
fn sound(seconds: usize, byte: u8) -> Vec<u8> {
    vec![byte; seconds * SECOND]
}

#[tokio::test]
async fn revisions_of_a_tenant_have_one_clip_of_the_same_sound() {
    let folder = Folder::new();
    folder.put("sound.wav", &wav(16_000, 1, &sine(16_000, 500.0, 0.3, 200)));
    let studio = Studio::new(copying(&folder, ""));
    let shared = library(&studio, &folder, "vega", 100 * SECOND);
    let revision = |number: usize| {
        // Under whatever name.
        folder.put(&format!("r{number}/a{number}.ulaw"), &sound(10, 1));
        folder.put(
            &format!("r{number}/other.ulaw"),
            &sound(10, 2 + number as u8),
        );
        let here = folder.path.join(format!("r{number}"));
        Prompts::of(Arc::clone(&shared), here, Loudness::Keep)
    };
    let revisions = [0, 1, 2].map(revision);
    let mut clips = Vec::new();
    let mut others = Vec::new();
    for (number, prompts) in revisions.iter().enumerate() {
        let clip = async |segment| {
            let clip = prompts.clip(&segment, Codec::Pcmu).await;
            clip.unwrap_or_else(|error| panic!("{segment:?}: {error}"))
        };
        clips.push(clip(audio(&format!("a{number}.ulaw"))).await);
        others.push(clip(audio("other.ulaw")).await);
        clip(text("hello")).await;
    }
    assert!(clips.iter().all(|clip| Arc::ptr_eq(clip, &clips[0])));
    assert!(others[0] != others[1] && others[1] != others[2]);
    let stats = revisions[0].stats();
    assert_eq!((stats.imported, stats.synthesised, stats.clips), (4, 1, 5));
    // How it is read is part of what it is.
    let even = Prompts::of(shared, folder.path.join("r0"), Loudness::Even);
    assert!(even.clip(&audio("a0.ulaw"), Codec::Pcmu).await.is_ok());
    assert_eq!(even.stats().imported, 5);
}

#[tokio::test]
async fn what_is_played_bounds_what_a_tenant_may_play_beside_it() {
    let folder = Folder::new();
    for number in 0..4 {
        folder.put(&format!("{number}.ulaw"), &sound(10, number));
    }
    let studio = Studio::new(SynthConfig::default());
    // Three sounds and what they are called.
    let shared = library(&studio, &folder, "vega", 31 * SECOND);
    let [one, other] =
        [(); 2].map(|()| Prompts::of(Arc::clone(&shared), folder.path.clone(), Loudness::Keep));
    let paths = [0, 1, 2, 3].map(|number| audio(&format!("{number}.ulaw")));
    let mut played = Vec::new();
    for path in &paths[..3] {
        played.push(one.clip(path, Codec::Pcmu).await.expect("room"));
    }
    let refused = other.clip(&paths[3], Codec::Pcmu).await;
    assert_eq!(refused, Err(PromptError::NoRoom { limit_mib: 0 }));
    assert!(shared.stats().bytes <= 31 * SECOND);
    // What is there is there for all, and the one that is heard no more goes.
    for (path, clip) in paths.iter().zip(&played) {
        let again = other.clip(path, Codec::Pcmu).await.expect("there");
        assert!(Arc::ptr_eq(&again, clip));
    }
    drop(played.remove(1));
    assert!(other.clip(&paths[3], Codec::Pcmu).await.is_ok());
    let ready = paths.map(|path| one.ready(&path, Codec::Pcmu).is_some());
    // Of the last one this revision knows nothing yet.
    assert_eq!(ready, [true, false, true, false]);
    assert!(shared.stats().bytes <= 31 * SECOND);
}

#[tokio::test]
async fn a_damaged_file_is_told_by_each_name_that_it_has() {
    let folder = Folder::new();
    let prompts = prompts(&folder, "");
    for name in ["a.wav", "b.wav"] {
        folder.put(name, b"no");
    }
    let [a, b] = ["a.wav", "b.wav"].map(|path| {
        let prompts = prompts.clone();
        tokio::spawn(async move { prompts.clip(&audio(path), Codec::Pcmu).await })
    });
    for (task, path) in [(a, "a.wav"), (b, "b.wav")] {
        let error = task.await.expect("ends").expect_err("no sound");
        assert!(error.is_of_file(path), "{path}: {error}");
    }
}

#[tokio::test]
async fn tenants_speak_by_turns_and_each_keeps_its_own() {
    let folder = Folder::new();
    folder.put("sound.wav", &wav(16_000, 1, &sine(16_000, 500.0, 0.3, 200)));
    let studio = Studio::new(copying(&folder, "sleep 0.02;"));
    let tenants = ["aurora", "lyra", "vega"].map(|owner| {
        let library = library(&studio, &folder, owner, 100 * SECOND);
        Prompts::of(library, folder.path.clone(), Loudness::Even)
    });
    let mut warming = JoinSet::new();
    for prompts in &tenants {
        let prompts = prompts.clone();
        warming.spawn(async move {
            let texts = (0..6).map(|number| text(&format!("text {number}")));
            prompts.warm(texts, &[Codec::Pcmu], |_, _| ()).await
        });
    }
    assert!(warming.join_all().await.iter().all(Vec::is_empty));
    assert_eq!(tenants[0].stats().most_at_once, 2, "of all together");
    // What one has made is nobody else's, to have or to push out.
    assert_eq!(runs(&folder), 18);
    for owner in ["aurora", "lyra", "vega"] {
        let shelves = std::fs::read_dir(folder.path.join(owner)).expect("made");
        let sounds = shelves
            .flatten()
            .flat_map(|shelf| std::fs::read_dir(shelf.path()));
        assert_eq!(sounds.flatten().count(), 6, "{owner}");
    }
}
