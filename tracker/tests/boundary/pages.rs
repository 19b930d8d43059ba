//! The owner's dashboard as a browser without scripts uses it, and the layout as devices do.

use farmops_farm::{
    arrangement::Instance,
    catalogue::Owned,
    grid::Cell,
    layout::{Farm, Layout},
};
use farmops_protocol::{proof::Category, time::Timestamp};
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use serde_json::Value;

use crate::{
    cast::TestAgent,
    doors::{FORMS, PAGES, filled},
    leagues::{Village, member, rules},
    parts::abandon,
    server::{Tracker, now},
    villages,
};

/// A browser that has logged in.
struct Browser<'a> {
    tracker: &'a Tracker,
    session: String,
    form_token: String,
}

impl<'a> Browser<'a> {
    async fn log_in(tracker: &'a Tracker) -> Self {
        let form = [("token", tracker.token.as_str())];
        let answer = post(tracker, "/login", &form, "").await;
        let session = cookie(&answer, "farmops_session").unwrap();
        let mut browser = Self {
            tracker,
            session,
            form_token: String::new(),
        };
        let text = browser.text("/settings").await;
        browser.form_token = value_after(&text, "name=\"form_token\" value=\"");
        browser
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.tracker.anyone(Method::GET, path);
        request.header(COOKIE, &self.session).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut form = vec![("form_token", self.form_token.as_str())];
        form.extend(fields);
        post(self.tracker, path, &form, &self.session).await
    }

    /// Sends a form that is carried out, and reads the page after it.
    async fn done(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.send(path, fields).await;
        let status = answer.status();
        assert_eq!(status, StatusCode::SEE_OTHER, "{path} {fields:?}");
        let next = answer.headers()[LOCATION].to_str().unwrap().to_owned();
        let told = cookie(&answer, "farmops_told").unwrap();
        let request = self.tracker.anyone(Method::GET, &next);
        let cookies = format!("{}; {told}", self.session);
        let page = request.header(COOKIE, cookies).send().await.unwrap();
        assert!(cookie(&page, "farmops_told").is_some_and(|told| told.ends_with('=')));
        page.text().await.unwrap()
    }

    /// Sends a form that is refused: the page says at which field.
    async fn refused(&self, path: &str, fields: &[(&str, &str)], at: &str) -> String {
        let answer = self.send(path, fields).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{path} {fields:?}"
        );
        assert!(text.contains(&format!("href=\"#{at}\"")), "{path}: {at}");
        assert!(text.contains(&format!("id=\"{at}\"")), "{path}: {at}");
        text
    }
}

async fn post(tracker: &Tracker, path: &str, form: &[(&str, &str)], cookies: &str) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = tracker
        .anyone(Method::POST, path)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(COOKIE, cookies);
    request.body(body).send().await.unwrap()
}

fn cookie(answer: &Response, name: &str) -> Option<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter();
    let mut pairs = set.filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    pairs.find(|pair| pair.starts_with(name)).map(str::to_owned)
}

fn value_after(text: &str, marker: &str) -> String {
    let at = text.find(marker).unwrap() + marker.len();
    text[at..].split('"').next().unwrap().to_owned()
}

/// An agent whose work has brought many coins, and its last proof.
async fn earn(tracker: &Tracker) -> (TestAgent, String) {
    let mut agent = tracker.trusted(1).await;
    let mut last = String::new();
    for number in 0..60 {
        let when = now().saturating_add((number - 70) * 7_000);
        let proof = agent.work(Category::Incident, when);
        tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
        last = proof.body().proof_id.to_string();
    }
    (agent, last)
}

