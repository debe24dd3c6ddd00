//! Pushes while they come in: what of them may be in memory, of a tenant and in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Request};
use axum::http::{StatusCode, header};
use futures_util::{StreamExt as _, stream};

use super::routes::MAX_PUSH;
use super::tenants::{Named, unknown};
use super::{Api, Problem};
use crate::centre::TenantLimits;

/// Pushes of one tenant that may be under way.
const AT_ONCE: u32 = 2;
/// Bytes of all pushes under way, as they came and unpacked. One alone may have more, as far as its tenant may.
const IN_MEMORY: usize = 512 << 20;
/// What a tar archive has beside the bytes of a file, at most: a header, a long name, what fills up its last block.
const BESIDE_A_FILE: usize = 2_560;
/// What it has at its end.
const BESIDE_ALL: usize = 64 << 10;
/// When a push is worth another try, in seconds.
const AGAIN_S: u64 = 10;

/// The pushes that are under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uploads(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    /// By tenant.
    pushes: HashMap<String, u32>,
}

/// One push, from its first byte until it is kept or refused.
#[derive(Debug)]
pub(crate) struct Upload {
    uploads: Uploads,
    tenant: String,
    /// Most bytes as they come.
    most: usize,
    /// What unpacking them, or the project that a plugin is put into, takes.
    unpacked: usize,
    held: Mutex<Held>,
    refusal: OnceLock<Refused>,
}

#[derive(Debug, Default)]
struct Held {
    came: usize,
    all: usize,
}

/// Why one is not read on.
#[derive(Debug, Clone, Copy)]
enum Refused {
    TooLarge,
    NoRoom,
}

