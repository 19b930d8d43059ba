//! Finding a farmer by what stands in a path: her id, or her handle.

use farmops_federation::Account;
use farmops_service::problem::Problem;

use super::problems;
use crate::{
    farmer::{Farmer, FarmerId},
    policy::visibility,
    village::Village,
};

/// The farmer meant by `{id}`: a UUID, `@alice` of this village, or `@alice@orchard.example`.
pub(super) async fn any_farmer(village: &Village, text: &str) -> Result<Option<Farmer>, Problem> {
    let found = if let Ok(id) = text.parse::<FarmerId>() {
        village.store().farmer(id).await
    } else {
        let Some(account) = account(village, text) else {
            return Ok(None);
        };
        village.store().farmer_by_account(&account).await
    };
    found.map_err(problems::store)
}

/// As [`any_farmer`], and only one whom everybody may see: there is no telling an invisible
/// farmer from none.
pub(crate) async fn shown_farmer(village: &Village, text: &str) -> Result<Farmer, Problem> {
    let nobody = || Problem::not_found("farmer");
    let farmer = any_farmer(village, text).await?.ok_or_else(nobody)?;
    let standing = village
        .store()
        .standing(farmer.id)
        .await
        .map_err(problems::store)?;
    if visibility(standing.unwrap_or_default()).federated {
        Ok(farmer)
    } else {
        Err(nobody())
    }
}

fn account(village: &Village, text: &str) -> Option<Account> {
    let handle = text.strip_prefix('@').unwrap_or(text);
    if handle.contains('@') {
        Account::parse(handle, village.reach()).ok()
    } else {
        village.account_of(handle)
    }
}
