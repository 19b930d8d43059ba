//! How templates write values.

#![expect(
    unreachable_pub,
    clippy::inline_always,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "so the macro writes a filter"
)]

/// A number with thin groups of three digits: `12 345`.
#[askama::filter_fn]
pub(super) fn grouped(number: &u64, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(farmops_farm::grouped(*number))
}

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::super::filters;

    #[derive(Template)]
    #[template(source = "{{ coins|grouped }}", ext = "html")]
    struct Page {
        coins: u64,
    }

    #[test]
    fn large_numbers_are_grouped() {
        let page = Page { coins: 1_234_567 };
        assert_eq!(
            page.render().ok().as_deref(),
            Some("1\u{202f}234\u{202f}567")
        );
    }
}
