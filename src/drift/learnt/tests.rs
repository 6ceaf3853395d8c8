//! What later calls are read as, and that a scan follows whatever is renamed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Learnt;
use crate::audit::call::Call;
use crate::catalogue::Catalogue;
use crate::drift::analysis::{Settings, analyse};
use crate::drift::effect::{Opened, Resolver};
use crate::drift::history::touch::Watch;
use crate::drift::model::Status;
use crate::drift::names::AwsNaming;
use crate::drift::severity::Rules;
use crate::state::{Loaded, load_text};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);

/// Users of these names.
fn users(names: &[&str]) -> Loaded {
    let users = names.iter().map(|name| {
        let arn = format!("arn:aws:iam::111122223333:user/{name}");
        json!({"mode": "managed", "type": "aws_iam_user", "name": name,
            "instances": [{"attributes": {"id": name, "name": name, "arn": arn}}]})
    });
    let state = json!({"version": 4, "resources": users.collect::<Vec<_>>()});
    load_text(
        "x",
        state.to_string().as_bytes(),
        &AwsNaming::new(&CATALOGUE),
    )
}

fn call(service: &str, name: &str, request: Value) -> Call {
    Call {
        service: format!("{service}.amazonaws.com"),
        name: name.to_owned(),
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
        request,
        ..Call::default()
    }
}

fn rename(from: &str, to: &str) -> Call {
    call(
        "iam",
        "UpdateUser",
        json!({"userName": from, "newUserName": to}),
    )
}

fn proxy(from: &str, to: &str) -> Call {
    let request = json!({"dBInstanceIdentifier": from, "newDBInstanceIdentifier": to});
    call("rds", "ModifyDBInstance", request)
}

/// The request of the last call, as it is read after the others.
fn read(calls: Vec<Call>) -> Value {
    let loaded = users(&[]);
    let resolver = Resolver::new(&CATALOGUE, &loaded.inventory);
    let mut learnt = Learnt::default();
    let mut last = Value::Null;
    for call in calls {
        let mut opened = Opened::of(call);
        learnt.read(&resolver, &mut opened);
        last = opened.request;
    }
    last
}

#[test]
fn a_new_name_is_read_as_the_one_that_is_known() {
    let asks = |name: &str| call("iam", "DeleteUser", json!({"userName": name}));
    let tags = |arn: &str| call("rds", "AddTagsToResource", json!({"resourceName": arn}));
    let refused = Call {
        error: Some("EntityAlreadyExists".to_owned()),
        ..rename("a", "b")
    };
    let elsewhere = |call: Call| Call {
        account: "999999999999".to_owned(),
        ..call
    };
    let region = |call: Call| Call {
        region: "eu-west-1".to_owned(),
        ..call
    };
    for (calls, key, expected) in [
        (vec![rename("a", "b"), asks("b")], "userName", "a"),
        (vec![rename("a", "b"), asks("B")], "userName", "a"),
        (
            vec![rename("a", "b"), rename("b", "c"), asks("c")],
            "userName",
            "a",
        ),
        // A name that was given up means nothing.
        (
            vec![rename("a", "b"), rename("b", "c"), asks("b")],
            "userName",
            "b",
        ),
        (
            vec![rename("a", "b"), rename("b", "a"), asks("b")],
            "userName",
            "b",
        ),
        // Who takes another's name is still himself.
        (
            vec![rename("a", "b"), rename("x", "a"), asks("a")],
            "userName",
            "x",
        ),
        (vec![asks("b")], "userName", "b"),
        (vec![refused, asks("b")], "userName", "b"),
        (
            vec![rename("a", "b"), elsewhere(asks("b"))],
            "userName",
            "b",
        ),
        // Users are of no region, instances are.
        (vec![rename("a", "b"), region(asks("b"))], "userName", "a"),
        (
            vec![proxy("a", "b"), region(proxy("b", "c"))],
            "dBInstanceIdentifier",
            "b",
        ),
        // Only what calls a user by that key.
        (
            vec![
                rename("a", "b"),
                call("iam", "DeleteRole", json!({"roleName": "b"})),
            ],
            "roleName",
            "b",
        ),
        (
            vec![
                proxy("a", "b"),
                tags("arn:aws:rds:us-east-1:111122223333:db:b"),
            ],
            "resourceName",
            "arn:aws:rds:us-east-1:111122223333:db:a",
        ),
        (
            vec![
                proxy("a", "b"),
                tags("arn:aws:rds:us-east-1:111122223333:snapshot:b"),
            ],
            "resourceName",
            "arn:aws:rds:us-east-1:111122223333:snapshot:b",
        ),
    ] {
        let told = format!("{calls:?}");
        assert_eq!(read(calls)[key], expected, "{told}");
    }
}

