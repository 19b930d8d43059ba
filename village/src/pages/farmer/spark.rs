//! The line of a farm's growth, as coordinates of an SVG.

use farmops_federation::Timestamp;

use crate::{pages::text::grouped, store::HistoryPoint};

const WIDTH: u64 = 600;
const HEIGHT: u64 = 160;
const MARGIN: u64 = 10;

/// A line over time.
pub(super) struct Spark {
    pub(super) line: String,
    pub(super) area: String,
    pub(super) last_x: u64,
    pub(super) last_y: u64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) alt: String,
}

impl Spark {
    /// The line through `history` (newest first), or none through fewer than two points.
    pub(super) fn of(history: &[HistoryPoint], day: fn(Timestamp) -> String) -> Option<Self> {
        let (newest, oldest) = (history.first()?, history.last()?);
        if history.len() < 2 {
            return None;
        }
        let lowest = history.iter().map(|p| p.total_coins).min()?;
        let highest = history.iter().map(|p| p.total_coins).max()?;
        let begin = history.iter().map(|p| p.published_at.second()).min()?;
        let end = history.iter().map(|p| p.published_at.second()).max()?;
        let points: Vec<(u64, u64)> = history
            .iter()
            .rev()
            .map(|point| {
                let x = place(
                    point.published_at.second().abs_diff(begin),
                    end.abs_diff(begin),
                    WIDTH,
                );
                let y = place(point.total_coins - lowest, highest - lowest, HEIGHT);
                (x, HEIGHT - y)
            })
            .collect();
        let line: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let line = line.join(" ");
        let (first_x, _) = *points.first()?;
        let (last_x, last_y) = *points.last()?;
        Some(Self {
            area: format!("{first_x},{HEIGHT} {line} {last_x},{HEIGHT}"),
            line,
            last_x,
            last_y,
            from: format!(
                "{} coins, {}",
                grouped(oldest.total_coins),
                day(oldest.published_at)
            ),
            to: format!(
                "{} coins, {}",
                grouped(newest.total_coins),
                day(newest.published_at)
            ),
            alt: format!(
                "Coins over time, from {} to {}",
                grouped(oldest.total_coins),
                grouped(newest.total_coins)
            ),
        })
    }
}

/// `part` of `whole` along `length`, inside the margins; in the middle when there is no extent.
fn place(part: u64, whole: u64, length: u64) -> u64 {
    let inner = length - 2 * MARGIN;
    if whole == 0 {
        return length / 2;
    }
    let scaled = u128::from(part) * u128::from(inner) / u128::from(whole);
    MARGIN + u64::try_from(scaled).unwrap_or(inner).min(inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn point(second: i64, total_coins: u64) -> HistoryPoint {
        HistoryPoint {
            sequence: 1,
            published_at: Timestamp::from_second(second).unwrap(),
            total_coins,
            streak_days: 0,
            level: 1,
            proofs: 0,
        }
    }

    #[test]
    fn the_line_runs_from_corner_to_corner() {
        let spark = Spark::of(&[point(100, 50), point(50, 25), point(0, 0)], |t| {
            t.to_string()
        })
        .unwrap();
        assert_eq!(spark.line, "10,150 300,80 590,10");
        assert_eq!((spark.last_x, spark.last_y), (590, 10));
    }

    #[test]
    fn one_point_is_no_line_and_equal_points_do_not_divide_by_zero() {
        assert!(Spark::of(&[point(0, 1)], |t| t.to_string()).is_none());
        assert!(Spark::of(&[point(0, 7), point(0, 7)], |t| t.to_string()).is_some());
        let far = [point(253_402_300_799, u64::MAX), point(-62_167_219_200, 0)];
        assert!(Spark::of(&far, |t| t.to_string()).is_some());
    }
}
