//! The hub beside a reference that keeps everything and searches it: whatever happens, each client
//! gets what the reference says, or a gap that names it.

mod check;
mod reference;
mod world;

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use crate::hub::{
    Coding, Config, Draft, Feeds, Filter, Hub, Membership, SlowClient, Subject, Type, TypeSet,
    Voice, Welcome,
};
use crate::severity::Severity;
use world::{Step, World};

fn subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        2 => Just(Subject::SystemStatus),
        1 => Just(Subject::MetricsUpdate),
        4 => prop::sample::select(&["a", "b", "c"][..]).prop_map(|id| Subject::TaskUpdate(id.into())),
        2 => prop::sample::select(&Severity::ALL[..]).prop_map(Subject::Alert),
        2 => prop::sample::select(&["x", "y"][..]).prop_map(|id| Subject::CollectorUpdate(id.into())),
        3 => prop::sample::select(&["g", "h"][..]).prop_map(|name| Subject::GroupMessage(name.into())),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let types = prop_oneof![
        2 => Just(Filter::default().types),
        1 => Just(TypeSet::ALL),
        2 => prop::collection::vec(prop::sample::select(&Type::ALL[..]), 0..4)
            .prop_map(|types| types.into_iter().fold(TypeSet::NONE, TypeSet::with)),
    ];
    let ids = prop::collection::btree_set("[a-b]", 0..2);
    let level =
        prop_oneof![2 => Just(Severity::Info), 1 => prop::sample::select(&Severity::ALL[..])];
    let names = prop::collection::btree_set("[x-y]", 0..2);
    let groups = prop::collection::btree_set("[g-h]", 0..3);
    (types, ids, level, names, groups).prop_map(
        |(types, task_ids, alert_level, collectors, groups)| Filter {
            types,
            task_ids,
            alert_level,
            collectors,
            groups,
        },
    )
}

/// Clients are so many that some classes are large, and so few that all are dealt with.
const CLIENTS: usize = 14;

fn step() -> impl Strategy<Value = Step> {
    let client = || 0..CLIENTS;
    prop_oneof![
        8 => prop::collection::vec(subject(), 1..6).prop_map(Step::Publish),
        2 => prop::collection::vec(subject(), 1..4).prop_map(Step::Number),
        2 => Just(Step::PublishNumbered),
        6 => prop::option::weighted(0.4, 0u64..30).prop_map(|since| Step::Join { since }),
        3 => (client(), filter(), prop::option::weighted(0.4, 0u64..30))
            .prop_map(|(client, filter, since)| Step::Subscribe { client, filter, since }),
        1 => client().prop_map(|client| Step::Unsubscribe { client }),
        3 => client().prop_map(|client| Step::Ping { client }),
        8 => (client(), 0usize..400).prop_map(|(client, bytes)| Step::Room { client, bytes }),
        2 => client().prop_map(|client| Step::Room { client, bytes: 1 << 30 }),
        8 => (0usize..20).prop_map(Step::Pass),
        8 => (0usize..20).prop_map(Step::Turns),
        5 => Just(Step::Answer),
        2 => client().prop_map(|client| Step::SetApart { client }),
        2 => client().prop_map(|client| Step::Leave { client }),
        1 => Just(Step::Pull),
        1 => (0u64..10).prop_map(Step::Prune),
        1 => Just(Step::NewEpoch),
        1 => Just(Step::Restart),
    ]
}

/// Many at once, so that a log turns round before anybody has looked at it.
fn rare() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => step(),
        1 => prop::collection::vec(subject(), 30..60).prop_map(Step::Publish),
    ]
}

#[test]
fn an_alert_does_not_wait_whoever_is_the_first_to_see_it() {
    let hub = Arc::new(Hub::new("e".to_owned(), &Config::default()));
    let voice: Voice = Box::new(|_, _| Bytes::new());
    let mut feeds = Feeds::new(hub.clone(), voice, SlowClient::Conflate);
    let publish = |subject| {
        let draft = Draft { subject, data: "1".to_owned() };
        hub.publish(hub.number(vec![draft], world::NOW));
    };
    let join = |feeds: &mut Feeds, client| {
        let welcome =
            Welcome::New { replies: Vec::new(), cursor: hub.cursor(), epoch: hub.position().0 };
        let membership = Membership::begin(&hub, Coding::default());
        feeds.join(client, membership, Coding::default(), welcome);
    };
    join(&mut feeds, 0);
    publish(Subject::SystemStatus);
    feeds.pull();
    assert!(!feeds.take_urgent());
    publish(Subject::Alert(Severity::Info));
    feeds.pull();
    assert!(feeds.take_urgent() && !feeds.take_urgent());
    publish(Subject::Alert(Severity::Info));
    join(&mut feeds, 1);
    assert!(feeds.take_urgent());
    publish(Subject::Alert(Severity::Info));
    feeds.reply(0, b"pong", true, <[u8]>::len);
    assert!(feeds.take_urgent());
    publish(Subject::Alert(Severity::Info));
    feeds.change(0, None, None);
    assert!(feeds.take_urgent());
}

fn check(policy: SlowClient, steps: Vec<Step>) {
    let mut world = World::new(policy);
    for step in steps {
        world.take(step);
    }
    world.settle();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_client_gets_what_the_reference_says(
        steps in prop::collection::vec(rare(), 1..120),
    ) {
        check(SlowClient::Conflate, steps);
    }

    #[test]
    fn what_is_dropped_is_named(steps in prop::collection::vec(rare(), 1..120)) {
        check(SlowClient::Drop, steps);
    }
}
