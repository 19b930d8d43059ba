//! The colours of the year.

use crate::season::Season;

/// Dark, middle and light of one material.
pub(super) type Tones = [&'static str; 3];

/// The colours that change with the season.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) sky_top: [i32; 3],
    pub(super) sky_low: [i32; 3],
    pub(super) grass: &'static str,
    pub(super) grass_dark: &'static str,
    pub(super) grass_light: &'static str,
    /// The turf where the land breaks off: left and right.
    pub(super) turf: [&'static str; 2],
    pub(super) oak: [Tones; 3],
    pub(super) conifer: Tones,
    pub(super) bush: Tones,
    pub(super) fruit_tree: Tones,
    pub(super) fruit: &'static str,
    pub(super) flowers: [&'static str; 3],
    pub(super) snow: bool,
}

const SUMMER: Palette = Palette {
    sky_top: [118, 190, 230],
    sky_low: [226, 244, 244],
    grass: "#96c95a",
    grass_dark: "#89bf52",
    grass_light: "#a6d367",
    turf: ["#7cb046", "#5f9139"],
    oak: [
        ["#3d7a3c", "#559a46", "#80bb58"],
        ["#34713f", "#4a8f4b", "#73b05c"],
        ["#4b8238", "#68a341", "#94c455"],
    ],
    conifer: ["#2b5d4b", "#3b7a5d", "#579b73"],
    bush: ["#427f3d", "#5b9f48", "#88c05c"],
    fruit_tree: ["#3f8041", "#5da04b", "#8ac25f"],
    fruit: "#e2513d",
    flowers: ["#f5f0e0", "#f2c84b", "#e5739a"],
    snow: false,
};

const SPRING: Palette = Palette {
    sky_top: [150, 201, 232],
    sky_low: [253, 236, 238],
    grass: "#a5d165",
    grass_dark: "#98c85c",
    grass_light: "#b6db76",
    turf: ["#8aba4f", "#6b9a40"],
    oak: [
        ["#5a9a41", "#79b752", "#a4d270"],
        ["#d77f9f", "#eda3bb", "#f9cad8"],
        ["#67a348", "#88c05a", "#b3da7c"],
    ],
    conifer: ["#33694f", "#468766", "#66a87e"],
    bush: ["#5a9945", "#78b553", "#a6d271"],
    fruit_tree: ["#dd9db4", "#f2c1d0", "#fde5ec"],
    fruit: "#fff6f8",
    flowers: ["#f9e26b", "#f48fb1", "#b79be8"],
    ..SUMMER
};

const AUTUMN: Palette = Palette {
    sky_top: [233, 178, 133],
    sky_low: [253, 240, 214],
    grass: "#b9ba55",
    grass_dark: "#acae4c",
    grass_light: "#c8c766",
    turf: ["#9c9a42", "#7d7a36"],
    oak: [
        ["#a9521f", "#cf742b", "#eba347"],
        ["#97382a", "#bf5133", "#e17d4d"],
        ["#a97a1d", "#d2a02c", "#efc855"],
    ],
    conifer: ["#35594a", "#48745a", "#67946f"],
    bush: ["#8a6a2a", "#b08a37", "#d2b052"],
    fruit_tree: ["#7d7a2e", "#a29b3c", "#c8bd57"],
    fruit: "#cf3b32",
    flowers: ["#e98a4b", "#d8658b", "#f1c95a"],
    ..SUMMER
};

const WINTER: Palette = Palette {
    sky_top: [150, 180, 212],
    sky_low: [241, 240, 245],
    grass: "#eaf1f5",
    grass_dark: "#dde8ef",
    grass_light: "#f6fafc",
    turf: ["#cfdce5", "#b2c3d1"],
    oak: [
        ["#93a6b1", "#bccbd3", "#edf3f6"],
        ["#8b9ca9", "#b2c2cd", "#e5edf2"],
        ["#9aa9ae", "#c3cfd3", "#f0f5f6"],
    ],
    conifer: ["#2f5a53", "#467469", "#eff5f7"],
    bush: ["#8fa5a6", "#b4c6c8", "#eef4f5"],
    fruit_tree: ["#93a3ad", "#bac8d0", "#ecf2f5"],
    fruit: "#c9403c",
    flowers: ["#ffffff", "#d5e4ee", "#c9403c"],
    snow: true,
};

/// The palette of a season.
pub(super) fn of(season: Season) -> &'static Palette {
    match season {
        Season::Winter => &WINTER,
        Season::Spring => &SPRING,
        Season::Summer => &SUMMER,
        Season::Autumn => &AUTUMN,
    }
}
