//! The race whose poll order is fixed.

/// Waits for the first of several futures; of those that are ready together, the upper one wins.
///
/// The grammar is that of `tokio::select!`. The order in which branches are polled is always the
/// written one, as orchestrators need: readiness accumulates during replay, and a random order
/// would let another branch win (replay rule 3). Inside an `#[orchestrator]` a bare `select!`
/// means this macro.
///
/// ```
/// # futures::executor::block_on(async {
/// let answer = durable::select! {
///     number = async { 1 } => number,
///     number = async { 2 } => number,
/// };
/// assert_eq!(answer, 1);
/// # });
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($branches:tt)*) => {
        $crate::macro_support::tokio::select! { biased; $($branches)* }
    };
    ($($branches:tt)*) => {
        $crate::macro_support::tokio::select! { biased; $($branches)* }
    };
}
