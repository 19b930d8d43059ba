//! Fetching a farm's present state when the village begins to hear from it, so that nobody has to
//! wait for the next finished work.

use std::time::Duration;

use farmops_federation::{RemoteActor, Via};
use farmops_protocol::{limits::SNAPSHOT_BYTES_MAX, snapshot::SnapshotDocument};
use farmops_service::outbound::Bounds;
use http::StatusCode;

use super::Village;

const BOUNDS: Bounds = Bounds {
    deadline: Duration::from_secs(10),
    body_bytes_max: SNAPSHOT_BYTES_MAX,
};

impl Village {
    /// Asks the farmer's tracker for its present snapshot, in the background. Nothing depends on
    /// the answer: every later snapshot is sent to the village anyway.
    pub(super) fn catch_up(&self, author: RemoteActor) {
        let village = self.clone();
        tokio::spawn(async move {
            if let Err(reason) = village.fetch_snapshot(&author).await {
                tracing::debug!(actor = %author.id, reason, "no present snapshot to be had");
            }
        });
    }

    async fn fetch_snapshot(&self, author: &RemoteActor) -> Result<(), String> {
        let key = author
            .farm_key
            .as_ref()
            .ok_or("the actor shows no farm key")?
            .key;
        let mut url = author.id.clone();
        url.set_path("/api/v1/public/snapshot");
        url.set_query(None);
        let answer = self
            .inner
            .outbound
            .get(url, BOUNDS)
            .await
            .map_err(|error| error.to_string())?;
        if answer.status != StatusCode::OK {
            return Err(format!("answered {}", answer.status));
        }
        let document = SnapshotDocument::parse(&answer.body).map_err(|e| e.to_string())?;
        if document.post().attributed_to != author.id.as_str() {
            return Err("the snapshot is attributed to another actor".to_owned());
        }
        let snapshot = document.verify(&key).map_err(|e| e.to_string())?;
        self.receive(&snapshot, author, &Via::Author)
            .await
            .map_err(|e| e.to_string())?;
        Ok(())
    }
}
