//! The colours of the pages against each other, as WCAG 2.2 measures them (§1.4.3 and §1.4.11).

use std::collections::HashMap;

const STYLE: &str = include_str!("../../assets/tracker.css");

/// Text and what it stands on.
const TEXTS: [(&str, &str); 21] = [
    ("ink", "ground"),
    ("ink", "card"),
    ("faint", "ground"),
    ("faint", "card"),
    ("leaf", "ground"),
    ("leaf", "card"),
    ("red", "ground"),
    ("red", "card"),
    ("leaf", "green-ground"),
    ("ink", "green-ground"),
    ("leaf-ink", "leaf"),
    ("sun", "sun-ground"),
    ("ink", "sun-ground"),
    ("leaf", "sun-ground"),
    ("red", "red-ground"),
    ("card", "red"),
    ("ink", "d0"),
    ("ink", "d1"),
    ("ink", "d2"),
    ("black", "d3"),
    ("card", "d4"),
];

/// Borders of fields and lines of drawings, and what they stand on.
const GRAPHICS: [(&str, &str); 5] = [
    ("edge", "ground"),
    ("edge", "card"),
    ("leaf", "green-ground"),
    ("leaf", "card"),
    ("red", "ground"),
];

type Palette = HashMap<String, String>;

/// The colours that the line of the style declares.
fn palette(line: &str) -> Palette {
    let named = line.split("--").skip(1).filter_map(|part| {
        let (name, value) = part.split_once(":#")?;
        let end = value.find(|c: char| !c.is_ascii_hexdigit());
        let value = &value[..end.unwrap_or(value.len())];
        Some((name.to_owned(), value.to_owned()))
    });
    named.collect()
}

/// The relative luminance of a colour like `26301f` or `fff`.
fn luminance(colour: &str) -> f64 {
    let wide = if colour.len() == 3 {
        colour.chars().flat_map(|c| [c, c]).collect()
    } else {
        colour.to_owned()
    };
    let part = |at: usize| {
        let part = f64::from(u8::from_str_radix(&wide[at..at + 2], 16).unwrap()) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_and_border_can_be_told_from_what_it_stands_on() {
    let declared = |start: &str| palette(STYLE.lines().find(|l| l.starts_with(start)).unwrap());
    let light = declared(":root{");
    let dark = declared("@media (prefers-color-scheme:dark){:root{");
    assert_eq!(
        light.len(),
        dark.len(),
        "both schemes name the same colours"
    );

    let mut low = Vec::new();
    for (scheme, colours) in [("light", light), ("dark", dark)] {
        let colour = |name: &str| match name {
            "black" => "000",
            _ => colours[name].as_str(),
        };
        let wanted = TEXTS.map(|pair| (pair, 4.5)).into_iter();
        for ((front, back), least) in wanted.chain(GRAPHICS.map(|pair| (pair, 3.0))) {
            let measured = contrast(colour(front), colour(back));
            if measured < least {
                low.push(format!("{scheme}: {front} on {back} is {measured:.2}"));
            }
        }
    }
    assert!(low.is_empty(), "{}", low.join(", "));
}

#[test]
fn black_on_white_is_twenty_one_to_one() {
    assert!((contrast("000", "fff") - 21.0).abs() < 1e-9);
    assert!((contrast("777", "ffffff") - 4.48).abs() < 0.01);
}
