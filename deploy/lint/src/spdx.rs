//! SPDX licence expressions, as far as manifests use them: `OR`, `AND`, `WITH`, parentheses, the old `/`.

/// Whether `expression` can be satisfied with the licences `accepts` takes.
#[must_use]
pub fn satisfied(expression: &str, accepts: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let satisfied = any(&tokens, &mut at, accepts);
    satisfied && at == tokens.len()
}

fn any(tokens: &[&str], at: &mut usize, accepts: &dyn Fn(&str) -> bool) -> bool {
    let mut satisfied = all(tokens, at, accepts);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        satisfied |= all(tokens, at, accepts);
    }
    satisfied
}

fn all(tokens: &[&str], at: &mut usize, accepts: &dyn Fn(&str) -> bool) -> bool {
    let mut satisfied = one(tokens, at, accepts);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        satisfied &= one(tokens, at, accepts);
    }
    satisfied
}

fn one(tokens: &[&str], at: &mut usize, accepts: &dyn Fn(&str) -> bool) -> bool {
    let Some(token) = tokens.get(*at) else {
        return false;
    };
    *at += 1;
    if *token == "(" {
        let satisfied = any(tokens, at, accepts);
        let closed = tokens.get(*at) == Some(&")");
        *at += 1;
        return satisfied && closed;
    }
    let mut name = (*token).to_owned();
    if tokens.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", tokens.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    accepts(&name)
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    #[test]
    fn operators_bind_as_spdx_says() {
        let mit = |name: &str| name == "MIT";
        for (expression, expected) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("GPL-3.0 OR MIT", true),
            ("GPL-3.0/MIT", true),
            ("GPL-3.0 AND MIT", false),
            ("(GPL-3.0 OR MIT) AND MIT", true),
            ("MIT OR GPL-3.0 AND GPL-2.0", true),
            ("MIT WITH Classpath-exception-2.0", false),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(satisfied(expression, &mit), expected, "{expression}");
        }
    }
}
