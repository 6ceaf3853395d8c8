//! What a URL is made of, as far as it matters where a request goes and what of it may be shown.

/// Scheme, host and port of a URL.
#[must_use]
pub fn origin(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(begin..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |length| begin + length);
    url.get(..end).unwrap_or(url)
}

/// Host and port of a URL.
#[must_use]
pub fn host(url: &str) -> &str {
    let origin = origin(url);
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Where a `Location` leads, seen from a URL.
pub(super) fn absolute(url: &str, next: &str) -> String {
    if next.contains("://") {
        return next.to_owned();
    }
    if let Some(rest) = next.strip_prefix("//") {
        let scheme = url.split("://").next().unwrap_or("https");
        return format!("{scheme}://{rest}");
    }
    if next.starts_with('/') {
        return format!("{}{next}", origin(url));
    }
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let folder = match path.rfind('/') {
        Some(at) if at >= origin(url).len() => path.get(..=at).unwrap_or(path).to_owned(),
        _ => format!("{}/", origin(url)),
    };
    format!("{folder}{next}")
}

/// A URL without what may be secret: user and password, and what a query says of keys,
/// signatures and the like.
#[must_use]
pub fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let (host, path) = match place.find('/') {
        Some(at) => place.split_at_checked(at).unwrap_or((place, "")),
        None => (place, ""),
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let mut text = format!("{scheme}://{host}{path}");
    for (number, part) in query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .enumerate()
    {
        text.push(if number == 0 { '?' } else { '&' });
        match part.split_once('=') {
            Some((name, _)) if is_secret(name) => text.push_str(&format!("{name}=…")),
            _ => text.push_str(part),
        }
    }
    text
}

fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 9] = [
        "sig", "token", "key", "secret", "pass", "pwd", "cred", "auth", "code",
    ];
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_moved_to_is_seen_from_where_one_was() {
        let url = "https://a.example:8443/x/y?z=1";
        assert_eq!(origin(url), "https://a.example:8443");
        assert_eq!(host(url), "a.example:8443");
        for (next, expected) in [
            ("https://b.example/q", "https://b.example/q"),
            ("//b.example/q", "https://b.example/q"),
            ("/q", "https://a.example:8443/q"),
            ("q", "https://a.example:8443/x/q"),
        ] {
            assert_eq!(absolute(url, next), expected, "{next}");
        }
        assert_eq!(absolute("https://a.example", "q"), "https://a.example/q");
    }

    #[test]
    fn what_is_shown_of_a_url_holds_no_secret() {
        for (url, expected) in [
            ("https://a.example/net", "https://a.example/net"),
            ("https://me:hush@a.example:1/net", "https://a.example:1/net"),
            (
                "https://a.example/x?name=net&X-Amz-Signature=hush&access_token=hush",
                "https://a.example/x?name=net&X-Amz-Signature=…&access_token=…",
            ),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
