//! The closed lists of words this context speaks, and how they meet those of the threat engine and the verifiers.

use base::words;

use crate::errors;

words! {
    errors::word;
    /// How a phone can prove what it is.
    Platform, "/platform" {
        /// Android Key Attestation.
        AndroidKey = "android-key",
        /// Apple App Attest.
        AppAttest = "app-attest",
        /// Google Play Integrity.
        PlayIntegrity = "play-integrity",
        /// It cannot: a key in software.
        Software = "none",
    }
    /// Whose phone it is.
    Ownership, "/ownership" {
        /// The organisation's.
        Corporate = "corporate",
        /// Its user's: nothing beyond the application may be touched.
        Byod = "byod",
    }
    /// What the organisation pays for: life of tokens, strictness of thresholds.
    Plan, "/plan" {
        /// Free.
        Free = "free",
        /// Professional.
        Professional = "professional",
        /// High security.
        HighSecurity = "high_security",
    }
    /// What a phone may do, mildest first.
    #[derive(Default)]
    Posture, "/posture" {
        /// Everything.
        #[default]
        Observe = "observe",
        /// Everything, after the owner proves to be there.
        StepUp = "step_up",
        /// Nothing of value until the owner proves to be there.
        Restrict = "restrict",
        /// Nothing, until released or expired.
        Lock = "lock",
        /// Nothing, tokens revoked.
        Quarantine = "quarantine",
    }
    /// What became of the newest attestation.
    Attested, "/attestation_state" {
        /// There never was one.
        Never = "never",
        /// It passed.
        Passed = "passed",
        /// It was genuine, of a system older than is taken here: refused, and evidence of nothing.
        Outdated = "outdated",
        /// It was wrong.
        Failed = "failed",
    }
    /// What an attestation is worth, weakest first.
    Level, "/attestation_level" {
        /// Nothing.
        None = "none",
        /// A genuine answer, nobody vouches for the software.
        Basic = "basic",
        /// A device the platform recognises.
        Device = "device",
        /// A key in a trusted execution environment.
        TrustedEnvironment = "trusted_environment",
        /// A key in a secure element, or the platform's strongest word.
        Strong = "strong",
    }
    /// What a phone is told to do.
    CommandKind, "/kind" {
        /// Lock at once.
        CriticalLock = "CRITICAL_LOCK",
        /// Lock, and forget every token.
        ImmediateQuarantine = "IMMEDIATE_QUARANTINE",
        /// Put a message over the screen.
        ForceOverlay = "force_overlay",
        /// The lock is over.
        Release = "RELEASE",
    }
    /// How far a command reaches.
    Reach, "/reach" {
        /// The application and its data.
        Application = "application",
        /// The whole phone; never one that belongs to its user.
        Device = "device",
    }
    /// What became of a command.
    Outcome, "/outcome" {
        /// It was done.
        Done = "done",
        /// The phone refused it.
        Refused = "refused",
        /// It failed.
        Failed = "failed",
    }
    /// Whom a kill switch stops.
    SwitchScope, "/scope" {
        /// One phone.
        Device = "device",
        /// Every phone of the organisation.
        Tenant = "tenant",
        /// Every phone of the installation.
        Global = "global",
    }
    /// Why a phone is locked.
    #[schema(as = LockCause)]
    Cause, "/cause" {
        /// Readings that were sent before.
        ReplayedReadings = "replayed_readings",
        /// A spent or stolen refresh token.
        RefreshReuse = "refresh_reuse",
        /// An attestation that was used before.
        AttestationReplay = "attestation_replay",
        /// Failures counted past their limit.
        RepeatedFailures = "repeated_failures",
        /// A listed file, domain or address.
        Indicator = "indicator",
        /// A listed one that is marked critical.
        CriticalIndicator = "critical_indicator",
        /// Unusual behaviour, and an attestation that failed.
        AttestationFailed = "attestation_failed",
        /// Unusual behaviour, and no attestation for a day.
        AttestationStale = "attestation_stale",
        /// Unusual behaviour, and a challenge answered wrongly.
        ChallengeFailed = "challenge_failed",
        /// A person decided.
        Operator = "operator",
    }
    /// Why no lock was laid although there was reason for one.
    Withheld, "/withheld" {
        /// The organisation only watches.
        Shadow = "shadow",
        /// The phone is never locked by itself.
        AllowList = "allow_list",
        /// Too many phones were locked lately.
        BlastRadius = "blast_radius",
        /// Scores are simplified.
        Degraded = "degraded",
    }
}

