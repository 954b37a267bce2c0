//! Sessions that are kept between episodes: found at their checkpoint only, within their bounds.

use durable::{model::InstanceId, provider::CheckpointTag, replay::Session, session::Sessions};

use crate::script::{call, episode, orchestrator, session, start};

fn parked() -> Session {
    let mut live = session(&orchestrator(|ctx| async move { call::<u32>(&ctx, "a", 1).await }));
    episode(&mut live, &mut Vec::new(), [start()]);
    live
}

fn instance(number: usize) -> InstanceId {
    InstanceId::new(number.to_string()).unwrap()
}

const TAG: CheckpointTag = CheckpointTag(7);

// R2:PERF-12, R2:HUB-18
#[test]
fn a_session_is_found_once_and_only_at_the_checkpoint_where_it_stands() {
    let sessions = Sessions::new(1 << 20);
    for (tag, is_found) in [(Some(TAG), true), (Some(CheckpointTag(8)), false), (None, false)] {
        sessions.put(instance(1), TAG, parked());
        assert!(sessions.take(&instance(2), Some(TAG)).is_none());
        assert_eq!(sessions.take(&instance(1), tag).is_some(), is_found, "{tag:?}");
        assert!(sessions.take(&instance(1), Some(TAG)).is_none(), "it was taken, or stood elsewhere");
    }
}

#[test]
fn a_session_whose_commit_may_have_failed_is_forgotten_but_not_a_newer_one() {
    let sessions = Sessions::new(1 << 20);
    sessions.put(instance(1), TAG, parked());
    sessions.forget(&instance(1), CheckpointTag(6));
    sessions.put(instance(2), TAG, parked());
    sessions.forget(&instance(2), TAG);
    assert!(sessions.take(&instance(1), Some(TAG)).is_some());
    assert!(sessions.take(&instance(2), Some(TAG)).is_none());
}

// R2:PERF-16
#[test]
fn when_memory_is_short_the_session_that_was_used_longest_ago_goes_first() {
    let room_for_three = 3 * parked().weight();
    let sessions = Sessions::new(room_for_three);
    for number in 0..3 {
        sessions.put(instance(number), TAG, parked());
    }
    let used = sessions.take(&instance(0), Some(TAG)).unwrap();
    sessions.put(instance(0), TAG, used);
    sessions.put(instance(3), TAG, parked());
    let kept: Vec<_> =
        (0..4).filter(|number| sessions.take(&instance(*number), Some(TAG)).is_some()).collect();
    assert_eq!(kept, [0, 2, 3]);
}

// R2:PERF-14
#[test]
fn without_memory_no_session_is_kept() {
    let sessions = Sessions::new(0);
    sessions.put(instance(1), TAG, parked());
    assert!(sessions.take(&instance(1), Some(TAG)).is_none());
}
