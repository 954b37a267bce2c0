//! The list of what a part may be.

use futures::future::BoxFuture;

use super::{
    branches as between, entities, joins, locks,
    program::Part,
    races, streams,
    tasks::{self, Yield},
};

type Shape = fn(Part) -> BoxFuture<'static, u64>;

macro_rules! shapes {
    ($($shape:path),* $(,)?) => { &[$(|part| Box::pin($shape(part))),*] };
}

/// Parts without children.
pub(super) const LEAVES: &[Shape] = shapes![
    tasks::one_call,
    tasks::one_call,
    tasks::one_call,
    tasks::one_attempt,
    tasks::one_retried,
    tasks::one_http,
    tasks::one_timer,
    tasks::one_event,
    tasks::one_event_within,
    tasks::one_uuid,
    tasks::one_now,
    tasks::one_send,
    entities::one_operation,
    entities::one_signal,
];

/// Parts with children.
pub(super) const SHAPES: &[Shape] = shapes![
    tasks::sequence,
    tasks::sequence,
    tasks::if_else,
    tasks::repeat,
    tasks::retry,
    tasks::awaited_in_another_order,
    tasks::asked_before_awaited,
    tasks::dropped,
    tasks::forgotten,
    tasks::guarded,
    joins::join,
    joins::try_join,
    joins::tokio_join,
    joins::tokio_try_join,
    joins::join_all,
    joins::try_join_all,
    joins::shared,
    joins::remote_handle,
    streams::ordered,
    streams::unordered,
    streams::refilled,
    streams::buffered,
    streams::buffer_unordered,
    streams::for_each_concurrent,
    streams::ready_chunks,
    streams::map_concurrent,
    streams::select_two,
    streams::select_all,
    races::select,
    races::select_all,
    races::select_ok,
    races::select_biased,
    races::tokio_select,
    races::select_with_handlers,
    races::select_in_a_loop,
    races::deadline,
    races::timeout,
    races::timeout_in_a_loop,
    races::aborted,
    races::caught,
    between::tokio_oneshot,
    between::futures_oneshot,
    between::tokio_mpsc,
    between::tokio_mpsc_unbounded,
    between::futures_mpsc,
    between::broadcast,
    between::watch,
    between::async_channel,
    between::flume,
    between::cancellation,
    entities::section,
    entities::section,
    entities::section_within_patience,
    entities::late_section,
    entities::leaked_section,
    locks::tokio_mutex,
    locks::futures_mutex,
    locks::rw_lock,
    locks::semaphore,
    locks::async_lock_semaphore,
    locks::once_cell,
    locks::notify,
    locks::barrier,
    Yield::tokio,
    Yield::futures_lite,
    Yield::by_hand,
];
