//! Many instances at once: what fits a filter of several tags is found however few or many have each, and
//! purges of them.

use std::collections::BTreeMap;

use durable::{
    prelude::{InstanceFilter, InstanceQuery},
    provider::{AdminStore, InstanceStore},
};
use futures::future::{join3, try_join_all};

use crate::fixtures::*;

const COUNT: u32 = 6_000;

/// Which instances have which tags: every second or third one, few, few that stand together, and all.
fn tags(number: u32) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    tags.insert("half".to_owned(), (number % 2).to_string());
    tags.insert("third".to_owned(), (number % 3).to_string());
    tags.insert("all".to_owned(), "yes".to_owned());
    if number.is_multiple_of(500) {
        tags.insert("few".to_owned(), "yes".to_owned());
    }
    if number >= COUNT - 10 {
        tags.insert("last".to_owned(), "yes".to_owned());
    }
    tags
}

#[test]
fn what_has_several_tags_is_found_however_many_have_each() {
    on_both(|hub| {
        let starts = (0..COUNT).map(|number| {
            let mut new = new_instance(&format!("order-{number:04}"));
            new.started.tags = tags(number);
            new.started.name = format!("kind-{}", number % 5).into();
            // Several are created at one time.
            new.at = at(i64::from(number / 3));
            hub.create_instance(new)
        });
        block_on(try_join_all(starts)).unwrap();
        let all = InstanceFilter::new;
        for filter in [
            all().tag("half", "0").tag("third", "1"),
            all().tag("half", "0").tag("third", "1").name("kind-2"),
            all().tag("half", "1").tag("few", "yes"),
            all().tag("all", "yes").tag("few", "yes").tag("third", "0"),
            all().tag("all", "yes").tag("last", "yes"),
            all().tag("all", "yes").tag("half", "1").created_from(at(1_000)).created_to(at(1_010)),
            all().tag("half", "1").tag("third", "2").id_prefix("order-01"),
        ] {
            let expected: Vec<_> = (0..COUNT)
                .filter(|number| {
                    let tags = tags(*number);
                    filter.tags.iter().all(|(name, value)| tags.get(name) == Some(value))
                        && filter.fits_created(at(i64::from(number / 3)))
                        && filter
                            .name
                            .as_ref()
                            .is_none_or(|name| name.as_str() == format!("kind-{}", number % 5))
                })
                .map(|number| format!("order-{number:04}"))
                .filter(|instance| filter.fits_id(instance))
                .collect();
            let mut query = InstanceQuery::of(filter.clone()).page_size(70);
            let mut found = Vec::new();
            loop {
                let page = block_on(hub.query(&query)).unwrap();
                found.extend(page.instances.into_iter().map(|instance| instance.instance_id.to_string()));
                let Some(next) = page.next else { break };
                query = query.after(next);
            }
            assert_eq!(found, expected, "{filter:?}");
        }
    });
}

#[test]
fn purges_at_once_remove_each_instance_once_and_hold_up_no_start() {
    on_both(|hub| {
        for number in 0..100 {
            create(hub, &format!("order-{number}"));
            finish(hub);
        }
        let filter = InstanceFilter::new();
        let purge = || async { hub.purge_by(&filter, 100, None).await.unwrap().deleted };
        let starts =
            try_join_all((0..20).map(|number| hub.create_instance(new_instance(&format!("new-{number}")))));
        let (one, other, started) = block_on(join3(purge(), purge(), starts));
        assert_eq!(one + other, 100);
        assert_eq!(started.unwrap().len(), 20);
        assert_eq!(block_on(hub.counts()).unwrap().total(), 20);
    });
}
