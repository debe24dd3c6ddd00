//! API tokens: `strw_ID_SECRET`. The id names the token in lists and logs; the secret is 256 bits of chance, of which
//! only the SHA-256 is kept.

use sha2::Digest;

use crate::project::hex;

/// What every token begins with, so that tools which look for leaked secrets know one.
const PREFIX: &str = "strw";
/// Characters of an id: 11 of the time in milliseconds, so that ids sort by age, and 8 of chance.
const ID_CHARS: usize = 19;
/// Characters of a secret: 32 bytes in hexadecimal.
const SECRET_CHARS: usize = 64;

/// A token that was just made: the one moment in which its text is known.
pub struct NewToken {
    /// Its id.
    pub id: String,
    /// The whole of it, to be shown once.
    pub text: String,
    /// What is kept of the secret.
    pub digest: Vec<u8>,
}

impl NewToken {
    /// Makes one at a time in milliseconds since 1970.
    pub fn make(now: u64) -> NewToken {
        let chance: [u8; 4] = rand::random();
        let id = format!("{now:011x}{}", hex(&chance));
        let secret = random_secret();
        NewToken {
            text: format!("{PREFIX}_{id}_{secret}"),
            digest: digest(&secret),
            id,
        }
    }
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewToken({})", self.id)
    }
}

/// 256 bits of chance, from the system, in hexadecimal.
pub fn random_secret() -> String {
    use rand::TryRngCore;
    let mut bytes = [0; 32];
    rand::rngs::OsRng
        .try_fill_bytes(&mut bytes)
        .expect("the system gives chance");
    hex(&bytes)
}

/// What is kept of a secret. It has 256 bits of chance, so there is nothing that a slow hash would protect.
pub fn digest(secret: &str) -> Vec<u8> {
    sha2::Sha256::digest(secret).to_vec()
}

/// Id and secret of a token; `None` for what is none.
pub fn parse_token(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text
        .strip_prefix(PREFIX)?
        .strip_prefix('_')?
        .split_once('_')?;
    let plain = |part: &str, chars| {
        part.len() == chars
            && part
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    (plain(id, ID_CHARS) && plain(secret, SECRET_CHARS)).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::{NewToken, digest, parse_token};
    use proptest::prelude::*;

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let token = NewToken::make(1_790_000_000_000);
        let (id, secret) = parse_token(&token.text).expect("a token");
        assert_eq!(
            (id, digest(secret)),
            (token.id.as_str(), token.digest.clone())
        );
        assert!(!format!("{token:?}").contains(secret));
        assert_ne!(token.text, NewToken::make(1_790_000_000_000).text);
        for wrong in [
            "",
            "strw",
            "strw__",
            &token.text[1..],
            &token.text[..token.text.len() - 1],
            &token.text.to_uppercase(),
            &format!("{}0", token.text),
        ] {
            assert_eq!(parse_token(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_none(text in ".{0,120}") {
            let _ = parse_token(&text);
        }
    }
}
