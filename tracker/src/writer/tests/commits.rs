//! What a commit promises.

use super::*;

#[tokio::test]
async fn a_failed_commit_answers_everyone_and_leaves_nothing() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let kept = agent.work(Category::Toil, friday());
    farm.submit(kept.bytes()).await.unwrap();
    let before = farm.dump().await;
    let lost = agent.work(Category::Toil, friday());
    farm.broken.store(true, Ordering::SeqCst);
    let checked = || farm.writer.directory().check(lost.bytes());
    let (one, two) = tokio::join!(
        farm.writer.submit(vec![checked()]),
        farm.writer.submit(vec![checked()])
    );
    assert_eq!(
        (one, two),
        (Err(WriteError::Unavailable), Err(WriteError::Unavailable))
    );
    assert_eq!(
        farm.enrol(&TestAgent::new(2)).await,
        Err(WriteError::Unavailable)
    );
    farm.broken.store(false, Ordering::SeqCst);
    assert_eq!(before, farm.dump().await);
    assert_eq!(
        standing(&farm.submit(lost.bytes()).await),
        Standing::Chained
    );
}

#[tokio::test]
async fn a_storm_of_duplicates_counts_once() {
    let farm = Farm::begin().await;
    let mut agent = farm.trusted(1).await;
    let proofs: Vec<_> = (0..20)
        .map(|_| agent.work(Category::Toil, friday()))
        .collect();
    let storm = (0..16).map(|_| {
        let chunk = proofs
            .iter()
            .map(|p| farm.writer.directory().check(p.bytes()))
            .collect();
        farm.writer.submit(chunk)
    });
    let answers = futures::future::join_all(storm).await;
    let chained = answers
        .iter()
        .flat_map(|answers| answers.as_ref().unwrap())
        .filter(|answer| standing(answer) == Standing::Chained)
        .count();
    assert_eq!(chained, 20);
    let kept = farm
        .database
        .reads()
        .proofs(&ProofFilter::default(), 100)
        .await
        .unwrap();
    assert_eq!(kept.len(), 20);
}
