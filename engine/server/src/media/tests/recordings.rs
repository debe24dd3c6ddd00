use std::path::Path;

use strowger_voice::g711::Codec;
use strowger_voice::wav::Wav;

use super::shelf::Held;
use super::*;

/// Loud enough to be speech.
const VOICE: u8 = 0x10;

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder =
            std::env::temp_dir().join(format!("strowger-media-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind if it fails; the next run takes another name.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn spec(path: PathBuf) -> RecordSpec {
    RecordSpec {
        id: 9,
        path,
        shelf: Shelf::endless(),
        beep: false,
        max_ms: 60_000,
        silence_ms: 0,
        sensitive: false,
    }
}

fn wav(path: &Path) -> Wav {
    Wav::parse(&std::fs::read(path).expect("the recording")).expect("a WAV file")
}

fn loud(samples: &[i16]) -> usize {
    let level = Codec::Pcmu.decode(VOICE);
    samples.iter().filter(|sample| **sample == level).count()
}

#[tokio::test]
async fn what_the_caller_says_is_recorded_after_the_tone() {
    let folder = Folder::new("tone");
    let path = folder.0.join("deep/er/message.wav");
    let mut call = Call::new();
    call.peer.voice(VOICE, 1);
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    call.stream
        .record(RecordSpec {
            beep: true,
            ..spec(path.clone())
        })
        .expect("queued");
    for _ in 0..10 {
        call.peer.hear();
    }
    // The recording begins 20 ms after the last packet of the tone.
    assert!(!call.peer.hears_within(Duration::from_millis(60)));
    call.peer.voice(VOICE, 5);
    call.counted(|stats| stats.packets_in == 6);
    call.stream
        .play(1, vec![Arc::new(Clip::silence(Codec::Pcmu, 120))], false)
        .expect("queued");
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 1 });
    call.stream.stop_record().expect("queued");
    let event = call.event().await;
    let MediaEvent::Recorded {
        id: 9,
        path: told,
        duration_ms,
        ended_by: RecordEnd::Stopped,
    } = event
    else {
        panic!("{event:?}");
    };
    assert_eq!(told, path);
    let wav = wav(&path);
    assert_eq!((wav.channels, wav.sample_rate), (1, 8_000));
    assert_eq!(wav.samples.len() as u64 / 8, duration_ms);
    assert_eq!(loud(&wav.samples), 5 * 160);
}

#[tokio::test]
async fn silence_and_length_end_a_recording() {
    let folder = Folder::new("ends");
    let mut call = Call::new();
    call.stream
        .record(RecordSpec {
            silence_ms: 400,
            ..spec(folder.0.join("a.wav"))
        })
        .expect("queued");
    call.peer.voice(VOICE, 3);
    let MediaEvent::Recorded {
        duration_ms,
        ended_by: RecordEnd::Silence,
        ..
    } = call.event_after_first().await
    else {
        panic!("not a recording");
    };
    // The voice came at once and 300 of the 400 ms of silence are kept.
    assert!((300..400).contains(&duration_ms), "{duration_ms}");
    assert_eq!(loud(&wav(&folder.0.join("a.wav")).samples), 3 * 160);

    let quiet = RecordSpec {
        max_ms: 200,
        ..spec(folder.0.join("b.wav"))
    };
    call.stream.record(quiet).expect("queued");
    let event = call.event().await;
    let MediaEvent::Recorded {
        duration_ms: 0,
        ended_by: RecordEnd::Max,
        path,
        ..
    } = event
    else {
        panic!("nothing was said: {event:?}");
    };
    assert_eq!(wav(&path).samples.len(), 1_600);
}

#[tokio::test]
async fn a_hang_up_finishes_all_recordings_before_the_end_is_told() {
    let folder = Folder::new("hangup");
    let mut call = Call::new();
    let (message, whole) = (folder.0.join("message.wav"), folder.0.join("call.wav"));
    call.stream
        .tap(whole.clone(), Shelf::endless())
        .expect("queued");
    call.stream.record(spec(message.clone())).expect("queued");
    call.peer.voice(VOICE, 2);
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    call.counted(|stats| stats.packets_in == 2);
    call.stream
        .play(
            1,
            vec![Arc::new(Clip::new(Codec::Pcmu, &[VOICE; 160 * 6]))],
            false,
        )
        .expect("queued");
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 1 });
    let Call {
        stream, mut events, ..
    } = call;
    stream.close();
    let recorded = event(&mut events).await;
    assert!(
        matches!(&recorded, MediaEvent::Recorded { path, ended_by: RecordEnd::Hangup, .. } if *path == message),
        "{recorded:?}"
    );
    let tapped = event(&mut events).await;
    assert!(
        matches!(&tapped, MediaEvent::Tapped { path, .. } if *path == whole),
        "{tapped:?}"
    );
    assert_eq!(event(&mut events).await, MediaEvent::Closed);
    assert_eq!(loud(&wav(&message).samples), 2 * 160);
    let whole = wav(&whole);
    assert_eq!(whole.channels, 2);
    assert_eq!(
        (loud(&whole.channel(0)), loud(&whole.channel(1))),
        (2 * 160, 6 * 160)
    );
}

