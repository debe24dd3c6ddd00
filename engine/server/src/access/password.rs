//! Passwords of people who sign in: argon2id, which costs time and memory on purpose, and so runs beside everything
//! else and a few at a time.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::turns::Turns;

/// Shortest password, in characters: NIST SP 800-63B asks for 8 at least, and there is no second factor.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Longest password, in characters: room for any phrase.
pub const MAX_PASSWORD_CHARS: usize = 256;
/// The same in bytes of UTF-8.
pub const MAX_PASSWORD_BYTES: usize = 4 * MAX_PASSWORD_CHARS;

/// Memory of one hash, in KiB; with [`PASSES`] and one lane the first choice of the OWASP Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Hashes at once: each holds a processor for some 20 ms, and 19 MiB.
const AT_ONCE: usize = 2;
/// Those of them for one who asks: whoever asks for many leaves one to others.
const EACH: usize = 1;

/// Held against the password of a user who is not there, so that the answer takes as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3Ryb3dnZXItbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short to withstand guessing.
    #[error(
        "a password has at least {MIN_PASSWORD_CHARS} characters; some words in a row are easy to remember"
    )]
    Short,
    /// Too long.
    #[error("a password has at most {MAX_PASSWORD_CHARS} characters")]
    Long,
    /// The function failed, which it does for want of memory alone.
    #[error("the password cannot be hashed: {0}")]
    Failed(String),
}

/// Who asks for a password to be hashed or checked. They take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asks {
    /// Somebody of a tenant who sets passwords; none for the operator.
    Tenant(Option<String>),
    /// Whoever signs in from a source. Not by whose user that would be: how long it takes must not tell who is one.
    Source(String),
}

impl Asks {
    /// By which their turns are told apart; no name of a tenant has a blank.
    fn turn(self) -> String {
        match self {
            Asks::Tenant(Some(tenant)) => tenant,
            Asks::Tenant(None) => String::new(),
            Asks::Source(source) => format!("from {source}"),
        }
    }
}

/// Hashes and checks passwords, a few at a time; those who ask take turns.
#[derive(Debug)]
pub struct Passwords {
    turns: Turns,
}

impl Default for Passwords {
    fn default() -> Self {
        Passwords {
            turns: Turns::new(AT_ONCE, EACH),
        }
    }
}

impl Passwords {
    /// Whether a text may be a password.
    pub fn check(password: &str) -> Result<(), PasswordError> {
        match password.chars().count() {
            ..MIN_PASSWORD_CHARS => Err(PasswordError::Short),
            MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS => Ok(()),
            _ => Err(PasswordError::Long),
        }
    }

    /// What is kept of a password: the PHC string, with its salt and parameters.
    pub async fn hash(&self, asks: Asks, password: String) -> Result<String, PasswordError> {
        Passwords::check(&password)?;
        self.beside(asks, move || {
            let hash = argon2()?.hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|error| PasswordError::Failed(error.to_string()))
        })
        .await
    }

    /// Whether a password is the one that a hash was made of; as slow when there is no hash, because there is no such
    /// user.
    pub async fn verify(
        &self,
        asks: Asks,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        if password.len() > MAX_PASSWORD_BYTES {
            // No user has one, so this tells nothing of any.
            return Ok(false);
        }
        self.beside(asks, move || {
            let there = hash.is_some();
            let hash = hash.as_deref().unwrap_or(NOBODY);
            Ok(argon2()?.verify_password(password.as_bytes(), hash).is_ok() && there)
        })
        .await
    }

    async fn beside<T: Send + 'static>(
        &self,
        asks: Asks,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _turn = self.turns.take(&asks.turn()).await;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| PasswordError::Failed(error.to_string()))?
    }
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None);
    let params = params.map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Waker};

    use super::{Asks, NOBODY, Passwords};

    fn of_source() -> Asks {
        Asks::Source("192.0.2.1".to_owned())
    }

    #[tokio::test]
    async fn who_sets_many_passwords_leaves_their_turn_to_others() {
        let passwords = Passwords::default();
        // One is being made, and takes as long as it takes.
        let aurora = Asks::Tenant(Some("aurora".to_owned()));
        let _made = passwords.turns.take(&aurora.clone().turn()).await;
        let mut context = Context::from_waker(Waker::noop());
        let mut more = Box::pin(passwords.hash(aurora, "correct horse battery".into()));
        assert!(more.as_mut().poll(&mut context).is_pending());
        for other in [
            of_source(),
            Asks::Tenant(None),
            Asks::Tenant(Some("vega".to_owned())),
        ] {
            let hashed = passwords.hash(other, "correct horse battery".into()).await;
            assert!(hashed.is_ok(), "{hashed:?}");
        }
        assert!(more.as_mut().poll(&mut context).is_pending());
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = Passwords::default();
        let hash = passwords
            .hash(Asks::Tenant(None), "correct horse battery".into())
            .await
            .expect("hashed");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let other = passwords
            .hash(Asks::Tenant(None), "correct horse battery".into())
            .await
            .expect("hashed");
        assert_ne!(hash, other, "each has a salt of its own");
        for (password, right) in [
            ("correct horse battery", true),
            ("correct horse", false),
            ("", false),
        ] {
            let verified = passwords
                .verify(of_source(), password.into(), Some(hash.clone()))
                .await;
            assert_eq!(verified.expect("verified"), right, "{password}");
        }
        assert!(
            !passwords
                .verify(of_source(), "correct horse battery".into(), None)
                .await
                .expect("verified")
        );
        for refused in ["short", "eleven char", &"x".repeat(300)] {
            assert!(
                passwords
                    .hash(Asks::Tenant(None), refused.into())
                    .await
                    .is_err(),
                "{refused}"
            );
        }
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        use argon2::{Algorithm, PasswordHash};
        let hash = PasswordHash::new(NOBODY).expect("a PHC string");
        assert_eq!(hash.algorithm, Algorithm::Argon2id.ident());
        let params = argon2::Params::try_from(&hash).expect("parameters");
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (19_456, 2, 1)
        );
        assert_eq!(hash.hash.expect("an output").len(), 32);
    }
}
