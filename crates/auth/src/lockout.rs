//! How long a user name is locked after wrong passwords: not at all at first, then doubling.

use std::time::Duration;

use crate::config::Config;

/// The wait after the `failures`th wrong password in a row.
pub(crate) fn wait(config: &Config, failures: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(config.lockout_after)?;
    let factor = 1_u64.checked_shl(beyond.min(40)).unwrap_or(u64::MAX);
    Some(Duration::from_secs(config.lockout_seconds.saturating_mul(factor).min(config.lockout_maximum_seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let config = Config { lockout_after: 3, lockout_seconds: 10, lockout_maximum_seconds: 100, ..Config::default() };
        let seconds: Vec<_> =
            [1, 2, 3, 4, 5, 6, 7, u32::MAX].iter().map(|failures| wait(&config, *failures).map(|wait| wait.as_secs())).collect();
        assert_eq!(seconds, [None, None, Some(10), Some(20), Some(40), Some(80), Some(100), Some(100)]);
    }
}
