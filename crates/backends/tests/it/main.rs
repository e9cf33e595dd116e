//! Contract suites: the same stories on every engine.
