//! Calls as callers make them: SIPp signals, real RTP flows, and what is heard is compared with what should be.

mod audio_paths;
mod faults;
mod flows;
mod many;
mod signalling;
mod world;
