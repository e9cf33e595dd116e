//! Profiles as data: which stages a scan has, with what, and how far they go.

use std::time::Duration;

use targets::Intrusiveness;

use crate::model::Profile;

/// The tool of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Native,
    Nmap,
    Sslscan,
}

impl Tool {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "tyrian",
            Self::Nmap => "nmap",
            Self::Sslscan => "sslscan",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Native, Self::Nmap, Self::Sslscan].into_iter().find(|tool| tool.as_str() == name)
    }
}

/// One stage of a profile.
#[derive(Debug)]
pub(crate) struct StagePlan {
    pub(crate) name: &'static str,
    pub(crate) tool: Tool,
    /// Its share of the bar, relative to the other stages.
    pub(crate) weight: f32,
}

/// Which ports a profile tries when nobody says otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ports {
    Top(usize),
    All,
}

/// What a profile does.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The least an authorisation must allow.
    pub(crate) needs: Intrusiveness,
    /// The most that is tried, even when the authorisation allows more.
    pub(crate) up_to: Intrusiveness,
    pub(crate) ports: Ports,
    pub(crate) exposures: bool,
    pub(crate) services: bool,
    /// Longest run of the native stage.
    pub(crate) longest: Duration,
    pub(crate) stages: &'static [StagePlan],
}

const PROBES: StagePlan = StagePlan { name: "ports, services and checks", tool: Tool::Native, weight: 5.0 };
const SERVICES: StagePlan = StagePlan { name: "service versions", tool: Tool::Nmap, weight: 3.0 };
const TLS: StagePlan = StagePlan { name: "TLS configuration", tool: Tool::Sslscan, weight: 2.0 };

static PLANS: [Plan; 3] = [
    Plan {
        needs: Intrusiveness::Safe,
        up_to: Intrusiveness::Safe,
        ports: Ports::Top(100),
        exposures: true,
        services: true,
        longest: Duration::from_secs(15 * 60),
        stages: &[PROBES],
    },
    Plan {
        needs: Intrusiveness::Safe,
        up_to: Intrusiveness::Safe,
        ports: Ports::Top(1000),
        exposures: true,
        services: true,
        longest: Duration::from_secs(2 * 3600),
        stages: &[PROBES, TLS],
    },
    Plan {
        needs: Intrusiveness::Safe,
        up_to: Intrusiveness::Intrusive,
        ports: Ports::All,
        exposures: true,
        services: true,
        longest: Duration::from_secs(8 * 3600),
        stages: &[PROBES, SERVICES, TLS],
    },
];

impl Profile {
    pub(crate) fn plan(self) -> &'static Plan {
        let [quick, standard, deep] = &PLANS;
        match self {
            Self::Quick => quick,
            Self::Standard => standard,
            Self::Deep => deep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_a_plan_that_begins_with_our_own_probes() {
        for profile in Profile::ALL {
            let plan = profile.plan();
            assert!(plan.needs <= plan.up_to);
            assert_eq!(plan.stages.first().map(|stage| stage.tool), Some(Tool::Native));
            assert!(plan.stages.iter().all(|stage| stage.weight > 0.0 && Tool::named(stage.tool.as_str()) == Some(stage.tool)));
        }
    }
}
