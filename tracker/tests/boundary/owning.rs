//! The owner's own actions over REST: buying, naming, resting, rules, leagues, agents.

use std::{collections::BTreeSet, sync::Arc};

use farmops_protocol::{
    chain_reset::ChainResetRequest, key::SecretKey, proof::Category, rotation::KeyRotation,
    scoring::RuleSet,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    cast::TestAgent,
    server::{Tracker, now},
};

/// An agent that has earned at least so many coins.
async fn earn(tracker: &Tracker, coins: u64) -> TestAgent {
    let mut agent = tracker.trusted(1).await;
    let mut when = now().saturating_add(-20 * 86_400);
    while tracker.get("/api/v1/farm").await["total_coins"]
        .as_u64()
        .unwrap()
        < coins
    {
        let proof = agent.work(Category::Incident, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        when = when.saturating_add(700);
    }
    agent
}

async fn send(
    tracker: &Tracker,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let mut request = tracker.owner(method, path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

async fn buy(tracker: &Tracker, key: &str, item: &str) -> (StatusCode, Value) {
    let request = tracker
        .owner(Method::POST, "/api/v1/shop/purchase")
        .header("Idempotency-Key", key)
        .json(&json!({ "item": item }));
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap())
}

/// What is for sale now, the cheapest first: slug and price.
async fn on_sale(tracker: &Tracker) -> Vec<(String, u64)> {
    let shop = tracker.get("/api/v1/shop/items").await;
    let items = shop["items"].as_array().unwrap().iter();
    let mut sold: Vec<_> = items
        .filter(|item| item["available"] == true)
        .map(|item| {
            let slug = item["slug"].as_str().unwrap().to_owned();
            (slug, item["next_price"].as_u64().unwrap())
        })
        .collect();
    sold.sort_by_key(|(_, price)| *price);
    sold
}

#[tokio::test]
async fn a_purchase_is_asked_for_with_a_key_and_happens_once() {
    let tracker = Tracker::begin().await;
    earn(&tracker, 800).await;
    let (item, price) = on_sale(&tracker).await.remove(0);
    let balance = tracker.get("/api/v1/farm/balance").await;
    let path = "/api/v1/shop/purchase";
    let body = Some(json!({ "item": item }));
    let (status, problem) = send(&tracker, Method::POST, path, body).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (400, &json!("Idempotency-Key"))
    );
    let (status, bought) = buy(&tracker, "\"one\"", &item).await;
    assert_eq!(
        (status.as_u16(), bought["price"].as_u64()),
        (201, Some(price))
    );
    let (status, again) = buy(&tracker, "one", &item).await;
    assert_eq!(
        (status.as_u16(), &again["position"]),
        (200, &bought["position"])
    );
    let (status, problem) = buy(&tracker, "one", "another-thing").await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (422, &json!("idempotency-key-reused"))
    );
    let (status, problem) = buy(&tracker, "two", "no-such-thing").await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("item")));
    let after = tracker.get("/api/v1/farm/balance").await;
    let current = |balance: &Value| balance["current_coins"].as_u64().unwrap();
    assert_eq!(current(&after), current(&balance) - price);
    let owned = tracker.get("/api/v1/farm/upgrades").await;
    assert_eq!(owned["upgrades"][0]["slug"], json!(item));
    let purchases = tracker.get("/api/v1/shop/purchases").await;
    assert_eq!(purchases["purchases"].as_array().unwrap().len(), 1);
    let history = tracker.get("/api/v1/farm/balance/history").await;
    let days = history["days"].as_array().unwrap();
    let sum = |member: &str| days.iter().map(|day| day[member].as_u64().unwrap()).sum();
    let last = days.last().unwrap();
    assert_eq!(last["balance"], after["current_coins"]);
    assert_eq!((last["spent"].as_u64(), sum("spent")), (Some(price), price));
    assert_eq!(balance["total_coins"].as_u64(), Some(sum("earned")));
    let position = bought["position"].as_u64().unwrap();
    let past = format!("/api/v1/farm/balance/history?at={position}");
    assert_eq!(tracker.get(&past).await, history);
    let path = format!("/api/v1/ledger?after={}", position - 1);
    let text = tracker.get(&path).await["entries"][0]["text"].clone();
    let expected = format!("was bought for {price} coins.");
    assert!(text.as_str().unwrap().ends_with(&expected), "{text}");
}

