//! Every action of this context.

use base::{Action, Permission};

/// Look at streams and what waits in them, and ask for what a stream has (poll).
pub const READ: Action = Action::new("integrations.read", Permission::ReadIntegrations);
/// Make a stream of events to a receiver.
pub const CREATE_STREAM: Action = Action::new("integrations.create_stream", Permission::WriteIntegrations);
/// Change what a stream brings, where to, or whether it does.
pub const UPDATE_STREAM: Action = Action::new("integrations.update_stream", Permission::WriteIntegrations);
/// End a stream with everything that waits in it.
pub const DELETE_STREAM: Action = Action::new("integrations.delete_stream", Permission::WriteIntegrations);
/// Say about whom a stream brings events.
pub const CHANGE_SUBJECTS: Action = Action::new("integrations.change_subjects", Permission::WriteIntegrations);
/// Ask a stream to prove that it works.
pub const VERIFY_STREAM: Action = Action::new("integrations.verify_stream", Permission::WriteIntegrations);
/// Send again what could not be delivered.
pub const RESEND: Action = Action::new("integrations.resend", Permission::WriteIntegrations);
/// A receiver tells what it has taken, which nobody gets any more: who may only look must not swallow another one's events.
pub const ACKNOWLEDGE: Action = Action::new("integrations.acknowledge", Permission::WriteIntegrations);
/// Bring in a new key for event tokens.
pub const ROTATE_KEYS: Action = Action::new("integrations.rotate_keys", Permission::WriteKeys);
/// Something happened that receivers are told.
pub const TRANSMIT: Action = Action::open("integrations.transmit");
/// Events were brought to a receiver, or could not be.
pub const DELIVER: Action = Action::open("integrations.deliver");
