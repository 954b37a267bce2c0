//! The name of an external event together with the type of what it brings.

use std::{fmt, marker::PhantomData};

use crate::model::{EventName, Payload};

/// An external event whose data is a `T` (R1:EVT-8).
///
/// ```
/// use durable::call::Event;
///
/// const APPROVAL: Event<bool> = Event::new("ApprovalEvent");
/// assert_eq!(APPROVAL.name().as_str(), "ApprovalEvent");
/// ```
///
/// A text will do instead wherever the type is known otherwise.
pub struct Event<T = Payload> {
    name: EventName,
    data: PhantomData<fn() -> T>,
}

impl<T> Event<T> {
    /// An event known at compile time.
    pub const fn new(name: &'static str) -> Self {
        Self { name: EventName::literal(name), data: PhantomData }
    }

    /// Its name; compared ignoring case (DECISIONS 7).
    pub fn name(&self) -> &EventName {
        &self.name
    }
}

impl<T> From<EventName> for Event<T> {
    fn from(name: EventName) -> Self {
        Self { name, data: PhantomData }
    }
}

impl<T> From<&str> for Event<T> {
    fn from(name: &str) -> Self {
        EventName::from(name).into()
    }
}

impl<T> From<String> for Event<T> {
    fn from(name: String) -> Self {
        EventName::from(name).into()
    }
}

impl<T> Clone for Event<T> {
    fn clone(&self) -> Self {
        self.name.clone().into()
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(&self.name).finish()
    }
}
