//! Those who live on the farm.

use super::pen::Pen;

const SHADOW: &str = "#1d2b3a30";

pub(super) fn chicken(pen: &mut Pen<'_>, kind: u8) {
    let (body, wing) = if kind == 0 {
        ("#fffaf0", "#e6dcc8")
    } else {
        ("#b9713a", "#985729")
    };
    pen.ellipse(SHADOW, (2, 0), 9, 3);
    pen.stroke("#e2a23a", 1, "M-1 0v-4M3 0v-4");
    pen.path(body, "M-9-11q6-2 9-2q2-6 6-6q4 1 3 6q0 9-8 10q-9 0-10-8z");
    pen.path(wing, "M-6-9q5-3 8 0q-2 5-5 4q-3-1-3-4z");
    pen.path("#d63b30", "M3-18q1-4 3-2q2-2 2 2z");
    pen.path("#eeb13c", "M9-15l4 1-4 2z");
    pen.path("#2c2622", "M6-16h1v1h-1z");
}

pub(super) fn sheep(pen: &mut Pen<'_>, kind: u8) {
    if kind == 1 {
        pen.raw("<g transform=\"scale(-1 1)\">");
    }
    pen.ellipse(SHADOW, (2, 0), 20, 6);
    pen.path("#453b38", "M-11-8h4V0h-4zM8-8h4V0h-4z");
    pen.path(
        "#e3ddd2",
        "M-17-14q-4-9 5-11q4-6 11-3q8-4 12 2q9 2 6 11q0 8-9 8H-9q-8 0-8-7z",
    );
    pen.path(
        "#fbf8f1",
        "M-16-17q-2-7 5-8q4-6 10-3q8-3 11 2q7 1 6 7q-8 5-14 3q-9 4-18-1z",
    );
    pen.path("#4d4340", "M14-23q6-5 10 0l1 8q-3 4-7 2q-5-3-4-10z");
    pen.path("#fbf8f1", "M13-24q4-5 9-1q-4 3-9 1z");
    if kind == 1 {
        pen.raw("</g>");
    }
}

pub(super) fn cow(pen: &mut Pen<'_>) {
    pen.ellipse(SHADOW, (3, 0), 27, 7);
    pen.path("#d9cfc4", "M-17-14h6V0h-6zM9-14h6V0h-6z");
    pen.path("#4c3a33", "M-17-3h6v3h-6zM9-3h6v3h-6z");
    pen.path(
        "#faf5ec",
        "M-22-30q0-6 7-6h29q8 0 8 7v10q0 7-8 7h-28q-8 0-8-8z",
    );
    pen.path("#e2d8ca", "M-22-20q20 8 44 0v1q0 7-8 7h-28q-8 0-8-8z");
    pen.path(
        "#6a4634",
        "M-15-36h12q2 10-7 12q-8-1-5-12zM4-36h9q6 6 3 13q-8 2-11-4z",
    );
    pen.path("#faf5ec", "M17-40q9-4 15 0v8q-1 9-7 9t-9-9z");
    pen.path("#6a4634", "M17-40q4-2 7-2v9q-6 2-8-1z");
    pen.path("#e9b3a2", "M20-28q5-3 10 0q1 5-5 6q-5-1-5-6z");
    pen.path(
        "#3a2b26",
        "M27-35h2v2h-2zM17-41l-5-2 2-3 5 3zM31-41l5-3-2-2-5 3z",
    );
}

pub(super) fn duck(pen: &mut Pen<'_>, kind: u8) {
    let (body, head) = if kind == 0 {
        ("#fff9ec", "#fff9ec")
    } else {
        ("#b99e84", "#2f7a54")
    };
    pen.ellipse("#ffffff60", (0, 1), 13, 4);
    pen.path(body, "M-11-5q4 1 8 0h8q3 6-5 7q-10 1-11-7z");
    pen.ellipse(head, (6, -9), 4, 4);
    pen.path("#f0a030", "M9-9l6 1-5 2z");
    pen.path("#00000020", "M-7-4q5 3 9 0q-2 4-5 4t-4-4z");
    pen.path("#222", "M7-10h1v1h-1z");
}
