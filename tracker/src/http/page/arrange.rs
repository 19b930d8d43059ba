//! Arranging the farm: by hand or by keys in the picture, or without a script by a form.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use farmops_farm::{
    arrangement::{Arrangement, Instance},
    catalogue::Catalogue,
    grid::Cell,
    layout::{EditError, Farm, Layout},
    scene, svg,
};
use farmops_protocol::time::Timestamp;
use farmops_service::problem::Problem;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_SECURITY_POLICY},
};
use serde::Serialize;

use super::{
    frame::{Fault, Frame, Owner, OwnersForm, done, sentence},
    framed,
};
use crate::{app::App, desk::DeskError, domain::FarmView, http::farm::figures};

/// As other pages, and its one script, which asks this tracker only.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// A piece with where it is.
struct Piece {
    instance: String,
    /// What it is, and which one of several.
    kind: String,
    /// The name that its owner gave it.
    name: String,
    cell: Option<Cell>,
}

impl Piece {
    /// Which it is and where it is, as it is listed.
    fn listed(&self) -> String {
        let name = match self.name.as_str() {
            "" => String::new(),
            name => format!(", “{name}”"),
        };
        let place = match self.cell {
            Some(Cell { x, y }) => format!("column {x}, row {y}"),
            None => "in the shed".to_owned(),
        };
        format!("{}{name} ({place})", self.kind)
    }
}

#[derive(Template)]
#[template(path = "arrange.html")]
struct ArrangePage {
    frame: Frame,
    /// Drawn by the farm crate, which escapes what it writes.
    picture: String,
    pieces: Vec<Piece>,
    side: u8,
}

/// Shows the farm on its grid.
pub(in crate::http) async fn show(State(app): State<App>, owner: Owner) -> Response {
    page(&app, (owner, None)).await
}

async fn page(app: &App, shown: (Owner, Option<Fault>)) -> Response {
    gather(app, shown).await.into_response()
}

async fn gather(app: &App, (owner, fault): (Owner, Option<Fault>)) -> Result<Response, Problem> {
    let farm = figures(app).await?;
    let arrangement = app.desk.view(app, &farm).await?;
    let page = ArrangePage {
        picture: picture(app, &farm).await?,
        pieces: pieces(&farm, &arrangement),
        side: arrangement.side(),
        frame: owner.frame(&farm, "/arrange", fault),
    };
    let mut response = framed(app, &page.frame, &page)?;
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Every piece, first what stands on the ground.
fn pieces(farm: &FarmView, arrangement: &Arrangement) -> Vec<Piece> {
    let placed = arrangement.placed().iter();
    let placed = placed.map(|piece| (&piece.instance, &piece.name, Some(piece.cell)));
    let shed = arrangement.shed().iter();
    let shed = shed.map(|piece| (&piece.instance, &piece.name, None));
    placed
        .chain(shed)
        .map(|(instance, name, cell)| described(farm, instance, name.as_deref(), cell))
        .collect()
}

fn described(farm: &FarmView, piece: &Instance, name: Option<&str>, cell: Option<Cell>) -> Piece {
    let item = Catalogue::builtin().item(&piece.item);
    let kind = item.map_or(piece.item.as_str(), |item| &item.name);
    let owned = farmops_farm::catalogue::level_of(&farm.upgrades, &piece.item);
    let several = item.is_some_and(|item| item.pieces(owned) > 1);
    Piece {
        instance: piece.to_string(),
        kind: if several {
            format!("{kind} {}", piece.nth)
        } else {
            kind.to_owned()
        },
        name: name.unwrap_or_default().to_owned(),
        cell,
    }
}

async fn picture(app: &App, farm: &FarmView) -> Result<String, Problem> {
    let arrangement = app.desk.view(app, farm).await?;
    let options = svg::Options {
        editable: true,
        grid: true,
        ..svg::Options::default()
    };
    let drawing = farm.drawing(app.now());
    let scene = scene::compose_arranged(&drawing, &arrangement);
    Ok(svg::draw(&scene, &options))
}

/// What the script gets for a move.
#[derive(Serialize)]
struct Moved {
    told: String,
    picture: String,
    /// How the pieces are listed now, by instance.
    pieces: BTreeMap<String, String>,
}

async fn moved(app: &App, told: String, farm: &FarmView) -> Result<Json<Moved>, Problem> {
    let arrangement = app.desk.view(app, farm).await?;
    let pieces = pieces(farm, &arrangement).into_iter();
    Ok(Json(Moved {
        told,
        picture: picture(app, farm).await?,
        pieces: pieces
            .map(|piece| (piece.instance.clone(), piece.listed()))
            .collect(),
    }))
}

/// Puts a piece somewhere, into the shed, or back to its usual place.
pub(in crate::http) async fn place(
    State(app): State<App>,
    headers: HeaderMap,
    form: OwnersForm,
) -> Response {
    let instance = form.fields.text("piece").parse::<Instance>();
    let number = |name: &str| form.fields.text(name).parse::<u8>().ok();
    let wish = match (form.fields.text("to"), number("x"), number("y")) {
        ("shed", ..) => Some(Wish::Shed),
        ("usual", ..) => Some(Wish::Usual),
        (_, Some(x), Some(y)) => Some(Wish::At(Cell { x, y })),
        _ => None,
    };
    let outcome = match (instance, wish) {
        (Ok(instance), Some(wish)) => {
            let told = wish.told();
            let edit = move |layout: &mut Layout, farm: Farm<'_>, now: Timestamp| match wish {
                Wish::At(cell) => layout.place(farm, &instance, cell, now),
                Wish::Shed => layout.remove(farm, &instance, now),
                Wish::Usual => layout.reset(farm, &instance, now),
            };
            changed(&app, edit).await.map(|farm| (told, farm))
        }
        (Err(error), _) => Err(Refused::Field("piece", error.to_string())),
        (_, None) => Err(Refused::Field(
            "cell-x",
            "Say the column and the row.".to_owned(),
        )),
    };
    let scripted = headers
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    match outcome {
        Ok((told, farm)) if scripted => moved(&app, told, &farm).await.into_response(),
        Ok((told, _)) => done(&app, "/arrange", &told),
        Err(Refused::Problem(problem)) => problem.into_response(),
        Err(Refused::Field(field, reason)) if scripted => {
            Problem::unprocessable(field, reason).into_response()
        }
        Err(Refused::Field(field, reason)) => page(&app, form.fault(field, reason)).await,
    }
}