#[tokio::test]
async fn every_page_is_there_for_its_owner_empty_and_full() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let visit = async |proof: Option<&str>| {
        for path in ["/"].into_iter().chain(PAGES) {
            let path = match proof {
                Some(proof) => path.replace("{id}", proof),
                None if path.contains("{id}") => continue,
                None => path.to_owned(),
            };
            let answer = browser.get(&path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let policy = answer.headers()["content-security-policy"]
                .to_str()
                .unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
            assert_eq!(policy.contains("script-src"), path == "/arrange", "{path}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let text = answer.text().await.unwrap();
            assert_eq!(text.matches("<h1").count(), 1, "{path}");
            assert!(text.contains("<link rel=\"icon\" href=\"/assets/icon.svg\""));
            for harm in ["<script>", " style=\"", " onclick="] {
                assert!(!text.contains(harm), "{path} has {harm}");
            }
        }
    };
    visit(None).await;
    let text = browser.text("/").await;
    assert!(text.contains("farmops-agent --config agent.yaml --tracker-url"));
    let (_, proof) = earn(&tracker).await;
    visit(Some(&proof)).await;
    let ledger = browser.text("/settings/ledger.jsonl").await;
    let size = tracker.get("/api/v1/farm").await["ledger_size"]
        .as_u64()
        .unwrap();
    assert_eq!(ledger.lines().count() as u64, size);
    let archive = browser.get("/settings/farm.tar").await;
    let file = tracker.folder.path().join("taken.tar");
    std::fs::write(&file, archive.bytes().await.unwrap()).unwrap();
    let checked = tokio::process::Command::new(env!("CARGO_BIN_EXE_farmops-tracker"))
        .args(["import", "--check", "--json"])
        .arg(&file)
        .output();
    let checked = checked.await.unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let report: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(report["entries"], size);
    let filtered = browser.text("/proofs?category=toil").await;
    assert!(filtered.contains("No proof is like that"));
    let first = browser.text("/proofs?category=incident").await;
    let next = value_after(&first, "<a href=\"/proofs?category=incident");
    let next = format!("/proofs?category=incident{}", next.replace("&#38;", "&"));
    assert!(browser.text(&next).await.contains("Latest</a>"));
}

#[tokio::test]
async fn a_password_manager_finds_whose_token_it_is() {
    let tracker = Tracker::begin().await;
    let answer = tracker.anyone(Method::GET, "/login").send().await.unwrap();
    let text = answer.text().await.unwrap();
    let name = text.find("autocomplete=\"username\" hidden").unwrap();
    assert!(name < text.find("autocomplete=\"current-password\"").unwrap());
}

#[tokio::test]
async fn a_form_without_its_token_is_refused() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let other = Browser::log_in(&tracker).await;
    let before = tracker.projections().await;
    for (_, path) in FORMS {
        for token in ["", "x", other.form_token.as_str()] {
            let form = [
                ("form_token", token),
                ("name", "Mine"),
                ("day", "2026-12-24"),
            ];
            let answer = post(&tracker, &filled(path), &form, &browser.session).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        }
    }
    assert_eq!(tracker.projections().await, before);
}

