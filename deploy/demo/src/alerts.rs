//! Firing and resolving real alerts through Alertmanager's API v2.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use url::Url;

use crate::web::Web;

/// A firing alert, as the person on duty would see it.
#[derive(Debug, Clone)]
pub struct Alert {
    /// The name of the rule.
    pub name: String,
    /// How bad it is.
    pub severity: &'static str,
    /// Where it is; a name that must never leave the agent.
    pub instance: String,
    /// When it began.
    pub since: Timestamp,
}

impl Alert {
    /// An alert that has been firing for `minutes`.
    #[must_use]
    pub fn firing_for(minutes: i64, name: &str, severity: &'static str, instance: &str) -> Self {
        Self {
            name: name.to_owned(),
            severity,
            instance: instance.to_owned(),
            since: Timestamp::now() - SignedDuration::from_mins(minutes),
        }
    }

    /// Tells Alertmanager that it fires.
    ///
    /// # Errors
    /// When Alertmanager does not take it.
    pub async fn fire(&self, web: &Web, alertmanager: &Url) -> Result<()> {
        let end = Timestamp::now() + SignedDuration::from_hours(4);
        self.tell(web, alertmanager, end).await
    }

    /// Tells Alertmanager that it is over.
    ///
    /// # Errors
    /// When Alertmanager does not take it.
    pub async fn resolve(&self, web: &Web, alertmanager: &Url) -> Result<()> {
        self.tell(web, alertmanager, Timestamp::now()).await
    }

    async fn tell(&self, web: &Web, alertmanager: &Url, end: Timestamp) -> Result<()> {
        let alert = json!([{
            "labels": {
                "alertname": self.name,
                "severity": self.severity,
                "instance": self.instance,
            },
            "annotations": { "summary": format!("{} on {}", self.name, self.instance) },
            "startsAt": self.since.to_string(),
            "endsAt": end.to_string(),
        }]);
        let url = alertmanager.join("api/v2/alerts")?;
        web.post(&url, &alert).await.map(|_| ())
    }
}
