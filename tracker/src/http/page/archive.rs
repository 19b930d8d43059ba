//! The farm as a signed archive, to take away.

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse as _, Response},
};
use farmops_service::problem::Problem;
use futures::Stream;
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
};
use tempfile::TempDir;
use tokio::{fs::File, io::AsyncReadExt as _};

use super::frame::Owner;
use crate::{
    app::App,
    archive::{self, ArchiveError},
    http::refused::not_read,
    store::{Database, Nowhere},
};

/// Bytes sent at once.
const CHUNK: usize = 64 * 1024;

/// The signed archive, without the farm's keys.
pub(in crate::http) async fn download(
    State(app): State<App>,
    _: Owner,
) -> Result<Response, Problem> {
    // A copy of everything keeps a core and a disk busy: one at a time.
    let turn = app.folds.acquire().await;
    let _turn = turn.map_err(|e| Problem::internal(&e))?;
    let copied = Database::of_one_moment(&app.db).await;
    let (folder, database) = copied.map_err(not_read)?;
    let path = folder.path().join("farm.tar");
    archive::export(&*database, &mut Nowhere, &path, false, app.now())
        .await
        .map_err(not_exported)?;
    let file = File::open(path).await.map_err(|e| Problem::internal(&e))?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/x-tar")),
        (
            CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"farm.tar\""),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(chunks(folder, file))).into_response())
}

/// What the file holds; its folder goes with the last of it.
fn chunks(folder: TempDir, file: File) -> impl Stream<Item = std::io::Result<Bytes>> {
    futures::stream::try_unfold((folder, file), |(folder, mut file)| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok((read > 0).then(|| (Bytes::from(chunk), (folder, file))))
    })
}

fn not_exported(error: ArchiveError) -> Problem {
    match error {
        ArchiveError::Store(error) => not_read(error),
        // The files are where the owner put them, which is not here.
        error @ ArchiveError::Archived(_) => {
            Problem::conflict(format!("{error}: use `farmops-tracker export`")).code("archived")
        }
        error => Problem::internal(&error),
    }
}
