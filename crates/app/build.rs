//! Lets the linker pack relative relocations where this machine's C library reads them (glibc 2.36). Unpacked they are nine megabytes of
//! the program's file that are read at every start and stay in memory.
#![expect(clippy::disallowed_methods, reason = "a build script asks cargo by its environment, and the C library by a program")]

use std::process::Command;

/// The first glibc that reads them (DT_RELR).
const PACKED_SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let told = |name: &str| std::env::var(name).unwrap_or_default();
    let runs_here = told("HOST") == told("TARGET");
    if runs_here && told("CARGO_CFG_TARGET_ENV") == "gnu" && glibc().is_some_and(|version| version >= PACKED_SINCE) {
        println!("cargo::rustc-link-arg-bin=tyrian=-Wl,-z,pack-relative-relocs");
    }
}

/// Version of this machine's C library: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(told.stdout).ok()?;
    let (major, minor) = text.trim().rsplit(' ').next()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
