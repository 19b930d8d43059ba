//! The name board, and beside it streak and badges, in front of the picture.

use std::fmt::Write;

use super::text;
use crate::scene::Scene;

const FONT: &str = "font-family=\"Georgia,'DejaVu Serif',serif\"";
const SANS: &str = "font-family=\"'Trebuchet MS','DejaVu Sans',sans-serif\"";

/// Units of the board that its texts may take.
const TEXT_WIDTH: i32 = 326;

pub(super) fn write(out: &mut String, scene: &Scene) {
    board(out, scene);
    if scene.streak_days > 0 || scene.badges > 0 {
        tokens(out, scene);
    }
}

fn board(out: &mut String, scene: &Scene) {
    let name = text::display_name(&scene.name);
    // As big as fits: 330 units of board, between 17 and 34.
    let size = (32_500 / text::width(&name).max(1)).clamp(15, 34);
    let level = format!("Level {}", text::grouped(scene.level));
    let coins = format!(
        "{} {}",
        text::grouped(scene.coins),
        if scene.coins == 1 { "coin" } else { "coins" }
    );
    let figures = format!("{level} · {coins}");
    let (name_length, figures_length) = (length(&name, size), length(&figures, 20));
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<g transform=\"translate(30 706)\">\
         <path fill=\"#00000030\" d=\"M10 12h360q10 0 10 10v82q0 10-10 10H10Q0 114 0 104V22q0-10 10-10z\"/>\
         <path fill=\"#6b4529\" d=\"M40 100h16v40h-16zM314 100h16v40h-16z\"/>\
         <path fill=\"#7d5233\" d=\"M12 0h346q12 0 12 12v82q0 12-12 12H12Q0 106 0 94V12Q0 0 12 0z\"/>\
         <path fill=\"#a9784c\" d=\"M14 5h342q9 0 9 9v78q0 9-9 9H14q-9 0-9-9V14q0-9 9-9z\"/>\
         <path fill=\"none\" stroke=\"#8f6239\" stroke-width=\"2\" d=\"M5 37h360M5 69h360M60 20q40-6 90 0M230 54q50 7 100 0M40 86q50-6 80 0\"/>\
         <path fill=\"#5a3a22\" d=\"M15 15h5v5h-5zM350 15h5v5h-5zM15 86h5v5h-5zM350 86h5v5h-5z\"/>\
         <svg x=\"18\" y=\"4\" width=\"334\" height=\"98\"><g text-anchor=\"middle\" fill=\"#fff4dc\">\
         <text x=\"167\" y=\"50\" {FONT} font-weight=\"bold\" font-size=\"{size}\"{name_length}>{}</text>\
         <text x=\"167\" y=\"80\" {SANS} font-size=\"20\" fill=\"#ffe3ae\"{figures_length}>{figures}</text></g></svg></g>",
        text::escape(&name),
    );
}

/// The attributes that keep `text` on the board, if it might not fit. A picture comes with no font: where the
/// first one is missing, the next may be a quarter wider than what the size was chosen for.
fn length(text: &str, size: i32) -> String {
    let width = text::width(text) * size / 100;
    if width * 5 / 4 <= TEXT_WIDTH {
        return String::new();
    }
    let length = width.min(TEXT_WIDTH);
    format!(" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\"")
}

/// Flame and medal, each with its number.
fn tokens(out: &mut String, scene: &Scene) {
    let mut x = 1110;
    if scene.badges > 0 {
        token(
            out,
            x,
            &scene.badges.to_string(),
            "<path fill=\"#c94f3b\" d=\"M-14-30h10l6 22-10 4zM14-30H4l-6 22 10 4z\"/><circle fill=\"#f3c34e\" cy=\"4\" r=\"15\"/>\
             <circle fill=\"#ffdf86\" cy=\"4\" r=\"11\"/><path fill=\"#d99a2b\" d=\"M0-5l3 6 6 1-5 4 1 7-5-4-5 4 1-7-5-4 6-1z\"/>",
        );
        x -= 106;
    }
    if scene.streak_days > 0 {
        token(
            out,
            x,
            &text::grouped(scene.streak_days.min(9_999)),
            "<path fill=\"#e8632a\" d=\"M-15 6q-2-18 14-36q0 10 8 16q5-4 4-10q10 16 3 30q-6 14-15 14t-14-14z\"/>\
             <path fill=\"#f9a13a\" d=\"M-9 8q0-10 9-20q1 8 5 11q8 10 0 18q-14 6-14-9z\"/><path fill=\"#ffe08a\" d=\"M-4 12q0-7 5-11q6 6 4 12q-6 7-9-1z\"/>",
        );
    }
}

fn token(out: &mut String, x: i32, number: &str, icon: &str) {
    let _ = write!(
        out,
        "<g transform=\"translate({x} 772)\"><path fill=\"#00000028\" d=\"M-40-34h84q10 0 10 10v58q0 10-10 10h-84q-10 0-10-10v-58q0-10 10-10z\"/>\
         <path fill=\"#fff6e2\" d=\"M-42-40h84q10 0 10 10v58q0 10-10 10h-84q-10 0-10-10v-58q0-10 10-10z\"/>\
         <g transform=\"translate(-22 2)\">{icon}</g>\
         <text x=\"20\" y=\"9\" text-anchor=\"middle\" {SANS} font-weight=\"bold\" font-size=\"{}\" fill=\"#5a3a22\">{number}</text></g>",
        if number.chars().count() > 3 { 18 } else { 27 }
    );
}
