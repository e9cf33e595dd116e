//! Why a text is no vector; every error names the metric it is about.

use super::Version;

/// Why a text is no CVSS vector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VectorError {
    /// Nothing but white space.
    #[error("the vector is empty")]
    Empty,
    /// Longer than any vector can be.
    #[error("the vector is longer than {limit} bytes")]
    TooLong {
        /// The longest text that is looked at.
        limit: usize,
    },
    /// A `CVSS:` prefix of a version nobody published.
    #[error("unknown CVSS version {version:?}: 2.0, 3.0, 3.1 and 4.0 exist")]
    UnknownVersion {
        /// What stands where the version belongs.
        version: String,
    },
    /// Metrics of v3 or v4 without the prefix that says which.
    #[error("no CVSS:x.y/ prefix before metric {metric}: only v2.0 is written without one")]
    NoPrefix {
        /// The metric that v2.0 does not have.
        metric: String,
    },
    /// Something between two slashes that is no `metric:value`.
    #[error("{component:?} after {after} is no metric:value pair")]
    Malformed {
        /// What stands there, cut when long.
        component: String,
        /// The metric before it, or the start.
        after: String,
    },
    /// A metric that this version does not have.
    #[error("CVSS {version} has no metric {metric:?}")]
    UnknownMetric {
        /// Version of the vector.
        version: Version,
        /// The metric as written.
        metric: String,
    },
    /// A value that this metric cannot take.
    #[error("metric {metric} of CVSS {version} cannot be {value:?}")]
    UnknownValue {
        /// Version of the vector.
        version: Version,
        /// The metric.
        metric: &'static str,
        /// The value as written.
        value: String,
    },
    /// A metric given more than once.
    #[error("metric {metric} is given twice")]
    Duplicate {
        /// The metric.
        metric: &'static str,
    },
    /// A base metric that is not given.
    #[error("base metric {metric} is missing")]
    Missing {
        /// The first missing metric, in the order of the specification.
        metric: &'static str,
    },
}