#[test]
fn what_is_known_of_a_name_stands_beside_it() {
    let associate = Call {
        response: json!({"associationId": "eipassoc-2"}),
        ..call(
            "ec2",
            "AssociateAddress",
            json!({"allocationId": "eipalloc-1", "instanceId": "i-2"}),
        )
    };
    let request = json!({"associationId": "eipassoc-2"});
    let request = read(vec![
        associate,
        call("ec2", "DisassociateAddress", request.clone()),
    ]);
    assert_eq!(
        request,
        json!({"associationId": "eipassoc-2", "allocationId": "eipalloc-1"})
    );
}

#[test]
fn a_name_that_a_later_state_knows_means_what_it_says() {
    let loaded = users(&["b"]);
    let resolver = Resolver::new(&CATALOGUE, &loaded.inventory);
    for (calls, expected) in [
        (vec![rename("a", "b"), rename("b", "c")], "b"),
        (
            vec![rename("a", "b"), rename("b", "x"), rename("x", "d")],
            "b",
        ),
        // Who takes the name after it was given up is another.
        (
            vec![rename("b", "x"), rename("a", "b"), rename("b", "c")],
            "a",
        ),
    ] {
        let mut learnt = Learnt::default();
        let mut last = Value::Null;
        for call in calls {
            let mut opened = Opened::of(call);
            learnt.read(&resolver, &mut opened);
            last = opened.request;
        }
        assert_eq!(last["userName"], expected, "{last}");
    }
}

#[test]
fn a_history_follows_who_is_renamed() {
    let loaded = users(&["a"]);
    let resolver = Resolver::new(&CATALOGUE, &loaded.inventory);
    let instances: Vec<_> = loaded.inventory.instances().map(|(id, _)| id).collect();
    let watch = Watch::new(&resolver, &instances);
    let bounded = |name: &str| {
        let policy = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        call(
            "iam",
            "PutUserPermissionsBoundary",
            json!({"userName": name, "permissionsBoundary": policy}),
        )
    };
    let calls = [bounded("b"), rename("a", "b"), bounded("b"), bounded("a")];
    let taught = calls.into_iter().enumerate().map(|(second, call)| {
        let second = i64::try_from(second).unwrap();
        let time = jiff::Timestamp::from_second(second).unwrap();
        *watch.touches(Call { time, ..call }).unwrap_err()
    });
    let mut taught: Vec<_> = taught.collect();
    taught.reverse();
    let touches = watch.taught(taught);
    let seconds: Vec<i64> = touches
        .iter()
        .map(|(_, touch)| touch.call.event.time.as_second())
        .collect();
    assert_eq!(seconds, [1, 2, 3]);
    let other = call("iam", "CreateRole", json!({"roleName": "b"}));
    assert_eq!(watch.touches(other).unwrap().len(), 0);
}

proptest! {
    /// Users `u0` to `u2` are managed, `x3` and `x4` are not; `f5` and `f6` are free names at first.
    #[test]
    fn whoever_is_renamed_is_followed(
        wishes in prop::collection::vec((0_usize..5, 0_usize..7), 0..12),
        order in any::<u64>(),
    ) {
        let names = ["u0", "u1", "u2", "x3", "x4", "f5", "f6"];
        let loaded = users(&names[..3]);
        let mut now: Vec<&str> = names[..5].to_vec();
        let mut calls = Vec::new();
        for (who, name) in wishes {
            let new = names[name];
            // AWS gives no name twice.
            if now.contains(&new) {
                continue;
            }
            let old = std::mem::replace(&mut now[who], new);
            let second = i64::try_from(calls.len()).unwrap();
            calls.push(Call {
                id: format!("id-{second}"),
                time: jiff::Timestamp::from_second(1_768_000_000 + second).unwrap(),
                ..rename(old, new)
            });
        }
        let length = calls.len().max(1);
        calls.rotate_left(usize::try_from(order).unwrap_or_default() % length);
        let resolver = Resolver::new(&CATALOGUE, &loaded.inventory);
        let effects = calls.into_iter().filter_map(|call| resolver.resolve(call)).collect();
        let settings = Settings::plain(Rules::built_in());
        let drifts = analyse(&resolver, effects, &settings).drifts;
        let found: BTreeMap<String, Option<Value>> = drifts
            .iter()
            .filter(|drift| drift.status == Status::Open)
            .map(|drift| {
                let name = drift.attributes.first().and_then(|name| name.after.clone());
                (drift.address.clone().unwrap_or_default(), name)
            })
            .collect();
        let expected: BTreeMap<String, Option<Value>> = names[..3]
            .iter()
            .zip(&now)
            .filter(|(was, is)| was != is)
            .map(|(was, is)| (format!("aws_iam_user.{was}"), Some(json!(is))))
            .collect();
        prop_assert_eq!(found, expected);
    }
}