#[tokio::test]
async fn a_thousand_buyers_at_once_spend_what_there_is() {
    let tracker = Arc::new(Tracker::begin().await);
    earn(&tracker, 600).await;
    let before = tracker.get("/api/v1/farm/balance").await["current_coins"]
        .as_u64()
        .unwrap();
    let items: Vec<_> = on_sale(&tracker)
        .await
        .into_iter()
        .map(|(item, _)| item)
        .collect();
    let mut buyers = tokio::task::JoinSet::new();
    for n in 0..1_000_usize {
        let (tracker, item) = (tracker.clone(), items[n % items.len()].clone());
        buyers.spawn(async move { buy(&tracker, &format!("buyer-{n}"), &item).await });
    }
    let (mut spent, mut positions) = (0, BTreeSet::new());
    while let Some(answer) = buyers.join_next().await {
        let (status, body) = answer.unwrap();
        match status.as_u16() {
            201 => {
                spent += body["price"].as_u64().unwrap();
                assert!(positions.insert(body["position"].as_u64().unwrap()));
            }
            409 => assert_eq!(body["field"], "item"),
            other => panic!("{other}: {body}"),
        }
    }
    assert!(spent > 0 && spent <= before, "{spent} of {before}");
    let after = tracker.get("/api/v1/farm/balance").await["current_coins"]
        .as_u64()
        .unwrap();
    assert_eq!(after, before - spent);
    assert!(
        on_sale(&tracker)
            .await
            .iter()
            .all(|(_, price)| *price <= after)
    );
}

#[tokio::test]
async fn a_purchase_that_is_asked_for_a_thousand_times_at_once_happens_once() {
    let tracker = Arc::new(Tracker::begin().await);
    earn(&tracker, 800).await;
    let before = tracker.get("/api/v1/farm/balance").await["current_coins"]
        .as_u64()
        .unwrap();
    let (item, price) = on_sale(&tracker).await.remove(0);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (tracker, item) = (tracker.clone(), item.clone());
        tries.spawn(async move { buy(&tracker, "the-one", &item).await });
    }
    let (mut made, mut told) = (0, BTreeSet::new());
    while let Some(answer) = tries.join_next().await {
        let (status, body) = answer.unwrap();
        made += usize::from(status == StatusCode::CREATED);
        assert!(status.is_success(), "{status}: {body}");
        assert_eq!(body["level"], 1);
        told.insert(body["position"].as_u64().unwrap());
    }
    assert_eq!((made, told.len()), (1, 1), "one purchase, told to everyone");
    let after = tracker.get("/api/v1/farm/balance").await["current_coins"].as_u64();
    assert_eq!(after, Some(before - price));
}

#[tokio::test]
async fn the_farm_is_named_and_keeps_its_owners_days() {
    let tracker = Tracker::begin().await;
    let put = |path: &'static str, body: Value| send(&tracker, Method::PUT, path, Some(body));
    assert!(
        put("/api/v1/farm/name", json!({ "name": "Hill farm" }))
            .await
            .0
            .is_success()
    );
    let (status, problem) = put("/api/v1/farm/name", json!({ "name": "" })).await;
    assert_eq!((status.as_u16(), &problem["field"]), (422, &json!("name")));
    let days = json!({ "time_zone": "America/Lima", "working_days": [false, true, true, true, true, true, true] });
    assert!(
        put("/api/v1/farm/calendar", days.clone())
            .await
            .0
            .is_success()
    );
    let mut wrong = days.clone();
    wrong["time_zone"] = json!("Mars/Olympus");
    let (status, problem) = put("/api/v1/farm/calendar", wrong).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("time_zone"))
    );
    // In Lima it is never tomorrow yet, so today is still as it was founded.
    let farm = tracker.get("/api/v1/farm").await;
    assert_eq!(
        (&farm["name"], &farm["time_zone"]),
        (&json!("Hill farm"), &json!("UTC"))
    );
    let calendars = tracker.get("/api/v1/farm/calendar").await;
    let [founded, set] = &calendars["calendars"].as_array().unwrap()[..] else {
        panic!("{calendars}");
    };
    assert_eq!(founded["from"], Value::Null);
    assert_eq!(set["time_zone"], days["time_zone"]);
    assert!(set["from"].as_str().unwrap() > calendars["today"].as_str().unwrap());
    let profile = tracker.get("/api/v1/public/profile").await;
    assert_eq!(profile["name"], "Hill farm");

    let today = now().to_string()[..10].to_owned();
    let path = format!("/api/v1/farm/rest-days/{today}");
    let (status, days) = send(&tracker, Method::PUT, &path, None).await;
    assert_eq!(
        (status.as_u16(), &days["rest_days"]),
        (200, &json!([today]))
    );
    let (_, days) = send(&tracker, Method::DELETE, &path, None).await;
    assert_eq!(days["rest_days"], json!([]));
    for (date, status) in [("someday", 400), ("1999-01-01", 422)] {
        let path = format!("/api/v1/farm/rest-days/{date}");
        let (found, problem) = send(&tracker, Method::PUT, &path, None).await;
        assert_eq!(
            (found.as_u16(), &problem["field"]),
            (status, &json!("date"))
        );
    }
}

