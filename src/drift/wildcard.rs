//! The one glob grammar of flags, configuration and rules: `*` is any text, `?` any one character,
//! all else stands for itself.
//!
//! It is IAM's own grammar, and the brackets that address one instance (`aws_instance.app[0]`) need
//! no escaping in it.

/// Whether the whole text fits the pattern. Case counts.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    // Most patterns say already with their first letters that they do not fit.
    let plain = |byte: &u8| !matches!(byte, b'*' | b'?');
    let start = pattern.bytes().zip(text.bytes());
    if start
        .take_while(|(pattern, _)| plain(pattern))
        .any(|(pattern, text)| pattern != text)
    {
        return false;
    }
    let (mut pattern, mut text) = (pattern, text);
    // Where the last `*` stands, and what it has not swallowed yet: the only place worth returning to.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let (mut rest_pattern, mut rest_text) = (pattern.chars(), text.chars());
        match (rest_pattern.next(), rest_text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = rest_pattern.as_str();
                star = Some((pattern, text));
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                (pattern, text) = (rest_pattern.as_str(), rest_text.as_str());
            }
            _ => {
                let Some((after_star, unswallowed)) = star else {
                    return false;
                };
                let mut swallowed = unswallowed.chars();
                if swallowed.next().is_none() {
                    return false;
                }
                (pattern, text) = (after_star, swallowed.as_str());
                star = Some((pattern, text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_text_or_not_at_all() {
        let table = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "módulo", true),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("*.tags.*", "x.tags.tags.y", true),
            ("a*b*c", "aXbXbXc", true),
            ("a**c", "abc", true),
            ("?", "é", true),
            ("?", "", false),
            ("a?c", "ac", false),
            ("aws_instance.app[0]", "aws_instance.app[0]", true),
            ("aws_instance.app[0]", "aws_instance.app0", false),
            ("aws_instance.app[*]", r#"aws_instance.app["a.b"]"#, true),
            ("module.web.*", "module.web.aws_instance.app", true),
            ("module.web.*", "module.website.aws_instance.app", false),
            ("{a,b}", "{a,b}", true),
            ("Deploy", "deploy", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn it_agrees_with_the_plain_recursive_reading(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
            fn plain(pattern: &[char], text: &[char]) -> bool {
                match (pattern, text) {
                    ([], []) => true,
                    (['*', rest @ ..], _) => (0..=text.len()).any(|n| plain(rest, &text[n..])),
                    (['?', rest @ ..], [_, more @ ..]) => plain(rest, more),
                    ([a, rest @ ..], [b, more @ ..]) => a == b && plain(rest, more),
                    _ => false,
                }
            }
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            proptest::prop_assert_eq!(matches(&pattern, &text), plain(&p, &t));
        }
    }
}
