//! From a laid-out farm to an SVG document: one deterministic function for pages, embeds and posts.
//!
//! The document is alone in the world: no script, no style sheet, no reference outside itself, and its
//! ids are its own, so that any number of farms stand on one page. All text in it is escaped.

use crate::scene::{Scene, Sprite, Thing, scatter};

mod animals;
mod barnyard;
mod buildings;
mod crops;
mod editing;
mod fence;
mod festive;
mod gadgets;
mod ground;
mod house;
mod landmarks;
mod ornaments;
mod palette;
mod pen;
mod plants;
mod plaque;
mod solid;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod workshops;

use pen::Pen;

/// Width of the picture in its own units.
pub const WIDTH: i32 = 1200;
/// Height of the picture in its own units.
pub const HEIGHT: i32 = 840;

/// By day or by night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Sun and clouds.
    #[default]
    Day,
    /// Moon, stars and lit windows: for dark pages.
    Night,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// By day or by night.
    pub theme: Theme,
    /// Width in pixels to be written on the document; without it, the page decides.
    pub width_px: Option<u32>,
    /// Whether the picture is one to arrange the farm in: each piece is then a group with
    /// `data-instance`, `data-x`, `data-y`, `data-width` and `data-depth` (cells), an accessible name and
    /// the keyboard's focus.
    pub editable: bool,
    /// Whether the cells of the grid are drawn over the ground.
    pub grid: bool,
}

/// Draws the farm. The same scene and options give the same bytes everywhere.
pub fn draw(scene: &Scene, options: &Options) -> String {
    let mut pen = Pen::new(palette::of(scene.season), id_prefix(scene, options.theme));
    ground::sky(&mut pen, scene, options.theme);
    ground::island(&mut pen, scene, options.theme);
    if options.grid {
        editing::grid(&mut pen, scene);
    }
    fence::back(&mut pen, scene.fence);
    for thing in &scene.things {
        let tenths = size(thing.sprite);
        let piece = thing.piece.filter(|_| options.editable);
        match piece.and_then(|index| scene.pieces.get(index)) {
            Some(piece) => editing::piece(&mut pen, thing, piece, tenths),
            None => pen.standing(thing.x, thing.y, tenths, |pen| sprite(pen, thing)),
        }
    }
    fence::front(&mut pen, scene.fence);
    let (shapes, glow) = pen.finish();
    let mut document = opening(scene, options);
    document.push_str(&shapes);
    if options.theme == Theme::Night {
        // Dusk over everything, and then what shines.
        document.push_str("<path fill=\"#141b4a\" fill-opacity=\".42\" d=\"M0 0h1200v840H0z\"/>");
        document.push_str(&glow);
    }
    plaque::write(&mut document, scene);
    document.push_str("</svg>");
    document
}

fn opening(scene: &Scene, options: &Options) -> String {
    let size = options.width_px.map_or_else(String::new, |width| {
        let height = u64::from(width) * 7 / 10;
        format!(" width=\"{width}\" height=\"{height}\"")
    });
    // What is inside an image is hidden from those who listen to it, so an editable one is a group.
    let role = if options.editable { "group" } else { "img" };
    let title = text::escape(&text::display_name(&scene.name));
    let desc = text::escape(&scene.alt);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\"{size} role=\"{role}\"><title>{title}</title><desc>{desc}</desc>"
    )
}

/// No offset from the foot.
const HERE: (i32, i32) = (0, 0);

/// What the ids of this picture start with: a hash of all that decides how it looks, so that ids of
/// two farms on a page never name different shapes.
fn id_prefix(scene: &Scene, theme: Theme) -> String {
    // The texts as they are: how `Debug` writes a text may change with the compiler.
    let looks = (
        &scene.things,
        scene.season,
        scene.path,
        scene.fence,
        scene.balloon,
        scene.badges,
        theme,
    );
    let text = format!(
        "{}
{}
{}
{looks:?}",
        scene.name, scene.alt, scene.coins
    );
    let hash = scatter::seed(&text);
    format!("f{:x}", hash >> 36)
}

/// In tenths of the size it is drawn at.
fn size(sprite: Sprite) -> u8 {
    match sprite {
        Sprite::Oak(size) | Sprite::Conifer(size) | Sprite::Bush(size) => size,
        Sprite::Rock(_) | Sprite::Stump | Sprite::FruitTree(_) => 8,
        Sprite::Pond(_) => 9,
        _ => 10,
    }
}