#[tokio::test]
async fn a_button_pressed_twice_buys_once() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    earn(&tracker).await;
    let shop = browser.text("/shop").await;
    let item = value_after(&shop, "name=\"item\" value=\"");
    let key = value_after(&shop, "name=\"key\" value=\"");
    let fields = [("item", item.as_str()), ("key", key.as_str())];
    let (first, second) = tokio::join!(
        browser.send("/shop/buy", &fields),
        browser.send("/shop/buy", &fields)
    );
    assert_eq!(first.status(), StatusCode::SEE_OTHER);
    assert_eq!(second.status(), StatusCode::SEE_OTHER);
    let bought = tracker.get("/api/v1/shop/purchases").await;
    assert_eq!(bought["purchases"].as_array().unwrap().len(), 1);
    let text = browser.done("/shop/buy", &fields).await;
    assert!(text.contains("it was bought once"));
    let fields = [("item", "nothing-like-it"), ("key", "other")];
    let refused = browser.send("/shop/buy", &fields).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_farm_is_run_without_scripts() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let text = browser
        .done("/settings/name", &[("name", "Hill & dale")])
        .await;
    assert!(text.contains("role=\"status\"") && text.contains("Hill &#38; dale"));
    browser
        .refused("/settings/name", &[("name", "")], "name")
        .await;

    let text = browser.done("/days/rest", &[("day", "2026-12-24")]).await;
    assert!(text.contains("24 Dec 2026 is a day of rest."));
    let work = [("day", "2026-12-24"), ("work", "1")];
    assert!(
        browser
            .done("/days/rest", &work)
            .await
            .contains("no longer")
    );
    browser
        .refused("/days/rest", &[("day", "soon")], "rest-day")
        .await;
    let calendar = [("time_zone", "Europe/Berlin"), ("mon", "on")];
    let text = browser.done("/days/calendar", &calendar).await;
    assert!(text.contains("value=\"Europe/Berlin\""));
    let nowhere = [("time_zone", "Mars/Olympus"), ("tue", "on")];
    let text = browser
        .refused("/days/calendar", &nowhere, "time-zone")
        .await;
    assert!(text.contains("Mars/Olympus") && text.contains("aria-invalid"));
    assert!(text.contains("name=\"tue\" checked") && !text.contains("name=\"mon\" checked"));
    let never = [("time_zone", "Asia/Tokyo")];
    let text = browser
        .refused("/days/calendar", &never, "working-days")
        .await;
    assert!(text.contains("Asia/Tokyo") && !text.contains("name=\"mon\" checked"));

    let agent = TestAgent::new(3);
    tracker.enrol(&agent).await;
    let page = browser.text("/agents").await;
    assert!(page.contains(&agent.key.public().fingerprint().to_string()));
    let path = format!("/agents/{}", agent.id);
    let field = format!("fingerprint-{}", agent.id);
    let wrong = [("fingerprint", "1234")];
    browser
        .refused(&format!("{path}/approve"), &wrong, &field)
        .await;
    let shown = agent.key.public().fingerprint().to_string();
    browser
        .done(&format!("{path}/approve"), &[("fingerprint", &shown)])
        .await;
    let none = [("last_good", "none")];
    let text = browser.done(&format!("{path}/revoke"), &none).await;
    assert!(text.contains("revoked</span>"));
    let stranger = TestAgent::new(4);
    tracker.enrol(&stranger).await;
    browser
        .done(&format!("/agents/{}/dismiss", stranger.id), &[])
        .await;

    let rules = tracker.get("/api/v1/rules").await["rules"].to_string();
    browser.done("/rules", &[("rules", &rules)]).await;
    browser
        .refused("/rules", &[("rules", "{")], "rules-file")
        .await;
    browser
        .refused("/villages/join", &[("url", "orchard")], "village-url")
        .await;
    let nowhere = [("village", "https://orchard.example")];
    let text = browser
        .refused("/villages/leave", &nowhere, "villages")
        .await;
    assert!(text.contains("The farm is in no such village."));
    browser
        .refused("/people/follow", &[("handle", "bob")], "handle")
        .await;
}

