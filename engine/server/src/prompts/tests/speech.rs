//! Texts: what the speech program is given, and what comes out. Needs espeak-ng.

use std::process::Command;

use strowger_voice::g711::Codec;

use super::*;
use crate::prompts::spoken::runs;
use crate::prompts::{Fault, PromptError, Prompts, PromptsConfig, Segment, SynthConfig};

fn text(text: &str, language: &str) -> Segment {
    Segment::Text {
        text: text.to_owned(),
        language: language.to_owned(),
        voice: None,
    }
}

fn prompts(folder: &Folder, synth: SynthConfig) -> Prompts {
    Prompts::new(PromptsConfig {
        project_dir: folder.path.clone(),
        cache_dir: Some(folder.path.join("cache")),
        synth,
        ..PromptsConfig::default()
    })
}

/// A program of the test's own: a shell that runs `script`.
fn shell(script: &str) -> SynthConfig {
    SynthConfig {
        program: "sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        version_arguments: Vec::new(),
        ..SynthConfig::default()
    }
}

pub(super) async fn spoken(words: &str, language: &str) -> Vec<f64> {
    let folder = Folder::new();
    let clip = prompts(&folder, SynthConfig::default())
        .clip(&text(words, language), Codec::Pcmu)
        .await;
    heard(&clip.unwrap_or_else(|error| panic!("{words}: {error}")))
}

