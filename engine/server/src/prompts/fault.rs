//! What can be wrong with sound, wherever it came from.

/// Why some bytes are not usable sound, with what to do about it.
///
/// Names no file: [`PromptError`](super::PromptError) says which file or which program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are in no format that is read here.
    #[error(
        "not audio that can be read here ({0}); wav, mp3, ogg (Vorbis), flac, ulaw and alaw can: convert it, for instance with `ffmpeg -i IN -ar 8000 -ac 1 OUT.wav`"
    )]
    UnknownFormat(String),
    /// The container is known, the codec inside is not.
    #[error(
        "its codec is not supported ({0}); convert it, for instance with `ffmpeg -i IN -ar 8000 -ac 1 OUT.wav`"
    )]
    UnknownCodec(String),
    /// Damaged at this place, in milliseconds from the start.
    #[error("damaged after {at_ms} ms ({cause}); export or copy the file again")]
    Corrupt {
        /// How much could be decoded, in milliseconds.
        at_ms: u64,
        /// What the decoder said.
        cause: String,
    },
    /// Shorter than its header says, both in milliseconds.
    #[error("cut off: {have_ms} ms of {promised_ms} ms are there; copy the file again")]
    Truncated {
        /// What is there.
        have_ms: u64,
        /// What the header promises.
        promised_ms: u64,
    },
    /// Longer than a prompt may be.
    #[error(
        "longer than {limit_minutes} minutes, the limit of a prompt; shorten it or let it loop"
    )]
    TooLong {
        /// The limit, in minutes.
        limit_minutes: u64,
    },
    /// More samples than a prompt may have, all channels counted.
    #[error(
        "more than {limit} samples (30 minutes in stereo at 48 kHz): it has {channels} channel{} at {rate} Hz; convert it, for instance with `ffmpeg -i IN -ar 8000 -ac 1 OUT.wav`",
        if *.channels == 1 { "" } else { "s" }
    )]
    TooManySamples {
        /// The limit, in samples.
        limit: u64,
        /// Its sample rate, in hertz.
        rate: u32,
        /// Its channels.
        channels: u64,
    },
    /// More bytes than a prompt may have.
    #[error(
        "{bytes} bytes, over the limit of {limit}; store it as mp3, ogg or flac, or shorten it"
    )]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A sample rate nobody records at.
    #[error(
        "sample rate of {0} Hz is outside 4000–384000; convert it, for instance with `ffmpeg -i IN -ar 8000 -ac 1 OUT.wav`"
    )]
    SampleRate(u32),
    /// There is no sound in it.
    #[error("holds no sound at all; record it again or take it out of the flow")]
    Empty,
}

impl Fault {
    /// The same in Chinese. What a decoder says of the bytes is left out.
    pub fn chinese(&self) -> String {
        const CONVERT: &str = "请转换，例如 `ffmpeg -i IN -ar 8000 -ac 1 OUT.wav`";
        match self {
            Fault::UnknownFormat(_) => format!(
                "不是可以读取的音频；可用 wav、mp3、ogg（Vorbis）、flac、ulaw 和 alaw：{CONVERT}"
            ),
            Fault::UnknownCodec(_) => format!("不支持其中的编码；{CONVERT}"),
            Fault::Corrupt { at_ms, .. } => {
                format!("在 {at_ms} ms 之后损坏；请重新导出或复制文件")
            }
            Fault::Truncated {
                have_ms,
                promised_ms,
            } => format!("不完整：{promised_ms} ms 中只有 {have_ms} ms；请重新复制文件"),
            Fault::TooLong { limit_minutes } => {
                format!("超过提示音的上限 {limit_minutes} 分钟；请缩短或让它循环播放")
            }
            Fault::TooManySamples {
                limit,
                rate,
                channels,
            } => format!(
                "超过 {limit} 个采样（48 kHz 立体声 30 分钟）：它有 {channels} 个声道，{rate} Hz；{CONVERT}"
            ),
            Fault::TooLarge { bytes, limit } => {
                format!("{bytes} 字节，超过上限 {limit}；请存成 mp3、ogg 或 flac，或缩短")
            }
            Fault::SampleRate(rate) => {
                format!("采样率 {rate} Hz 不在 4000 到 384000 之间；{CONVERT}")
            }
            Fault::Empty => "里面没有任何声音；请重新录制，或从流程里去掉".to_owned(),
        }
    }
}
