//! What happened, step by step: said as it happens, and as a table at the end.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;

/// The steps so far.
#[derive(Debug, Default)]
pub struct Journal {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    outcome: Result<String, String>,
}

impl Journal {
    /// Does `work` as the step `name`; on success its text says what happened.
    ///
    /// # Errors
    /// The error of `work`.
    pub async fn step(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<String>>,
    ) -> Result<()> {
        let begin = Instant::now();
        let result = work.await;
        let outcome = match &result {
            Ok(said) => Ok(said.clone()),
            Err(error) => Err(format!("{error:#}")),
        };
        let step = Step {
            name,
            took: begin.elapsed(),
            outcome,
        };
        match &step.outcome {
            Ok(said) => println!("✓ {name}: {said}"),
            Err(error) => println!("✗ {name}: {error}"),
        }
        self.steps.push(step);
        result.map(|_| ())
    }

    /// Every step with its result and duration.
    #[must_use]
    pub fn table(&self) -> String {
        let width = self.steps.iter().map(|step| step.name.len()).max();
        let width = width.unwrap_or_default().max(4);
        let mut table = format!("{:width$}  result  seconds\n", "step");
        let mut total = Duration::ZERO;
        for step in &self.steps {
            total += step.took;
            let result = if step.outcome.is_ok() { "ok" } else { "FAILED" };
            row(&mut table, width, step.name, result, step.took);
        }
        let all_fine = self.steps.iter().all(|step| step.outcome.is_ok());
        row(
            &mut table,
            width,
            "all",
            if all_fine { "ok" } else { "FAILED" },
            total,
        );
        table
    }
}

fn row(table: &mut String, width: usize, name: &str, result: &str, took: Duration) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        table,
        "{name:width$}  {result:6}  {:>7.2}",
        took.as_secs_f64()
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use anyhow::bail;

    use super::*;

    #[tokio::test]
    async fn the_table_has_every_step_and_the_verdict() {
        let mut journal = Journal::default();
        let fine = journal.step("sow", async { Ok("three fields".to_owned()) });
        fine.await.unwrap();
        assert!(journal.table().lines().last().unwrap().contains("ok"));
        let sad = journal.step("reap", async { bail!("it rained") });
        assert!(sad.await.is_err());
        let table = journal.table();
        assert_eq!(table.matches("FAILED").count(), 2, "{table}");
        assert!(table.contains("sow   ok"), "{table}");
    }
}
