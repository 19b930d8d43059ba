//! The data folder and the right to it: two agents on one would fork the chain.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use super::StartError;

/// The right to a data folder; it ends with the program.
pub(crate) struct Locked {
    _file: File,
}

/// How long a start waits for the data folder's lock.
pub(super) const LOCK_PATIENCE: Duration = Duration::from_secs(3);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Makes the data folder for this user alone and takes its lock, waiting so long for it.
pub(crate) fn take_folder(path: &Path, patience: Duration) -> Result<Locked, StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let failed = |source| StartError::DataFolder {
        path: path.to_owned(),
        source,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path.join("agent.lock"))
        .map_err(failed)?;
    // A plugin that a killed agent was just about to start holds that agent's lock until it has begun.
    let until = Instant::now() + patience;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Locked { _file: lock }),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(LOCK_PAUSE);
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(StartError::AlreadyRunning(path.to_owned()));
            }
            Err(std::fs::TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}
