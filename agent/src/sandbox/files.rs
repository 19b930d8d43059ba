//! Landlock: which files a plugin's process may touch.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, RestrictionStatus, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};

use super::Plan;

/// Where systems keep their libraries, and the interpreters' own.
const LIBRARIES: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];
/// The loaders that the kernel starts a program with.
const LOADERS: [&str; 4] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];
const CACHE: &str = "/etc/ld.so.cache";
/// The newest rights that are asked for; an older kernel gives those that it has.
const NEWEST: ABI = ABI::V6;

/// `abi 6`, or why nothing is restricted.
pub(super) fn restrict(plan: &Plan) -> Result<String, String> {
    let status = enforce(plan).map_err(|error| error.to_string())?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => {
            Err("switched off in this kernel".to_owned())
        }
        (RulesetStatus::NotEnforced, _) => Err("not in this kernel".to_owned()),
        (_, LandlockStatus::Available { effective_abi, .. }) => {
            Ok(format!("abi {}", effective_abi as i32))
        }
        _ => Ok("yes".to_owned()),
    }
}

fn enforce(plan: &Plan) -> Result<RestrictionStatus, RulesetError> {
    let run = AccessFs::Execute | AccessFs::ReadFile;
    let look = AccessFs::ReadFile | AccessFs::ReadDir;
    let programs = std::iter::once(plan.program.clone())
        .chain(interpreter(&plan.program))
        .chain(LOADERS.map(PathBuf::from));
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(programs, run))?
        .add_rules(path_beneath_rules(LIBRARIES, look))?
        .add_rules(path_beneath_rules([CACHE], AccessFs::ReadFile))?
        .add_rules(path_beneath_rules([&plan.folder], AccessFs::MakeSock))?
        .restrict_self()
}

/// What the kernel starts a script with, as its first line says.
fn interpreter(program: &Path) -> Option<PathBuf> {
    let file = std::fs::File::open(program).ok()?;
    let mut line = Vec::new();
    let mut start = BufReader::new(file).take(256);
    start.read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let name = line.strip_prefix("#!")?.split_whitespace().next()?;
    Some(PathBuf::from(name))
}