#[tokio::test]
async fn a_villages_league_is_looked_at_joined_and_left_without_scripts() {
    let orchard = Village::start().await;
    let tracker = member(&orchard).await;
    let browser = Browser::log_in(&tracker).await;
    let villages = browser.text("/villages").await;
    let link = value_after(&villages, "<a href=\"/villages/leagues?");
    let look = format!("/villages/leagues?{link}");
    assert!(browser.text(&look).await.contains("has no leagues"));
    let first = orchard.supplies(&rules(40)).to_string();
    let shown = browser.text(&look).await;
    assert!(
        shown.contains("<th scope=\"row\"><code>base_coins.toil</code></th><td>15</td><td>40</td>")
    );
    assert_eq!(value_after(&shown, "name=\"digest\" value=\""), first);
    assert!(!browser.text("/villages").await.contains("Harvest league"));
    let form = [
        ("village", orchard.url.as_str()),
        ("league", "harvest"),
        ("digest", &first),
    ];
    let text = browser.done("/villages/leagues", &form).await;
    assert!(text.contains("<h3>Harvest league</h3>"), "{text}");
    assert!(!text.contains("has changed the rules"), "{text}");

    let second = orchard.supplies(&rules(50)).to_string();
    let text = browser
        .refused("/villages/leagues", &form, "supplied")
        .await;
    assert!(text.contains("has other rules by now"), "{text}");
    assert!(text.contains("<td>40</td><td>50</td>"), "{text}");
    let text = browser.text("/villages").await;
    assert!(
        text.contains("has changed the rules of this league"),
        "{text}"
    );
    let changed = [form[0], form[1], ("digest", second.as_str())];
    let text = browser.done("/villages/leagues", &changed).await;
    assert!(!text.contains("has changed the rules"), "{text}");

    let harm = orchard.supplies(&rules(60));
    orchard.says("/harvest", 200, "<script>alert(1)</script>");
    let answer = browser.get(&look).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("href=\"#supplied\"") && !text.contains("<script>"),
        "{harm}"
    );
    browser
        .refused("/villages/leagues", &[("digest", "x")], "supplied")
        .await;
    let elsewhere = [("village", "https://a.example"), form[1], form[2]];
    browser
        .refused("/villages/leagues", &elsewhere, "supplied")
        .await;

    let leave = "/villages/leagues/leave";
    browser
        .refused(leave, &[("league", "spring")], "leagues")
        .await;
    let text = browser.done(leave, &[("league", "harvest")]).await;
    assert!(text.contains("left on"), "{text}");
}

#[tokio::test]
async fn a_membership_that_the_village_ended_is_told_and_taken_off_the_list() {
    let tracker = Tracker::begin().await;
    let orchard = villages::village(201, villages::welcome).await;
    villages::join(&tracker, serde_json::json!({ "url": orchard.url })).await;
    let browser = Browser::log_in(&tracker).await;
    let before = browser.text("/villages").await;
    assert!(before.contains("member</span>") && !before.contains("has ended"));
    villages::follows(&tracker, &orchard, None).await;
    let text = browser.text("/villages").await;
    assert!(
        text.contains("The village has ended the membership"),
        "{text}"
    );
    assert!(!text.contains("member</span>"), "{text}");
    let form = [("village", orchard.url.as_str()), ("forget", "on")];
    let text = browser.done("/villages/leave", &form).await;
    assert!(text.contains("The farm is in no village yet"), "{text}");
}

#[tokio::test]
async fn what_a_form_did_is_told_to_its_own_session_only() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let forged = format!("{}; farmops_told=4869.00", browser.session);
    let request = tracker
        .anyone(Method::GET, "/settings")
        .header(COOKIE, forged);
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("role=\"status\""));
}

/// A piece of the farm that stands on the ground, after buying one.
async fn piece(tracker: &Tracker, browser: &Browser<'_>) -> String {
    earn(tracker).await;
    for _ in 0..8 {
        let shop = browser.text("/shop").await;
        let item = value_after(&shop, "name=\"item\" value=\"");
        let key = value_after(&shop, "name=\"key\" value=\"");
        browser
            .send("/shop/buy", &[("item", &item), ("key", &key)])
            .await;
        let page = browser.text("/arrange").await;
        if page.contains("data-instance=\"") {
            return value_after(&page, "data-instance=\"");
        }
    }
    panic!("nothing that was bought stands on the ground");
}

async fn layout(tracker: &Tracker) -> Vec<u8> {
    let request = tracker.owner(Method::GET, "/api/v1/farm/layout");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.bytes().await.unwrap().to_vec()
}