/// Gives a piece a name.
pub(in crate::http) async fn rename(State(app): State<App>, form: OwnersForm) -> Response {
    let Ok(instance) = form.fields.text("piece").parse::<Instance>() else {
        return page(&app, form.fault("named", "Choose a piece of the farm.")).await;
    };
    let name = form.fields.text("name").to_owned();
    let edit = move |layout: &mut Layout, farm: Farm<'_>, now: Timestamp| {
        layout.rename(farm, &instance, &name, now)
    };
    match changed(&app, edit).await {
        Ok(_) => done(&app, "/arrange", "The name is kept."),
        Err(Refused::Field(_, reason)) => page(&app, form.fault("piece-name", reason)).await,
        Err(Refused::Problem(problem)) => problem.into_response(),
    }
}

/// Where a piece is to go.
#[derive(Clone, Copy)]
enum Wish {
    At(Cell),
    Shed,
    Usual,
}

impl Wish {
    fn told(self) -> String {
        match self {
            Self::At(Cell { x, y }) => format!("It stands at column {x}, row {y} now."),
            Self::Shed => "It is in the shed now.".to_owned(),
            Self::Usual => "It is back at its usual place.".to_owned(),
        }
    }
}

/// Why a piece stays where it is.
enum Refused {
    Field(&'static str, String),
    Problem(Problem),
}

async fn changed(
    app: &App,
    edit: impl Fn(&mut Layout, Farm<'_>, Timestamp) -> Result<(), EditError> + Send + Sync + 'static,
) -> Result<FarmView, Refused> {
    let farm = figures(app).await.map_err(Refused::Problem)?;
    match app.desk.edit(app, &farm, edit).await {
        Ok(()) => Ok(farm),
        Err(DeskError::Edit(reason)) => {
            let field = match reason {
                EditError::NotOwned(_) => "piece",
                _ => "cell-x",
            };
            Err(Refused::Field(field, reason.to_string()))
        }
        Err(DeskError::Write(error)) => Err(Refused::Field("piece", sentence(&error))),
        Err(error) => Err(Refused::Problem(error.into())),
    }
}
