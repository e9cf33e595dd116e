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

/// Shows help, or what is wrong with the command line; a script that asked for JSON gets a document too.
fn refuse(wrong: &clap::Error) -> ! {
    if wrong.use_stderr() && std::env::args_os().any(|word| word == "--json") {
        // What is wrong, without the advice and the usage below it.
        let text = wrong.to_string();
        let what = text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        output::failure(&errors::usage(what.strip_prefix("error: ").unwrap_or(&what)));
    }
    wrong.exit()
}

fn main() -> ExitCode {
    let cli = cli::Cli::try_parse().unwrap_or_else(|wrong| refuse(&wrong));
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