impl From<Posture> for threat::Posture {
    fn from(posture: Posture) -> Self {
        match posture {
            Posture::Observe => Self::Observe,
            Posture::StepUp => Self::StepUp,
            Posture::Restrict => Self::Restrict,
            Posture::Lock => Self::Lock,
            Posture::Quarantine => Self::Quarantine,
        }
    }
}

impl From<threat::Posture> for Posture {
    fn from(posture: threat::Posture) -> Self {
        match posture {
            threat::Posture::Observe => Self::Observe,
            threat::Posture::StepUp => Self::StepUp,
            threat::Posture::Restrict => Self::Restrict,
            threat::Posture::Lock => Self::Lock,
            threat::Posture::Quarantine => Self::Quarantine,
        }
    }
}

impl From<Plan> for threat::Plan {
    fn from(plan: Plan) -> Self {
        match plan {
            Plan::Free => Self::Free,
            Plan::Professional => Self::Professional,
            Plan::HighSecurity => Self::HighSecurity,
        }
    }
}

impl From<attestation::Level> for Level {
    fn from(level: attestation::Level) -> Self {
        match level {
            attestation::Level::None => Self::None,
            attestation::Level::Basic => Self::Basic,
            attestation::Level::Device => Self::Device,
            attestation::Level::TrustedEnvironment => Self::TrustedEnvironment,
            attestation::Level::Strong => Self::Strong,
        }
    }
}

impl From<Level> for attestation::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::None => Self::None,
            Level::Basic => Self::Basic,
            Level::Device => Self::Device,
            Level::TrustedEnvironment => Self::TrustedEnvironment,
            Level::Strong => Self::Strong,
        }
    }
}

impl Level {
    /// The same as the threat engine knows it, which has no word for nothing.
    pub(crate) fn proven(self) -> Option<threat::Level> {
        match self {
            Self::None => None,
            Self::Basic => Some(threat::Level::Basic),
            Self::Device => Some(threat::Level::Device),
            Self::TrustedEnvironment => Some(threat::Level::TrustedEnvironment),
            Self::Strong => Some(threat::Level::Strong),
        }
    }
}

impl From<threat::Cause> for Cause {
    fn from(cause: threat::Cause) -> Self {
        match cause {
            threat::Cause::Signal(signal) => match signal {
                threat::HardSignal::ReplayedReadings => Self::ReplayedReadings,
                threat::HardSignal::RefreshReuse => Self::RefreshReuse,
                threat::HardSignal::AttestationReplay => Self::AttestationReplay,
                threat::HardSignal::RepeatedFailures => Self::RepeatedFailures,
                threat::HardSignal::Indicator => Self::Indicator,
                threat::HardSignal::CriticalIndicator => Self::CriticalIndicator,
                threat::HardSignal::Operator => Self::Operator,
            },
            threat::Cause::Confirmed { by, .. } => match by {
                threat::Corroboration::AttestationFailed => Self::AttestationFailed,
                threat::Corroboration::AttestationStale => Self::AttestationStale,
                threat::Corroboration::ChallengeFailed => Self::ChallengeFailed,
            },
        }
    }
}

impl From<Withheld> for threat::Withheld {
    fn from(withheld: Withheld) -> Self {
        match withheld {
            Withheld::Shadow => Self::Shadow,
            Withheld::AllowList => Self::AllowList,
            Withheld::BlastRadius => Self::BlastRadius,
            Withheld::Degraded => Self::Degraded,
        }
    }
}

impl From<threat::Withheld> for Withheld {
    fn from(withheld: threat::Withheld) -> Self {
        match withheld {
            threat::Withheld::Shadow => Self::Shadow,
            threat::Withheld::AllowList => Self::AllowList,
            threat::Withheld::BlastRadius => Self::BlastRadius,
            threat::Withheld::Degraded => Self::Degraded,
        }
    }
}
