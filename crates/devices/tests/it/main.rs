//! The stories of this context: on both kinds of engines, through the service and the routes.
#![cfg(test)]
