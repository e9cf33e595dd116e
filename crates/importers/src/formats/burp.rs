//! What the editions of Burp write: issues exported as XML, the REST API, the GraphQL API and HTML reports of Burp
//! Enterprise (now DAST), and Dastardly's JUnit file. Five formats, one mapping of an issue.

pub(crate) mod api;
pub(crate) mod dast;
pub(crate) mod dastardly;
pub(crate) mod graphql;
mod issue;
pub(crate) mod xml;