#[tokio::test]
async fn rules_and_leagues_are_taken_from_a_file_that_is_checked() {
    let tracker = Tracker::begin().await;
    let first = tracker.get("/api/v1/rules").await;
    let mut rules = first["rules"].clone();
    rules["base_coins"]["toil"] = json!(17);
    let (status, adopted) = send(&tracker, Method::PUT, "/api/v1/rules", Some(rules.clone())).await;
    assert_eq!((status.as_u16(), &adopted["rules"]), (200, &rules));
    let digest = first["digest"].as_str().unwrap();
    let kept = tracker.get(&format!("/api/v1/rules/{digest}")).await;
    assert_eq!(
        kept["rules"],
        serde_json::to_value(RuleSet::default()).unwrap()
    );
    rules["impact_bp"] = json!([1]);
    let (status, problem) = send(&tracker, Method::PUT, "/api/v1/rules", Some(rules.clone())).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("impact_bp"))
    );

    let league = "/api/v1/leagues/harvest";
    let joining = json!({ "name": "Harvest", "rules": first["rules"] });
    let (status, leagues) = send(&tracker, Method::PUT, league, Some(joining)).await;
    assert_eq!(
        (status.as_u16(), &leagues["leagues"][0]["league"]),
        (200, &json!("harvest"))
    );
    earn(&tracker, 30).await;
    let leagues = tracker.get("/api/v1/leagues").await;
    let seasons = leagues["leagues"][0]["seasons"].as_object().unwrap();
    assert!(seasons.values().any(|coins| coins.as_u64() > Some(0)));
    let (_, left) = send(&tracker, Method::DELETE, league, None).await;
    assert!(left["leagues"][0]["left_at"].is_string());
    let (status, _) = send(&tracker, Method::DELETE, "/api/v1/leagues/unknown", None).await;
    assert_eq!(status.as_u16(), 404);
    let broken = json!({ "name": "Harvest", "rules": {} });
    let (status, _) = send(&tracker, Method::PUT, league, Some(broken)).await;
    assert_eq!(status.as_u16(), 422);
}

#[tokio::test]
async fn an_agent_hands_over_its_key_and_asks_for_its_chain_to_resume() {
    let tracker = Tracker::begin().await;
    let mut agent = earn(&tracker, 60).await;
    let id = agent.id;
    let new = SecretKey::from_bytes([77; 32]);
    let text = KeyRotation::sign(id, agent.head.as_ref(), &agent.key, &new, now()).unwrap();
    let path = format!("/api/v1/agents/{id}/rotate");
    let (status, answer) = tracker.post(&path, text.clone()).await;
    assert_eq!(status.as_u16(), 200, "{answer}");
    agent.key = new;
    let other = "/api/v1/agents/0195d2c8-2f5a-7c3e-9b1d-4a6f8e0c2d11/rotate";
    let (status, problem) = tracker.post(other, text).await;
    assert_eq!(
        (status.as_u16(), &problem["field"]),
        (422, &json!("agent_id"))
    );

    let first = tracker.get("/api/v1/proofs?limit=200").await;
    let first = first["proofs"].as_array().unwrap().last().unwrap()["proof_id"].clone();
    let resumes_after = first.as_str().unwrap().parse().unwrap();
    let text = ChainResetRequest::sign(id, Some(resumes_after), &agent.key, now()).unwrap();
    let path = format!("/api/v1/agents/{id}/chain-reset");
    let (status, answer) = tracker.post(&path, text).await;
    assert_eq!(
        (status.as_u16(), &answer["reset_waiting"]),
        (202, &json!(true))
    );
    let listed = tracker.get("/api/v1/agents").await;
    assert_eq!(listed["agents"][0]["reset_asked"]["resumes_after"], first);
    let path = format!("/api/v1/agents/{id}/reset-chain");
    let (status, answer) = send(&tracker, Method::POST, &path, None).await;
    assert_eq!((status.as_u16(), &answer["branch"]), (200, &json!(1)));
    assert_eq!(answer["head"]["proof_id"], first);
    let (status, problem) = send(&tracker, Method::POST, &path, None).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (409, &json!("no-reset-asked"))
    );

    let total = tracker.get("/api/v1/farm").await["total_coins"]
        .as_u64()
        .unwrap();
    let path = format!("/api/v1/agents/{id}/revoke");
    let cut = Some(json!({ "last_good_proof": first }));
    let (status, _) = send(&tracker, Method::POST, &path, cut).await;
    assert_eq!(status.as_u16(), 200);
    let left = tracker.get("/api/v1/farm").await["total_coins"]
        .as_u64()
        .unwrap();
    assert!(left > 0 && left < total, "{left} of {total}");
}
