//! Work that computes for as long as a tenant's files make it, beside the tasks that calls and chats run on.

use strowger_plugin::lower_priority;
use tokio::sync::oneshot;

use super::refusal::Refusal;

/// How far such work stands back for whoever is on the line.
const NICENESS: u8 = 10;

/// Runs work on a thread of its own, with a low priority. There are no more of these than tenants that push or release at once.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let fault = |why: &str| {
        tracing::error!("a project could not be examined: {why}");
        Refusal::Unable("the project could not be examined: the engine's log has more".to_owned())
    };
    let (give, get) = oneshot::channel();
    let thread = std::thread::Builder::new().name("examine".to_owned());
    let begun = thread.spawn(move || {
        lower_priority(NICENESS);
        // Who asked may have gone.
        let _ = give.send(work());
    });
    begun.map_err(|error| fault(&error.to_string()))?;
    get.await.map_err(|_| fault("its thread panicked"))
}
