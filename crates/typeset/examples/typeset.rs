//! The child process of the tests: the smallest binary that serves the hidden subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(typeset::child::SUBCOMMAND) {
        return typeset::child::serve_stdin();
    }
    ExitCode::from(2)
}
