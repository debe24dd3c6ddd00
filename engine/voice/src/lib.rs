//! Voice without I/O: datagrams in; digits, decisions and datagrams out.
//!
//! Nothing here owns a socket, a clock, a file or a thread. Time is a [`std::time::Duration`] since a
//! start of the caller's choice, and the per-packet paths allocate nothing.
//!
//! | module | what |
//! |---|---|
//! | [`g711`] | PCMU and PCMA, 8 kHz |
//! | [`clip`] | audio ready to be sent, 20 ms frames |
//! | [`rtp`] | packets: read, write, told apart from RTCP |
//! | [`dtmf`] | key presses: RFC 4733, SIP INFO |
//! | [`sdp`] | offer and answer |
//! | [`stream`] | the state of one call's media: what to send, where, and what came in |
//! | [`latch`] | symmetric RTP: which source is believed |
//! | [`timeline`] | received and sent audio on one time axis, for recordings |
//! | [`wav`] | WAV headers and samples |

pub mod clip;
pub mod dtmf;
pub mod g711;
pub mod latch;
pub mod rtp;
pub mod sdp;
pub mod stream;
pub mod timeline;
pub mod wav;

/// Samples per second of every codec this crate speaks.
pub const SAMPLE_RATE: u32 = 8_000;

/// Length of one packet's audio, in milliseconds: what every telephone accepts.
pub const FRAME_MS: u32 = 20;

/// Samples, and with G.711 also bytes, in one frame of [`FRAME_MS`].
pub const FRAME_SAMPLES: usize = (SAMPLE_RATE / 1000 * FRAME_MS) as usize;