async fn merge(tracker: &Tracker, bytes: Vec<u8>) -> (StatusCode, Vec<u8>) {
    let request = tracker
        .owner(Method::POST, "/api/v1/farm/layout/changes")
        .header(CONTENT_TYPE, "application/octet-stream");
    let answer = request.body(bytes).send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn two_devices_arrange_the_farm_apart_and_meet_on_the_tracker() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let instance: Instance = piece(&tracker, &browser).await.parse().unwrap();
    let view = tracker.get("/api/v1/farm/upgrades").await;
    let owned: Vec<Owned> = view["upgrades"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owned| Owned {
            slug: owned["slug"].as_str().unwrap().to_owned(),
            level: owned["level"].as_u64().unwrap(),
        })
        .collect();
    let level = tracker.get("/api/v1/farm").await["level"].as_u64().unwrap();
    let farm = Farm {
        owned: &owned,
        level,
    };
    let start = layout(&tracker).await;
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let mut phone = Layout::load(&start, [1; 16]).unwrap();
    let mut laptop = Layout::load(&start, [2; 16]).unwrap();
    phone
        .rename(farm, &instance, "Old Bess", at(1_800_000_000))
        .unwrap();
    let mut free = (0..16).flat_map(|y| (0..16).map(move |x| Cell { x, y }));
    let cell = free
        .rfind(|cell| {
            let mut trial = laptop.clone();
            trial
                .place(farm, &instance, *cell, at(1_800_000_001))
                .is_ok()
        })
        .unwrap();
    laptop
        .place(farm, &instance, cell, at(1_800_000_001))
        .unwrap();

    let picture = async || {
        let request = tracker.anyone(Method::GET, "/farm.svg");
        request.send().await.unwrap().text().await.unwrap()
    };
    let before = picture().await;
    // Whoever sends a change and goes away has sent it all the same.
    let app = tracker.running().app.clone();
    abandon(Box::pin(app.desk.merge(&app, phone.save()))).await;
    let (status, both) = merge(&tracker, laptop.save()).await;
    assert_eq!(status, StatusCode::OK);
    phone.merge(&both).unwrap();
    laptop.merge(&both).unwrap();
    assert_eq!(phone.heads(), laptop.heads());
    let shown = phone.view(farm.owned, farm.level);
    let placed = shown.find(&instance).unwrap();
    assert_eq!(placed.cell, cell);
    assert_eq!(placed.name.as_deref(), Some("Old Bess"));
    assert_ne!(picture().await, before, "the public picture follows");
    let marked = format!(
        "data-instance=\"{instance}\" data-x=\"{}\" data-y=\"{}\"",
        cell.x, cell.y
    );
    assert!(browser.text("/arrange").await.contains(&marked));

    let (status, _) = merge(&tracker, b"no layout".to_vec()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(layout(&tracker).await, both);
    // It is kept over a restart.
    let tracker = tracker.restart().await;
    assert_eq!(layout(&tracker).await, both);
}

#[tokio::test]
async fn pieces_are_placed_by_numbers_and_by_the_script() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let piece = piece(&tracker, &browser).await;
    let text = browser
        .done(
            "/arrange/place",
            &[("piece", &piece), ("to", "shed"), ("x", ""), ("y", "")],
        )
        .await;
    assert!(text.contains("(in the shed)"));
    let text = browser
        .done("/arrange/place", &[("piece", &piece), ("to", "usual")])
        .await;
    assert!(!text.contains("(in the shed)"));
    let named = [("piece", piece.as_str()), ("name", "Old <Bess>")];
    let text = browser.done("/arrange/name", &named).await;
    assert!(text.contains("Old &#60;Bess&#62;") && !text.contains("<Bess>"));
    let house = [
        ("piece", piece.as_str()),
        ("to", "cell"),
        ("x", "2"),
        ("y", "2"),
    ];
    let text = browser.refused("/arrange/place", &house, "cell-x").await;
    assert!(text.contains("House and fields stay where they are."));
    let stranger = [
        ("piece", "castle.1"),
        ("to", "cell"),
        ("x", "9"),
        ("y", "9"),
    ];
    browser.refused("/arrange/place", &stranger, "piece").await;

    let form = format!(
        "form_token={}&piece={piece}&x=2&y=2&to=cell",
        browser.form_token
    );
    let request = tracker
        .anyone(Method::POST, "/arrange/place")
        .header(COOKIE, &browser.session)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("accept", "application/json");
    let answer = request
        .body(form.replace("to=cell", "to=shed"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let moved: serde_json::Value = answer.json().await.unwrap();
    assert!(moved["picture"].as_str().unwrap().starts_with("<svg "));
    assert_eq!(moved["told"], "It is in the shed now.");
    let listed = moved["pieces"][&piece].as_str().unwrap();
    assert!(listed.ends_with(" (in the shed)"), "{listed}");
    let option = format!(">{listed}</option>").replace("<Bess>", "&#60;Bess&#62;");
    assert!(browser.text("/arrange").await.contains(&option), "{option}");
}

#[tokio::test]
async fn tokens_are_made_and_revoked_without_scripts() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let path = "/settings/tokens";
    let asked = [("label", "night shift"), ("read", "on"), ("days", "30")];
    let answer = browser.send(path, &asked).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let shown = answer.text().await.unwrap();
    let at = shown.find("farmops_").unwrap();
    let token: String = shown[at..].chars().take_while(|c| *c != '<').collect();
    let farm = |token: String| {
        tracker
            .anyone(Method::GET, "/api/v1/farm")
            .bearer_auth(token)
    };
    let answer = farm(token.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let list = browser.text(path).await;
    assert!(list.contains("night shift") && list.contains("used last"));
    assert!(!list.contains(&token), "it is shown once");
    let refused = browser.refused(path, &asked, "token-label").await;
    assert!(refused.contains("value=\"night shift\"") && refused.contains("name=\"read\" checked"));
    browser
        .refused(path, &[("label", "x")], "token-scopes")
        .await;
    let past = [("label", "x"), ("read", "on"), ("days", "0")];
    browser.refused(path, &past, "token-days").await;
    let revoke = "/settings/tokens/revoke";
    browser.refused(revoke, &[("label", "x")], "tokens").await;
    let told = browser.done(revoke, &[("label", "night shift")]).await;
    assert!(told.contains("“night shift” opens nothing any more."));
    let answer = farm(token).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let other = Browser::log_in(&tracker).await;
    let answer = browser.send("/settings/sessions/end", &[]).await;
    assert_eq!(answer.headers()[LOCATION], "/login");
    for ended in [&browser, &other] {
        assert_eq!(ended.get("/settings").await.status(), StatusCode::SEE_OTHER);
        let answer = ended.send("/settings/name", &[("name", "Mine")]).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    // They stay ended, and a new one is as good as ever.
    let session = other.session.clone();
    let tracker = tracker.restart().await;
    let request = tracker
        .anyone(Method::GET, "/settings")
        .header(COOKIE, session);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
    Browser::log_in(&tracker).await.text("/settings").await;
}

#[tokio::test]
async fn what_is_decided_about_agents_is_told_once_with_what_it_brings() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let (agent, _) = earn(&tracker).await;
    let shop = browser.text("/shop").await;
    assert!(!shop.contains("pay for them first"));
    let item = value_after(&shop, "name=\"item\" value=\"");
    let key = value_after(&shop, "name=\"key\" value=\"");
    let fields = [("item", item.as_str()), ("key", key.as_str())];
    browser.done("/shop/buy", &fields).await;
    let spent = tracker.get("/api/v1/farm/balance").await["spent_coins"].clone();

    let path = format!("/agents/{}/revoke", agent.id);
    assert!(browser.text("/agents").await.contains("action=\"/agents/"));
    let text = browser.done(&path, &[("last_good", "none")]).await;
    assert!(text.contains("is revoked. 60 proofs and "), "{text}");
    assert!(!text.contains("Take back more"));
    let text = browser.done(&path, &[("last_good", "none")]).await;
    assert!(text.contains("was revoked already; nothing has changed."));
    for page in ["/shop", "/coins"] {
        let owed = format!("The next {spent} that you earn pay for them first.");
        assert!(browser.text(page).await.contains(&owed), "{page}: {owed}");
    }

    let waiting = TestAgent::new(2);
    tracker.enrol(&waiting).await;
    let path = format!("/agents/{}/dismiss", waiting.id);
    let text = browser.done(&path, &[]).await;
    assert!(text.contains("was sent away. It had sent nothing."));
    assert!(text.contains(">sent away</span>"));
    let text = browser.done(&path, &[]).await;
    assert!(text.contains("was sent away already"));

    let agent = tracker.trusted(3).await;
    let print = agent.key.public().fingerprint().to_string();
    let path = format!("/agents/{}/approve", agent.id);
    let text = browser.done(&path, &[("fingerprint", &print)]).await;
    assert!(text.contains("was approved already"));
}

#[tokio::test]
async fn an_agent_was_heard_of_when_its_last_proof_came() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let mut agent = tracker.trusted(1).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let proof = agent.work(Category::Incident, now());
    tracker.post("/api/v1/proofs", proof.bytes().to_vec()).await;
    let text = browser.text("/agents").await;
    let heard = value_after(&text, "Last heard of on <time datetime=\"");
    let last = value_after(&text, "the last of <time datetime=\"");
    assert!(heard >= last, "{heard} is before {last}");
}

#[tokio::test]
async fn the_bar_of_the_level_says_what_stands_beside_it() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    earn(&tracker).await;
    let text = browser.text("/").await;
    let bar = value_after(&text, "<progress id=\"level\" max=\"");
    let at = value_after(&text, &format!("max=\"{bar}\" value=\""));
    let number = |text: &str| farmops_farm::grouped(text.parse().unwrap());
    let said = format!(": {} of {} coins</label>", number(&at), number(&bar));
    assert!(text.contains(&said), "{said}");
}

