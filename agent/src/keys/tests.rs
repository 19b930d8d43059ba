//! Where a crash may fall between two steps of a rotation, seen from the files.

#![allow(clippy::unwrap_used)]

use super::*;

fn load(folder: &Path) -> Keys {
    Keys::load_or_make(folder, &mut rand::rng()).unwrap().0
}

fn may_sign(keys: &Keys) -> bool {
    Arc::clone(&keys.0.signing).try_lock_owned().is_ok()
}

#[test]
fn a_key_is_made_once_and_a_damaged_one_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (first, fresh) = Keys::load_or_make(folder.path(), &mut rand::rng()).unwrap();
    let (later, again) = Keys::load_or_make(folder.path(), &mut rand::rng()).unwrap();
    assert_eq!((fresh, again), (true, false));
    assert_eq!(first.current().public(), later.current().public());
    secret_file::write_once(&folder.path().join(NEXT_FILE), b"short").unwrap();
    let error = Keys::load_or_make(folder.path(), &mut rand::rng());
    assert!(matches!(error, Err(KeyError::Damaged(NEXT_FILE))));
}

#[tokio::test]
async fn every_step_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let old = load(folder.path()).current().public();
    let next = stage(folder.path(), &mut rand::rng()).unwrap().public();
    assert_eq!(
        stage(folder.path(), &mut rand::rng()).unwrap().public(),
        next,
        "staged once"
    );

    let keys = load(folder.path());
    assert_eq!(keys.stage(), Stage::Staged);
    assert!(may_sign(&keys));
    keys.close().await;
    keys.begin().unwrap();

    let keys = load(folder.path());
    assert_eq!(keys.stage(), Stage::Rotating);
    assert_eq!(keys.current().public(), old);
    assert!(!may_sign(&keys), "the tracker may have the next key");
    // A crash between the rename and the removal of the marker.
    fs::rename(folder.path().join(NEXT_FILE), folder.path().join(KEY_FILE)).unwrap();

    let keys = load(folder.path());
    assert_eq!(keys.stage(), Stage::None);
    assert_eq!(keys.current().public(), next);
    assert!(may_sign(&keys));
    assert!(!folder.path().join(ROTATING_FILE).exists());
}

#[tokio::test]
async fn a_switch_is_seen_by_all_and_an_abandoned_key_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let keys = load(folder.path());
    let shared = keys.clone();
    let next = stage(folder.path(), &mut rand::rng()).unwrap().public();
    keys.close().await;
    keys.begin().unwrap();
    keys.switch().unwrap();
    assert_eq!(shared.current().public(), next);
    assert!(may_sign(&shared));
    stage(folder.path(), &mut rand::rng()).unwrap();
    keys.close().await;
    keys.begin().unwrap();
    keys.abandon().unwrap();
    assert_eq!(keys.stage(), Stage::None);
    assert_eq!(load(folder.path()).current().public(), next);
    assert!(may_sign(&keys));
}
