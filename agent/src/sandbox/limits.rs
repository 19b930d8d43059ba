//! What a plugin's process may use up, and the rights of root that it does not keep.

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use rustix::thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets};

/// Open files of one plugin: its connection, and what a runtime needs.
const FILES_MAX: u64 = 64;
/// Address space beyond what is allocated: code, libraries, reserved but unused ranges.
const ADDRESSES_BEYOND: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// How much the agent goes before its plugins.
const NICENESS: i32 = 5;

pub(super) fn set(memory_mib: u32) -> rustix::io::Result<()> {
    let memory = u64::from(memory_mib) * MIB;
    for (resource, most) in [
        (Resource::Data, memory),
        (Resource::As, memory + ADDRESSES_BEYOND),
        (Resource::Nofile, FILES_MAX),
        (Resource::Fsize, 0),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ] {
        let most = Some(most);
        setrlimit(
            resource,
            Rlimit {
                current: most,
                maximum: most,
            },
        )?;
    }
    nice(NICENESS).map(drop)
}

/// Gives away every capability, so that `root` is a user like others; false when some are left.
pub(super) fn drop_capabilities() -> bool {
    let held = rustix::thread::capabilities(None);
    if held.is_ok_and(|sets| sets.permitted.is_empty()) {
        return true;
    }
    // Otherwise an `execve` by root would bring them back. It may fail; what counts is the end.
    let bits = CapabilitiesSecureBits::NO_ROOT | CapabilitiesSecureBits::NO_ROOT_LOCKED;
    let locked = rustix::thread::set_capabilities_secure_bits(bits).is_ok();
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    let _ = rustix::thread::clear_ambient_capability_set();
    let dropped = rustix::thread::set_capabilities(None, none).is_ok();
    dropped && (locked || !rustix::process::geteuid().is_root())
}
