//! Speech out: text to sound by a program, by default espeak-ng.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use strowger_plugin::lower_priority;
use strowger_voice::SAMPLE_RATE;

use super::command::{self, Failure, NICENESS};
use super::error::PromptError;
use super::fault::Fault;
use super::spoken::{self, Run, Script};
use super::{import, loudness};
use crate::turns::Turns;

/// How text is spoken: a program that takes text on its standard input and writes audio (as a rule wav) to
/// its standard output. The text is never on a command line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SynthConfig {
    /// The program, by name or path; default `espeak-ng`.
    pub program: String,
    /// Its arguments; `{voice}` stands for the voice and `{language}` for the language tag. No shell sees them.
    ///
    /// Default `-v {voice} -s 160 -b 1 --stdin --stdout`.
    pub arguments: Vec<String>,
    /// Arguments that make it tell its version, which is part of the cache's key; default `--version`.
    ///
    /// When empty it is not asked, and a new version speaks only texts that are not in the cache.
    pub version_arguments: Vec<String>,
    /// Voice by language tag or its first part; default `en` → `en-us`, `zh` → `cmn-latn-pinyin`.
    ///
    /// A language that is not listed uses its tag as the voice, as espeak-ng names most of its voices.
    pub voices: BTreeMap<String, String>,
    /// Whether Chinese is handed over as pinyin with tone digits and mixed text is cut by script; default true.
    ///
    /// False for a program that reads Chinese characters, and Latin words among them, by itself.
    pub pinyin: bool,
    /// Longest time for one text, in milliseconds; default 10,000. A text waits as long for its turn at most.
    pub timeout_ms: u64,
    /// How many may run at once, for all tenants together; default 2. They run at a low priority.
    pub concurrency: usize,
    /// Most bytes of audio it may write for one text; default 32 MiB, 12 minutes at 22 kHz.
    pub output_limit: usize,
}

impl Default for SynthConfig {
    fn default() -> SynthConfig {
        let owned = |arguments: &[&str]| {
            arguments
                .iter()
                .map(|each| (*each).to_owned())
                .collect::<Vec<_>>()
        };
        SynthConfig {
            program: "espeak-ng".to_owned(),
            arguments: owned(&[
                "-v", "{voice}", "-s", "160", "-b", "1", "--stdin", "--stdout",
            ]),
            version_arguments: owned(&["--version"]),
            voices: [("en", "en-us"), ("zh", PINYIN_VOICE)]
                .map(|(of, voice)| (of.to_owned(), voice.to_owned()))
                .into(),
            pinyin: true,
            timeout_ms: 10_000,
            concurrency: 2,
            output_limit: 32 * 1024 * 1024,
        }
    }
}

/// Speaks texts by the configured program. Turns at it are fair between those whose texts they are.
pub struct Synthesizer {
    config: SynthConfig,
    version: OnceCell<String>,
    running: Turns,
    most_at_once: AtomicUsize,
    at_once: AtomicUsize,
    waiting: AtomicUsize,
}

impl Synthesizer {
    /// Starts nothing yet.
    pub fn new(config: SynthConfig) -> Synthesizer {
        let at_once = config.concurrency.clamp(1, CONCURRENCY_LIMIT);
        let running = Turns::new(at_once, at_once);
        Synthesizer {
            config,
            version: OnceCell::new(),
            running,
            most_at_once: AtomicUsize::new(0),
            at_once: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// How many programs may run at once.
    pub fn concurrency(&self) -> usize {
        self.config.concurrency.clamp(1, CONCURRENCY_LIMIT)
    }

    /// How many programs have run at the same time at most.
    pub fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::Relaxed)
    }

    /// What decides how a text sounds, as a hexadecimal SHA-256: the cache's key.
    pub async fn key(
        &self,
        whose: &str,
        text: &str,
        language: &str,
        voice: Option<&str>,
    ) -> Result<String, PromptError> {
        let config = &self.config;
        let version = self.version(whose).await?;
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            // Lengths first: no two lists of parts run together to the same bytes.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(SOUND_VERSION);
        add(version);
        add(&config.program);
        config.arguments.iter().for_each(|argument| add(argument));
        for script in [Script::Own, Script::Han, Script::Latin] {
            add(&self.voice(script, language, voice)?);
        }
        add(if config.pinyin { "pinyin" } else { "text" });
        add(language);
        add(text);
        Ok(hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect())
    }

