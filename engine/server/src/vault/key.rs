//! The master key, and what it seals.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::project::hex;
use crate::whole::write_new;

/// Bytes of a key: AES-256.
const KEY_BYTES: usize = 32;
/// The form of what is sealed: AES-256-GCM, the nonce before it.
const FORM: u8 = 1;

/// The key that everything in a vault is sealed with.
pub struct MasterKey {
    sealing: RandomizedNonceKey,
    id: String,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MasterKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a sealed value belongs to. It opens for nothing else: whoever can write the store cannot move a value to another
/// tenant, name or host.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The entry's name.
    pub name: &'a str,
    /// The hosts it is for, as they stand in the store.
    pub hosts: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        // None of the three can hold a line break.
        format!(
            "strowger vault 1\n{}\n{}\n{}\n",
            self.tenant, self.name, self.hosts
        )
        .into_bytes()
    }
}

impl MasterKey {
    /// The key in a text: 32 bytes in base64. What is wrong is told without showing anything of it.
    pub fn parse(text: &str) -> Result<MasterKey, String> {
        let wrong =
            || "is no key: 32 bytes in base64, as `strowger vault key` makes them".to_owned();
        let bytes = STANDARD.decode(text.trim()).map_err(|_| wrong())?;
        if bytes.len() != KEY_BYTES {
            return Err(wrong());
        }
        let sealing = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| wrong())?;
        let mut digest = Sha256::new();
        digest.update(b"strowger vault key 1\n");
        digest.update(&bytes);
        let id = hex(&digest.finalize()[..8]);
        Ok(MasterKey { sealing, id })
    }

    /// The key in a file, which nobody but its owner may read.
    pub fn read(path: &Path) -> Result<MasterKey, String> {
        let shown = path.display();
        let file = std::fs::File::open(path).map_err(|e| format!("{shown} cannot be read: {e}"))?;
        let about = file
            .metadata()
            .map_err(|e| format!("{shown} cannot be read: {e}"))?;
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!(
                "{shown} has the mode {mode:04o}, and others than its owner may use it: chmod 600 {shown}"
            ));
        }
        let mut text = String::new();
        // A key is short; whatever else this is need not be read whole.
        io::Read::read_to_string(&mut io::Read::take(file, 256), &mut text)
            .map_err(|e| format!("{shown} cannot be read: {e}"))?;
        MasterKey::parse(&text).map_err(|why| format!("{shown} {why}"))
    }

    /// Writes a new key into a new file.
    pub fn make(path: &Path) -> io::Result<()> {
        let key: [u8; KEY_BYTES] = rand::random();
        write_new(path, format!("{}\n", STANDARD.encode(key)).as_bytes())
    }

    /// Which key it is, without saying anything of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals a value for its place.
    pub fn seal(&self, place: Place<'_>, value: &str) -> Vec<u8> {
        let mut sealed = value.as_bytes().to_vec();
        let nonce = self
            .sealing
            .seal_in_place_append_tag(Aad::from(place.bytes()), &mut sealed)
            .expect("a value is far shorter than AES-GCM takes");
        [&[FORM][..], nonce.as_ref(), &sealed].concat()
    }

    /// The value that was sealed for a place; none where it was not, or not by this key.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<String> {
        let (&FORM, rest) = sealed.split_first()? else {
            return None;
        };
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = rest.to_vec();
        let value = self
            .sealing
            .open_in_place(nonce, Aad::from(place.bytes()), &mut bytes)
            .ok()?;
        String::from_utf8(value.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{MasterKey, Place};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn key(byte: u8) -> MasterKey {
        MasterKey::parse(&STANDARD.encode([byte; 32])).expect("a key")
    }

    #[test]
    fn a_value_opens_in_its_place_with_its_key_and_nowhere_else() {
        let place = Place {
            tenant: "aurora",
            name: "orders",
            hosts: "[\"a:1\"]",
        };
        let sealed = key(1).seal(place, "t0ps3cret");
        assert!(!sealed.windows(9).any(|window| window == b"t0ps3cret"));
        assert_ne!(sealed, key(1).seal(place, "t0ps3cret"));
        assert_eq!(key(1).open(place, &sealed).as_deref(), Some("t0ps3cret"));
        assert_eq!(key(2).open(place, &sealed), None);
        for elsewhere in [
            Place {
                tenant: "vega",
                ..place
            },
            Place {
                name: "other",
                ..place
            },
            Place {
                hosts: "[\"b:1\"]",
                ..place
            },
        ] {
            assert_eq!(key(1).open(elsewhere, &sealed), None, "{elsewhere:?}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key(1).open(place, &changed), None, "{at}");
            assert_eq!(key(1).open(place, &sealed[..at]), None, "{at}");
        }
    }

    #[test]
    fn a_key_is_told_by_its_id_and_shown_by_nothing() {
        assert_eq!(key(1).id(), key(1).id());
        assert_ne!(key(1).id(), key(2).id());
        let text = STANDARD.encode([1; 32]);
        assert!(!format!("{:?}", key(1)).contains(&text));
        let long = STANDARD.encode([1; 33]);
        for wrong in ["", "abc", &text[1..], long.as_str()] {
            let told = MasterKey::parse(wrong).expect_err("no key");
            assert!(wrong.is_empty() || !told.contains(wrong), "{told}");
        }
    }
}
