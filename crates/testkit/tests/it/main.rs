//! The servers and the lab are what they claim to be, judged by other people's programs.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "the judges are child processes")]

mod lab;
mod servers;

use std::process::Command;

/// Runs a program to its end and returns what it printed on both streams.
pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text + &String::from_utf8_lossy(&output.stderr)
}
