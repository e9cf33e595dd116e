//! Gives back the memory that starting and bursts of work leave free. The allocator returns pages when one of its threads ends or asks
//! for many new ones; the threads of an idle server do neither, and half of what it once needed would stay with it.

use std::time::Duration;

use backends::Tasks;

/// How long freed pages are kept at hand before they can be returned: the allocator's own delay is a second.
const FIRST: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_secs(60);

/// Lets a thread end now and then.
pub(crate) fn start(tasks: &Tasks) {
    let stop = tasks.stop();
    tasks.spawn("memory", async move {
        let mut pause = FIRST;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            // It must have asked for memory to take part. One that cannot be started is tried again later.
            let ended = std::thread::Builder::new().name("memory".to_owned()).spawn(|| drop(std::hint::black_box(vec![0_u8; 64])));
            if let Err(cause) = ended {
                tracing::debug!(%cause, "no thread to give memory back");
            }
            pause = EVERY;
        }
    });
}
