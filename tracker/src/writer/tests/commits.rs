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
async fn a_row_that_does_not_fit_fails_nobody_but_who_wrote_it() {
    let farm = Farm::begin().await;
    let (mut good, mut bad) = (farm.trusted(1).await, farm.trusted(2).await);
    let pending = TestAgent::new(3);
    farm.enrol(&pending).await.unwrap();
    let before = farm.dump().await;
    let (first, second) = (
        good.work(Category::Toil, friday()),
        good.work(Category::Toil, friday()),
    );
    let unfit = bad.work(Category::Toil, friday());
    *farm.misfit.lock().unwrap() = Some(bad.id);
    let submit = |bytes: &[u8]| {
        farm.writer
            .submit(vec![farm.writer.directory().check(bytes)])
    };
    // The approval has what came before it put on disk first.
    let (one, failed, approved, two) = tokio::join!(
        submit(first.bytes()),
        submit(unfit.bytes()),
        farm.writer
            .approve(pending.id, pending.key.public().fingerprint()),
        submit(second.bytes()),
    );
    assert_eq!(failed, Err(WriteError::Unavailable));
    for answer in [one, two] {
        assert_eq!(standing(&answer.unwrap()[0]), Standing::Chained);
    }
    assert_eq!(approved.unwrap().status, AgentStatus::Active);
    // The same where the round fails at its end.
    let third = good.work(Category::Toil, friday());
    let (failed, bought, three) = tokio::join!(
        submit(unfit.bytes()),
        farm.buy("a fence", "fence"),
        submit(third.bytes()),
    );
    assert_eq!(failed, Err(WriteError::Unavailable));
    assert!(matches!(bought, Err(WriteError::Refused(_))), "{bought:?}");
    assert_eq!(standing(&three.unwrap()[0]), Standing::Chained);
    // Who is alone to blame is not tried again for ever.
    let alone = submit(unfit.bytes()).await;
    assert_eq!(alone, Err(WriteError::Unavailable));
    *farm.misfit.lock().unwrap() = None;
    assert_ne!(before, farm.dump().await);
    let answer = farm.submit(unfit.bytes()).await;
    assert_eq!(standing(&answer), Standing::Chained);
    assert_eq!(farm.view().await.categories[&Category::Toil].proofs, 4);
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