fn sprite(pen: &mut Pen<'_>, thing: &Thing) {
    match thing.sprite {
        Sprite::House(stage) => house::house(pen, stage),
        Sprite::Barn(level) => buildings::barn(pen, level),
        Sprite::Silo(level) => buildings::silo(pen, level),
        Sprite::Greenhouse(level) => buildings::greenhouse(pen, level),
        Sprite::RootCellar(level) => buildings::root_cellar(pen, level),
        Sprite::Windmill(level) => landmarks::windmill(pen, level),
        Sprite::Watchtower(level) => landmarks::watchtower(pen, level),
        Sprite::Dovecote(level) => landmarks::dovecote(pen, level),
        Sprite::Well(level) => barnyard::well(pen, level),
        Sprite::HenHouse(level) => barnyard::hen_house(pen, level),
        Sprite::Beehive => pen.again("hive", HERE, barnyard::beehive),
        Sprite::Pond(level) => barnyard::pond(pen, level),
        Sprite::Scarecrow(level) => barnyard::scarecrow(pen, level),
        Sprite::Tractor(level) => barnyard::tractor(pen, level),
        Sprite::Lantern => ornaments::lantern(pen),
        Sprite::Field(category, stage) => crops::field(pen, category, stage),
        Sprite::Oak(_) => {
            let kind = usize::try_from(thing.x + 2 * thing.y).unwrap_or(0) / 2 % 3;
            pen.again(&format!("oak{kind}"), HERE, |pen| {
                plants::oak(pen, pen.palette.oak[kind]);
            });
        }
        Sprite::Conifer(_) => pen.again("fir", HERE, plants::conifer),
        Sprite::FruitTree(level) => {
            pen.again("fruit", HERE, |pen| {
                plants::fruit_tree(pen, level);
            });
        }
        Sprite::Bush(_) => pen.again("bush", HERE, plants::bush),
        Sprite::Rock(size) => {
            pen.again(&format!("rock{size}"), HERE, |pen| {
                plants::rock(pen, size);
            });
        }
        Sprite::Stump => pen.again("stump", HERE, plants::stump),
        Sprite::Flowers(nth) => {
            let kind = nth % 2;
            pen.again(&format!("bed{kind}"), HERE, |pen| {
                plants::flower_bed(pen, kind);
            });
        }
        Sprite::Tuft(kind) => {
            pen.again(&format!("tuft{kind}"), HERE, |pen| {
                plants::tuft(pen, kind);
            });
        }
        Sprite::Chicken(kind) => {
            pen.again(&format!("hen{kind}"), HERE, |pen| {
                animals::chicken(pen, kind);
            });
        }
        Sprite::Sheep(kind) => pen.again(&format!("sheep{kind}"), HERE, |pen| {
            animals::sheep(pen, kind);
        }),
        Sprite::Cow => pen.again("cow", HERE, animals::cow),
        Sprite::Duck(kind) => {
            pen.again(&format!("duck{kind}"), HERE, |pen| {
                animals::duck(pen, kind);
            });
        }
        Sprite::Flag(height) => ornaments::flag(pen, height),
        Sprite::Brazier(size) => ornaments::brazier(pen, size),
        Sprite::Gnome => ornaments::gnome(pen),
        Sprite::Picnic => ornaments::picnic(pen),
        Sprite::SnowFarmer => ornaments::snow_farmer(pen),
        Sprite::Maypole => ornaments::maypole(pen),
        Sprite::HarvestCart => ornaments::harvest_cart(pen),
        Sprite::Bakery(level) => workshops::bakery(pen, level),
        Sprite::Smithy(level) => workshops::smithy(pen, level),
        Sprite::Observatory(level) => workshops::observatory(pen, level),
        Sprite::Lighthouse(level) => workshops::lighthouse(pen, level),
        Sprite::Compost(level) => gadgets::compost(pen, level),
        Sprite::WeatherStation(level) => gadgets::weather_station(pen, level),
        Sprite::Pump(level) => gadgets::pump(pen, level),
        Sprite::SolarPanel => pen.again("panel", HERE, gadgets::solar_panel),
        Sprite::Bench => gadgets::bench(pen),
        Sprite::Sundial => gadgets::sundial(pen),
        Sprite::Topiary => pen.again("topiary", HERE, gadgets::topiary),
        Sprite::Fountain => gadgets::fountain(pen),
        Sprite::Sledge => festive::sledge(pen),
        Sprite::TulipBarrow => festive::tulip_barrow(pen),
        Sprite::DeckChair => festive::deck_chair(pen),
        Sprite::PumpkinLantern => pen.again("pumpkin", HERE, festive::pumpkin_lantern),
    }
}
