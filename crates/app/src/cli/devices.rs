//! Words of `tyrian devices`.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum DevicesCommand {
    /// List phones with what they may do and their newest score
    List {
        /// Only phones that may do this: observe, step_up, restrict, lock or quarantine
        #[arg(long, value_name = "POSTURE")]
        posture: Option<String>,
        /// Only phones of this platform: android-key, app-attest, play-integrity or none
        #[arg(long, value_name = "PLATFORM")]
        platform: Option<String>,
    },
    /// Show one phone and what happened to it
    Show {
        /// The phone
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Say why a phone may do what it may do
    Why {
        /// The phone
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Lock a phone; its next request is refused
    Lock {
        /// The phone
        #[arg(value_name = "ID")]
        id: String,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Revoke its tokens too
        #[arg(long)]
        quarantine: bool,
        /// Seconds until the lock ends by itself, at most a day
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u32>,
    },
    /// Release a locked phone
    Unlock {
        /// The phone
        #[arg(value_name = "ID")]
        id: String,
        /// Why, for the audit log
        #[arg(long, value_name = "TEXT", default_value = "released on the command line")]
        reason: String,
    },
    /// Make a code with which one phone can enrol
    EnrolCode(EnrolCode),
}

#[derive(Debug, Args)]
pub(crate) struct EnrolCode {
    /// What the phone will be called
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Id of the user who will carry it
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Plan it will be judged by
    #[arg(long, value_enum, default_value_t = PhonePlan::Free)]
    pub(crate) plan: PhonePlan,
    /// Whose it is
    #[arg(long, value_enum, default_value_t = PhoneOwnership::Corporate)]
    pub(crate) ownership: PhoneOwnership,
    /// When the code can no longer be used, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
}

/// What the organisation pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PhonePlan {
    /// Free
    Free,
    /// Professional
    Professional,
    /// High security
    HighSecurity,
}

impl PhonePlan {
    /// As the API spells it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Professional => "professional",
            Self::HighSecurity => "high_security",
        }
    }
}

/// Whose phone it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PhoneOwnership {
    /// The organisation's
    Corporate,
    /// Its user's
    Byod,
}

impl PhoneOwnership {
    /// As the API spells it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Corporate => "corporate",
            Self::Byod => "byod",
        }
    }
}
