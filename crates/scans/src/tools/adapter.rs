//! What a program of others is, as data: how it is found, asked for its version, told what to do, and read.
//! Invariant: no value can be read as an option, and a setting a tool cannot take is said, never dropped silently.

use base::{Error, Result};
use importers::Format;

/// Something a scan may want of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Which ports.
    Ports,
    /// Most connections a second.
    Rate,
    /// Seconds after which a host is given up.
    HostTimeout,
    /// Seconds after which a silent connection is given up.
    ReadTimeout,
    /// Name to ask a TLS server for.
    ServerName,
}

/// How a tool spells a setting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spelling {
    /// The option, then the value as the next argument.
    Apart(&'static str),
    /// Option and value in one argument.
    Joined(&'static str),
    /// As `Joined`, with the unit behind the value.
    Suffixed(&'static str, &'static str),
    /// The tool cannot.
    Unsupported(&'static str),
}

/// A program of others.
#[derive(Debug)]
pub(crate) struct Adapter {
    /// Name of the program's file.
    pub(crate) name: &'static str,
    /// The Debian package that brings it.
    pub(crate) package: &'static str,
    /// Arguments that make it tell its version.
    pub(crate) version: &'static [&'static str],
    /// Arguments it always gets.
    pub(crate) always: &'static [&'static str],
    /// Every setting, spelt or declared unsupported.
    pub(crate) settings: &'static [(Setting, Spelling)],
    /// What comes before the first operand, so that none of them is read as an option.
    pub(crate) end_of_options: Option<&'static str>,
    /// The format of its output.
    pub(crate) format: Format,
}

/// A command line and what could not be said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) arguments: Vec<String>,
    pub(crate) unsupported: Vec<&'static str>,
}

impl Adapter {
    /// The arguments for these settings and operands.
    pub(crate) fn arguments(&self, settings: &[(Setting, String)], operands: &[String]) -> Result<CommandLine> {
        let mut arguments: Vec<String> = self.always.iter().map(|argument| (*argument).to_owned()).collect();
        let mut unsupported = Vec::new();
        for (setting, value) in settings {
            self.check(value)?;
            let spelling = self.settings.iter().find(|(known, _)| known == setting).map(|(_, spelling)| *spelling);
            match spelling {
                Some(Spelling::Apart(option)) => arguments.extend([option.to_owned(), value.clone()]),
                Some(Spelling::Joined(option)) => arguments.push(format!("{option}{value}")),
                Some(Spelling::Suffixed(option, unit)) => arguments.extend([option.to_owned(), format!("{value}{unit}")]),
                Some(Spelling::Unsupported(why)) => unsupported.push(why),
                None => return Err(Error::internal(format!("{} does not declare the setting {setting:?}", self.name))),
            }
        }
        arguments.extend(self.end_of_options.map(str::to_owned));
        for operand in operands {
            self.check(operand)?;
            arguments.push(operand.clone());
        }
        Ok(CommandLine { arguments, unsupported })
    }

    fn check(&self, value: &str) -> Result<()> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | ':' | ',' | '-' | '_' | '[' | ']');
        if value.is_empty() || value.starts_with('-') || !value.chars().all(is_plain) {
            return Err(Error::internal(format!("`{}` is no value for {}", value.escape_debug(), self.name)));
        }
        Ok(())
    }

    /// The first word of `text` that looks like a version.
    pub(crate) fn read_version(text: &str) -> Option<String> {
        let is_version = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_digit()) && word.contains('.');
        text.split(|letter: char| letter.is_whitespace() || letter == '\u{1b}').find(is_version).map(|word| {
            word.chars().take_while(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '+')).take(64).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{nmap, sslscan};

    #[test]
    fn every_adapter_declares_every_setting() {
        let all = [Setting::Ports, Setting::Rate, Setting::HostTimeout, Setting::ReadTimeout, Setting::ServerName];
        for adapter in [&nmap::ADAPTER, &sslscan::ADAPTER] {
            for setting in all {
                assert_eq!(adapter.settings.iter().filter(|(known, _)| *known == setting).count(), 1, "{} {setting:?}", adapter.name);
            }
        }
    }

    #[test]
    fn no_value_can_pass_for_an_option_or_a_command() {
        for value in ["-oN/tmp/x", "--script=evil", "", "a b", "$(id)", "a;b", "a\nb", "../x", "é"] {
            assert!(nmap::ADAPTER.arguments(&[], &[value.to_owned()]).is_err(), "{value:?}");
            assert!(nmap::ADAPTER.arguments(&[(Setting::Ports, value.to_owned())], &[]).is_err(), "{value:?}");
        }
    }

    #[test]
    fn versions_are_read_out_of_what_the_tools_say() {
        assert_eq!(Adapter::read_version("\nNmap version 7.93 ( https://nmap.org )").as_deref(), Some("7.93"));
        assert_eq!(Adapter::read_version("\u{1b}[1;34m\t\t2.0.7\n\t\tOpenSSL 3.0.19\n").as_deref(), Some("2.0.7"));
        assert_eq!(Adapter::read_version("no such thing"), None);
    }
}