    /// The sound of a text: 8 kHz mono, of the loudness of all prompts.
    pub async fn speak(
        &self,
        whose: &str,
        text: &str,
        language: &str,
        voice: Option<&str>,
    ) -> Result<Vec<f32>, PromptError> {
        let chars = text.chars().count();
        if chars > TEXT_LIMIT {
            return Err(PromptError::TextTooLong {
                chars,
                limit: TEXT_LIMIT,
            });
        }
        let (of, tag, pinyin) = (text.to_owned(), language.to_owned(), self.config.pinyin);
        // The Chinese word list takes a while to load.
        let runs = blocking(move || Ok(spoken::runs(&of, &tag, pinyin))).await?;
        let mut sound = Vec::new();
        for (at, run) in runs.iter().enumerate() {
            let last = at + 1 == runs.len();
            sound.extend(self.speak_run(whose, run, language, voice).await?);
            let pause_ms = if last { LAST_PAUSE_MS } else { run.pause_ms };
            sound.resize(sound.len() + (SAMPLE_RATE / 1_000 * pause_ms) as usize, 0.0);
        }
        blocking(move || {
            loudness::even(&mut sound);
            Ok(sound)
        })
        .await
    }

    async fn speak_run(
        &self,
        whose: &str,
        run: &Run,
        language: &str,
        voice: Option<&str>,
    ) -> Result<Vec<f32>, PromptError> {
        let voice = self.voice(run.script, language, voice)?;
        let arguments: Vec<String> = self
            .config
            .arguments
            .iter()
            .map(|argument| {
                argument
                    .replace("{voice}", &voice)
                    .replace("{language}", language)
            })
            .collect();
        let output = self
            .run(whose, &arguments, run.text.as_bytes(), &voice)
            .await?;
        let program = self.config.program.clone();
        let decode = move || match import::speech(output) {
            Ok(sound) => Ok(trim(&sound).to_vec()),
            Err(fault) => Err(PromptError::SpeechAudio { program, fault }),
        };
        blocking(decode).await
    }

    async fn version(&self, whose: &str) -> Result<&str, PromptError> {
        let arguments = &self.config.version_arguments;
        let ask = async || -> Result<String, PromptError> {
            if arguments.is_empty() {
                return Ok(String::new());
            }
            let told = self.run(whose, arguments, b"", "").await?;
            Ok(String::from_utf8_lossy(&told).trim().to_owned())
        };
        self.version.get_or_try_init(ask).await.map(String::as_str)
    }

    async fn run(
        &self,
        whose: &str,
        arguments: &[String],
        input: &[u8],
        voice: &str,
    ) -> Result<Vec<u8>, PromptError> {
        let config = &self.config;
        let program = || config.program.clone();
        let timeout = Duration::from_millis(config.timeout_ms);
        let waiting = InUse::of(&self.waiting);
        // A caller hears nothing while waiting: no longer than speaking itself may take.
        let turn = tokio::time::timeout(timeout, self.running.take(whose)).await;
        let _turn = turn.map_err(|_elapsed| PromptError::Busy {
            waiting: waiting.now(),
        })?;
        drop(waiting);
        let at_once = InUse::of(&self.at_once);
        self.most_at_once
            .fetch_max(at_once.now(), Ordering::Relaxed);
        let limit = config.output_limit;
        command::run(&config.program, arguments, input, timeout, limit)
            .await
            .map_err(|failure| match failure {
                Failure::Missing => PromptError::NoSpeechProgram { program: program() },
                Failure::Io(cause) => PromptError::SpeechProgram {
                    program: program(),
                    cause: cause.to_string(),
                },
                Failure::Status { status, message } => PromptError::SpeechFailed {
                    program: program(),
                    voice: voice.to_owned(),
                    status,
                    message,
                },
                Failure::Timeout => PromptError::SpeechTimeout {
                    program: program(),
                    limit_ms: config.timeout_ms,
                },
                Failure::TooMuch(bytes) => PromptError::SpeechAudio {
                    program: program(),
                    fault: Fault::TooLarge {
                        bytes,
                        limit: limit as u64,
                    },
                },
            })
    }

