//! Writes a sample report to a file, and is the typesetter's child.
//!
//! `sample <html|pdf|json|csv> <en|pt-BR|es> <findings> <file>`

use std::error::Error;
use std::process::ExitCode;

use reports::Typesetter;
use typeset::child;

#[path = "../tests/it/sample.rs"]
mod sample;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word] if word == child::SUBCOMMAND => Ok(child::serve_stdin()),
        [format, language, findings, file] => {
            let frozen = sample::frozen(findings.parse()?)?;
            let typesetter = Typesetter { program: std::env::current_exe()?, limits: child::Limits::default() };
            std::fs::write(file, typesetter.render(&frozen, format.parse()?, language.parse()?).await?)?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::from(2)),
    }
}
