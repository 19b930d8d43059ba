//! Taking up, at a start, what a crash may have left half done.

use super::{VILLAGE, Village};

impl Village {
    /// Brings the engine to what the village's own tables say: blocks, and whom it wants to hear
    /// from. Each step is harmless when it was done before.
    pub(crate) async fn resume(&self) {
        match self.store().blocked_hosts().await {
            Ok(blocked) => {
                for blocked in blocked {
                    if let Err(error) = self.federation().block_host(&blocked.host).await {
                        tracing::error!(host = %blocked.host, %error, "a block was not resumed");
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the blocks cannot be read"),
        }
        match self.store().wanted_actors().await {
            Ok(actors) => {
                for actor in actors {
                    if let Err(error) = self.federation().follow(VILLAGE, &actor).await {
                        tracing::warn!(%actor, %error, "a follow was not resumed");
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the roster cannot be read"),
        }
    }
}
