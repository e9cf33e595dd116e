//! Stories of signing in, through service and routes, on both engines.
