//! `tyrian`: one binary, whatever part of the platform it is told to be.
#![expect(clippy::disallowed_methods, reason = "the program itself reads the environment and starts the runtime's first task")]

mod api;
mod cli;
mod commands;
mod config;
mod errors;
mod memory;
mod output;
mod reference;
mod roles;
mod serve;
mod services;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

// Tests and checks build without optimisation and keep the system's allocator, which their tools understand.
#[cfg(not(debug_assertions))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    if matches!(cli.command, cli::Command::Typeset) {
        return typeset::child::serve_stdin();
    }
    let json = cli.json;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return output::failed(&base::Error::internal(format!("the runtime cannot start: {cause}")), json),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => output::failed(&error, json),
    }
}
