//! Writes a sample report in every form and language to a folder, and is the typesetter's child.
//!
//! `sample <folder> <findings>`

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use reports::{Format, Language, Typesetter};
use typeset::child;

#[path = "../tests/it/sample.rs"]
mod sample;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word] if word == child::SUBCOMMAND => Ok(child::serve_stdin()),
        [folder, findings] => {
            let frozen = sample::frozen(findings.parse()?)?;
            let typesetter = Typesetter { program: std::env::current_exe()?, limits: child::Limits::default() };
            for language in Language::ALL {
                for format in Format::ALL {
                    let start = Instant::now();
                    let bytes = typesetter.render(&frozen, format, language).await?;
                    let name = format!("report.{}.{}", language.as_str(), format.as_str());
                    writeln!(io::stdout(), "{name}: {} bytes in {:?}", bytes.len(), start.elapsed())?;
                    std::fs::write(format!("{folder}/{name}"), bytes)?;
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        _ => Ok(ExitCode::from(2)),
    }
}
