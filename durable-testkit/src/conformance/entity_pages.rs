//! Entities in bulk: found by name, key and time of change, page by page.

use durable::{
    entity::EntityState,
    model::{EntityName, Payload},
    provider::{EntityQuery, ProviderErrorKind},
};

use super::{
    Hub,
    entities::{entity, turn},
    fixtures::{Stage, json, refused},
};

impl Hub {
    /// The entities that `query` finds with their states, through all pages.
    pub(crate) async fn entities(&self, mut query: EntityQuery) -> Vec<(String, Option<Payload>)> {
        let mut found = Vec::new();
        for _ in 0..10_000 {
            let page = self.provider.entities(&query).await.expect("the store can be read");
            assert!(page.entities.len() <= query.page_size, "no page has more than was asked for");
            for stored in page.entities {
                let kept = EntityState::read(&stored.kept).expect("it is what a turn has kept");
                found.push((stored.entity.to_string(), kept.state));
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return found,
            }
        }
        panic!("the pages have no end");
    }

    pub(crate) async fn entity_ids(&self, query: EntityQuery) -> Vec<String> {
        self.entities(query).await.into_iter().map(|(id, _)| id).collect()
    }
}

/// Names that begin alike, keys with all that may mean something to a store.
const MANY: [(&str, &str); 13] = [
    ("a", ""),
    ("a", "%"),
    ("a", "a"),
    ("a", "a%b"),
    ("a", "a@b"),
    ("a", "aa"),
    ("a", "a_b"),
    ("a", "axb"),
    ("a", "ключ"),
    ("ab", "a"),
    ("ab", "z"),
    ("b", "A"),
    ("b", "a"),
];

// R2:MGT-72
pub(super) async fn entities_are_found_by_name_and_beginning_of_the_key(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for (number, (name, key)) in MANY.iter().enumerate() {
        hub.begin_entity(&entity(name, key), number as u64).await;
    }
    let expected = |fits: &dyn Fn(&str, &str) -> bool| {
        let fitting = MANY.iter().enumerate().filter(|(_, (name, key))| fits(name, key));
        let mut fitting: Vec<_> = fitting
            .map(|(number, (name, key))| (entity(name, key).to_string(), Some(json(number))))
            .collect();
        fitting.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        fitting
    };
    let name = |text: &str| EntityName::new(text).expect("the cases use well-formed names");
    let all = expected(&|_, _| true);
    assert_eq!(hub.entities(EntityQuery::new()).await, all, "in the order of their ids");
    for page_size in [1, 2, 5] {
        assert_eq!(hub.entities(EntityQuery::new().page_size(page_size)).await, all);
    }
    for named in ["a", "ab", "b", "c", "A"] {
        let fits = |name: &str, _: &str| name == named.to_lowercase();
        let query = EntityQuery::new().name(name(named));
        assert_eq!(hub.entities(query.clone()).await, expected(&fits), "{named}");
        assert_eq!(hub.entities(query.page_size(1)).await, expected(&fits), "{named}, one by one");
    }
    for prefix in ["", "a", "aa", "a%", "a@", "a_", "%", "к", "A", "z"] {
        let fits = |name: &str, key: &str| name == "a" && key.starts_with(prefix);
        let query = EntityQuery::new().keys(name("a"), prefix);
        assert_eq!(hub.entities(query.clone()).await, expected(&fits), "a, {prefix}");
        assert_eq!(hub.entities(query.page_size(1)).await, expected(&fits), "a, {prefix}, one by one");
    }
}

pub(super) async fn entities_are_found_by_the_time_of_their_last_change(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let begin = hub.now();
    let at = |moments: u32| begin.saturating_add(stage.moment() * moments);
    for (moments, key) in ["x", "y", "z"].into_iter().enumerate() {
        let of = entity("a", key);
        hub.signal(&of, 0).await;
        let item = hub.fetch_of(of.as_str()).await;
        let checkpoint = turn(&item, Some(json(0)), Vec::new(), at(moments as u32));
        hub.provider.checkpoint(item, checkpoint).await.expect("the item is held");
    }
    for (query, expected) in [
        (EntityQuery::new().modified_from(at(1)), vec!["@a@y", "@a@z"]),
        (EntityQuery::new().modified_to(at(1)), vec!["@a@x", "@a@y"]),
        (EntityQuery::new().modified_from(at(1)).modified_to(at(1)), vec!["@a@y"]),
        (EntityQuery::new().modified_from(at(2)).modified_to(at(1)), vec![]),
    ] {
        assert_eq!(hub.entity_ids(query.clone()).await, expected, "{query:?}");
        assert_eq!(hub.entity_ids(query.page_size(1)).await, expected, "one by one");
    }
}

pub(super) async fn a_token_of_another_entity_query_is_refused(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for key in ["x", "y"] {
        hub.begin_entity(&entity("a", key), 0).await;
    }
    let query = EntityQuery::new().page_size(1);
    let page = hub.provider.entities(&query).await.expect("the store can be read");
    let next = page.next.expect("there are two");
    let other = query.clone().name(EntityName::literal("a")).after(next.clone());
    refused(hub.provider.entities(&other).await, &ProviderErrorKind::BadPageToken);
    refused(hub.provider.entities(&query.clone().after("x")).await, &ProviderErrorKind::BadPageToken);
    let second = hub.provider.entities(&query.after(next)).await.expect("it is of this query");
    assert_eq!(second.entities[0].entity, entity("a", "y"));
}

pub(super) async fn pages_stay_in_step_while_entities_come_and_go(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for key in ["b", "d", "f", "h"] {
        hub.begin_entity(&entity("a", key), 1).await;
    }
    let query = EntityQuery::new().page_size(2);
    let first = hub.provider.entities(&query).await.expect("the store can be read");
    let mut found: Vec<_> = first.entities.iter().map(|found| found.entity.to_string()).collect();
    let next = first.next.expect("there are more");
    for key in ["a", "c"] {
        hub.begin_entity(&entity("a", key), 1).await;
    }
    hub.signal(&entity("a", "d"), 1).await;
    let item = hub.fetch_of("@a@d").await;
    hub.keep(item, None).await;
    hub.begin_entity(&entity("a", "h"), 2).await;
    found.extend(hub.entity_ids(query.after(next)).await);
    assert_eq!(found, ["@a@b", "@a@d", "@a@f", "@a@h"]);
}
