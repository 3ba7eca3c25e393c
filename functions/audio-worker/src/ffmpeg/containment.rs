//! What a child process can do, although it shares the user and the machine with this process.

use std::{
    collections::BTreeMap,
    io,
    process::{Child, Command},
    sync::Once,
    thread,
};

use function_kit::failure::Failure;
use rustix::{
    process::{DumpableBehavior, set_dumpable_behavior},
    thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs},
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

/// System calls that a decoder does not need: sockets, other processes, keys, other ways to make system calls, and what
/// changes the machine. Each of them fails with `EPERM`.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
];

/// On x86-64, the same calls have second numbers, those of x32, and some have numbers of their own there.
#[cfg(target_arch = "x86_64")]
fn refused() -> impl Iterator<Item = i64> {
    const X32: i64 = 0x4000_0000;
    // ptrace, process_vm_readv and process_vm_writev, sendmsg and sendmmsg (Linux, syscall_64.tbl).
    const OF_X32: [i64; 5] = [521, 539, 540, 518, 538];
    REFUSED.iter().flat_map(|number| [*number, *number | X32]).chain(OF_X32.map(|number| number | X32))
}

#[cfg(not(target_arch = "x86_64"))]
fn refused() -> impl Iterator<Item = i64> {
    REFUSED.iter().copied()
}

/// Makes this process unreadable for its children: its memory and environment hold credentials.
///
/// # Errors
/// If the kernel refuses. No child may run then.
pub fn protect_this_process() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Starts `command` without capabilities, without a way to gain privileges, and without the system calls in [`REFUSED`].
///
/// A kernel may know no filters. The command then starts without, which is logged once.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    protect_this_process()?;
    // A child inherits these properties from the thread that starts it. The thread ends with them.
    thread::scope(|scope| {
        let starting = scope.spawn(|| {
            give_up_privileges()?;
            command.spawn()
        });
        starting.join().map_err(|_| io::Error::other("the starting thread panicked"))?
    })
}

/// Restricts the current thread.
fn give_up_privileges() -> io::Result<()> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    set_no_new_privs(true)?;
    if let Err(error) = apply_filter(&filter().map_err(io::Error::other)?) {
        static WARNED: Once = Once::new();
        let failure = Failure::transient("filter system calls", error);
        WARNED.call_once(|| tracing::warn!(%failure, "ffmpeg runs without a filter of system calls"));
    }
    Ok(())
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    // Without conditions on arguments.
    let rules: BTreeMap<i64, Vec<_>> = refused().map(|number| (number, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::try_from(std::env::consts::ARCH)?)?.try_into()
}

#[cfg(test)]
mod tests;
