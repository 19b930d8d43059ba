//! The village itself: its name, and the handle that never changes once people know it.

use farmops_federation::Timestamp;
use sqlx::Row as _;

use super::{Store, StoreError, time};

/// The village's own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VillageRecord {
    /// The part of its handle before the `@`.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// A line about it; may be empty.
    pub description: String,
    /// When it was founded.
    pub created_at: Timestamp,
}

impl Store {
    /// Founds the village at the first start; later starts change its name and description, never
    /// its slug.
    pub async fn found(
        &self,
        slug: &str,
        name: &str,
        description: &str,
        now: Timestamp,
    ) -> Result<VillageRecord, StoreError> {
        let row = sqlx::query(
            "INSERT INTO village (only_row, slug, name, description, created_at)
             VALUES (1, $1, $2, $3, $4)
             ON CONFLICT (only_row) DO UPDATE SET name = $2, description = $3
             RETURNING slug, name, description, created_at",
        )
        .bind(slug)
        .bind(name)
        .bind(description)
        .bind(now.second())
        .fetch_one(&self.pool)
        .await?;
        Ok(VillageRecord {
            slug: row.try_get("slug")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            created_at: time(&row, "created_at")?,
        })
    }
}