#[tokio::test]
async fn a_browser_is_refused_in_words_and_shown_a_way_on() {
    let tracker = Tracker::begin().await;
    let browser = Browser::log_in(&tracker).await;
    let unknown = "/proofs/019c79c9-e340-7000-8000-000000000101";
    let ask = async |method, path, cookies: &str, accept| {
        let request = tracker.anyone(method, path).header(COOKIE, cookies);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = request.header("accept", accept).send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        (status, headers, answer.text().await.unwrap())
    };
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    for (path, status, words) in [
        ("/nope", 404, "There is no such page."),
        (unknown, 404, "There is no such proof."),
        ("/proofs/foo", 400, "“id” in it: expected a UUID like"),
        (
            "/coins?days=abc",
            400,
            "“days” in it: expected a whole number.",
        ),
        ("/shop/buy", 405, "what a form sends"),
    ] {
        let (answered, headers, text) = ask(Method::GET, path, &browser.session, html).await;
        assert_eq!(answered.as_u16(), status, "{path}");
        assert!(headers[CONTENT_TYPE].as_bytes().starts_with(b"text/html"));
        assert!(headers["content-security-policy"] != "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(text.contains(words), "{path}: {text}");
        assert!(text.contains("To the overview") && text.contains("action=\"/logout\""));
        let (_, headers, _) = ask(Method::GET, path, &browser.session, "application/json").await;
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{path}");
    }
    let (status, _, text) = ask(Method::GET, "/nope", "", html).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("href=\"/login\"") && !text.contains("/logout"));
    for cookies in ["", browser.session.as_str()] {
        let (status, _, text) = ask(Method::POST, "/settings/name", cookies, html).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains("Nothing was changed") && text.contains("href=\"/login\""));
    }
    for path in ["/api/v1/nope", "/ap/nobody", "/.well-known/webfinger"] {
        let (status, headers, _) = ask(Method::GET, path, &browser.session, html).await;
        assert!(status.is_client_error(), "{path}");
        assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{path}");
    }
}
