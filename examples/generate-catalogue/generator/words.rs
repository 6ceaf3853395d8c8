//! Names in the two spellings: `DBInstanceIdentifier` and `db_instance_identifier`.

/// Snake case, as the provider writes it.
pub fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let starts = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if starts {
            out.push('_');
        }
        out.push(if *letter == '-' {
            '_'
        } else {
            letter.to_ascii_lowercase()
        });
    }
    out
}

/// The first letter lowered, as CloudTrail writes members.
pub fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_ascii_lowercase().to_string() + chars.as_str()
    })
}

/// One of many: `Policies` → `Policy`, `SubnetIds` → `SubnetId`.
pub fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        format!("{stem}y")
    } else if let Some(stem) = ["sses", "xes", "ches", "shes"]
        .iter()
        .find_map(|end| name.strip_suffix("es").filter(|_| name.ends_with(end)))
    {
        stem.to_owned()
    } else {
        match name.strip_suffix('s') {
            Some(stem)
                if !name.ends_with("ss") && !name.ends_with("us") && !name.ends_with("is") =>
            {
                stem.to_owned()
            }
            _ => name.to_owned(),
        }
    }
}

/// The words of a name in snake case, each in the singular.
pub fn words(snake: &str) -> Vec<String> {
    snake
        .split('_')
        .filter(|word| !word.is_empty())
        .map(singular)
        .collect()
}

/// An event's verb and what it is about: `DeleteDBCluster` → `Delete`, `DBCluster`.
pub fn verb_and_noun(event: &str) -> (&str, &str) {
    for prefix in [
        "CreateOrUpdate",
        "BatchCreate",
        "BatchDelete",
        "BatchUpdate",
        "BatchPut",
        "AdminCreate",
        "AdminDelete",
        "AdminUpdate",
    ] {
        if let Some(noun) = event.strip_prefix(prefix) {
            return (prefix, noun);
        }
    }
    let end = event
        .char_indices()
        .skip(1)
        .find(|(_, letter)| letter.is_ascii_uppercase())
        .map_or(event.len(), |(at, _)| at);
    event.split_at(end)
}

/// How many words at the end of one are the words of the other.
pub fn ends_with(of: &[String], end: &[String]) -> bool {
    !end.is_empty() && of.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_turn_into_the_provider_s_spelling() {
        for (name, want) in [
            ("DBInstanceIdentifier", "db_instance_identifier"),
            ("KMSKeyId", "kms_key_id"),
            ("TTL", "ttl"),
            ("Ipv6Address", "ipv6_address"),
            ("broker-id", "broker_id"),
        ] {
            assert_eq!(snake(name), want);
        }
    }

    #[test]
    fn one_of_many_is_found() {
        for (many, one) in [
            ("Policies", "Policy"),
            ("SubnetIds", "SubnetId"),
            ("Addresses", "Address"),
            ("Access", "Access"),
            ("Status", "Status"),
            ("Boxes", "Box"),
        ] {
            assert_eq!(singular(many), one);
        }
    }

    #[test]
    fn a_verb_ends_where_the_noun_begins() {
        for (event, want) in [
            ("DeleteDBCluster", ("Delete", "DBCluster")),
            ("CreateOrUpdateTags", ("CreateOrUpdate", "Tags")),
            ("BatchDeleteImage", ("BatchDelete", "Image")),
            ("Publish", ("Publish", "")),
        ] {
            assert_eq!(verb_and_noun(event), want);
        }
    }
}
