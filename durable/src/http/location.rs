//! Where a `Location` leads, seen from the address that was asked (RFC 3986, section 5).
//!
//! Splits addresses and puts them together; looks nothing up.

/// The scheme, host and port of an address that can be asked by HTTP, in one spelling; `None` for any
/// other text.
pub(super) fn origin(uri: &str) -> Option<(String, String, u16)> {
    let parts = Parts::of(uri);
    let scheme = parts.scheme?.to_ascii_lowercase();
    let usual = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    if uri.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return None;
    }
    let authority = parts.authority?;
    let place = authority.rsplit_once('@').map_or(authority, |(_user, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, "")) => (host, usual),
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        Some(_) | None => (place, usual),
    };
    if host.is_empty() { None } else { Some((scheme, host.to_ascii_lowercase(), port)) }
}

/// The address that `reference` means, seen from `base`; `None` when it cannot be asked by HTTP.
pub(super) fn resolve(base: &str, reference: &str) -> Option<String> {
    let (base, to) = (Parts::of(base), Parts::of(reference.trim()));
    let resolved = if to.scheme.is_some() {
        to.join(to.path)
    } else if to.authority.is_some() {
        Parts { scheme: base.scheme, ..to }.join(to.path)
    } else if to.path.is_empty() {
        let query = to.query.or(base.query);
        return checked(Parts { query, ..base }.join(base.path));
    } else {
        let from_here = Parts { query: to.query, ..base };
        if to.path.starts_with('/') {
            from_here.join(&without_dots(to.path))
        } else {
            let folder = base.path.rfind('/').map_or("/", |end| &base.path[..=end]);
            from_here.join(&without_dots(&format!("{folder}{}", to.path)))
        }
    };
    checked(resolved)
}

fn checked(uri: String) -> Option<String> {
    origin(&uri).map(|_| uri)
}

/// The parts of a reference (RFC 3986, appendix B).
#[derive(Debug, Clone, Copy)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        // A fragment is not sent.
        let (text, _fragment) = split(text, '#');
        let (text, query) = split(text, '?');
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            Some(_) | None => (None, text),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        Self { scheme, authority, path, query }
    }

    fn join(self, path: &str) -> String {
        let mut text = String::new();
        if let Some(scheme) = self.scheme {
            text = text + scheme + ":";
        }
        if let Some(authority) = self.authority {
            text = text + "//" + authority;
        }
        text += path;
        if let Some(query) = self.query {
            text = text + "?" + query;
        }
        text
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 3986, section 5.4; fragments are not sent.
    #[test]
    fn a_location_is_resolved_against_the_address_that_was_asked() {
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g?y#s", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("https://g/h?x:y", "https://g/h?x:y"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference).as_deref(), Some(expected), "{reference}");
        }
        assert_eq!(resolve("http://a", "g").as_deref(), Some("http://a/g"));
        for elsewhere in ["mailto:a@b", "file:///etc/passwd", "http:g"] {
            assert_eq!(resolve("http://a/b", elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn an_origin_is_the_same_in_any_spelling() {
        let of = |host: &str, port| Some(("https".to_owned(), host.to_owned(), port));
        assert_eq!(origin("https://A.org"), of("a.org", 443));
        assert_eq!(origin("HTTPS://me:pw@a.org:443/x"), of("a.org", 443));
        assert_eq!(origin("https://[::1]:8443/x"), of("[::1]", 8443));
        assert_eq!(origin("https://[::1]/x"), of("[::1]", 443));
        assert_eq!(origin("https://a.org:x/"), None);
    }
}
