//! A project as large as one may be: what its push and its release take.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_tests::audio::Prompts;
use strowger_tests::hall::PROMPT;
use strowger_tests::projects::says;
use strowger_tests::{Hall, Phone};

/// Texts that nobody has spoken before.
const TEXTS: usize = 400;
/// Minutes of each sound.
const MINUTES: [u32; 4] = [25, 5, 5, 5];
/// Most memory that the engine takes for it, in bytes: clips in memory are 128 MiB at most, a sound while it is decoded some
/// 100 MiB.
const MOST: u64 = 512 << 20;
/// Longest time until it is live, pushed and released.
const LIVE: Duration = Duration::from_secs(180);

const RATE: u32 = 8_000;
const BLOCK: u32 = 4_096;

/// A sound in FLAC without compression (RFC 9639), in 8 kHz mono: a tone that comes and goes.
fn flac(minutes: u32, hertz: f64) -> Vec<u8> {
    let blocks = minutes * 60 * RATE / BLOCK;
    let samples = u64::from(blocks * BLOCK);
    let mut bytes = b"fLaC\x80\0\0\x22".to_vec();
    for size in [BLOCK; 2] {
        bytes.extend(&size.to_be_bytes()[2..]);
    }
    bytes.extend([0; 6]);
    // Rate, one channel, 16 bits a sample, samples; no MD5.
    let format = (u64::from(RATE) << 44) | (15 << 36) | samples;
    bytes.extend(format.to_be_bytes());
    bytes.extend([0; 16]);
    for block in 0..blocks {
        let start = bytes.len();
        bytes.extend([0xff, 0xf8, 0xc4, 0x08]);
        let mut number = [0; 4];
        // Up to 65,535 the number is written as UTF-8 writes characters, and all frames are fewer.
        let number = match block {
            0xd800..=0xdfff => unreachable!("a sound has fewer frames"),
            _ => char::from_u32(block)
                .expect("no surrogate")
                .encode_utf8(&mut number),
        };
        bytes.extend(number.bytes());
        bytes.push(crc(&bytes[start..], 8, 0x07) as u8);
        // One subframe, verbatim.
        bytes.push(0x02);
        for sample in 0..BLOCK {
            let at = f64::from(block * BLOCK + sample) / f64::from(RATE);
            let loud = (at * std::f64::consts::PI).sin().abs() * 8_000.0;
            let value = (at * hertz * std::f64::consts::TAU).sin() * loud;
            bytes.extend((value as i16).to_be_bytes());
        }
        let sum = crc(&bytes[start..], 16, 0x8005);
        bytes.extend((sum as u16).to_be_bytes());
    }
    bytes
}

/// A checksum of so many bits, the highest first, from 0.
fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    let (top, mask) = (1 << (bits - 1), (1_u32 << bits) - 1);
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold((byte as u32) << (bits - 8), |sum, _| match sum & top {
            0 => sum << 1,
            _ => ((sum << 1) ^ polynomial) & mask,
        })
    });
    bytes.iter().fold(0, |sum, byte| {
        let at = ((sum >> (bits - 8)) ^ u32::from(*byte)) & 0xff;
        ((sum << 8) & mask) ^ table[at as usize]
    })
}

fn text(number: usize) -> String {
    format!("Sentence number {number} of this large release, which nobody has spoken before.")
}

/// Most memory that a process has had resident, in bytes.
fn peak(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .context("VmHWM")?
        .trim()
        .trim_end_matches(" kB")
        .parse()?;
    Ok(kib << 10)
}

/// A menu of nine keys, each of which leads to a part of the texts; 1 leads to the sounds too.
fn flow() -> String {
    let mut prompts = "prompts:\n  which: { en: Which part? }\n".to_owned();
    let mut steps = "steps:\n  start:\n    menu: which\n    timeout: 20s\n    press: {".to_owned();
    for part in 1..=9 {
        steps += &format!(" {part}: part{part},");
    }
    steps += " }\n    then: { no_input: bye, no_match: bye }\n  bye: { hangup: bye }\n";
    for part in 0..9 {
        steps += &format!("  part{}:\n", part + 1);
        if part == 0 {
            for sound in 0..MINUTES.len() {
                prompts +=
                    &format!("  sound{sound}: {{ any: {{ audio: audio/sound{sound}.flac }} }}\n");
                steps += &format!("    - say: sound{sound}\n");
            }
        }
        for number in (part..TEXTS).step_by(9) {
            prompts += &format!("  text{number}: {{ en: \"{}\" }}\n", text(number));
            steps += &format!("    - say: text{number}\n");
        }
        steps += "    - hangup: done\n";
    }
    format!(
        "flow: large\nformat: 1\nlanguages: [en]\ndefaults: {{ max_duration: 2h }}\n{prompts}{steps}"
    )
}

#[test]
fn load_a_release_of_four_hundred_texts_and_long_sounds() -> Result<()> {
    let tenants = [
        ("vega", "numbers = [\"20*\"]\n"),
        ("lyra", "numbers = [\"30*\"]\n"),
    ];
    let hall = Hall::open(&tenants)?;
    hall.publish(&says("lyra", "*", "Good morning.")?)?;
    let project = says("vega", "*", "Nothing yet.")?;
    let at = |name: &str| project.path().join(name);
    std::fs::remove_file(at("greeting.flow.yaml"))?;
    std::fs::write(at("large.flow.yaml"), flow())?;
    std::fs::write(
        at("routes.yaml"),
        "routes:\n  - { to: \"*\", flow: large }\n",
    )?;
    std::fs::create_dir(at("audio"))?;
    for (sound, minutes) in MINUTES.into_iter().enumerate() {
        let tone = 300.0 + 100.0 * sound as f64;
        std::fs::write(at(&format!("audio/sound{sound}.flac")), flac(minutes, tone))?;
    }

    let engine = hall.engine.program.id();
    let before = peak(engine)?;
    let begun = Instant::now();
    hall.publish(&project)?;
    let live = begun.elapsed();
    assert_eq!(hall.live("vega")?, Some(1));

    // Callers of everybody are served while the rest is made, and hear what they came to.
    let prompts = Prompts::new(project.path(), &hall.engine.data.join("prompts"))?;
    let call = |number: &str| Phone::dial(hall.engine.sip, number, "call", &[]);
    let mut other = call("300")?;
    other.hear(&*prompts.text("en", "Good morning.")?, PROMPT)?;
    other.ended()?;
    let mut last = call("200")?;
    last.hear(&*prompts.text("en", "Which part?")?, PROMPT)?;
    last.press("9")?;
    last.hear(&*prompts.text("en", &text(8))?, PROMPT)?;
    drop(last);
    let mut long = call("200")?;
    long.hear(&*prompts.text("en", "Which part?")?, PROMPT)?;
    long.press("1")?;
    // More of it than a minute's decoding could hold back.
    long.more_than(250, PROMPT)?;
    drop(long);
    let taken = peak(engine)?.saturating_sub(before);
    eprintln!("live after {live:?}, {} MiB more at most", taken >> 20);
    ensure!(live < LIVE, "live after {live:?}");
    ensure!(taken < MOST, "it took {} MiB", taken >> 20);
    let log = hall.engine.program.log();
    ensure!(!log.contains("panicked at"), "{log}");
    Ok(())
}
