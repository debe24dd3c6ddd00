use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use strowger_voice::dtmf::KeyPress;
use strowger_voice::g711::Codec;
use strowger_voice::rtp::Packet;
use strowger_voice::sdp::{Direction, Remote};

use super::PATIENCE;

/// A telephone: sends voice and keys, hears packets.
pub struct Peer {
    socket: UdpSocket,
    sequence: u16,
    timestamp: u32,
}

/// A packet that the telephone got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    /// The first byte of the payload; test prompts are made of one byte.
    pub byte: u8,
}

impl Peer {
    pub fn new(engine: SocketAddr) -> Peer {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(engine).expect("the loopback");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Peer {
            socket,
            sequence: 100,
            timestamp: 5_000,
        }
    }

    pub fn remote(&self, direction: Direction) -> Remote {
        Remote {
            addr: self.socket.local_addr().expect("bound"),
            codec: Codec::Pcmu,
            payload_type: 0,
            dtmf_pt: Some(101),
            direction,
        }
    }

    pub fn datagram(&self, bytes: &[u8]) {
        self.socket.send(bytes).expect("sent");
    }

    pub fn packet(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let packet = Packet {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: 77,
            payload,
        };
        let mut bytes = [0; 400];
        let length = packet.write(&mut bytes).expect("room");
        self.sequence = self.sequence.wrapping_add(1);
        self.datagram(&bytes[..length]);
    }

    /// Packets of one byte, all at once.
    pub fn voice(&mut self, byte: u8, packets: usize) {
        for _ in 0..packets {
            self.packet(0, false, self.timestamp, &[byte; 160]);
            self.timestamp += 160;
        }
    }

    /// A key of 80 ms, all its packets at once.
    pub fn press(&mut self, key: char) {
        let press = KeyPress::new(key, 80).expect("a key");
        let after = self.timestamp + press.samples();
        for report in press {
            self.packet(101, report.marker, self.timestamp, &report.event.to_bytes());
        }
        self.timestamp = after;
    }

    /// The next packet.
    pub fn hear(&self) -> Heard {
        self.try_hear().expect("a packet in time")
    }

    /// Packets up to the first that is not of `byte`, which is given.
    pub fn hear_past(&self, byte: u8) -> Heard {
        loop {
            let heard = self.hear();
            if heard.byte != byte {
                return heard;
            }
        }
    }

    /// How many packets have come and were not heard.
    pub fn pending(&self) -> usize {
        self.socket.set_nonblocking(true).expect("set");
        let count = std::iter::from_fn(|| self.try_hear()).count();
        self.socket.set_nonblocking(false).expect("set");
        count
    }

    /// Whether a packet comes within this time.
    pub fn hears_within(&self, time: Duration) -> bool {
        self.socket.set_read_timeout(Some(time)).expect("a timeout");
        let heard = self.try_hear().is_some();
        self.socket
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout");
        heard
    }

    fn try_hear(&self) -> Option<Heard> {
        let mut bytes = [0; 400];
        let length = self.socket.recv(&mut bytes).ok()?;
        let packet = Packet::parse(&bytes[..length]).expect("RTP");
        assert_eq!(packet.payload.len(), 160);
        Some(Heard {
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            byte: packet.payload[0],
        })
    }
}
