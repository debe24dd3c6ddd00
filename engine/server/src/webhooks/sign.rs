//! The signature of a request.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::project::hex;

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds, a full stop and the body. Who checks it also refuses old seconds,
/// so that a request cannot be sent again by somebody else.
pub fn signature(key: &[u8], seconds: u64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn it_is_what_openssl_computes() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let signed = signature(b"0123456789abcdef", 1_700_000_000, b"{\"a\":1}");
        assert_eq!(
            signed,
            "t=1700000000,v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
        );
    }
}