/// What espeak-ng says to a Chinese text, in its own phoneme names.
fn phonemes(words: &str) -> String {
    let run = runs(words, "zh", true).remove(0);
    let output = Command::new("espeak-ng")
        .args(["-v", "cmn-latn-pinyin", "-x", "-q", &run.text])
        .output()
        .expect("espeak-ng is installed by `make setup`");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Lengths of the silences inside, in milliseconds, from 60 ms on.
fn pauses(samples: &[f64]) -> Vec<usize> {
    let quiet: Vec<bool> = samples.chunks(80).map(|part| level(part) < 0.002).collect();
    let mut pauses: Vec<usize> = Vec::new();
    let mut length = 0;
    for quiet in quiet {
        if quiet {
            length += 10;
        } else {
            pauses.extend(Some(length).filter(|length| *length >= 60));
            length = 0;
        }
    }
    pauses
}

#[tokio::test]
async fn english_is_spoken() {
    let samples = spoken("Thanks for calling. Goodbye.", "en").await;
    let ms = samples.len() / 8;
    assert!((1_200..3_500).contains(&ms), "{ms} ms");
    let samples: Vec<f32> = samples.iter().map(|sample| *sample as f32).collect();
    let (loudness, peak) = crate::prompts::loudness::measure(&samples).expect("audible");
    assert!((-24.0..=-19.0).contains(&loudness), "{loudness} LUFS");
    assert!(db(peak) <= -2.7, "{} dBTP", db(peak));
}

#[tokio::test]
async fn mandarin_is_spoken_at_one_syllable_a_character() {
    let short = spoken("您好", "zh").await.len() / 8;
    let long = spoken("您好欢迎致电极光商城", "zh").await.len() / 8;
    assert!((300..1_200).contains(&short), "{short} ms");
    // Ten syllables of 150 to 350 ms; hanzi read as English code points would take far longer.
    assert!((1_500..3_500).contains(&long), "{long} ms");
}

#[tokio::test]
async fn punctuation_makes_pauses() {
    for (words, language, least) in [
        ("您好，欢迎致电。请按一。", "zh", &[150, 300][..]),
        ("Hello. Press one, or two.", "en", &[300, 100]),
        ("欢迎！Welcome.", "zh", &[300]),
    ] {
        let pauses = pauses(&spoken(words, language).await);
        let long: Vec<usize> = pauses
            .iter()
            .copied()
            .filter(|pause| *pause >= 100)
            .collect();
        assert_eq!(long.len(), least.len(), "{words}: {pauses:?}");
        assert!(
            long.iter().zip(least).all(|(pause, least)| pause >= least),
            "{words}: {pauses:?}"
        );
    }
}

#[test]
fn espeak_reads_the_pinyin_as_syllables() {
    for (words, expected) in [
        (
            "零一二三四五六七八九",
            "l'i35N_| j'i55_| '@r51_| s'a55n_| s'i[51_| w'u21_| l'iou51_| tS;h'i55_| p'A55_| tS;'iou214_|",
        ),
        ("银行", "j'i35n_| X'a35N_|"),
        ("重庆", "ts.h'ong35_| tS;h'i51N_|"),
        ("重要", "ts.'ong51_| j'Au51_|"),
        ("长大", "ts.'a21N_| t'A51_|"),
        ("长度", "ts.h'A35N_| t'u51_|"),
        ("还款", "X'ua35n_| kh'wa214n_|"),
        ("爱好", "'ai51_| X'Au51_|"),
    ] {
        let spoken = phonemes(words);
        assert_eq!(
            spoken.replace('\'', ""),
            expected.replace('\'', ""),
            "{words}"
        );
        assert!(!spoken.contains("(en)"), "{words}: {spoken}");
    }
}

#[tokio::test]
async fn mixed_text_is_one_prompt() {
    let whole = spoken("您的 VIP 等级是3级，press 2 for English。", "zh").await;
    let part = spoken("您的等级是3级", "zh").await;
    assert!(
        whole.len() > part.len() + 8_000,
        "{} {}",
        whole.len(),
        part.len()
    );
    assert!(
        spoken("Press 2 for 中文.", "en").await.len()
            > spoken("Press 2 for.", "en").await.len() + 1_600
    );
}

#[tokio::test]
async fn a_text_without_words_is_an_empty_clip() {
    for words in ["", " ", "...", "。"] {
        assert_eq!(spoken(words, "zh").await.len(), 0, "{words:?}");
    }
}

#[tokio::test]
async fn a_text_is_data_and_nothing_else() {
    let folder = Folder::new();
    let prompts = prompts(&folder, SynthConfig::default());
    for words in [
        "-h",
        "--version",
        "$(touch /tmp/no) `id` ; rm x",
        "<speak>hi</speak>",
        "\u{0}\u{1b}[31m hello",
        "a\"b'c\\",
    ] {
        let clip = prompts
            .clip(&text(words, "en"), Codec::Pcmu)
            .await
            .unwrap_or_else(|error| panic!("{words}: {error}"));
        assert!(!clip.is_empty(), "{words}");
    }
    let long = "字".repeat(4_001);
    let error = prompts
        .clip(&text(&long, "zh"), Codec::Pcmu)
        .await
        .expect_err("too long");
    assert_eq!(
        error,
        PromptError::TextTooLong {
            chars: 4_001,
            limit: 4_000
        }
    );
    for voice in [
        "-x",
        "../../etc/passwd",
        "/dev/null",
        "a b",
        "",
        &"v".repeat(65),
    ] {
        let segment = Segment::Text {
            text: "hi".into(),
            language: "en".into(),
            voice: Some(voice.to_owned()),
        };
        assert!(
            matches!(
                prompts.clip(&segment, Codec::Pcmu).await,
                Err(PromptError::BadVoice { .. })
            ),
            "{voice}"
        );
    }
    let unknown = prompts
        .clip(&text("hi", "xx-nowhere"), Codec::Pcmu)
        .await
        .expect_err("no such voice");
    assert!(
        matches!(unknown, PromptError::SpeechFailed { .. }),
        "{unknown}"
    );
}

#[tokio::test]
async fn a_chosen_voice_is_heard() {
    let folder = Folder::new();
    let prompts = prompts(&folder, SynthConfig::default());
    let speak = async |words: &str, language: &str, voice: Option<&str>| {
        let voice = voice.map(str::to_owned);
        let segment = Segment::Text {
            text: words.to_owned(),
            language: language.to_owned(),
            voice,
        };
        prompts
            .clip(&segment, Codec::Pcmu)
            .await
            .unwrap_or_else(|error| panic!("{words}: {error}"))
    };
    let usual = speak("Hello", "en", None).await;
    assert_ne!(speak("Hello", "en", Some("en-us+f3")).await, usual);
    assert_eq!(speak("Hello", "en-US", Some("en-us")).await, usual);
    // The Mandarin voice by its short name gets the pinyin, too.
    assert_eq!(
        speak("您好", "zh-CN", Some("cmn")).await,
        speak("您好", "zh", None).await
    );
}

#[tokio::test]
async fn failures_of_the_program_are_told() {
    let folder = Folder::new();
    let say = async |synth: SynthConfig| {
        let made = prompts(&folder, synth)
            .clip(&text("hello", "en"), Codec::Pcmu)
            .await;
        made.expect_err("a bad program")
    };
    let missing = say(SynthConfig {
        program: "/nowhere/espeak-ng".into(),
        ..SynthConfig::default()
    })
    .await;
    assert!(
        missing.to_string().contains("apt-get install espeak-ng"),
        "{missing}"
    );
    let failed = say(shell("echo oh no >&2; exit 3")).await;
    assert!(
        matches!(&failed, PromptError::SpeechFailed { message, .. } if message == "oh no"),
        "{failed}"
    );
    let silent = say(shell("cat >/dev/null")).await;
    assert!(
        matches!(
            silent,
            PromptError::SpeechAudio {
                fault: Fault::UnknownFormat(_),
                ..
            }
        ),
        "{silent}"
    );
    let babble = say(shell("yes")).await;
    assert!(
        matches!(
            babble,
            PromptError::SpeechAudio {
                fault: Fault::TooLarge { .. },
                ..
            }
        ),
        "{babble}"
    );
    let slow = say(SynthConfig {
        timeout_ms: 50,
        ..shell("sleep 60")
    })
    .await;
    assert!(
        matches!(slow, PromptError::SpeechTimeout { limit_ms: 50, .. }),
        "{slow}"
    );
}

#[tokio::test]
async fn nobody_waits_for_ever_behind_a_slow_program() {
    let folder = Folder::new();
    let synth = SynthConfig {
        timeout_ms: 100,
        concurrency: 1,
        ..shell("sleep 60")
    };
    let slow = prompts(&folder, synth);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..8 {
        let slow = slow.clone();
        calls.spawn(async move {
            slow.clip(&text(&number.to_string(), "en"), Codec::Pcmu)
                .await
        });
    }
    let refused = calls.join_all().await;
    assert!(
        refused
            .iter()
            .any(|made| matches!(made, Err(PromptError::Busy { waiting: 1.. }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_stopped_program_takes_its_children_along() {
    let folder = Folder::new();
    // The program and its children hold this pipe open for writing: who reads it meets the end when all are gone.
    let pipe = folder.path.join("alive");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let script = format!(
        "exec 3>'{}'; sleep 3600 & sleep 3600 & wait",
        pipe.display()
    );
    let all_gone = tokio::task::spawn_blocking(move || std::fs::read(pipe));
    let slow = prompts(
        &folder,
        SynthConfig {
            timeout_ms: 100,
            ..shell(&script)
        },
    );
    assert!(slow.clip(&text("hello", "en"), Codec::Pcmu).await.is_err());
    assert_eq!(all_gone.await.expect("a reader").expect("a pipe"), b"");
}

#[tokio::test]
async fn a_large_input_and_output_do_not_block_each_other() {
    let folder = Folder::new();
    // It writes 1 MB of errors before it reads a byte.
    let script = "head -c 1000000 /dev/zero >&2; cat > /dev/null; exit 1";
    let words = "word ".repeat(790);
    let made = prompts(&folder, shell(script))
        .clip(&text(&words, "en"), Codec::Pcmu)
        .await;
    assert!(
        matches!(made, Err(PromptError::SpeechFailed { .. })),
        "{made:?}"
    );
}
