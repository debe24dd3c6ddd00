//! Signatures of plugins: Ed25519 (RFC 8032) over a statement that names tenant, plugin, version and bytes, so that one
//! for another tenant or version says nothing here.

use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use strowger_plugin::Plugin;

use super::archive::{ArchiveError, Tree};
use super::config::TenantConfig;
use super::tree::digest;

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// For whom.
    pub tenant: &'a str,
    /// The plugin.
    pub plugin: &'a str,
    /// Its version.
    pub version: &'a str,
    /// SHA-256 of the component, lower-case hexadecimal.
    pub sha256: &'a str,
}

impl<'a> Statement<'a> {
    /// Of a component, which says itself what it is.
    pub fn of(tenant: &'a str, plugin: &'a Plugin) -> Statement<'a> {
        let description = plugin.description();
        Statement {
            tenant,
            plugin: &description.name,
            version: &description.version,
            sha256: plugin.digest(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        // None of the four can hold a line break.
        format!(
            "strowger plugin 1\n{}\n{}\n{}\n{}\n",
            self.tenant, self.plugin, self.version, self.sha256
        )
        .into_bytes()
    }

    /// The publisher whose key fits the signature.
    pub fn publisher<'c>(&self, config: &'c TenantConfig, signature: &[u8]) -> Option<&'c str> {
        let statement = self.bytes();
        let mut keys = config.keys();
        keys.find_map(|(name, key)| {
            let key = UnparsedPublicKey::new(&ED25519, key);
            key.verify(&statement, signature).is_ok().then_some(name)
        })
    }

    /// Signs; the signature in base64.
    pub fn sign(&self, key: &SigningKey) -> String {
        STANDARD.encode(key.0.sign(&self.bytes()).as_ref())
    }
}

/// A publisher's private key.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A new key, and the text to keep of it: PKCS #8 (RFC 8410) in base64.
    pub fn generate() -> Result<(SigningKey, String), String> {
        let unable = |_| "this machine gives no random numbers".to_owned();
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(unable)?;
        let text = STANDARD.encode(document.as_ref());
        Ok((SigningKey::read(&text)?, text))
    }

    /// Reads what `generate` wrote.
    pub fn read(text: &str) -> Result<SigningKey, String> {
        let wrong = "it is no key: `strowger plugin key` makes one";
        let bytes = STANDARD.decode(text.trim()).map_err(|_| wrong.to_owned())?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes).map_err(|_| wrong.to_owned())?;
        Ok(SigningKey(pair))
    }

    /// The public key in base64, for the operator.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }
}

/// How the file ends that has the signature of the component beside it.
pub const BESIDE: &str = ".sig";

/// Takes the signatures out of a project's files: `NAME.wasm.sig` is that of `NAME.wasm`. By the SHA-256 of the component.
pub fn taken_out(tree: &mut Tree) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let signed = |path: &String| {
        let component = path.strip_suffix(BESIDE)?;
        tree.contains_key(component)
            .then(|| (path.clone(), component.to_owned()))
    };
    let pairs: Vec<(String, String)> = tree.keys().filter_map(signed).collect();
    let mut signatures = BTreeMap::new();
    for (path, component) in pairs {
        let text = tree.remove(&path).unwrap_or_default();
        let read = std::str::from_utf8(&text).ok().and_then(signature);
        let read = read.ok_or(ArchiveError::Signature(path))?;
        signatures.insert(digest(&tree[&component]), read);
    }
    Ok(signatures)
}

/// Reads a signature as it comes in a header.
pub fn signature(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    // RFC 8032 §5.1.6.
    (bytes.len() == 64).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_for_one_tenant_plugin_version_and_component() {
        let (key, text) = SigningKey::generate().expect("chance");
        let config = TenantConfig {
            publishers: [("acme".to_owned(), key.public())].into(),
            ..TenantConfig::default()
        };
        let statement = Statement {
            tenant: "aurora",
            plugin: "orders",
            version: "1.0.0",
            sha256: "00",
        };
        let again = SigningKey::read(&text).expect("as written");
        let signed = signature(&statement.sign(&again)).expect("64 bytes");
        assert_eq!(statement.publisher(&config, &signed), Some("acme"));
        for other in [
            Statement {
                tenant: "vega",
                ..statement
            },
            Statement {
                plugin: "order",
                ..statement
            },
            Statement {
                version: "1.0.1",
                ..statement
            },
            Statement {
                sha256: "01",
                ..statement
            },
        ] {
            assert_eq!(other.publisher(&config, &signed), None);
        }
        assert_eq!(signature("AAAA"), None);
        assert!(SigningKey::read("AAAA").is_err());
    }
}
