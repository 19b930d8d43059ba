//! A line over days, as the numbers of an SVG.

/// Units of the drawing across and down; the page stretches it.
pub(super) const WIDTH: u64 = 1000;
/// See [`WIDTH`].
pub(super) const HEIGHT: u64 = 300;

/// The drawing.
pub(super) struct Chart {
    /// The line's path.
    pub(super) line: String,
    /// The path of what lies under it.
    pub(super) area: String,
    /// The value at the top edge; the bottom is 0.
    pub(super) top: u64,
}

/// Draws `values` from left to right, each as long as the others; nothing without any.
pub(super) fn chart(values: &[u64]) -> Option<Chart> {
    use std::fmt::Write as _;
    let most = *values.iter().max()?;
    let top = round_up(most);
    let last = (values.len() as u64).saturating_sub(1).max(1);
    let mut line = String::new();
    for (at, value) in (0u64..).zip(values) {
        let x = at * WIDTH / last;
        let down = u128::from(HEIGHT) * u128::from(top - value) / u128::from(top);
        let letter = if at == 0 { 'M' } else { 'L' };
        // Writing to a String cannot fail.
        let _ = write!(line, "{letter}{x} {down}");
    }
    if values.len() == 1 {
        let _ = write!(line, "H{WIDTH}");
    }
    let area = format!("{line}V{HEIGHT}H0Z");
    Some(Chart { line, area, top })
}

/// The next number of the kind 10, 20, 50, 100 that is at least `value`.
fn round_up(value: u64) -> u64 {
    let mut step = 10u64;
    loop {
        for factor in [1, 2, 5] {
            match step.checked_mul(factor) {
                Some(top) if top >= value => return top,
                Some(_) => {}
                None => return value,
            }
        }
        step = step.saturating_mul(10);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fills_its_width_and_stays_below_its_top() {
        let drawn = chart(&[0, 50, 100]).unwrap();
        assert_eq!(drawn.line, "M0 300L500 150L1000 0");
        assert_eq!((drawn.top, drawn.area.ends_with("V300H0Z")), (100, true));
        assert_eq!(chart(&[3]).unwrap().line, "M0 210H1000");
        assert!(chart(&[]).is_none());
        assert_eq!(
            [0, 11, 51, 101, u64::MAX].map(round_up),
            [10, 20, 100, 200, u64::MAX]
        );
    }
}
