//! Processes on this machine, as Linux tells of them.

use std::collections::HashSet;
use std::process::Command;

use procfs::process::{FDTarget, Process, all_processes};

/// The living children of these parents that have this variable in their environment.
pub(super) fn children(parents: &[u32], (name, value): (&str, &str)) -> Vec<u32> {
    let is_child = |process: &Process| {
        let parent = process.stat().ok().and_then(|stat| u32::try_from(stat.ppid).ok());
        parent.is_some_and(|parent| parents.contains(&parent))
    };
    // Unreadable where the process has just ended.
    let has_variable = |process: &Process| {
        process
            .environ()
            .is_ok_and(|all| all.get(name.as_ref() as &std::ffi::OsStr).is_some_and(|found| found == value))
    };
    let processes = all_processes().expect("Linux has /proc").flatten();
    let found = processes.filter(|process| is_child(process) && has_variable(process));
    found.filter_map(|process| u32::try_from(process.pid).ok()).collect()
}

/// Sends a signal; that the process ended by itself meanwhile is as good.
pub(super) fn signal(pid: u32, signal: &str) {
    let _ = Command::new("kill").args([signal, &pid.to_string()]).output();
}

/// The remote port of every TCP connection that a process holds; none where it has ended.
pub(super) fn connections(pid: u32) -> Vec<u16> {
    let Some(process) = i32::try_from(pid).ok().and_then(|pid| Process::new(pid).ok()) else { return Vec::new() };
    let (Ok(files), Ok(four)) = (process.fd(), process.tcp()) else { return Vec::new() };
    let sockets: HashSet<_> = files
        .flatten()
        .filter_map(|file| match file.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let all = four.into_iter().chain(process.tcp6().unwrap_or_default());
    all.filter(|entry| sockets.contains(&entry.inode)).map(|entry| entry.remote_address.port()).collect()
}
