//! Waiting for something to become true: asked again and again, up to a deadline.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_millis(100);

/// Asks until the answer is `Ok`; every error means "not yet". After `patience` the last one is the answer.
///
/// # Errors
/// The last error, when the patience is over.
pub async fn until<T>(patience: Duration, mut ask: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        match tokio::time::timeout_at(deadline, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(not_yet)) if Instant::now() + PAUSE >= deadline => {
                return Err(not_yet).with_context(|| format!("not within {patience:?}"));
            }
            Ok(Err(_)) => tokio::time::sleep(PAUSE).await,
            Err(_) => anyhow::bail!("no answer within {patience:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use anyhow::bail;

    use super::*;

    #[tokio::test]
    async fn it_asks_until_it_is_true_and_tells_why_not() {
        let mut asked = 0;
        let answer = until(Duration::from_secs(5), async || {
            asked += 1;
            if asked < 3 {
                bail!("asked {asked} times");
            }
            Ok("yes")
        });
        assert_eq!(answer.await.unwrap(), "yes");
        let never = until(Duration::from_millis(150), async || -> Result<()> {
            bail!("the sky is grey")
        });
        let error = format!("{:#}", never.await.unwrap_err());
        assert!(error.contains("the sky is grey"), "{error}");
    }
}
