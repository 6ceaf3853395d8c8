//! How much a drift matters, by [rules](super::rule) kept as data in `severity.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::model::{Kind, Severity};
pub use super::rule::View;
use super::rule::{Rule, plain_path};

/// Rules in the order in which they were given.
#[derive(Debug, Clone)]
pub struct Rules(Vec<Rule>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// The embedded rules. A test holds them to their grammar.
const BUILT_IN: &str = include_str!("severity.toml");

impl Rules {
    /// The rules that come with the program.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            Rules(
                toml::from_str::<File>(BUILT_IN)
                    .map(|file| file.rule)
                    .unwrap_or_default(),
            )
        });
        &RULES
    }

    /// Adds a user's rules. One with the id of an earlier rule takes its place, so that a
    /// judgement can be made milder as well as stricter.
    #[must_use]
    pub fn with(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        for rule in rules {
            match self.0.iter_mut().find(|earlier| earlier.id == rule.id) {
                Some(earlier) => *earlier = rule,
                None => self.0.push(rule),
            }
        }
        self
    }

    /// The rule of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.id == id)
    }

    /// All rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }
}

/// Judges a drift: its severity, and the ids of the rules that matched, the most severe first.
///
/// Each attribute is judged by the most severe rule that matches it, else by the kind of the drift;
/// the worst attribute counts. So a rule can make a tag less than a change usually is, without
/// hiding what changed beside it.
#[must_use]
pub fn judge(view: &View<'_>, rules: &Rules) -> (Severity, Vec<String>) {
    let mut candidates: Vec<(&Rule, bool)> = rules
        .iter()
        .filter(|rule| rule.is_about(view))
        .map(|rule| (rule, false))
        .collect();
    let mut worst: Option<Severity> = None;
    for attribute in view.attributes {
        let path = plain_path(&attribute.path);
        // Of a new or deleted resource the whole is judged; its attributes can only add to that.
        let mut severity = None;
        for (rule, matched) in &mut candidates {
            if rule.matches(attribute, &path, view.account) {
                *matched = true;
                severity = severity.max(Some(rule.severity));
            }
        }
        let otherwise = (view.kind == Kind::Modified).then(|| default_of(view.kind));
        worst = worst.max(severity.or(otherwise));
    }
    for (rule, matched) in &mut candidates {
        if rule.attributes.is_empty() && !rule.has_conditions() {
            *matched = true;
            worst = worst.max(Some(rule.severity));
        }
    }
    let mut matched: Vec<&Rule> = candidates
        .into_iter()
        .filter_map(|(rule, matched)| matched.then_some(rule))
        .collect();
    matched.sort_by_key(|rule| std::cmp::Reverse(rule.severity));
    let ids = matched.into_iter().map(|rule| rule.id.clone()).collect();
    (worst.unwrap_or(default_of(view.kind)), ids)
}