    /// The voice for a run: the chosen one for the text's own language, else the language's.
    fn voice(
        &self,
        script: Script,
        language: &str,
        chosen: Option<&str>,
    ) -> Result<String, PromptError> {
        let language = match script {
            Script::Own => language,
            Script::Han => "zh",
            Script::Latin => "en",
        };
        let voices = &self.config.voices;
        let primary = spoken::primary(language);
        let chosen = chosen.filter(|_| script == Script::Own);
        let voice = chosen
            .or_else(|| {
                voices
                    .get(language)
                    .or_else(|| voices.get(&primary))
                    .map(String::as_str)
            })
            .unwrap_or(language);
        let allowed =
            |character: char| character.is_ascii_alphanumeric() || "+-_./".contains(character);
        let named = (1..=VOICE_LIMIT).contains(&voice.len()) && voice.chars().all(allowed);
        // The voice may be taken for an option, or for a file anywhere, by the program.
        if !named || voice.starts_with(['-', '/', '.']) || voice.contains("..") {
            return Err(PromptError::BadVoice {
                voice: voice.to_owned(),
            });
        }
        Ok(match voice.strip_prefix("cmn") {
            // Variants such as cmn+f3 are of the voice that reads pinyin.
            Some(variant)
                if self.config.pinyin && (variant.is_empty() || variant.starts_with('+')) =>
            {
                format!("{PINYIN_VOICE}{variant}")
            }
            _ => voice.to_owned(),
        })
    }
}

/// Counts up while it lives.
struct InUse<'a>(&'a AtomicUsize);

impl InUse<'_> {
    fn of(counter: &AtomicUsize) -> InUse<'_> {
        counter.fetch_add(1, Ordering::Relaxed);
        InUse(counter)
    }

    /// How many live now.
    fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs what blocks or computes on a thread made for it; a panic there is an error here.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PromptError> + Send + 'static,
) -> Result<T, PromptError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(PromptError::GivenUp))
}

/// The same on a thread of its own with a low priority: a long file takes no time from calls and from the guests of others.
pub(super) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PromptError> + Send + 'static,
) -> Result<T, PromptError> {
    let (give, get) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("prompt".to_owned());
    let begun = thread.spawn(move || {
        lower_priority(NICENESS);
        // Who asked may have gone.
        let _ = give.send(work());
    });
    if let Err(error) = begun {
        tracing::error!("no thread to decode a prompt on: {error}");
        return Err(PromptError::GivenUp);
    }
    get.await.unwrap_or(Err(PromptError::GivenUp))
}

/// Without the silence at both ends; a few milliseconds are left against clicks.
fn trim(sound: &[f32]) -> &[f32] {
    let loud = |sample: &f32| sample.abs() > EDGE_LEVEL;
    let Some(first) = sound.iter().position(loud) else {
        return &[];
    };
    let last = sound.iter().rposition(loud).unwrap_or(first);
    &sound[first.saturating_sub(EDGE)..(last + 1 + EDGE).min(sound.len())]
}

/// Longest text of one prompt, in characters.
pub const TEXT_LIMIT: usize = strowger_flow::speak::MAX_SPOKEN_CHARS;

/// Changes whenever the way from text to sound changes, so that no old sound is taken from the cache.
const SOUND_VERSION: &str = "strowger speech 1";

/// espeak-ng's Mandarin voice that reads pinyin; its `cmn` reads Latin letters as English.
const PINYIN_VOICE: &str = "cmn-latn-pinyin";

/// Longest name of a voice, in bytes.
const VOICE_LIMIT: usize = 64;

/// Most speech programs at once, whatever the configuration says.
const CONCURRENCY_LIMIT: usize = 64;

/// Silence after a text, in milliseconds: what follows is not glued to it.
const LAST_PAUSE_MS: u32 = 120;

/// Level that counts as sound at the ends: -46 dB.
const EDGE_LEVEL: f32 = 0.005;

/// What is left of the silence at each end, in samples: 10 ms.
const EDGE: usize = SAMPLE_RATE as usize / 100;