impl Uploads {
    /// Lets a push in, if its tenant is there and has not too many under way; its body counts from now on.
    pub async fn admit(api: &Api, request: Request) -> Result<(Request, Arc<Upload>), Problem> {
        let (mut parts, body) = request.into_parts();
        let Named(name) = Named::from_request_parts(&mut parts, api).await?;
        let tenant = api.centre.tenant(&name).ok_or_else(|| unknown(&name))?;
        let upload = Arc::new(api.uploads.begin(&name, &tenant.config().limits)?);
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > upload.most) {
            return Err(upload.problem(Refused::TooLarge));
        }
        let body = counted(body, Arc::clone(&upload));
        Ok((Request::from_parts(parts, body), upload))
    }

    fn begin(&self, tenant: &str, limits: &TenantLimits) -> Result<Upload, Problem> {
        let mut state = self.lock();
        let pushes = state.pushes.entry(tenant.to_owned()).or_default();
        if *pushes >= AT_ONCE {
            return Err(Problem::too_many(
                format!(
                    "{AT_ONCE} pushes of tenant {tenant} are under way, the most at once: push again when one of them is done"
                ),
                AGAIN_S,
            ));
        }
        *pushes += 1;
        let beside = limits.files.saturating_mul(BESIDE_A_FILE) + BESIDE_ALL;
        Ok(Upload {
            uploads: self.clone(),
            tenant: tenant.to_owned(),
            most: limits.upload_bytes.saturating_add(beside).min(MAX_PUSH),
            unpacked: limits.upload_bytes,
            held: Mutex::default(),
            refusal: OnceLock::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    /// Why it was not read to its end, if that was for a limit.
    pub fn refusal(&self) -> Option<Problem> {
        let refused = self.refusal.get()?;
        Some(self.problem(*refused))
    }

    fn problem(&self, refused: Refused) -> Problem {
        match refused {
            Refused::TooLarge => Problem::of(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "a push of tenant {} has at most {} bytes: leave out what the flows do not use, or ask the operator for more (limits.upload_bytes)",
                    self.tenant, self.most
                ),
            ),
            Refused::NoRoom => Problem::unavailable_for(
                "other pushes take all the memory there is for them: push again in a moment",
                AGAIN_S,
            ),
        }
    }

    /// More of it is there.
    fn came(&self, bytes: usize) -> Result<(), Refused> {
        let came = self.held().came.saturating_add(bytes);
        if came > self.most {
            return Err(self.refuse(Refused::TooLarge));
        }
        self.hold(bytes)?;
        self.held().came = came;
        Ok(())
    }

    /// All of it is there, and is to be unpacked.
    fn whole(&self) -> Result<(), Refused> {
        self.hold(self.unpacked)
    }

    fn hold(&self, bytes: usize) -> Result<(), Refused> {
        let mut held = self.held();
        let mut state = self.uploads.lock();
        let others = state.bytes - held.all;
        if others > 0 && others.saturating_add(held.all).saturating_add(bytes) > IN_MEMORY {
            drop((state, held));
            return Err(self.refuse(Refused::NoRoom));
        }
        state.bytes += bytes;
        held.all += bytes;
        Ok(())
    }

    fn refuse(&self, refused: Refused) -> Refused {
        *self.refusal.get_or_init(|| refused)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let held = self.held().all;
        let mut state = self.uploads.lock();
        state.bytes -= held;
        if let Some(pushes) = state.pushes.get_mut(&self.tenant) {
            *pushes -= 1;
            if *pushes == 0 {
                state.pushes.remove(&self.tenant);
            }
        }
    }
}

/// The body, each piece of which is counted before anybody keeps it.
fn counted(body: Body, upload: Arc<Upload>) -> Body {
    let stopped = |_| axum::Error::new("a limit of pushes");
    let pieces = stream::try_unfold(
        (body.into_data_stream(), upload),
        move |(mut pieces, upload)| async move {
            match pieces.next().await {
                Some(piece) => {
                    let piece: Bytes = piece?;
                    upload.came(piece.len()).map_err(stopped)?;
                    Ok(Some((piece, (pieces, upload))))
                }
                None => {
                    upload.whole().map_err(stopped)?;
                    Ok::<_, axum::Error>(None)
                }
            }
        },
    );
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;

    fn limits(upload_bytes: usize) -> TenantLimits {
        TenantLimits {
            upload_bytes,
            files: 1,
            ..TenantLimits::default()
        }
    }

    fn status(problem: Option<Problem>) -> StatusCode {
        problem.expect("a refusal").into_response().status()
    }

    #[tokio::test]
    async fn a_body_is_read_no_further_than_its_tenant_may() {
        let uploads = Uploads::default();
        let upload = Arc::new(uploads.begin("aurora", &limits(1_000)).expect("the first"));
        let pieces = stream::repeat_with(|| Ok::<_, axum::Error>(Bytes::from(vec![0; 10_000])));
        let body = counted(
            Body::from_stream(pieces.take(1_000_000)),
            Arc::clone(&upload),
        );
        assert!(axum::body::to_bytes(body, usize::MAX).await.is_err());
        assert_eq!(status(upload.refusal()), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(uploads.lock().bytes < 100_000);
        drop(upload);
        assert_eq!(uploads.lock().bytes, 0);
        assert!(uploads.lock().pushes.is_empty());
    }

    #[test]
    fn a_tenant_has_two_at_once_and_others_have_theirs() {
        let uploads = Uploads::default();
        let one = uploads.begin("aurora", &limits(1)).expect("the first");
        let _two = uploads.begin("aurora", &limits(1)).expect("the second");
        let third = uploads.begin("aurora", &limits(1)).err();
        assert_eq!(status(third), StatusCode::TOO_MANY_REQUESTS);
        assert!(uploads.begin("borealis", &limits(1)).is_ok());
        drop(one);
        assert!(uploads.begin("aurora", &limits(1)).is_ok());
    }

    #[test]
    fn all_together_have_so_much_memory() {
        let uploads = Uploads::default();
        let large = limits(IN_MEMORY);
        let alone = uploads.begin("aurora", &large).expect("there is room");
        alone.came(1_000).expect("there is room");
        alone.whole().expect("it is the only one");
        let other = uploads.begin("borealis", &large).expect("another tenant's");
        assert!(other.came(1_000).is_err());
        assert_eq!(status(other.refusal()), StatusCode::SERVICE_UNAVAILABLE);
        drop(alone);
        let again = uploads.begin("borealis", &large).expect("another tenant's");
        assert!(again.came(1_000).is_ok());
    }
}