#[tokio::test]
async fn secrets_are_masked_in_the_recording_of_the_call() {
    let folder = Folder::new("mask");
    let path = folder.0.join("call.wav");
    let mut call = Call::new();
    call.stream.mask(true).expect("queued");
    call.stream
        .tap(path.clone(), Shelf::endless())
        .expect("queued");
    call.stream
        .play(
            1,
            vec![Arc::new(Clip::new(Codec::Pcmu, &[VOICE; 160 * 3]))],
            false,
        )
        .expect("queued");
    call.peer.voice(VOICE, 2);
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 1 });
    call.stream.mask(false).expect("queued");
    call.stream
        .play(
            2,
            vec![Arc::new(Clip::new(Codec::Pcmu, &[VOICE; 160]))],
            false,
        )
        .expect("queued");
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 2 });
    let Call {
        stream, mut events, ..
    } = call;
    stream.close();
    assert!(matches!(
        event(&mut events).await,
        MediaEvent::Tapped { .. }
    ));
    let whole = wav(&path);
    assert_eq!(loud(&whole.channel(0)), 0);
    assert_eq!(loud(&whole.channel(1)), 160);
}

#[tokio::test]
async fn a_recording_that_cannot_be_written_is_told_with_the_reason() {
    let folder = Folder::new("fails");
    let blocked = folder.0.join("file");
    std::fs::write(&blocked, b"not a folder").expect("a file");
    let mut call = Call::new();
    call.stream
        .record(spec(blocked.join("message.wav")))
        .expect("queued");
    call.stream.stop_record().expect("queued");
    let event = call.event().await;
    assert!(
        matches!(&event, MediaEvent::RecordFailed { id: Some(9), reason, .. } if reason.contains("Check the data folder")),
        "{event:?}"
    );
    call.counted(|stats| stats.record_failed == 1);
}

#[tokio::test]
async fn where_there_is_no_more_room_a_call_is_cut_and_a_message_is_none() {
    let folder = Folder::new("full");
    let shelves = Shelves::new(Box::new(|| Ok(u64::MAX)));
    let shelf = shelves.of("vega");
    let mut call = Call::new();
    let (message, whole) = (folder.0.join("a-9.wav"), folder.0.join("a.wav"));
    let tapped = call.stream.tap(whole.clone(), shelf.clone());
    tapped.expect("queued");
    let begun = call.stream.record(RecordSpec {
        shelf: shelf.clone(),
        ..spec(message.clone())
    });
    begun.expect("queued");
    call.peer.voice(VOICE, 1);
    let until = |reached: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !reached() {
            assert!(start.elapsed() < PATIENCE, "{shelf:?}");
            std::thread::yield_now();
        }
    };
    // Something of the call is there.
    until(&|| shelf.load().taken > 12_800);
    let most = shelf.load().taken + 1_000_000;
    shelves.bound([("vega".to_owned(), most)].into());
    let mut other = Held::new(shelf.clone());
    let mut others = 0;
    while other.take(1_000).is_ok() {
        others += 1_000;
    }
    // That one, the call and the message.
    until(&|| shelf.load().cut == 3);
    let Call {
        stream, mut events, ..
    } = call;
    stream.close();
    let mut told = Vec::new();
    loop {
        match event(&mut events).await {
            MediaEvent::Closed => break,
            MediaEvent::RecordFailed {
                id, left, reason, ..
            } => told.push((id, left, reason.contains("(limits.recordings_mb)"))),
            _ => {}
        }
    }
    let cut = folder.0.join("a-cut.wav");
    assert_eq!(
        told,
        [(Some(9), None, true), (None, Some(cut.clone()), true)]
    );
    assert!(!message.exists() && !whole.exists());
    // What is left of it can be played, and is all that is counted.
    let bytes = 44 + 2 * wav(&cut).samples.len() as u64;
    assert_eq!(std::fs::metadata(&cut).expect("a file").len(), bytes);
    assert!(bytes > 6_400, "{bytes}");
    assert_eq!(shelf.load().taken, others + bytes);
}
