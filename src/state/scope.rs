//! Which account and region an instance lives in, from its own identifier or its neighbours'.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::draft::Draft;

/// An account or a region, and how it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) value: Option<Arc<str>>,
    pub(crate) is_inferred: bool,
}

/// What the identifiers under each provider configuration of one state agree on.
///
/// A provider configuration works in one account and one region, so that a resource without an
/// identifier that tells lives where its neighbours do. Where they disagree nothing is inferred.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    by_provider: HashMap<Arc<str>, Agreement>,
    texts: HashSet<Arc<str>>,
}

#[derive(Debug, Default)]
struct Agreement {
    account: Voice,
    region: Voice,
}

#[derive(Debug, Default)]
enum Voice {
    #[default]
    Silent,
    One(Arc<str>),
    Several,
}

impl Voice {
    fn hear(&mut self, said: &str, texts: &mut HashSet<Arc<str>>) {
        match self {
            Self::Silent => *self = Self::One(shared(said, texts)),
            Self::One(known) if **known == *said => {}
            _ => *self = Self::Several,
        }
    }

    fn agreed(&self) -> Placed {
        match self {
            Self::One(value) => Placed {
                value: Some(Arc::clone(value)),
                is_inferred: true,
            },
            _ => Placed::default(),
        }
    }
}

fn shared(text: &str, texts: &mut HashSet<Arc<str>>) -> Arc<str> {
    if let Some(known) = texts.get(text) {
        return Arc::clone(known);
    }
    let new: Arc<str> = text.into();
    texts.insert(Arc::clone(&new));
    new
}

impl Inference {
    /// Listens to all instances of one state.
    pub(crate) fn of(drafts: &[Draft]) -> Self {
        let mut inference = Self::default();
        for draft in drafts {
            let Some(scope) = &draft.scope else { continue };
            let agreement = inference
                .by_provider
                .entry(Arc::clone(&draft.provider))
                .or_default();
            if let Some(account) = &scope.account {
                agreement.account.hear(account, &mut inference.texts);
            }
            if let Some(region) = &scope.region {
                agreement.region.hear(region, &mut inference.texts);
            }
        }
        inference
    }

    /// Account and region of one of them.
    pub(crate) fn place(&mut self, draft: &Draft) -> (Placed, Placed) {
        let agreement = self.by_provider.get(&draft.provider);
        let mut own = |text: &String| Placed {
            value: Some(shared(text, &mut self.texts)),
            is_inferred: false,
        };
        let account = draft
            .scope
            .as_ref()
            .and_then(|scope| scope.account.as_ref());
        let account = match account {
            Some(account) => own(account),
            None => agreement.map_or_else(Placed::default, |known| known.account.agreed()),
        };
        let region = match (&draft.scope, &draft.region) {
            (Some(scope), _) => scope.region.as_ref().map(own).unwrap_or_default(),
            (None, Some(region)) => own(region),
            (None, None) => agreement.map_or_else(Placed::default, |known| known.region.agreed()),
        };
        (account, region)
    }
}

#[cfg(test)]
mod tests {
    use crate::state::testing::{AWS, inventory_of, resource, state_of};
    use serde_json::json;

    #[test]
    fn account_and_region_come_from_the_own_arn_then_an_attribute_then_agreeing_neighbours() {
        let other = "provider[\"registry.terraform.io/hashicorp/aws\"].us";
        let instance = |region: &str, account: &str| json!({"arn": format!("arn:aws:ec2:{region}:{account}:instance/i")});
        let inventory = inventory_of(&[
            &state_of(&json!([
                resource(
                    "aws_instance",
                    "own",
                    AWS,
                    &instance("eu-west-1", "111111111111")
                ),
                resource(
                    "aws_s3_bucket",
                    "global",
                    AWS,
                    &json!({"arn": "arn:aws:s3:::b", "region": "eu-west-1"})
                ),
                resource(
                    "aws_iam_role",
                    "role",
                    AWS,
                    &json!({"arn": "arn:aws:iam::111111111111:role/r"})
                ),
                resource(
                    "aws_s3_bucket_versioning",
                    "neighbour",
                    AWS,
                    &json!({"bucket": "b"})
                ),
                resource(
                    "aws_s3_bucket_versioning",
                    "told",
                    AWS,
                    &json!({"bucket": "b", "region": "eu-west-3"})
                ),
                resource(
                    "aws_instance",
                    "one",
                    other,
                    &instance("us-east-1", "111111111111")
                ),
                resource(
                    "aws_instance",
                    "two",
                    other,
                    &instance("us-east-1", "222222222222")
                ),
                resource(
                    "aws_s3_bucket_versioning",
                    "torn",
                    other,
                    &json!({"bucket": "c"})
                ),
            ])),
            &state_of(&json!([resource(
                "aws_s3_bucket_versioning",
                "alone",
                AWS,
                &json!({"bucket": "d"})
            )])),
        ]);
        let (first, second) = (Some("111111111111"), Some("222222222222"));
        for (address, account, region, inferred) in [
            ("aws_instance.own", first, Some("eu-west-1"), (false, false)),
            ("aws_s3_bucket.global", first, None, (true, false)),
            ("aws_iam_role.role", first, None, (false, false)),
            (
                "aws_s3_bucket_versioning.neighbour",
                first,
                Some("eu-west-1"),
                (true, true),
            ),
            (
                "aws_s3_bucket_versioning.told",
                first,
                Some("eu-west-3"),
                (true, false),
            ),
            (
                "aws_instance.two",
                second,
                Some("us-east-1"),
                (false, false),
            ),
            (
                "aws_s3_bucket_versioning.torn",
                None,
                Some("us-east-1"),
                (false, true),
            ),
            ("aws_s3_bucket_versioning.alone", None, None, (false, false)),
        ] {
            let instance = inventory.get(inventory.find_address(address)[0]);
            assert_eq!(instance.account(), account, "{address}");
            assert_eq!(instance.region(), region, "{address}");
            assert_eq!(
                (
                    instance.account_is_inferred(),
                    instance.region_is_inferred()
                ),
                inferred,
                "{address}"
            );
        }
        assert_eq!(
            inventory.accounts().into_iter().collect::<Vec<_>>(),
            ["111111111111", "222222222222"]
        );
    }
}
