//! Why a prompt cannot be played.

use super::fault::Fault;

/// Why a prompt cannot be played: cause and remedy.
///
/// Clonable, because every call that waits for the same prompt gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// The file is not there.
    #[error(
        "audio file `{path}` is missing; put it below the project's folder or correct the path in the flow"
    )]
    Missing {
        /// As the flow names it.
        path: String,
    },
    /// The path is absolute, has `..` in it, or leads out of the project by a symbolic link.
    #[error(
        "audio path `{path}` leads out of the project; use a path below the project's folder, such as `audio/en/goodbye.wav`"
    )]
    OutsideProject {
        /// As the flow names it.
        path: String,
    },
    /// The file is there and cannot be read.
    #[error("audio file `{path}` cannot be read: {cause}; correct its permissions")]
    Unreadable {
        /// As the flow names it.
        path: String,
        /// What the operating system said.
        cause: String,
    },
    /// The file can be read and is not usable sound.
    #[error("audio file `{path}`: {fault}")]
    Audio {
        /// As the flow names it.
        path: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The program that speaks is not installed.
    #[error("speech program `{program}` is not installed; {}", install(program))]
    NoSpeechProgram {
        /// As configured.
        program: String,
    },
    /// The program that speaks cannot be started or talked to.
    #[error(
        "speech program `{program}` cannot be run: {cause}; correct the speech settings of the project"
    )]
    SpeechProgram {
        /// As configured.
        program: String,
        /// What the operating system said.
        cause: String,
    },
    /// The program that speaks reported an error.
    #[error(
        "speech program `{program}` failed ({status}): {message}; try it by hand with voice `{voice}`"
    )]
    SpeechFailed {
        /// As configured.
        program: String,
        /// The voice it was asked for.
        voice: String,
        /// Exit status or signal.
        status: String,
        /// The beginning of its error output.
        message: String,
    },
    /// The program that speaks took too long and was killed.
    #[error(
        "speech program `{program}` took longer than {limit_ms} ms and was stopped; shorten the text or raise `timeout_ms`"
    )]
    SpeechTimeout {
        /// As configured.
        program: String,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// What the program wrote is not usable sound.
    #[error("speech program `{program}` wrote sound that is {fault}")]
    SpeechAudio {
        /// As configured.
        program: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The text is longer than a prompt may be.
    #[error(
        "text of {chars} characters is over the limit of {limit}; split it into several prompts"
    )]
    TextTooLong {
        /// Its length, in characters.
        chars: usize,
        /// The limit, in characters.
        limit: usize,
    },
    /// A voice name that no program should be given.
    #[error("voice `{voice}` is not a name; use letters, digits and `+ - _ . /`, at most 64")]
    BadVoice {
        /// As the flow names it.
        voice: String,
    },
    /// Too many prompts are being made at once.
    #[error(
        "too many prompts are being made at once ({waiting} wait); warm prompts up before serving, or raise `concurrency` of speech"
    )]
    Busy {
        /// How many are waiting.
        waiting: usize,
    },
    /// What is being played takes all that the tenant's prompts may have.
    #[error(
        "no room in memory for this prompt: those that are being played take all of {limit_mib} MiB; play fewer long sounds at once, or have limits.prompts_mib raised"
    )]
    NoRoom {
        /// The limit, in MiB.
        limit_mib: usize,
    },
    /// The engine is going down, or a decoder broke on this input.
    #[error(
        "making the prompt was given up; if the engine is not shutting down, replace the file or text and report it"
    )]
    GivenUp,
}

impl PromptError {
    /// Whether the file at this path is to blame, so that another try ends the same until somebody replaces it.
    pub fn is_of_file(&self, file: &str) -> bool {
        match self {
            PromptError::Missing { path }
            | PromptError::OutsideProject { path }
            | PromptError::Unreadable { path, .. }
            | PromptError::Audio { path, .. } => path == file,
            _ => false,
        }
    }

    /// The same, told of the file at another path that has the same bytes.
    pub(super) fn at(mut self, file: &str) -> PromptError {
        if let PromptError::Missing { path }
        | PromptError::OutsideProject { path }
        | PromptError::Unreadable { path, .. }
        | PromptError::Audio { path, .. } = &mut self
        {
            file.clone_into(path);
        }
        self
    }
}

fn install(program: &str) -> String {
    match program.rsplit('/').next() {
        Some("espeak-ng") => "install it with `apt-get install espeak-ng`".to_owned(),
        _ => format!(
            "install `{program}` or correct `program` in the speech settings of the project"
        ),
    }
}
