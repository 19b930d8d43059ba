//! seccomp: which system calls a plugin's process may make.
//!
//! A list of what is allowed, not of what is forbidden: a new kernel's new calls are closed until
//! somebody opens them here. Anything else is answered as if the kernel did not have it (`ENOSYS`), so a
//! C library takes its older way and a plugin can say what it missed.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

type Error = seccompiler::Error;

/// Allowed whatever their arguments are.
const ALLOWED: &[c_long] = &[
    // what is open already, and files that Landlock lets it open
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_fcntl,
    libc::SYS_openat,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_getdents64,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    libc::SYS_pipe2,
    // memory
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    // threads and the end; Landlock leaves nothing to execute but the plugin itself
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_restart_syscall,
    // signals to itself
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // time, chance, and who it is
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getrusage,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    // waiting
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    // the agent's connection: it may listen and answer, and never connect
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
];

/// Older names that this architecture has besides.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_pipe,
    libc::SYS_dup2,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_wait,
    libc::SYS_arch_prctl,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// `PR_SET_VMA`: a name for a range of memory.
const PR_SET_VMA: u64 = 0x5356_4d41;

/// Filters this process's system calls, or says why not.
pub(super) fn restrict() -> Result<(), String> {
    let filter = filter().map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&filter).map_err(|error| error.to_string())
}

fn filter() -> Result<BpfProgram, Error> {
    let allowed = ALLOWED.iter().chain(OLDER);
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        allowed.map(|&call| (call, Vec::new())).collect();
    for (call, alternatives) in conditional()? {
        rules.insert(call, alternatives);
    }
    let lacking = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, lacking, SeccompAction::Allow, arch)?;
    Ok(filter.try_into()?)
}

/// Allowed with certain arguments only.
fn conditional() -> Result<Vec<(c_long, Vec<SeccompRule>)>, Error> {
    let unix = u64::from(libc::AF_UNIX.unsigned_abs());
    let stream = u64::from(libc::SOCK_STREAM.unsigned_abs());
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let one_of = |argument: u8, values: &[u64]| {
        let rules = values
            .iter()
            .map(|&value| rule(&[equals(argument, value)?]));
        rules.collect::<Result<Vec<_>, Error>>()
    };
    let local = rule(&[equals(0, unix)?, masked(1, 0xf, stream)?])?;
    Ok(vec![
        // No datagrams: those can be sent to any address without a connection.
        (libc::SYS_socket, vec![local.clone()]),
        (libc::SYS_socketpair, vec![local]),
        // A thread, never a process. `clone3` keeps its flags where a filter cannot look.
        (libc::SYS_clone, vec![rule(&[masked(0, thread, thread)?])?]),
        (
            libc::SYS_tgkill,
            one_of(0, &[u64::from(std::process::id())])?,
        ),
        // To look at limits, not to set them.
        (
            libc::SYS_prlimit64,
            vec![rule(&[SeccompCondition::new(
                2,
                SeccompCmpArgLen::Qword,
                SeccompCmpOp::Eq,
                0,
            )?])?],
        ),
        (
            libc::SYS_prctl,
            one_of(
                0,
                &[
                    u64::from(libc::PR_SET_NAME.unsigned_abs()),
                    u64::from(libc::PR_GET_NAME.unsigned_abs()),
                    PR_SET_VMA,
                ],
            )?,
        ),
        (
            libc::SYS_ioctl,
            one_of(
                1,
                &[libc::FIONBIO, libc::FIONREAD, libc::FIOCLEX, libc::TCGETS],
            )?,
        ),
    ])
}

fn equals(argument: u8, value: u64) -> Result<SeccompCondition, Error> {
    let condition =
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
    Ok(condition)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, Error> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(condition)
}

fn rule(conditions: &[SeccompCondition]) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(conditions.to_vec())?)
}