/// What a drift amounts to that no rule knows.
fn default_of(kind: Kind) -> Severity {
    match kind {
        Kind::Modified | Kind::Unmanaged => Severity::Medium,
        Kind::Deleted => Severity::High,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use Kind::{Deleted, Modified, Unmanaged};
    use Severity::{Critical, High, Low, Medium};
    use serde_json::{Value, json};

    use super::super::model::{Attribute, Certainty};
    use super::*;

    fn changed(path: &str, before: Value, after: Value) -> Attribute {
        let some = |value: Value| (!value.is_null()).then_some(value);
        Attribute {
            path: path.to_owned(),
            before: some(before),
            after: some(after),
            certainty: Certainty::Exact,
            sensitive: false,
            added: None,
            removed: None,
            by: Vec::new(),
        }
    }

    fn view<'a>(kind: Kind, resource_type: &'a str, attributes: &'a [Attribute]) -> View<'a> {
        View {
            kind,
            resource_type,
            resource_id: None,
            account: "123456789012",
            attributes,
        }
    }

    fn judged(
        kind: Kind,
        resource_type: &str,
        attributes: &[Attribute],
    ) -> (Severity, Vec<String>) {
        judge(&view(kind, resource_type, attributes), Rules::built_in())
    }

    #[test]
    fn the_built_in_rules_are_well_formed() {
        let rules = toml::from_str::<File>(BUILT_IN).unwrap().rule;
        let ids: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids.len(), rules.len(), "ids are unique");
        for rule in &rules {
            assert!(is_kebab(&rule.id), "{} is no kebab case", rule.id);
            assert!(rule.why.ends_with('.'), "{}: no sentence", rule.id);
            let aims = rule.types != ["*"] || !rule.attributes.is_empty();
            assert!(aims, "{} is about everything", rule.id);
            assert!(
                rule.types
                    .iter()
                    .all(|glob| *glob == "*" || glob.starts_with("aws_")),
                "{}",
                rule.id
            );
        }
    }

    /// Documents that the table below names.
    const DOCUMENTS: [(&str, &str); 10] = [
        (
            "ADMIN",
            r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        ),
        (
            "READ",
            r#"{"Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#,
        ),
        (
            "PUBLIC",
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Principal":"*"}}"#,
        ),
        (
            "OWN",
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"}}}"#,
        ),
        (
            "FOREIGN",
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"444455556666"}}}"#,
        ),
        ("KMS", r#"[{"default":[{"sse_algorithm":"aws:kms"}]}]"#),
        ("AES", r#"[{"default":[{"sse_algorithm":"AES256"}]}]"#),
        ("OPEN", r#"[{"cidr_blocks":["0.0.0.0/0"]}]"#),
        (
            "BOTH",
            r#"[{"cidr_blocks":["0.0.0.0/0"]},{"cidr_blocks":["10.0.0.0/0"]}]"#,
        ),
        ("INNER", r#"[{"cidr_blocks":["10.0.0.0/0"]}]"#),
    ];

    /// Type, attribute, before, after, severity.
    const CHANGES: &str = r#"
        aws_instance | disable_api_termination | true | false | critical
        aws_instance | disable_api_termination | "true" | "false" | critical
        aws_instance | disable_api_termination | false | true | medium
        aws_instance | instance_type | "t3.small" | "t3.xlarge" | high
        aws_instance | metadata_options[0].http_tokens | "required" | "optional" | high
        aws_instance | metadata_options[0].http_tokens | "optional" | "required" | medium
        aws_instance | root_block_device[0].volume_size | 8 | 100 | medium
        aws_instance | source_dest_check | true | false | high
        aws_instance | vpc_security_group_ids | ["sg-1"] | ["sg-2"] | high
        aws_instance | iam_instance_profile | "api" | "admin" | high
        aws_instance | tags.Owner | "a" | "b" | low
        aws_instance | tags["kubernetes.io/role"] | null | "1" | low
        aws_subnet | tags | null | {"a":"b"} | low
        aws_db_instance | instance_class | "db.t3.small" | "db.r6g.large" | high
        aws_db_instance | deletion_protection | true | false | critical
        aws_db_instance | backup_retention_period | 14 | 0 | critical
        aws_db_instance | backup_retention_period | 14 | "1" | high
        aws_db_instance | backup_retention_period | 1 | 14 | medium
        aws_db_instance | publicly_accessible | false | true | critical
        aws_db_instance | storage_encrypted | true | false | critical
        aws_dynamodb_table | point_in_time_recovery[0].enabled | true | false | critical
        aws_lb | enable_deletion_protection | true | false | critical
        aws_lb | access_logs[0].enabled | true | false | high
        aws_lb | idle_timeout | 60 | 300 | medium
        aws_s3_bucket_versioning | versioning_configuration[0].status | "Enabled" | "Suspended" | critical
        aws_s3_bucket_server_side_encryption_configuration | rule | KMS | AES | critical
        aws_s3_bucket_server_side_encryption_configuration | rule | AES | KMS | high
        aws_s3_bucket_server_side_encryption_configuration | rule | KMS | null | critical
        aws_s3_bucket | server_side_encryption_configuration | AES | [] | critical
        aws_s3_bucket_public_access_block | block_public_acls | true | false | critical
        aws_s3_bucket_public_access_block | restrict_public_buckets | true | null | critical
        aws_s3_bucket_public_access_block | block_public_acls | false | true | medium
        aws_s3_bucket_acl | acl | "private" | "public-read" | critical
        aws_s3_bucket_policy | policy | null | PUBLIC | critical
        aws_s3_bucket_policy | policy | PUBLIC | READ | high
        aws_kms_key | policy | OWN | FOREIGN | high
        aws_iam_policy | policy | READ | ADMIN | critical
        aws_iam_policy | policy | ADMIN | READ | high
        aws_iam_role | assume_role_policy | OWN | FOREIGN | critical
        aws_iam_role | assume_role_policy | FOREIGN | OWN | high
        aws_iam_role | permissions_boundary | "arn:aws:iam::1:policy/b" | null | critical
        aws_iam_role | max_session_duration | 3600 | 43200 | medium
        aws_iam_role | description | "a" | "b" | low
        aws_kms_key | enable_key_rotation | true | false | high
        aws_kms_key | is_enabled | true | false | critical
        aws_sns_topic | kms_master_key_id | "alias/aws/sns" | "" | critical
        aws_cloudtrail | enable_logging | true | false | critical
        aws_cloudtrail | enable_log_file_validation | true | false | high
        aws_guardduty_detector | enable | true | false | critical
        aws_config_configuration_recorder_status | is_enabled | true | false | critical
        aws_cloudwatch_log_group | retention_in_days | 365 | 7 | high
        aws_cloudwatch_log_group | retention_in_days | 7 | 365 | medium
        aws_cloudwatch_log_group | retention_in_days | 90 | 0 | medium
        aws_cloudwatch_log_group | retention_in_days | 0 | 90 | high
        aws_cloudwatch_metric_alarm | actions_enabled | true | false | high
        aws_cloudwatch_metric_alarm | threshold | 80 | 95 | medium
        aws_route | gateway_id | "igw-1" | "igw-2" | high
        aws_route_table | route | [] | [{"gateway_id":"igw-2"}] | high
        aws_route53_record | records | ["192.0.2.1"] | ["198.51.100.1"] | high
        aws_eks_cluster | vpc_config[0].public_access_cidrs | [] | ["0.0.0.0/0"] | critical
        aws_security_group | ingress | [] | OPEN | critical
        aws_security_group | ingress | OPEN | BOTH | high
        aws_security_group | ingress | [] | INNER | high
        aws_security_group | egress | [] | OPEN | high
        aws_vpc_security_group_ingress_rule | cidr_ipv6 | "fd00::/8" | "::/0" | critical
        aws_ecs_service | desired_count | 4 | 0 | high
        aws_ecs_service | desired_count | 4 | 5 | medium
        aws_ecs_service | task_definition | "api:41" | "api:42" | high
        aws_new_thing | whatever | 1 | 2 | medium
    "#;

    #[test]
    fn a_changed_attribute_is_judged_by_what_it_means() {
        let value = |text: &str| -> Value {
            let document = DOCUMENTS.iter().find(|(name, _)| *name == text);
            serde_json::from_str(document.map_or(text, |(_, document)| document)).unwrap()
        };
        for line in CHANGES
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let [resource_type, path, before, after, expected] =
                line.split(" | ").collect::<Vec<_>>()[..]
            else {
                panic!("five columns: {line}");
            };
            let attribute = changed(path, value(before), value(after));
            let (severity, ids) = judged(Modified, resource_type, &[attribute]);
            assert_eq!(severity.word(), expected, "{line} by {ids:?}");
        }
    }

    #[test]
    fn a_policy_as_text_is_read_like_one_as_an_object() {
        let [admin, read] = [json!(DOCUMENTS[0].1), json!(DOCUMENTS[1].1)];
        let worse = [changed("policy", read, admin)];
        assert_eq!(judged(Modified, "aws_iam_role_policy", &worse).0, Critical);
    }

    #[test]
    fn a_whole_resource_is_judged_by_its_type() {
        let table = [
            (Deleted, "aws_db_instance", Critical),
            (Deleted, "aws_s3_bucket", Critical),
            (Deleted, "aws_kms_key", Critical),
            (Deleted, "aws_flow_log", Critical),
            (Deleted, "aws_s3_bucket_public_access_block", Critical),
            (
                Deleted,
                "aws_s3_bucket_server_side_encryption_configuration",
                Critical,
            ),
            (Deleted, "aws_lambda_permission", High),
            (Deleted, "aws_new_thing", High),
            (Unmanaged, "aws_iam_access_key", Critical),
            (Unmanaged, "aws_iam_user_login_profile", Critical),
            (Unmanaged, "aws_vpc_security_group_ingress_rule", High),
            (Unmanaged, "aws_iam_role_policy_attachment", High),
            (Unmanaged, "aws_sqs_queue", Medium),
        ];
        for (kind, resource_type, expected) in table {
            let (severity, ids) = judged(kind, resource_type, &[]);
            assert_eq!(severity, expected, "{kind:?} {resource_type} by {ids:?}");
        }
    }

    #[test]
    fn what_a_new_resource_was_made_with_can_make_it_worse_and_no_better() {
        let rule = "aws_vpc_security_group_ingress_rule";
        let open = [changed("cidr_ipv4", Value::Null, json!("0.0.0.0/0"))];
        assert_eq!(judged(Unmanaged, rule, &open).0, Critical);
        let tagged = [changed("tags.Owner", Value::Null, json!("me"))];
        assert_eq!(judged(Unmanaged, rule, &tagged).0, High);
        assert_eq!(judged(Unmanaged, "aws_sqs_queue", &tagged).0, Medium);
        let id = Some("ci-runner/arn:aws:iam::aws:policy/AdministratorAccess");
        let attached = View {
            resource_id: id,
            ..view(Unmanaged, "aws_iam_role_policy_attachment", &[])
        };
        assert_eq!(judge(&attached, Rules::built_in()).0, Critical);
    }

    #[test]
    fn the_worst_attribute_counts_and_an_unknown_one_is_not_hidden_by_a_tag() {
        let tag = changed("tags.Owner", json!("a"), json!("b"));
        let odd = changed("whatever", json!(1), json!(2));
        let size = changed("instance_type", json!("t3.small"), json!("t3.large"));
        let guard = changed("disable_api_termination", json!(true), json!(false));
        assert_eq!(
            judged(Modified, "aws_instance", &[tag.clone(), odd]).0,
            Medium
        );
        let (severity, ids) = judged(Modified, "aws_instance", &[tag, size, guard]);
        assert_eq!(severity, Critical);
        assert_eq!(ids, ["ec2-termination-protection", "instance-size", "tags"]);
    }

    #[test]
    fn a_secret_that_changed_is_high_whatever_it_is() {
        let secret = Attribute {
            sensitive: true,
            ..changed("tags.token", json!("a"), json!("b"))
        };
        assert_eq!(judged(Modified, "aws_instance", &[secret]).0, High);
    }

    #[test]
    fn an_unseen_value_fits_no_condition_on_values() {
        let unseen = |path: &str, before: Value| Attribute {
            certainty: Certainty::Indeterminate,
            ..changed(path, before, Value::Null)
        };
        let guard = [unseen("disable_api_termination", json!(true))];
        assert_eq!(judged(Modified, "aws_instance", &guard).0, Medium);
        let policy = [unseen("policy", json!({}))];
        assert_eq!(
            judged(Modified, "aws_iam_policy", &policy),
            (High, vec!["iam-policy-changed".to_owned()])
        );
    }

    #[test]
    fn members_that_were_there_before_are_not_gained() {
        let attribute = Attribute {
            added: Some(vec![json!({"cidr_blocks": ["10.0.0.0/8"]})]),
            ..changed(
                "ingress",
                json!([]),
                json!([{"cidr_blocks": ["0.0.0.0/0"]}]),
            )
        };
        assert_eq!(judged(Modified, "aws_security_group", &[attribute]).0, High);
    }

    #[test]
    fn a_users_rule_takes_the_place_of_the_one_with_its_id() {
        let rule = |text: &str| toml::from_str::<Rule>(text).unwrap();
        let milder = rule(
            "id = 'instance-size'\nattributes = ['instance_type']\nseverity = 'low'\nwhy = 'It scales.'",
        );
        let own = rule(
            "id = 'own'\ntypes = ['aws_instance']\nseverity = 'high'\nwhy = 'Ours.'\nattributes = ['tags.Owner']",
        );
        let rules = Rules::built_in().clone().with([milder, own]);
        let size = [changed(
            "instance_type",
            json!("t3.small"),
            json!("t3.large"),
        )];
        assert_eq!(
            judge(&view(Modified, "aws_instance", &size), &rules),
            (Low, vec!["instance-size".to_owned()])
        );
        let tag = [changed("tags.Owner", json!("a"), json!("b"))];
        assert_eq!(judge(&view(Modified, "aws_instance", &tag), &rules).0, High);
        assert_eq!(
            rules.get("own").map(|rule| rule.why.as_str()),
            Some("Ours.")
        );
    }

    fn is_kebab(id: &str) -> bool {
        !id.is_empty()
            && !id.starts_with('-')
            && !id.ends_with('-')
            && id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
}
