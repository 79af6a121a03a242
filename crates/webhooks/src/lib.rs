//! Webhooks: what changes in a tenant is sent to the application of the vendor, one event at a time, in order, signed.
//!
//! How a webhook is made and changed is in `definition`, what is decided about an event and its answer in `decide` (pure), the
//! signature of Standard Webhooks in `signature`, and the sending in `deliver`. What an event tells is `provider`'s.

mod decide;
mod definition;
mod deliver;
mod signature;

pub use decide::{Answer, GIVEN_UP_AFTER_HOURS, RETRY_SECONDS_MAX, RETRY_SECONDS_MIN};
pub use definition::{
    ACTIONS, TYPES_MAX, URL_BYTES_MAX, WEBHOOK_NAME_CHARS_MAX, WEBHOOKS_MAX, WebhookError, WebhookRequest, add, find,
    list, pause, remove, resume,
};
pub use deliver::{ANSWER_SECONDS_MAX, Deliverer, DelivererParts, SENDING_MAX};
pub use signature::SigningKey;
