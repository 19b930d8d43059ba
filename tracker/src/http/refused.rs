//! Refusals and failures as problem documents.

use farmops_service::problem::Problem;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};

use crate::{
    domain::{Refusal, Sort},
    store::StoreError,
    writer::WriteError,
};

/// Seconds after which a caller tries again when the writer could not write.
const UNAVAILABLE_SECONDS: u64 = 1;

/// The problem document of a refusal.
pub fn problem_of(refusal: &Refusal) -> Problem {
    let status = match refusal.sort() {
        Sort::NotFound => StatusCode::NOT_FOUND,
        Sort::Denied => StatusCode::FORBIDDEN,
        Sort::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Sort::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Sort::Taken | Sort::Conflict => StatusCode::CONFLICT,
    };
    let mut problem = Problem::new(status, refusal.code())
        .field(refusal.field())
        .detail(refusal.to_string());
    if matches!(
        refusal,
        Refusal::Chain { .. }
            | Refusal::Fork { .. }
            | Refusal::AgentIdTaken
            | Refusal::TooManyKeys { .. }
    ) && status == StatusCode::CONFLICT
    {
        problem = problem.extension("head", refusal.head());
    }
    match refusal.retry_after_seconds() {
        Some(seconds) => problem.header(RETRY_AFTER, HeaderValue::from(seconds)),
        None => problem,
    }
}

/// The problem document of a command that was not carried out.
pub(super) fn not_written(error: &WriteError) -> Problem {
    match error {
        WriteError::Refused(refusal) => problem_of(refusal),
        WriteError::Unavailable => {
            Problem::unavailable(UNAVAILABLE_SECONDS).detail(error.to_string())
        }
    }
}

/// The problem document of a store that did not answer.
#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
pub(super) fn not_read(error: StoreError) -> Problem {
    Problem::internal(&error)
}
