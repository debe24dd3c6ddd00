//! Audio files.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use super::*;
use crate::prompts::encode::encode;
use crate::prompts::loudness::{self, Loudness};
use crate::prompts::{Fault, PromptError, import};

fn read(folder: &Folder, path: &str, loudness: Loudness) -> Result<Clip, PromptError> {
    import::file(&folder.path, path, loudness, Codec::Pcmu)
}

fn fault(folder: &Folder, path: &str) -> Fault {
    match read(folder, path, Loudness::Even) {
        Err(PromptError::Audio { path: told, fault }) if told == path => fault,
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn every_format_comes_out_as_the_same_tone() {
    // Half a second of 1 kHz at -12 dB: mp3 and ogg at 44.1 kHz in stereo, flac at 16 kHz.
    let folder = Folder::new();
    folder.put("tone.mp3", include_bytes!("../testdata/tone.mp3"));
    folder.put("tone.ogg", include_bytes!("../testdata/tone.ogg"));
    folder.put("tone.flac", include_bytes!("../testdata/tone.flac"));
    let stereo: Vec<i16> = sine(48_000, 1_000.0, 0.25, 500)
        .into_iter()
        .flat_map(|sample| [sample, sample])
        .collect();
    folder.put("tone.wav", &wav(48_000, 2, &stereo));
    // The extension is a hint, the content decides.
    folder.put(
        "misnamed.mp3",
        &wav(22_050, 1, &sine(22_050, 1_000.0, 0.25, 500)),
    );
    for name in [
        "tone.mp3",
        "tone.ogg",
        "tone.flac",
        "tone.wav",
        "misnamed.mp3",
    ] {
        let clip = read(&folder, name, Loudness::Keep).unwrap_or_else(|error| panic!("{error}"));
        let samples = heard(&clip);
        // 25 frames of 20 ms; Vorbis may leave a few more samples at the end.
        assert!(
            (25..=26).contains(&clip.len()),
            "{name}: {} frames",
            clip.len()
        );
        let middle = &samples[400..3_600];
        let pure = db(tone(middle, 1_000.0));
        assert!((pure - db(0.25)).abs() < 0.5, "{name}: {pure} dB");
        assert!(
            level(middle) * 2f64.sqrt() < 0.27,
            "{name}: something besides the tone"
        );
        let crossings = middle
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
            .count();
        assert!(
            (399..=401).contains(&crossings),
            "{name}: {crossings} waves in 400 ms"
        );
    }
}

#[test]
fn a_length_is_known_without_decoding() {
    let folder = Folder::new();
    folder.put("tone.mp3", include_bytes!("../testdata/tone.mp3"));
    folder.put("tone.ogg", include_bytes!("../testdata/tone.ogg"));
    folder.put("tone.flac", include_bytes!("../testdata/tone.flac"));
    folder.put(
        "tone.wav",
        &wav(44_100, 2, &sine(44_100, 440.0, 0.2, 1_234)),
    );
    folder.put("tone.ulaw", &[0x55; 8_000]);
    for name in ["tone.mp3", "tone.ogg", "tone.flac", "tone.wav", "tone.ulaw"] {
        let clip = read(&folder, name, Loudness::Keep).expect("readable");
        let ms = import::plays_ms(&folder.path, name).expect("readable");
        // Never less than is heard; the first packets of an mp3 may count and not decode.
        assert!(
            (clip.duration_ms()..=clip.duration_ms() + 80).contains(&ms),
            "{name}: {ms} ms of {}",
            clip.duration_ms()
        );
    }
    assert_eq!(import::plays_ms(&folder.path, "tone.ulaw"), Ok(1_000));
    // A header that promises hours, as a program writes it that does not know: what is there counts.
    let mut endless = wav(8_000, 1, &sine(8_000, 440.0, 0.2, 500));
    endless[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    endless[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    folder.put("endless.wav", &endless);
    let ms = import::plays_ms(&folder.path, "endless.wav").expect("readable");
    assert!((500..=600).contains(&ms), "{ms}");
    folder.put("none.mp3", b"no sound");
    folder.put("empty.ulaw", b"");
    for name in ["none.mp3", "empty.ulaw", "missing.wav", "../tone.wav"] {
        assert!(import::plays_ms(&folder.path, name).is_err(), "{name}");
    }
}

#[test]
fn what_8_khz_cannot_carry_is_filtered_out() {
    let folder = Folder::new();
    for rate in [
        11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 44_101,
    ] {
        folder.put("in.wav", &wav(rate, 1, &sine(rate, 3_400.0, 0.5, 400)));
        let speech = heard(&read(&folder, "in.wav", Loudness::Keep).expect("readable"));
        let kept = db(tone(&speech[800..2_400], 3_400.0));
        assert!((kept - db(0.5)).abs() < 0.7, "{rate}: 3.4 kHz at {kept} dB");
        if rate >= 11_025 {
            // 5 kHz would fold back to 3 kHz.
            folder.put("in.wav", &wav(rate, 1, &sine(rate, 5_000.0, 0.5, 400)));
            let folded = heard(&read(&folder, "in.wav", Loudness::Keep).expect("readable"));
            assert!(
                db(level(&folded[800..2_400])) < -60.0,
                "{rate}: {} dB",
                db(level(&folded[800..2_400]))
            );
        }
    }
}

#[test]
fn eight_kilohertz_files_reach_the_wire_bit_by_bit() {
    let folder = Folder::new();
    let every: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    folder.put("every.wav", &wav(8_000, 1, &every));
    for (codec, sox) in [
        // SHA-256 of what `sox -R -D -e mu-law` and `-e a-law` (14.4.2) make of all 65,536 samples in order.
        (
            Codec::Pcmu,
            "cd03795221187036041e2c68724ebbcc497e1844823ff4ab4ac6e61bc5948fb3",
        ),
        (
            Codec::Pcma,
            "9ad77510792fe7c8192acff6bf30d3fe660e5644727b703881516fa61dbabdeb",
        ),
    ] {
        let clip =
            import::file(&folder.path, "every.wav", Loudness::Keep, codec).expect("readable");
        let digest: String = Sha256::digest(&clip.bytes()[..65_536])
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(digest, sox, "{codec:?}");
        assert!(
            clip.bytes()[65_536..]
                .iter()
                .all(|byte| *byte == codec.silence())
        );
    }
}

#[test]
fn raw_g711_is_taken_as_it_is() {
    let folder = Folder::new();
    let every: Vec<u8> = (0..=255).collect();
    folder.put("a.ulaw", &every);
    folder.put("a.alaw", &every);
    for loudness in [Loudness::Even, Loudness::Keep] {
        assert_eq!(
            &read(&folder, "a.ulaw", loudness).expect("readable").bytes()[..256],
            every
        );
    }
    let other = read(&folder, "a.alaw", Loudness::Even).expect("readable");
    let expected: Vec<u8> = every
        .iter()
        .map(|byte| Codec::Pcma.convert(Codec::Pcmu, *byte))
        .collect();
    assert_eq!(&other.bytes()[..256], expected);
    folder.put("empty.ulaw", b"");
    assert_eq!(fault(&folder, "empty.ulaw"), Fault::Empty);
}

#[test]
fn loud_and_quiet_files_become_equally_loud() {
    let folder = Folder::new();
    for amplitude in [0.9, 0.3, 0.05, 0.02] {
        folder.put(
            "in.wav",
            &wav(16_000, 1, &sine(16_000, 1_000.0, amplitude, 2_000)),
        );
        let samples = heard(&read(&folder, "in.wav", Loudness::Even).expect("readable"));
        let samples: Vec<f32> = samples.iter().map(|sample| *sample as f32).collect();
        let (loudness, peak) = loudness::measure(&samples).expect("audible");
        assert!(
            (loudness - loudness::TARGET_LUFS).abs() < 0.5,
            "{amplitude}: {loudness} LUFS"
        );
        assert!(
            db(peak) < loudness::PEAK_DBTP + 0.2,
            "{amplitude}: {} dBTP",
            db(peak)
        );
    }
}

#[test]
fn peaks_stay_below_the_limit() {
    // Short clicks: quiet on average, loud at their peaks.
    let mut samples = vec![0f32; 16_000];
    for at in (0..samples.len()).step_by(800) {
        samples[at] = 0.9;
    }
    loudness::even(&mut samples);
    let (_, peak) = loudness::measure(&samples).expect("audible");
    assert!(db(peak) <= loudness::PEAK_DBTP + 0.1, "{} dBTP", db(peak));
}

#[test]
fn silence_and_hiss_are_not_raised() {
    let mut nothing = vec![0f32; 8_000];
    loudness::even(&mut nothing);
    assert!(nothing.iter().all(|sample| *sample == 0.0));
    let mut faint: Vec<f32> = (0..8_000)
        .map(|at| if at % 7 < 3 { 0.0004 } else { -0.0004 })
        .collect();
    let before = faint.clone();
    loudness::even(&mut faint);
    assert_eq!(faint, before);
    let mut hiss: Vec<f32> = (0..8_000)
        .map(|at| if at * at % 7 < 3 { 0.002 } else { -0.002 })
        .collect();
    loudness::even(&mut hiss);
    assert!(
        hiss.iter().all(|sample| sample.abs() <= 0.0201),
        "at most 20 dB"
    );
    let mut empty: Vec<f32> = Vec::new();
    loudness::even(&mut empty);
}

#[test]
fn a_short_sound_is_levelled_like_a_long_one() {
    for ms in [5, 40, 200, 399] {
        let mut beep: Vec<f32> = sine(8_000, 1_000.0, 0.05, ms)
            .iter()
            .map(|sample| f32::from(*sample) / 32_768.0)
            .collect();
        loudness::even(&mut beep);
        let peak = beep
            .iter()
            .fold(0f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.1..0.25).contains(&peak), "{ms} ms: {peak}");
    }
}

#[test]
fn bad_files_say_what_is_wrong() {
    let folder = Folder::new();
    let good = wav(8_000, 1, &sine(8_000, 500.0, 0.5, 1_000));
    folder.put("cut.wav", &good[..good.len() / 2]);
    let cut = fault(&folder, "cut.wav");
    assert!(
        matches!(
            cut,
            Fault::Truncated {
                promised_ms: 1_000,
                have_ms: 400..=510
            }
        ),
        "{cut:?}"
    );
    folder.put("header.wav", &good[..44]);
    assert!(matches!(
        fault(&folder, "header.wav"),
        Fault::Truncated { have_ms: 0, .. }
    ));
    folder.put("half-header.wav", &good[..30]);
    assert!(matches!(
        fault(&folder, "half-header.wav"),
        Fault::UnknownFormat(_)
    ));
    let mut piped = good.clone();
    piped[4..8].copy_from_slice(&0x7fff_f024u32.to_le_bytes());
    piped[40..44].copy_from_slice(&0x7fff_f000u32.to_le_bytes());
    folder.put("piped.wav", &piped);
    assert_eq!(
        read(&folder, "piped.wav", Loudness::Even).map(|clip| clip.duration_ms()),
        Ok(1_000)
    );
    folder.put("none.wav", &wav(8_000, 1, &[]));
    assert_eq!(fault(&folder, "none.wav"), Fault::Empty);
    folder.put("empty.mp3", b"");
    assert!(matches!(
        fault(&folder, "empty.mp3"),
        Fault::UnknownFormat(_)
    ));
    folder.put("text.ogg", "not sound at all ".repeat(100).as_bytes());
    assert!(matches!(
        fault(&folder, "text.ogg"),
        Fault::UnknownFormat(_)
    ));
    folder.put("slow.wav", &wav(1_000, 1, &[0; 100]));
    assert_eq!(fault(&folder, "slow.wav"), Fault::SampleRate(1_000));
    folder.put("opus.ogg", include_bytes!("../testdata/tone.opus"));
    assert!(matches!(
        fault(&folder, "opus.ogg"),
        Fault::UnknownCodec(_) | Fault::UnknownFormat(_)
    ));
    let flac = include_bytes!("../testdata/tone.flac");
    folder.put("cut.flac", &flac[..flac.len() / 2]);
    assert!(matches!(
        fault(&folder, "cut.flac"),
        Fault::Truncated { .. } | Fault::Corrupt { .. }
    ));
    let mut flipped = flac.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    folder.put("flipped.flac", &flipped);
    assert!(matches!(
        fault(&folder, "flipped.flac"),
        Fault::Corrupt { .. } | Fault::Truncated { .. }
    ));
    let mp3 = include_bytes!("../testdata/tone.mp3");
    folder.put("cut.mp3", &mp3[..mp3.len() / 2]);
    assert!(matches!(fault(&folder, "cut.mp3"), Fault::Truncated { .. }));
    let message = read(&folder, "cut.wav", Loudness::Even)
        .expect_err("cut")
        .to_string();
    assert!(
        message.contains("`cut.wav`") && message.contains("cut off") && message.contains("again"),
        "{message}"
    );
}

#[test]
fn paths_cannot_leave_the_project() {
    let folder = Folder::new();
    folder.put("project/audio/a.ulaw", &[0xff; 160]);
    folder.put("secret.ulaw", &[0xff; 160]);
    let project = folder.path.join("project");
    let read = |path: &str| import::file(&project, path, Loudness::Even, Codec::Pcmu);
    assert!(read("audio/a.ulaw").is_ok());
    let absolute = folder.path.join("secret.ulaw");
    for path in [
        "../secret.ulaw",
        "audio/../../secret.ulaw",
        "",
        "..",
        "/etc/passwd",
        "audio\\a.ulaw",
        "a\0b",
    ]
    .into_iter()
    .chain(absolute.to_str())
    {
        assert!(
            matches!(read(path), Err(PromptError::OutsideProject { .. })),
            "{path}"
        );
    }
    std::os::unix::fs::symlink("../secret.ulaw", project.join("link.ulaw")).expect("writable");
    assert!(matches!(
        read("link.ulaw"),
        Err(PromptError::OutsideProject { .. })
    ));
    std::os::unix::fs::symlink("audio/a.ulaw", project.join("inside.ulaw")).expect("writable");
    assert!(read("inside.ulaw").is_ok());
    for path in ["audio/b.ulaw", "audio", "audio/a.ulaw/x"] {
        assert!(
            matches!(read(path), Err(PromptError::Missing { .. })),
            "{path}"
        );
    }
}

#[test]
fn a_file_that_would_take_long_to_decode_is_known_by_its_header() {
    let folder = Folder::new();
    let told = |rate: u32, minutes: u64| {
        // STREAMINFO (RFC 9639 section 8.2): 20 bits of rate, 3 of channels, 5 of bits a sample, 36 of samples.
        let mut flac = include_bytes!("../testdata/tone.flac").to_vec();
        let field: [u8; 8] = flac[18..26].try_into().expect("8 bytes");
        let between = u64::from_be_bytes(field) >> 36 & 0xff;
        let samples = u64::from(rate) * 60 * minutes;
        let field = u64::from(rate) << 44 | between << 36 | samples;
        flac[18..26].copy_from_slice(&field.to_be_bytes());
        folder.put("long.flac", &flac);
        // No less is there than that, so whoever decodes finds it cut off.
        (
            fault(&folder, "long.flac"),
            import::plays_ms(&folder.path, "long.flac").err(),
        )
    };
    for minutes in [31, 600] {
        let too_long = Fault::TooLong { limit_minutes: 30 };
        let (decoded, counted) = told(16_000, minutes);
        assert_eq!(decoded, too_long);
        let counted = counted.expect("it is too long to count too");
        assert!(
            matches!(&counted, PromptError::Audio { fault, .. } if *fault == too_long),
            "{counted:?}"
        );
    }
    let (decoded, _) = told(16_000, 30);
    assert!(matches!(decoded, Fault::Truncated { .. }), "{decoded:?}");
    // Twenty minutes, of so many samples that they are much work.
    let mut dense = wav(384_000, 1, &[]);
    let length = 384_000_u32 * 2 * 60 * 20;
    dense[40..44].copy_from_slice(&length.to_le_bytes());
    dense[4..8].copy_from_slice(&(36 + length).to_le_bytes());
    folder.put("dense.wav", &dense);
    assert_eq!(
        fault(&folder, "dense.wav"),
        Fault::TooManySamples {
            limit: 172_800_000,
            rate: 384_000,
            channels: 1,
        }
    );
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = Folder::new();
    let file = std::fs::File::create(folder.path.join("large.wav")).expect("writable");
    file.set_len(import::FILE_LIMIT + 1)
        .expect("sparse files are there");
    assert!(matches!(
        fault(&folder, "large.wav"),
        Fault::TooLarge { .. }
    ));
    // 4 kHz and 8 bits: more than half an hour fits into the limit of bytes.
    let mut long = wav(4_000, 1, &[]);
    long[28..36].copy_from_slice(&[0xa0, 0x0f, 0, 0, 1, 0, 8, 0]);
    let length = 4_000u32 * 60 * 31;
    long[40..44].copy_from_slice(&length.to_le_bytes());
    long[4..8].copy_from_slice(&(36 + length).to_le_bytes());
    long.resize(44 + length as usize, 0x80);
    folder.put("long.wav", &long);
    assert_eq!(
        fault(&folder, "long.wav"),
        Fault::TooLong { limit_minutes: 30 }
    );
}

#[test]
fn rounding_is_to_the_nearest_step() {
    // Around zero µ-law steps are 8 wide at 16 bits: 5 is nearer to 8 than to 0.
    for (sample, heard) in [
        (0, 0),
        (1, 0),
        (5, 8),
        (-6, -8),
        (i16::MAX, 32_124),
        (i16::MIN, -32_124),
    ] {
        let byte = encode(Codec::Pcmu, &[sample]).bytes()[0];
        assert_eq!(Codec::Pcmu.decode(byte), heard, "{sample}");
    }
}

#[test]
fn a_header_that_its_decoder_cannot_count_with_is_a_fault() {
    // 32,770 channels of two bytes: more than a block can hold.
    let mut bytes = wav(16_000, 2, &sine(16_000, 1_000.0, 0.5, 50));
    bytes[23] = 128;
    let fault = import::speech(bytes).expect_err("no such file");
    assert!(matches!(fault, Fault::UnknownFormat(_)), "{fault}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// No bytes panic, whatever format they claim to be.
    #[test]
    fn damaged_files_never_panic(which in 0usize..4, place in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let sources: [Vec<u8>; 4] = [
            include_bytes!("../testdata/tone.mp3").to_vec(),
            include_bytes!("../testdata/tone.ogg").to_vec(),
            include_bytes!("../testdata/tone.flac").to_vec(),
            wav(16_000, 2, &sine(16_000, 1_000.0, 0.5, 50)),
        ];
        let mut bytes = sources[which].clone();
        let at = place.index(bytes.len());
        bytes[at] ^= byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let _ = import::speech(bytes);
    }

    /// Any rate: the length is kept to a sample.
    #[test]
    fn resampling_keeps_the_length(rate in 4_000u32..100_000, ms in 1u32..300) {
        let samples: Vec<f32> = sine(rate, 400.0, 0.5, ms).iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        let mut resampler = crate::prompts::resample::Resampler::new(rate).expect("a rate in range");
        for part in samples.chunks(997) {
            resampler.push(part).expect("finite samples");
        }
        let output = resampler.finish().expect("finite samples");
        let expected = (samples.len() as u64 * 8_000).div_ceil(u64::from(rate));
        prop_assert_eq!(output.len() as u64, expected);
    }
}
